namespace Stint.Core.Grants;

/// <summary>What is known of an assignment at its target.</summary>
public enum AssignmentState
{
    /// <summary>Its adding is intended; it may stand or not.</summary>
    Adding = 1,

    /// <summary>It stands.</summary>
    Standing = 2,

    /// <summary>Its removal is intended; it may stand or not. Retried for ever.</summary>
    Removing = 3,

    /// <summary>It does not stand. A new wish makes a new assignment.</summary>
    Removed = 4,
}

/// <summary>What stands at the target for a subject and a role, as long as at least one open grant wants it.</summary>
public sealed record Assignment
{
    public required AssignmentId Id { get; init; }

    public required SubjectId Subject { get; init; }

    public required RoleRef Role { get; init; }

    public required AssignmentState State { get; init; }

    public required long Version { get; init; }

    /// <summary>Catalog that holds the resource's settings as they were when it was added: a resource that left the catalog can still be cleaned up.</summary>
    public required string CatalogVersion { get; init; }

    /// <summary>Its account's name at the target.</summary>
    public required string Account { get; init; }

    /// <summary>Until when the target was told that it stands; null before the first adding.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>When the keeper next has to look at it; null when nothing is due.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>How often the current verb failed in a row.</summary>
    public int Attempts { get; init; }

    /// <summary>The last failure in words; null when the last verb succeeded.</summary>
    public string? Trouble { get; init; }

    /// <summary>Since when its removal fails; null when it does not.</summary>
    public DateTimeOffset? StuckSince { get; init; }

    /// <summary>Grows with every lease. A worker with an older one changes nothing.</summary>
    public long Fence { get; init; }
}

/// <summary>The moves of an assignment.</summary>
public static class AssignmentMoves
{
    /// <summary><c>Adding → Standing → Removing → Removed</c>; <c>Adding → Removing</c>; <c>Standing → Adding</c> when its deadline grows.</summary>
    public static Moves<AssignmentState> Table { get; } = new(
        (AssignmentState.Adding, [AssignmentState.Standing, AssignmentState.Removing]),
        (AssignmentState.Standing, [AssignmentState.Adding, AssignmentState.Removing]),
        (AssignmentState.Removing, [AssignmentState.Removed]));
}
