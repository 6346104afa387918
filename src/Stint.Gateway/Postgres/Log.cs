using Microsoft.Extensions.Logging;

namespace Stint.Gateway.Postgres;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "A PostgreSQL connection from {From} was refused with {Sqlstate}")]
    public static partial void Refused(ILogger logger, string from, string sqlstate);

    [LoggerMessage(2, LogLevel.Warning, "The target of session {Session} did not let its account in: {Detail}")]
    public static partial void DialFailed(ILogger logger, string session, string detail);

    [LoggerMessage(3, LogLevel.Error, "The control plane gave no answer; the client was refused")]
    public static partial void GateFailed(ILogger logger, Exception failed);
}
