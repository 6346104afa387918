namespace Stint.Core.Approvals;

/// <summary>What became of a counter-offer. The names are what the store and the API write.</summary>
public enum OfferState
{
    /// <summary>It can be taken as long as its request is pending. It does not keep others from answering the request itself.</summary>
    Open = 1,

    /// <summary>The same approver offered something else later.</summary>
    Replaced = 2,

    /// <summary>The requester took it, and a new request was made of it. It does not mean that the new one was approved.</summary>
    Accepted = 3,
}

/// <summary>What an approver offers in place of what was asked: shorter, later, or a narrower role of the same resource.</summary>
public sealed record CounterOffer
{
    public required OfferId Id { get; init; }

    /// <summary>The request that it answers.</summary>
    public required RequestId Request { get; init; }

    public required SubjectId By { get; init; }

    /// <summary>The approver who is away and in whose place they offer; null when they offer for themselves.</summary>
    public SubjectId? Seat { get; init; }

    /// <summary>The delegation by which they do; null with <see cref="Seat"/>.</summary>
    public DelegationId? Delegation { get; init; }

    public required DateTimeOffset At { get; init; }

    public required RoleRef Role { get; init; }

    /// <summary>How long, counted from the opening.</summary>
    public required TimeSpan For { get; init; }

    /// <summary>When it would open; null for as the request says.</summary>
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>May be empty.</summary>
    public string Comment { get; init; } = "";

    /// <summary>The digest of what they were shown.</summary>
    public required string SawDigest { get; init; }

    /// <summary>Where they offered (<c>cli</c>, <c>api</c>, <c>web</c>).</summary>
    public required string Via { get; init; }

    public required OfferState State { get; init; }

    /// <summary>The request that was made of it; null until it is taken.</summary>
    public RequestId? Made { get; init; }
}
