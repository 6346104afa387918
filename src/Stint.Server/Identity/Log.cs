using Microsoft.Extensions.Logging;

namespace Stint.Server.Identity;

/// <summary>What is said of those who come in.</summary>
internal static partial class Log
{
    [LoggerMessage(60, LogLevel.Warning, "The keys of issuer {Issuer} could not be read: {Why}. Its tokens are refused once those known are too old.")]
    public static partial void KeysFailed(this ILogger log, string issuer, string why);

    [LoggerMessage(61, LogLevel.Information, "A token of a platform was refused: {Why}")]
    public static partial void TokenRefused(this ILogger log, string why);

    [LoggerMessage(62, LogLevel.Warning, "Provider {Provider} cannot be asked: {Why}")]
    public static partial void ProviderAway(this ILogger log, string provider, string why);

    [LoggerMessage(63, LogLevel.Warning, "Provider {Provider} refused a code with {Status}: {Word}. With invalid_client its client_id and client_secret are not those that it knows.")]
    public static partial void CodeRefused(this ILogger log, string provider, int status, string word);

    [LoggerMessage(64, LogLevel.Warning, "What came back from provider {Provider} was refused: {Why}")]
    public static partial void AnswerRefused(this ILogger log, string provider, string why);

    [LoggerMessage(65, LogLevel.Information, "An account of provider {Provider} was refused: {Why}")]
    public static partial void AccountRefused(this ILogger log, string provider, string why);

    [LoggerMessage(66, LogLevel.Warning, "Provider {Provider} sent a logout that was refused: {Why}")]
    public static partial void LogoutRefused(this ILogger log, string provider, string why);

    [LoggerMessage(67, LogLevel.Information, "Provider {Provider} told of a logout; {Count} browsers were signed out")]
    public static partial void LoggedOut(this ILogger log, string provider, int count);

    [LoggerMessage(68, LogLevel.Warning, "The directory at {Directory} could not be pulled from: {Why}. Nothing changed; it is tried again.")]
    public static partial void PullFailed(this ILogger log, string directory, string why);

    [LoggerMessage(69, LogLevel.Error, "The directory at {Directory} tells that {Leaving} of {Known} people leave or lose a group at once, and at most {Most} may. Nothing of it was taken over. If it is right, an admin confirms it: stint people pull.")]
    public static partial void PullRefused(this ILogger log, string directory, int leaving, long known, long most);

    [LoggerMessage(70, LogLevel.Error, "The directory at {Directory} was last heard of at {At}: {Why}. Whoever left since then still has what they had here.")]
    public static partial void DirectorySilent(this ILogger log, string directory, string at, string why);

    [LoggerMessage(71, LogLevel.Warning, "From the directory: {Note}")]
    public static partial void PassedOver(this ILogger log, string note);

    [LoggerMessage(72, LogLevel.Information, "A security event token was refused: {Why}")]
    public static partial void SignalRefused(this ILogger log, string why);
}
