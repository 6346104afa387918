namespace Stint.Core.Approvals;

/// <summary>Who answers for somebody while they are away. It carries that person's own places in steps, and never one that they hold for another.</summary>
public sealed record Delegation
{
    /// <summary>Longest time between start and end.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(90);

    public required DelegationId Id { get; init; }

    /// <summary>Who is away.</summary>
    public required SubjectId Person { get; init; }

    /// <summary>Who answers for them.</summary>
    public required SubjectId Delegate { get; init; }

    /// <summary>From this moment on.</summary>
    public required DateTimeOffset From { get; init; }

    /// <summary>Until before this moment.</summary>
    public required DateTimeOffset Until { get; init; }

    public required DateTimeOffset MadeAt { get; init; }

    /// <summary>When it was ended early; null when it was not.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Whether it counts at a moment.</summary>
    public bool Holds(DateTimeOffset now) => EndedAt is null && From <= now && now < Until;
}
