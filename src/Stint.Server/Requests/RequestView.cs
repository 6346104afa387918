using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Catalog;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Server.Grants;

namespace Stint.Server.Requests;

/// <summary>A request with what belongs to it.</summary>
/// <param name="Request">The request.</param>
/// <param name="Approvals">Every answer so far, oldest first.</param>
/// <param name="Open">Steps that are not met yet; empty unless it is pending.</param>
/// <param name="Grant">What came of it; null while there is none.</param>
internal sealed record RequestView(Request Request, IReadOnlyList<Approval> Approvals, IReadOnlyList<OpenStep> Open, GrantView? Grant);

/// <summary>What an asking would come to now. Nothing was stored.</summary>
/// <param name="Verdict">What the policies say.</param>
/// <param name="CatalogVersion">Which catalog said so.</param>
internal sealed record AskPreview(Verdict Verdict, string CatalogVersion);

/// <summary>A role that the caller may ask for.</summary>
/// <param name="Role">The role.</param>
/// <param name="Resource">Its resource.</param>
/// <param name="Guarantee">How its end is enforced when Stint is down; null for a kind that this server does not run.</param>
/// <param name="NeedsApproval">Whether somebody's yes is needed for the default asking.</param>
/// <param name="Default">How long without saying so.</param>
/// <param name="Max">How long at most.</param>
/// <param name="ReasonRequired">Whether a justification must be given.</param>
/// <param name="TicketPatterns">Patterns that the ticket must all match; empty when no ticket is demanded.</param>
/// <param name="Conditions">Conditions that have to hold when it is asked for, as the catalog writes them.</param>
/// <param name="Held">The caller's grant of it that is ready, opening or open; null for none.</param>
internal sealed record RoleOffer(
    Role Role,
    Resource Resource,
    Core.Grants.Guarantee? Guarantee,
    bool NeedsApproval,
    TimeSpan Default,
    TimeSpan Max,
    bool ReasonRequired,
    IReadOnlyList<string> TicketPatterns,
    IReadOnlyList<string> Conditions,
    GrantId? Held);
