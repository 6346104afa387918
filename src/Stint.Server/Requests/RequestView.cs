using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Catalog;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Server.Approvals;
using Stint.Server.Grants;

namespace Stint.Server.Requests;

/// <summary>A request with what belongs to it.</summary>
/// <param name="Request">The request.</param>
/// <param name="Approvals">Every answer so far, oldest first.</param>
/// <param name="Open">Steps that are not met yet; empty unless it is pending.</param>
/// <param name="Grant">What came of it; null while there is none.</param>
internal sealed record RequestView(Request Request, IReadOnlyList<Approval> Approvals, IReadOnlyList<OpenStep> Open, GrantView? Grant)
{
    /// <summary>Each step with how it stands; empty where no approval was needed.</summary>
    public IReadOnlyList<StepView> Steps { get; init; } = [];

    /// <summary>Who answers for somebody among those whom a step waits for.</summary>
    public IReadOnlyList<Delegation> Delegations { get; init; } = [];

    /// <summary>Whether whoever looks may say yes now, in whose place, and else why not; null unless it is pending, or when nobody in particular looks.</summary>
    public Seat? Looker { get; init; }

    /// <summary>What was offered in its place, oldest first.</summary>
    public IReadOnlyList<CounterOffer> Offers { get; init; } = [];

    /// <summary>When it comes again; null for one that opens once.</summary>
    public SeriesView? Series { get; init; }

    /// <summary>The review of a break-glass; null for one that is none, or that was denied.</summary>
    public Review? Review { get; init; }

    /// <summary>The counter-offer that it was made of; null when it was asked by itself.</summary>
    public CounterOffer? MadeOf { get; init; }
}

/// <summary>A series as it stands.</summary>
/// <param name="Series">When it comes.</param>
/// <param name="Running">How it stands since it was approved; null before.</param>
/// <param name="Next">The beginnings of the next occurrences, at most <see cref="Told"/>; empty once it ended.</param>
internal sealed record SeriesView(Series Series, Store.RunningSeries? Running, IReadOnlyList<DateTimeOffset> Next)
{
    /// <summary>How many occurrences are told.</summary>
    public const int Told = 5;
}

/// <summary>How a step stands.</summary>
internal enum StepState
{
    /// <summary>It is asked, and yeses are missing.</summary>
    Open = 1,

    /// <summary>Those before it are not met yet.</summary>
    Later = 2,

    /// <summary>It has the yeses that it needs.</summary>
    Met = 3,

    /// <summary>The request was decided without it.</summary>
    Over = 4,
}

/// <summary>One step of a request.</summary>
/// <param name="Step">The step; while the request is pending with who may answer it now, afterwards as it was pinned.</param>
/// <param name="State">How it stands.</param>
/// <param name="Missing">How many more persons it takes; 0 unless it is open or later.</param>
/// <param name="Could">Who could answer still.</param>
/// <param name="Progress">How far it has come; null for a request that is older than that, and for one that is no longer pending.</param>
/// <param name="Lacking">Why nobody could fulfil it any more, in words; null while somebody could.</param>
internal sealed record StepView(PinnedStep Step, StepState State, int Missing, IReadOnlyList<SubjectId> Could, StepProgress? Progress, string? Lacking);

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
    GrantId? Held)
{
    /// <summary>Whether the exact statements have to be named.</summary>
    public bool StatementsRequired { get; init; }

    /// <summary>Whether it opens at once in an emergency.</summary>
    public bool BreakGlass { get; init; }

    /// <summary>Whether that is the only way.</summary>
    public bool OnlyBreakGlass { get; init; }
}
