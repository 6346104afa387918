namespace Stint.Core.Approvals;

/// <summary>One approval step as it was when the request was asked: its people are fixed by name.</summary>
/// <param name="Name">The step's name, for people (<c>owners of orders-db</c>).</param>
/// <param name="From">As the catalog says it (<c>owners</c>, <c>group:security</c>, <c>person:bob</c>, <c>manager</c>).</param>
/// <param name="Approvers">Who may answer, the requester already taken out.</param>
/// <param name="Need">How many different persons' yes it takes; at least one.</param>
public sealed record PinnedStep(string Name, string From, IReadOnlyList<SubjectId> Approvers, int Need);

/// <summary>One person's yes or no at a request, with what they saw.</summary>
public sealed record Approval
{
    public required RequestId Request { get; init; }

    public required SubjectId By { get; init; }

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
}
