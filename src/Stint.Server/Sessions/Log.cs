using Microsoft.Extensions.Logging;
using Stint.Core;

namespace Stint.Server.Sessions;

internal static partial class Log
{
    [LoggerMessage(101, LogLevel.Error, "Somebody knocked and could not be checked; they were not let in.")]
    public static partial void GateUnavailable(ILogger log, Exception problem);

    [LoggerMessage(102, LogLevel.Warning, "The connection of {Session} could not be ended at its target: {Why}.")]
    public static partial void CutFailed(ILogger log, SessionId session, string why);

    [LoggerMessage(103, LogLevel.Error, "The end of {Session} is not on record yet; it is tried again.")]
    public static partial void EndPostponed(ILogger log, Exception problem, SessionId session);

    [LoggerMessage(104, LogLevel.Error, "The store did not answer for {Bound}; the {Count} sessions here are cut.")]
    public static partial void CutOff(ILogger log, TimeSpan bound, int count);

    [LoggerMessage(105, LogLevel.Error, "The sessions here could not be held against their grants; it is tried again.")]
    public static partial void WatchFailed(ILogger log, Exception problem);
}
