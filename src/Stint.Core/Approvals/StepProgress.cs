namespace Stint.Core.Approvals;

/// <summary>How far one step of a pending request has come, and what time alone will do to it.</summary>
public sealed record StepProgress
{
    /// <summary>The step's place among the pinned steps, from 0.</summary>
    public required int Step { get; init; }

    /// <summary>When it was asked; null while steps before it are not met.</summary>
    public DateTimeOffset? OpenedAt { get; init; }

    /// <summary>When its people are reminded next; null for never, or once nothing waits for them.</summary>
    public DateTimeOffset? RemindAt { get; init; }

    /// <summary>How often they were.</summary>
    public int Reminded { get; init; }

    /// <summary>When it escalates; null for never, or once it has.</summary>
    public DateTimeOffset? EscalateAt { get; init; }

    /// <summary>When it did; null when it has not.</summary>
    public DateTimeOffset? EscalatedAt { get; init; }

    /// <summary>When somebody else comes on call; null where no rota is asked.</summary>
    public DateTimeOffset? HandoverAt { get; init; }

    /// <summary>The first of those; null when nothing is due any more.</summary>
    public DateTimeOffset? DueAt => First(First(RemindAt, EscalateAt), HandoverAt);

    private static DateTimeOffset? First(DateTimeOffset? a, DateTimeOffset? b) => a is null || b < a ? b : a;
}

/// <summary>Why somebody may answer whom the asking did not name.</summary>
public enum AdditionCause
{
    /// <summary>They came on call while the step was asked.</summary>
    OnCall = 1,

    /// <summary>The step waited too long.</summary>
    Escalated = 2,

    /// <summary>Whoever was to answer left, and an admin named them.</summary>
    HandedOver = 3,
}

/// <summary>Somebody who may answer a step though the asking did not name them there.</summary>
/// <param name="Step">The step's place, from 0.</param>
/// <param name="Person">Who.</param>
/// <param name="Cause">Why.</param>
/// <param name="At">Since when.</param>
public sealed record StepAddition(int Step, SubjectId Person, AdditionCause Cause, DateTimeOffset At);
