using Stint.Core.Policies;

namespace Stint.Core.Requests;

/// <summary>When access opens once it is approved.</summary>
public enum Opening
{
    /// <summary>When its holder begins, by connecting or by saying so.</summary>
    ByHolder = 1,

    /// <summary>At once: the requester waits.</summary>
    OnApproval = 2,

    /// <summary>At <see cref="Request.StartAt"/>.</summary>
    Scheduled = 3,
}

/// <summary>One asking: who, for what, how long, when, why, on which ticket, and what was decided then.</summary>
public sealed record Request
{
    public required RequestId Id { get; init; }

    /// <summary>Who asks, and for whom: nobody asks on behalf of another.</summary>
    public required SubjectId Subject { get; init; }

    public required RoleRef Role { get; init; }

    public required RequestState State { get; init; }

    /// <summary>Grows by one with every move; a writer who saw an older one has lost the race.</summary>
    public required long Version { get; init; }

    public required DateTimeOffset AskedAt { get; init; }

    /// <summary>How long access shall last, counted from its opening. What the approver shortened it to, once shortened.</summary>
    public required TimeSpan For { get; init; }

    public required Opening Opening { get; init; }

    /// <summary>A start in the future; null for as soon as approved.</summary>
    public DateTimeOffset? StartAt { get; init; }

    /// <summary>The justification; empty when none was given and none was demanded.</summary>
    public string Reason { get; init; } = "";

    /// <summary>The tracker's ticket; null when none was given.</summary>
    public string? Ticket { get; init; }

    /// <summary>The grant that this one joins, for an extension; else null.</summary>
    public GrantId? Extends { get; init; }

    /// <summary>The asking for a bundle that it is a part of; null when it was asked by itself.</summary>
    public BundleId? Bundle { get; init; }

    /// <summary>When it opens again and again, for a series; else null. <see cref="StartAt"/> is its first occurrence then.</summary>
    public Series? Recurrence { get; init; }

    /// <summary>The series that this one is an occurrence of, approved with it; else null.</summary>
    public RequestId? OccurrenceOf { get; init; }

    /// <summary>The task that it is bound to: when that is done, access ends. Null for none.</summary>
    public string? Task { get; init; }

    /// <summary>Of a workload: what its token said when it asked, verified; empty for a token that says nothing. Null for a person.</summary>
    public IReadOnlyDictionary<string, string>? Claims { get; init; }

    /// <summary>The exact statements that it is for; null for whatever the role allows.</summary>
    public ExactStatements? Statements { get; init; }

    /// <summary>Whether it was asked as break-glass: it opened at once, or not at all, and is reviewed.</summary>
    public bool BreakGlass { get; init; }

    /// <summary>Hash of the catalog that decided.</summary>
    public required string CatalogVersion { get; init; }

    /// <summary>The verdict at the asking, with its trace; approval steps are pinned here.</summary>
    public required Verdict Verdict { get; init; }

    /// <summary>When it lapses if nobody decides.</summary>
    public required DateTimeOffset LapsesAt { get; init; }

    /// <summary>How long an approved one waits to be begun.</summary>
    public required TimeSpan BeginWithin { get; init; }

    /// <summary>When it left <see cref="RequestState.Pending"/>; null while pending.</summary>
    public DateTimeOffset? DecidedAt { get; init; }

    /// <summary>The sentence that goes with a no, a cancel or a lapse; null otherwise.</summary>
    public string? Why { get; init; }

    /// <summary>SHA-256, in hexadecimal, of what an approver is asked to say yes to: of this request, or of the whole bundle that waits with it.</summary>
    public required string Digest { get; init; }
}
