using Stint.Core.Catalog;
using Stint.Core.Policies;

namespace Stint.Core.Approvals;

/// <summary>Where a review stands. The names are what the store and the API write.</summary>
public enum ReviewState
{
    /// <summary>Nobody has said yet what to make of it. Its person breaks no glass meanwhile.</summary>
    Open = 1,

    /// <summary>Somebody looked at what was done and found it right. It is no yes: access was open before.</summary>
    Accepted = 2,

    /// <summary>Somebody looked at what was done and found something wrong. It takes nothing away by itself.</summary>
    Concern = 3,
}

/// <summary>The moves of a review.</summary>
public static class ReviewMoves
{
    /// <summary><c>Open → Accepted · Concern</c>.</summary>
    public static Moves<ReviewState> Table { get; } = new((ReviewState.Open, [ReviewState.Accepted, ReviewState.Concern]));
}

/// <summary>The looking back at one break-glass: who was told, who has to say what they make of it, and by when.</summary>
public sealed record Review
{
    public required ReviewId Id { get; init; }

    public required RequestId Request { get; init; }

    /// <summary>Who broke the glass. Never reviews it.</summary>
    public required SubjectId Person { get; init; }

    public required RoleRef Role { get; init; }

    public required ReviewState State { get; init; }

    /// <summary>Grows by one with every change; a writer who saw an older one has lost the race.</summary>
    public required long Version { get; init; }

    public required DateTimeOffset OpenedAt { get; init; }

    /// <summary>By when it should be closed. It stays open beyond, and is called overdue.</summary>
    public required DateTimeOffset DueAt { get; init; }

    /// <summary>When it was found to be overdue; null when it never was.</summary>
    public DateTimeOffset? OverdueAt { get; init; }

    /// <summary>As <see cref="PinnedGlass.From"/>.</summary>
    public required IReadOnlyList<string> From { get; init; }

    /// <summary>Who was named to review it, in the order of their names.</summary>
    public required IReadOnlyList<SubjectId> Reviewers { get; init; }

    /// <summary>To whom it was handed over since, in that order, when somebody who was named left; empty for nobody.</summary>
    public IReadOnlyList<SubjectId> HandedTo { get; init; } = [];

    /// <summary>Who was told, in the order of their names.</summary>
    public required IReadOnlyList<SubjectId> Told { get; init; }

    /// <summary>Null while open.</summary>
    public DateTimeOffset? ClosedAt { get; init; }

    /// <summary>Null while open.</summary>
    public SubjectId? ClosedBy { get; init; }

    /// <summary>What they made of it; null while open, never empty afterwards.</summary>
    public string? Comment { get; init; }
}

/// <summary>Who may close a review.</summary>
public static class Reviewers
{
    /// <summary>
    /// Those who were named and still are what they were named as. When nobody of them is left, whoever is named now: a
    /// review that nobody could close would never end. To whom it was handed over may close it besides. Never the person
    /// themselves, nobody disabled.
    /// </summary>
    /// <returns>In the order of their names, and whether they were named at the asking.</returns>
    public static (IReadOnlyList<SubjectId> People, bool Named) Of(LoadedCatalog catalog, Review review)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(review);
        var resource = catalog.Resources.GetValueOrDefault(review.Role.Resource);
        List<SubjectId>? now = null;
        foreach (var from in review.From)
        {
            var people = Sources.People(catalog, from, resource, review.Person, false, null);
            now = now is null ? people : [.. now.Intersect(people)];
        }

        List<SubjectId> still = [.. review.Reviewers.Where(person => now?.Contains(person) == true)];
        List<SubjectId> handed = [.. review.HandedTo.Where(person => person != review.Person && Sources.IsActive(catalog, person))];
        return still.Count + handed.Count > 0 ? ([.. still.Union(handed).OrderBy(person => person.Value, StringComparer.Ordinal)], true) : (now ?? [], false);
    }
}
