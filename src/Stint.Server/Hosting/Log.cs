using Microsoft.Extensions.Logging;

namespace Stint.Server.Hosting;

internal static partial class Log
{
    [LoggerMessage(100, LogLevel.Critical, "The loop {Loop} broke; the node stops")]
    public static partial void LoopBroke(this ILogger log, Exception exception, string loop);

    [LoggerMessage(101, LogLevel.Critical, "The loop {Loop} ended by itself; the node stops")]
    public static partial void LoopEnded(this ILogger log, string loop);

    [LoggerMessage(102, LogLevel.Information, "The certificate of the {Door} was replaced; SHA-256 {Fingerprint}")]
    public static partial void CertificateReplaced(this ILogger log, string door, string fingerprint);

    [LoggerMessage(103, LogLevel.Error, "The new certificate of the {Door} is not used, the old one stays: {Trouble}")]
    public static partial void CertificateBad(this ILogger log, string door, string trouble);

    [LoggerMessage(104, LogLevel.Error, "A request broke; trace {Trace}")]
    public static partial void RequestBroke(this ILogger log, Exception exception, string trace);

    [LoggerMessage(105, LogLevel.Warning, "The store cannot be used; trace {Trace}")]
    public static partial void StoreUnusable(this ILogger log, Exception exception, string trace);

    [LoggerMessage(106, LogLevel.Information, "The catalog {Version} counts now")]
    public static partial void CatalogApplied(this ILogger log, string version);

    [LoggerMessage(113, LogLevel.Warning, "The changed folder is not used yet: {Sentence}")]
    public static partial void CatalogWaits(this ILogger log, string sentence);

    [LoggerMessage(107, LogLevel.Error, "The changed catalog has {Count} problems and is not used, the old one stays. First: {First}")]
    public static partial void CatalogBroken(this ILogger log, int count, string first);

    [LoggerMessage(108, LogLevel.Information, "Draining: {Sessions} live sessions get {Seconds} s")]
    public static partial void Draining(this ILogger log, int sessions, double seconds);

    [LoggerMessage(109, LogLevel.Information, "Stopped with exit code {Code}")]
    public static partial void Stopped(this ILogger log, int code);

    [LoggerMessage(110, LogLevel.Error, "The catalog could not be looked at; the one in use stays")]
    public static partial void CatalogUnreadable(this ILogger log, Exception exception);

    [LoggerMessage(111, LogLevel.Information, "Ready: {Sentence}")]
    public static partial void Ready(this ILogger log, string sentence);

    [LoggerMessage(114, LogLevel.Warning, "The machine's clock was set back, or stands still: it is {Seconds} s behind what is counted here. Nobody gets more time by that. Set it right; if it is right, restart when no access is open")]
    public static partial void ClockSetBack(this ILogger log, double seconds);

    [LoggerMessage(112, LogLevel.Warning, "Shutting down took longer than it may; {What} is left for the next start")]
    public static partial void LeftForNextStart(this ILogger log, string what);
}
