using Microsoft.Extensions.Logging;
using Stint.Core;

namespace Stint.Server.Nodes;

internal static partial class Log
{
    [LoggerMessage(201, LogLevel.Information, "The gateway {Node} is linked; it carries {Count} sessions")]
    public static partial void Linked(ILogger log, string node, int count);

    [LoggerMessage(202, LogLevel.Warning, "The link to the gateway {Node} is over")]
    public static partial void Unlinked(ILogger log, string node);

    [LoggerMessage(203, LogLevel.Warning, "{Session} is over: its gateway {Node} does not carry it any more")]
    public static partial void SessionLost(ILogger log, SessionId session, string node);

    [LoggerMessage(204, LogLevel.Warning, "The link to the control plane {Url} is over: {Why}; it is made again")]
    public static partial void ControlAway(ILogger log, Uri url, string why);

    [LoggerMessage(205, LogLevel.Information, "Linked to the control plane {Url} as {Node}")]
    public static partial void ControlBack(ILogger log, Uri url, string node);

    [LoggerMessage(206, LogLevel.Error, "Nothing was heard of the control plane for {Bound}; the {Count} sessions here are cut")]
    public static partial void CutOff(ILogger log, TimeSpan bound, int count);

    [LoggerMessage(207, LogLevel.Warning, "This machine's clock and the control plane's differ by {Seconds:F1} s; let both follow the same time server")]
    public static partial void Skewed(ILogger log, double seconds);

    [LoggerMessage(208, LogLevel.Error, "The end of {Session} is not on record yet: {Why}; it is told again")]
    public static partial void EndPostponed(ILogger log, SessionId session, string why);

    [LoggerMessage(209, LogLevel.Warning, "A part of the recording {File} could not be sent: {Why}")]
    public static partial void PartNotSent(ILogger log, string file, string why);

    [LoggerMessage(210, LogLevel.Warning, "What the gateway {Node} carries could not be looked at; it is tried at its next beat")]
    public static partial void BeatFailed(ILogger log, Exception problem, string node);
}
