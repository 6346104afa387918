using Microsoft.Extensions.Logging;
using Stint.Core.Sessions;

namespace Stint.Gateway.Relaying;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "Session {Session} ended: {Reason}")]
    public static partial void Ended(ILogger logger, string session, SessionEndReason reason);

    [LoggerMessage(2, LogLevel.Error, "Session {Session} cannot be recorded and is ended")]
    public static partial void RecordingFailed(ILogger logger, string session, Exception failed);

    [LoggerMessage(3, LogLevel.Warning, "The recording of session {Session} could not be anchored")]
    public static partial void AnchorFailed(ILogger logger, string session, Exception failed);

    [LoggerMessage(4, LogLevel.Error, "The relay of session {Session} failed")]
    public static partial void PumpFailed(ILogger logger, string session, Exception failed);

    [LoggerMessage(8, LogLevel.Error, "A stream of the relay broke in a way that was not foreseen, and was closed")]
    public static partial void StreamBroke(ILogger logger, Exception unforeseen);

    [LoggerMessage(9, LogLevel.Error, "What a session makes of its deadline broke in a way that was not foreseen")]
    public static partial void DeadlineBroke(ILogger logger, Exception unforeseen);

    [LoggerMessage(5, LogLevel.Information, "The client of session {Session} took no last words within {Milliseconds} ms")]
    public static partial void FarewellFailed(ILogger logger, string session, double milliseconds);

    [LoggerMessage(6, LogLevel.Error, "The end of session {Session} could not be told to the control plane")]
    public static partial void EndNotTold(ILogger logger, string session, Exception failed);

    [LoggerMessage(7, LogLevel.Error, "The connection of session {Session} could not be ended at the target")]
    public static partial void NotCutAtTarget(ILogger logger, string session, Exception failed);
}
