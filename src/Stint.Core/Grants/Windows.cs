namespace Stint.Core.Grants;

/// <summary>What the grants of one assignment want of its target at a moment.</summary>
/// <param name="Wanted">Whether it shall stand.</param>
/// <param name="Until">When the last window that reaches on from now ends; null when nothing is wanted.</param>
/// <param name="LookAgainAt">When the answer can change by itself; null for never.</param>
public sealed record Wish(bool Wanted, DateTimeOffset? Until, DateTimeOffset? LookAgainAt);

/// <summary>Windows of grants, and how they join.</summary>
public static class Windows
{
    /// <summary>The window of a grant that opens at <paramref name="now"/>.</summary>
    /// <param name="now">The opening.</param>
    /// <param name="length">The grant's length.</param>
    /// <param name="joins">The grant it extends, when that one is still open; null otherwise. The new one then begins at once and ends its length after the old one's end, so that no gap lies between them.</param>
    /// <param name="endsBy">When it ends at the latest, which lies after now; null for no such end.</param>
    public static (DateTimeOffset NotBefore, DateTimeOffset NotAfter) At(DateTimeOffset now, TimeSpan length, Grant? joins, DateTimeOffset? endsBy = null)
    {
        var from = joins is { State: GrantState.Open, NotAfter: { } end } && end > now ? end : now;
        return (now, endsBy is { } latest && latest < from + length ? latest : from + length);
    }

    /// <summary>What the target shall be told, given every grant that names the assignment.</summary>
    public static Wish Of(IReadOnlyList<Grant> grants, DateTimeOffset now)
    {
        DateTimeOffset? until = null;
        DateTimeOffset? again = null;
        foreach (var grant in grants)
        {
            if (grant.State is not (GrantState.Opening or GrantState.Open) || grant.NotAfter is not { } end || end <= now)
            {
                continue;
            }

            until = until is { } u && u >= end ? u : end;
            again = again is { } a && a <= end ? a : end;
        }

        return new Wish(until is not null, until, again);
    }
}
