using Stint.Server.Identity;
using Stint.Server.Sessions;

namespace Stint.Server.Web;

/// <summary>Whom a page is made for, and how what it shows stood when it was made.</summary>
/// <param name="Person">Their name in the catalog.</param>
/// <param name="Name">How they are shown.</param>
/// <param name="Csrf">What a form of theirs shows; empty for a reader with a token, who can send none.</param>
/// <param name="Waiting">How many requests wait for their answer.</param>
/// <param name="Live">Where the page hears of changes.</param>
/// <param name="Marks">How it stood, for the page to know what changed.</param>
/// <param name="MayAudit">Whether they may read what others did, all of it or at what they own.</param>
public sealed record Reader(string Person, string Name, string Csrf, int Waiting, string Live, string Marks, bool MayAudit)
{
    /// <summary>Reads how things stand before anything else is read: what changes in between is told again, and nothing is missed.</summary>
    internal static async Task<Reader> OfAsync(Caller caller, MarkPages marks, PageFocus focus, CancellationToken cancellation)
    {
        var now = await marks.ReadAsync(caller.Id, focus, cancellation);
        return new Reader(caller.Id.Value, caller.Subject.Name.Length > 0 ? caller.Subject.Name : caller.Id.Value, caller.Session?.Csrf ?? "", now.Waiting, LivePages.Href(focus), LivePages.Text(now), AuditPages.IsFor(caller));
    }
}
