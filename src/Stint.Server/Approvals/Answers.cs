using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Server.Catalog;

namespace Stint.Server.Approvals;

/// <summary>Whether somebody may answer, and in whose place.</summary>
internal abstract record Seat
{
    private Seat()
    {
    }

    /// <summary>They may.</summary>
    /// <param name="For">By which delegation they answer for whom; null when they answer for themselves.</param>
    public sealed record Theirs(Delegation? For) : Seat;

    /// <summary>They have answered already, or somebody answered in their place.</summary>
    /// <param name="Why">In a sentence without a full stop.</param>
    public sealed record Answered(string Why) : Seat;

    /// <summary>They may not.</summary>
    /// <param name="Why">In a sentence without a full stop.</param>
    /// <param name="WhoCould">Who could, in the order of their names.</param>
    public sealed record None(string Why, IReadOnlyList<SubjectId> WhoCould) : Seat;
}

/// <summary>What a yes, a no and a counter-offer have in common.</summary>
internal static class Answers
{
    /// <summary>Longest comment, in characters.</summary>
    public const int MaxComment = 4000;

    /// <summary>Finds the place in which somebody answers: their own before another's.</summary>
    /// <param name="stand">The request as it stands.</param>
    /// <param name="who">Who answers.</param>
    /// <param name="delegations">For whom they answer now.</param>
    /// <param name="yes">Whether it is a yes (or an offer, which is one). A no ends it whenever it is given, also before its turn.</param>
    /// <param name="wanted">In whose place they say that they answer; null for the first that they can.</param>
    public static Seat SeatOf(Stand stand, SubjectId who, IReadOnlyList<Delegation> delegations, bool yes, SubjectId? wanted = null)
    {
        var request = stand.Request;

        // NB. Before everything else, and whatever the steps say: nobody answers for themselves, nor in another's place.
        if (who == request.Subject)
        {
            return new Seat.None("nobody answers their own request", WhoCould(stand));
        }

        // NB. Pinned steps name people as they were. Who left since must not answer; who is only an admin never could.
        var places = Places(stand, who, delegations, Enumerable.Range(0, stand.Steps.Count)).Where(place => wanted is null || (place?.Person ?? who) == wanted).ToList();
        if (!stand.Catalog.IsActive(who) || places.Count == 0)
        {
            return new Seat.None(WhyNot(stand, who, delegations, wanted), WhoCould(stand));
        }

        if (stand.Approvals.FirstOrDefault(approval => approval.By == who) is not null)
        {
            return new Seat.Answered("you have answered already, and a person counts once");
        }

        if (yes && request.State == RequestState.Pending)
        {
            var now = Places(stand, who, delegations, stand.Counting).Where(places.Contains).ToList();
            if (now.Count == 0)
            {
                var first = stand.Open[0];
                var isLater = stand.Later.Any(later => Places(stand, who, delegations, [later.Index]).Any(places.Contains));
                return new Seat.None(
                    isLater ? $"it is not your turn yet: {first.Step.Name} comes first, and you are asked then" : $"your step has its answers; it waits for {first.Step.Name}",
                    first.Could);
            }

            places = now;
        }

        var free = places.FindIndex(place => !stand.Approvals.Any(approval => approval.Seat == (place?.Person ?? who)));
        if (free >= 0)
        {
            return new Seat.Theirs(places[free]);
        }

        var taken = stand.Approvals.First(approval => approval.Seat == (places[0]?.Person ?? who));
        return new Seat.Answered(taken.For is null ? $"{taken.By} has answered themselves" : $"{taken.By} has answered in the place of {taken.For}");
    }

    public static List<Problem> Check(string? comment, TimeSpan? length)
    {
        var problems = new List<Problem>();
        if (comment?.Length > MaxComment)
        {
            problems.Add(new Problem("comment", $"a comment has at most {MaxComment} characters"));
        }

        if (length < TimeSpan.FromSeconds(1))
        {
            problems.Add(new Problem("for_seconds", "the shortest access is one second"));
        }

        return problems;
    }

    /// <summary>The places that somebody can take in some steps: null for their own, and the delegations of those whose they take.</summary>
    private static List<Delegation?> Places(Stand stand, SubjectId who, IReadOnlyList<Delegation> delegations, IEnumerable<int> steps)
    {
        // NB. A manager who must not approve for their report does not get round it by answering for a colleague.
        var manages = CurrentSteps.Manages(stand.Catalog, who, stand.Request.Subject);
        var asked = steps.Select(index => stand.Steps[index]).ToList();
        var places = new List<Delegation?>();
        if (asked.Exists(step => step.Approvers.Contains(who)))
        {
            places.Add(null);
        }

        // NB. Only places of their own: whoever answers for somebody hands on nothing.
        places.AddRange(delegations.Where(delegation => delegation.Person != stand.Request.Subject
            && asked.Exists(step => step.Approvers.Contains(delegation.Person) && !(manages && step.NotForReports))));
        return places;
    }

    private static string WhyNot(Stand stand, SubjectId who, IReadOnlyList<Delegation> delegations, SubjectId? wanted)
    {
        if (wanted is { } person && person != who && !delegations.Any(delegation => delegation.Person == person))
        {
            return $"you do not answer for {person} now";
        }

        if (stand.Request.Verdict is Verdict.NeedsApproval needs && needs.Steps.FirstOrDefault(step => step.Approvers.Contains(who)) is { } was && stand.Catalog.IsActive(who))
        {
            return $"you no longer belong to {was.Name}, as you did when it was asked";
        }

        return CurrentSteps.Manages(stand.Catalog, who, stand.Request.Subject) && stand.Steps.Any(step => step.NotForReports)
            ? "you manage whoever asks, and the policy does not let a manager approve for their own reports"
            : "you are not among those whose yes it needs";
    }

    private static List<SubjectId> WhoCould(Stand stand) =>
    [
        .. stand.Steps.SelectMany(step => step.Approvers)
            .Where(person => !stand.Approvals.Any(approval => approval.By == person || approval.Seat == person))
            .Distinct()
            .OrderBy(person => person.Value, StringComparer.Ordinal),
    ];
}
