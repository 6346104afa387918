using Stint.Core.Grants;

namespace Stint.Server.Grants;

/// <summary>What an assignment needs so that its target is equal to its grants.</summary>
internal abstract record Plan
{
    private Plan()
    {
    }

    /// <summary>Nothing: the target is as wanted. Grants that are closing can be closed.</summary>
    public sealed record Settled : Plan;

    /// <summary>The account shall stand until then.</summary>
    /// <param name="Until">The last wanted moment.</param>
    /// <param name="Opening">The grants that open with it, their windows set as intended.</param>
    public sealed record Stand(DateTimeOffset Until, IReadOnlyList<Grant> Opening) : Plan;

    /// <summary>The account shall be gone.</summary>
    public sealed record Gone : Plan;

    /// <summary>Compares what is known of the target with what its grants want.</summary>
    /// <param name="assignment">As it stands in the store.</param>
    /// <param name="grants">Every grant that names it and is not closed.</param>
    /// <param name="now">The moment; the windows of opening grants begin here.</param>
    public static Plan For(Assignment assignment, IReadOnlyList<Grant> grants, DateTimeOffset now)
    {
        if (assignment.State == AssignmentState.Removed)
        {
            return new Settled();
        }

        // NB. A removal that was intended is finished first, whatever is wanted since: nobody knows how far it came. Who
        // wants access again gets a new assignment.
        if (assignment.State == AssignmentState.Removing)
        {
            return new Gone();
        }

        var opening = WithWindows(grants, now);
        var wish = Core.Grants.Windows.Of([.. grants.Where(grant => grant.State == GrantState.Open), .. opening], now);
        if (wish.Until is not { } until)
        {
            return new Gone();
        }

        return opening.Count == 0 && assignment.State == AssignmentState.Standing && assignment.Until == until
            ? new Settled()
            : new Stand(until, opening);
    }

    /// <summary>The opening grants with the windows that they would have. One that extends another opening one follows it.</summary>
    private static List<Grant> WithWindows(IReadOnlyList<Grant> grants, DateTimeOffset now)
    {
        var known = grants.Where(grant => grant.State == GrantState.Open).ToDictionary(grant => grant.Id);
        var waiting = grants.Where(grant => grant.State == GrantState.Opening).OrderBy(grant => grant.ReadyAt).ToList();
        var opening = new List<Grant>();
        while (waiting.Count > 0)
        {
            var next = waiting.Find(grant => grant.Extends is not { } joins || !waiting.Exists(other => other.Id == joins)) ?? waiting[0];
            waiting.Remove(next);
            var (from, to) = Core.Grants.Windows.At(now, next.For, next.Extends is { } extended ? known.GetValueOrDefault(extended) : null, next.EndsBy);
            var windowed = next with { NotBefore = from, NotAfter = to };
            opening.Add(windowed);
            known[next.Id] = windowed with { State = GrantState.Open };
        }

        return opening;
    }
}
