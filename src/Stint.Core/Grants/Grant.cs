using Stint.Core.Policies;
using Stint.Core.Requests;

namespace Stint.Core.Grants;

/// <summary>The right that an approved request produced: one subject, one role, one window.</summary>
public sealed record Grant
{
    public required GrantId Id { get; init; }

    public required RequestId Request { get; init; }

    public required SubjectId Subject { get; init; }

    public required RoleRef Role { get; init; }

    public required GrantState State { get; init; }

    /// <summary>Grows by one with every move; a writer who saw an older one has lost the race.</summary>
    public required long Version { get; init; }

    public required DateTimeOffset ReadyAt { get; init; }

    /// <summary>How long it lasts once opened; for an extension, counted from the end of the grant it joins.</summary>
    public required TimeSpan For { get; init; }

    /// <summary>Its scheduled start; null when its holder begins it, or when it opens at once.</summary>
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>When it lapses if it is not begun.</summary>
    public required DateTimeOffset LapsesAt { get; init; }

    /// <summary>The grant it joins; null for none.</summary>
    public GrantId? Extends { get; init; }

    /// <summary>What stands at the target for it; null until its opening is intended.</summary>
    public AssignmentId? Assignment { get; init; }

    /// <summary>When its opening was first intended; null while <see cref="GrantState.Ready"/>. An opening that the target does not answer is given up some time after it.</summary>
    public DateTimeOffset? BegunAt { get; init; }

    /// <summary>Start of its window, inclusive; null before opening. While <see cref="GrantState.Opening"/> it is an intention.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>End of its window, exclusive. From <see cref="GrantState.Open"/> on it never moves.</summary>
    public DateTimeOffset? NotAfter { get; init; }

    /// <summary>When calendars end it at the latest, fixed as its opening is intended; null for no such end. <see cref="NotAfter"/> is never behind it.</summary>
    public DateTimeOffset? EndsBy { get; init; }

    /// <summary>Why it ended; null while it has not.</summary>
    public EndReason? End { get; init; }

    /// <summary>Who ended it, and their words; null for a deadline.</summary>
    public string? EndNote { get; init; }

    /// <summary>When its ending was committed; null while it has not.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>When nothing of it was left at the target; null before.</summary>
    public DateTimeOffset? ClosedAt { get; init; }

    /// <summary>How it is recorded.</summary>
    public required RecordMode Record { get; init; }

    /// <summary>The task that it is bound to: when that is done, it ends. Null for none.</summary>
    public string? Task { get; init; }

    /// <summary>The exact statements that its request was approved for: no other runs under it. Null for whatever the role allows.</summary>
    public ExactStatements? Statements { get; init; }

    /// <summary>Whether it came of a break-glass: opened without anybody's yes, recorded strictly, and reviewed.</summary>
    public bool BreakGlass { get; init; }

    /// <summary>Whether access may be used at <paramref name="now"/>: open, and inside its window.</summary>
    public bool IsUsableAt(DateTimeOffset now) =>
        State == GrantState.Open && NotBefore <= now && now < NotAfter;
}
