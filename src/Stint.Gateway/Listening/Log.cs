using System.Net;
using Microsoft.Extensions.Logging;

namespace Stint.Gateway.Listening;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Information, "The gateway takes {Kind} connections at {Endpoint}")]
    public static partial void Listens(ILogger logger, string kind, EndPoint endpoint);

    [LoggerMessage(2, LogLevel.Warning, "A connection could not be accepted")]
    public static partial void AcceptFailed(ILogger logger, Exception failed);

    [LoggerMessage(3, LogLevel.Error, "A connection failed in a way that nobody foresaw")]
    public static partial void ConnectionFailed(ILogger logger, Exception failed);

    [LoggerMessage(4, LogLevel.Information, "A connection from {From} was refused: {Why}")]
    public static partial void Refused(ILogger logger, string from, string why);
}
