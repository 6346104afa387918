using Microsoft.Extensions.Logging;

namespace Stint.Server.Audit;

internal static partial class Log
{
    [LoggerMessage(201, LogLevel.Error, "The audit log's head could not be signed; it is tried again in a second.")]
    public static partial void SigningFailed(ILogger log, Exception problem);
}
