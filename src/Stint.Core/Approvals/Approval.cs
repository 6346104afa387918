namespace Stint.Core.Approvals;

/// <summary>One approval step as it was when the request was asked: its people are fixed by name.</summary>
/// <param name="Name">The step's name, for people (<c>owners of orders-db</c>).</param>
/// <param name="From">As the catalog says it (<c>owners</c>, <c>group:security</c>, <c>person:bob</c>, <c>manager</c>, <c>on-call:web</c>); several with a comma and a space between them.</param>
/// <param name="Approvers">Who may answer, the requester already taken out.</param>
/// <param name="Need">How many different persons' yes it takes; at least one.</param>
public sealed record PinnedStep(string Name, string From, IReadOnlyList<SubjectId> Approvers, int Need)
{
    /// <summary>After how long its people are reminded; null for never.</summary>
    public TimeSpan? Remind { get; init; }

    /// <summary>Who may answer too once it has waited; null for nobody.</summary>
    public PinnedEscalation? Escalate { get; init; }

    /// <summary>Whether the requester's own manager does not count.</summary>
    public bool NotForReports { get; init; }

    /// <summary>How whoever says yes has to prove themselves anew.</summary>
    public StepUp StepUp { get; init; }
}

/// <summary>Who may answer a step too once it has waited, as it was when the request was asked.</summary>
/// <param name="After">How long, from when the step is asked.</param>
/// <param name="To">As the catalog says it.</param>
/// <param name="Approvers">Who that was; those on call are looked up when it happens.</param>
public sealed record PinnedEscalation(TimeSpan After, string To, IReadOnlyList<SubjectId> Approvers);

/// <summary>One person's yes or no at a request, with what they saw.</summary>
public sealed record Approval
{
    public required RequestId Request { get; init; }

    public required SubjectId By { get; init; }

    /// <summary>The approver in whose place they answered while that one was away; null when they answered for themselves.</summary>
    public SubjectId? For { get; init; }

    /// <summary>The delegation by which they did; null with <see cref="For"/>.</summary>
    public DelegationId? Delegation { get; init; }

    /// <summary>The counter-offer that this yes was given with; null when it was given to the request itself.</summary>
    public OfferId? Offer { get; init; }

    /// <summary>Whose place in the steps it takes.</summary>
    public SubjectId Seat => For ?? By;

    public required bool Yes { get; init; }

    public required DateTimeOffset At { get; init; }

    /// <summary>Demanded of a no; may be empty for a yes.</summary>
    public string Comment { get; init; } = "";

    /// <summary>A shorter duration that the approver set; null when they took it as asked.</summary>
    public TimeSpan? Shortened { get; init; }

    /// <summary>The digest of what they were shown. A yes to something else does not count.</summary>
    public required string SawDigest { get; init; }

    /// <summary>Where they answered (<c>cli</c>, <c>api</c>, <c>web</c>).</summary>
    public required string Via { get; init; }

    /// <summary>How they proved themselves anew; null when nothing demanded it.</summary>
    public ApprovalProof? Proof { get; init; }
}
