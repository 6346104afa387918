using System.Collections.Frozen;
using Stint.Core.Catalog;

namespace Stint.Core.Policies;

/// <summary>What the catalog itself says that its policies answer: one asking and what is expected of it.</summary>
public sealed record CatalogTest
{
    public required string Name { get; init; }

    /// <summary>Where it stands.</summary>
    public required CatalogPlace Place { get; init; }

    /// <summary>Who asks. Need not be known to the catalog.</summary>
    public required SubjectId Subject { get; init; }

    /// <summary>Groups that they are in, in place of those that the catalog says; null for those.</summary>
    public IReadOnlyList<string>? Groups { get; init; }

    /// <summary>Attributes, in place of those that the catalog says; null for those.</summary>
    public FrozenDictionary<string, string>? Attributes { get; init; }

    /// <summary>Of a workload: what its token says; null for what the catalog demands to the letter.</summary>
    public FrozenDictionary<string, string>? Claims { get; init; }

    /// <summary>Whether they are on call, in place of what the rotas say; null for that.</summary>
    public bool? OnCall { get; init; }

    /// <summary>Their manager, in place of the one that the catalog says; null for that one.</summary>
    public SubjectId? Manager { get; init; }

    /// <summary>What is asked for; the first role of the bundle where one is.</summary>
    public required RoleRef Ask { get; init; }

    /// <summary>Name of the bundle that is asked for; null for a role.</summary>
    public string? Bundle { get; init; }

    public TimeSpan? For { get; init; }

    public string? Reason { get; init; }

    public string? Ticket { get; init; }

    public DateTimeOffset? Start { get; init; }

    /// <summary>The task that access would be bound to; null for none.</summary>
    public string? Task { get; init; }

    /// <summary>The exact statements that it would be for; null for whatever the role allows.</summary>
    public Requests.ExactStatements? Statements { get; init; }

    /// <summary>Whether it is asked as break-glass.</summary>
    public bool BreakGlass { get; init; }

    /// <summary>When it is asked.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>What they hold or held then; empty for nothing.</summary>
    public IReadOnlyList<Held> Held { get; init; } = [];

    public required Expectation Expect { get; init; }
}

/// <summary>What a verdict is expected to be. What is null is not looked at.</summary>
public sealed record Expectation
{
    /// <summary><c>allow</c>, <c>needs_approval</c> or <c>deny</c>.</summary>
    public string? Verdict { get; init; }

    /// <summary>Rules that decided, all of them.</summary>
    public IReadOnlyList<string>? Because { get; init; }

    public TimeSpan? For { get; init; }

    public TimeSpan? Max { get; init; }

    /// <summary>Of a bundle: the verdict for each of its roles that is named; one that the asker may not know of counts as a no.</summary>
    public IReadOnlyDictionary<RoleRef, string>? Roles { get; init; }

    /// <summary>Where the yes comes from, in any order: <c>owners</c>, <c>group:NAME</c>; in a bundle <c>owners:RESOURCE</c>.</summary>
    public IReadOnlyList<string>? Steps { get; init; }

    /// <summary>The strictest proof that any step wants with a yes: <c>passkey</c>, <c>fresh</c> or <c>none</c>; null when the test does not say.</summary>
    public string? StepUp { get; init; }

    public RecordMode? Record { get; init; }

    /// <summary>When it could open at the earliest.</summary>
    public DateTimeOffset? Opens { get; init; }

    /// <summary>When calendars would end it at the latest.</summary>
    public DateTimeOffset? EndsBy { get; init; }

    /// <summary>Whether it is let in as break-glass.</summary>
    public bool? BreakGlass { get; init; }

    /// <summary>Whether the asker is told that the role exists; looked at for a no.</summary>
    public bool? Known { get; init; }
}
