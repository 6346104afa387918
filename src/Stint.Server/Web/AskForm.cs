using System.Globalization;
using Stint.Core.Requests;

namespace Stint.Server.Web;

/// <summary>What stands in the form with which somebody asks.</summary>
/// <param name="What"><c>RESOURCE/ROLE</c>, or the name of a bundle; empty for nothing yet.</param>
/// <param name="For">Seconds; empty for what the policies give.</param>
/// <param name="Reason">The justification.</param>
/// <param name="Ticket">The tracker's ticket.</param>
/// <param name="Start">A start as it was typed; empty for now.</param>
/// <param name="StartUtc">The same in UTC, of a script that knows the reader's zone; empty for none.</param>
/// <param name="AtOnce">Whether it opens as soon as it is approved.</param>
/// <param name="Extends">The grant to join; empty for none.</param>
/// <param name="Emergency">Whether it is break-glass.</param>
internal sealed record AskForm(string What, string For, string Reason, string Ticket, string Start, string StartUtc, bool AtOnce, string Extends, bool Emergency)
{
    public bool IsBundle => What.Length > 0 && !What.Contains('/', StringComparison.Ordinal);

    /// <summary>Reads it, of a form or of an address.</summary>
    public static AskForm Of(Func<string, string> field) => new(
        field("what").Trim(),
        field("for"),
        field("reason"),
        field("ticket"),
        field("start"),
        field("start_utc"),
        field("at_once").Length > 0,
        field("extends"),
        field("emergency").Length > 0);

    /// <summary>As it is asked for a role.</summary>
    public Asking ToAsking() => new(What, Seconds, Reason, Ticket, StartAt, AtOnce && StartAt is null, Extends.Length > 0 ? Extends : null) { BreakGlass = Emergency };

    /// <summary>As it is asked for a bundle.</summary>
    public AskingTogether ToAskingTogether() => new(What, Seconds, Reason, Ticket, StartAt, AtOnce && StartAt is null);

    /// <summary>What cannot be read at all; null for nothing.</summary>
    public string? Unreadable => (Start.Length > 0 && StartAt is null) ? "The start is not a day and a time: write it like 2026-12-24T18:00." : null;

    private long? Seconds => long.TryParse(For, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? seconds : null;

    // Without a script nobody knows the reader's zone: the page says then that the time is UTC.
    private DateTimeOffset? StartAt => Start.Length > 0 && DateTimeOffset.TryParse(StartUtc.Length > 0 ? StartUtc : Start, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at) ? at : null;
}
