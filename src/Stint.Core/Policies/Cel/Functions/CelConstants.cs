namespace Stint.Core.Policies.Cel;

/// <summary>Constants that can be judged before any evaluation: a malformed one is a problem of the source, with its place.</summary>
internal static class CelConstants
{
    public const string NoTimestamp = "this text is no timestamp; write one as 2026-01-31T08:00:00Z or with an offset as +01:00, between the years 1 and 9999";
    public const string NoDuration = "this text is no duration; write numbers with units as 1h30m or 1.5s (h, m, s, ms, us, ns), up to 292 years";
    public const string NoZone = "no such time zone; write an IANA name as Europe/Berlin, or an offset as +01:00";
    public const string NoAddress = "this text is no IP address; write 10.1.2.3 without leading zeros, or 2001:db8::1, without a zone and without IPv4 inside IPv6";
    public const string NoNetwork = "this text is no network; write an address, a slash and the number of leading bits, as 10.0.0.0/8";

    /// <summary>What is wrong with a constant argument, and which one it is; null when nothing is.</summary>
    public static (CelExpr Where, string Message)? Check(CelExpr.Call call)
    {
        var all = call.All;
        switch (call.Resolved)
        {
            case "timestamp" when Text(all, 0) is { } text && !CelTime.TryParseTimestamp(text, out _):
                return (all[0], NoTimestamp);
            case "duration" when Text(all, 0) is { } text && !CelTime.TryParseDuration(text, out _):
                return (all[0], NoDuration);
            case "ip" when Text(all, 0) is { } text && CelAddress.Parse(text) is null:
                return (all[0], NoAddress);
            case "cidr" when Text(all, 0) is { } text && CelNetwork.Parse(text) is null:
                return (all[0], NoNetwork);
            case "containsIP" when Text(all, 1) is { } text && CelAddress.Parse(text) is null:
                return (all[1], NoAddress);
            case "containsCIDR" when Text(all, 1) is { } text && CelNetwork.Parse(text) is null:
                return (all[1], NoNetwork);
            case "matches" when Text(all, 1) is { } text:
                return CelRegex.Compile(text, CelLimits.Default.Match, out var wrong) is null ? (all[1], wrong) : null;
            case var part when CelTimeFunctions.Parts.Contains(part) && Text(all, 1) is { } text && CelTime.Zone(text) is null:
                return (all[1], NoZone);
            default:
                return null;
        }
    }

    public static string? Text(IReadOnlyList<CelExpr> arguments, int index) =>
        index < arguments.Count && arguments[index] is CelExpr.Literal { Value.Kind: CelKind.Text } literal ? literal.Value.String : null;
}
