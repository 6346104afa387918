using Microsoft.Extensions.Logging;

namespace Stint.Server.Identity;

/// <summary>What is said of those who come in.</summary>
internal static partial class Log
{
    [LoggerMessage(60, LogLevel.Warning, "The keys of issuer {Issuer} could not be read: {Why}. Its tokens are refused once those known are too old.")]
    public static partial void KeysFailed(this ILogger log, string issuer, string why);

    [LoggerMessage(61, LogLevel.Information, "A token of a platform was refused: {Why}")]
    public static partial void TokenRefused(this ILogger log, string why);

    [LoggerMessage(62, LogLevel.Information, "A security event token was refused: {Why}")]
    public static partial void SignalRefused(this ILogger log, string why);
}
