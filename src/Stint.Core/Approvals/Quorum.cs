namespace Stint.Core.Approvals;

/// <summary>What the approvals so far make of a request.</summary>
public abstract record Tally
{
    private Tally()
    {
    }

    /// <summary>Every step has the yeses it needs.</summary>
    public sealed record Complete : Tally;

    /// <summary>Somebody said no.</summary>
    public sealed record Refused(Approval By) : Tally;

    /// <summary>Yeses are missing.</summary>
    /// <param name="Open">The steps still open, each with how many more persons it takes.</param>
    public sealed record Waiting(IReadOnlyList<OpenStep> Open) : Tally;
}

/// <summary>A step that is not met yet.</summary>
/// <param name="Step">The step.</param>
/// <param name="Missing">How many more different persons it takes.</param>
/// <param name="Could">Who could still answer for it.</param>
public sealed record OpenStep(PinnedStep Step, int Missing, IReadOnlyList<SubjectId> Could);

/// <summary>Whose yes is still missing on a request, given the approvals so far.</summary>
public static class Quorum
{
    /// <summary>Counts persons, never groups and never clicks.</summary>
    /// <param name="steps">The pinned steps.</param>
    /// <param name="distinct">Whether nobody counts in two steps.</param>
    /// <param name="requester">Never counts, whatever the steps say.</param>
    /// <param name="digest">What is asked now; a yes to another digest does not count.</param>
    /// <param name="approvals">All that were given.</param>
    public static Tally Count(IReadOnlyList<PinnedStep> steps, bool distinct, SubjectId requester, string digest, IReadOnlyList<Approval> approvals)
    {
        // NB. One no ends it: a second approver must not be able to outvote a first who saw a reason to refuse.
        if (approvals.FirstOrDefault(approval => !approval.Yes) is { } no)
        {
            return new Tally.Refused(no);
        }

        var yes = approvals.Where(approval => approval.SawDigest == digest && approval.By != requester)
            .Select(approval => approval.By)
            .ToHashSet();
        var counted = distinct ? Match(steps, yes) : [.. steps.Select(step => step.Approvers.Count(yes.Contains))];
        var open = new List<OpenStep>();
        for (var i = 0; i < steps.Count; i++)
        {
            if (counted[i] < steps[i].Need)
            {
                var could = steps[i].Approvers.Where(person => person != requester && !yes.Contains(person)).ToList();
                open.Add(new OpenStep(steps[i], steps[i].Need - counted[i], could));
            }
        }

        return open.Count == 0 ? new Tally.Complete() : new Tally.Waiting(open);
    }

    /// <summary>Whether the steps could be met at all, were everybody who may answer to say yes.</summary>
    public static bool CanBeMet(IReadOnlyList<PinnedStep> steps, bool distinct, SubjectId requester)
    {
        var all = steps.SelectMany(step => step.Approvers).Where(person => person != requester).ToHashSet();
        var counted = distinct ? Match(steps, all) : [.. steps.Select(step => step.Approvers.Count(all.Contains))];
        return counted.Zip(steps).All(pair => pair.First >= pair.Second.Need);
    }

    /// <summary>Gives each person to at most one step so that as many places as possible are filled (augmenting paths).</summary>
    private static int[] Match(IReadOnlyList<PinnedStep> steps, HashSet<SubjectId> persons)
    {
        // NB. First come, first served would let the order of the clicks decide: a person who can stand in two steps
        // must be moved when the other step has nobody else.
        var seat = new Dictionary<SubjectId, int>();
        var filled = new int[steps.Count];
        for (var step = 0; step < steps.Count; step++)
        {
            while (filled[step] < steps[step].Need && Seat(step, []))
            {
                filled[step]++;
            }
        }

        return filled;

        bool Seat(int step, HashSet<SubjectId> tried)
        {
            foreach (var person in steps[step].Approvers.Where(persons.Contains))
            {
                if ((!seat.TryGetValue(person, out var other) || other != step) && tried.Add(person)
                    && (!seat.ContainsKey(person) || Seat(other, tried)))
                {
                    seat[person] = step;
                    return true;
                }
            }

            return false;
        }
    }
}
