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
    /// <param name="Open">The steps that are asked now, each with how many more persons it takes; in steps with an order, one.</param>
    public sealed record Waiting(IReadOnlyList<OpenStep> Open) : Tally
    {
        /// <summary>Steps whose turn comes later, in their order; empty for steps without an order.</summary>
        public IReadOnlyList<OpenStep> Later { get; init; } = [];
    }
}

/// <summary>A step that is not met yet.</summary>
/// <param name="Step">The step.</param>
/// <param name="Missing">How many more different persons it takes.</param>
/// <param name="Could">Who could still answer for it.</param>
/// <param name="Index">The step's place among all, from 0.</param>
public sealed record OpenStep(PinnedStep Step, int Missing, IReadOnlyList<SubjectId> Could, int Index);

/// <summary>Whose yes is still missing on a request, given the approvals so far.</summary>
public static class Quorum
{
    /// <summary>Counts persons, never groups and never clicks.</summary>
    /// <param name="steps">The steps.</param>
    /// <param name="distinct">Whether nobody counts in two steps.</param>
    /// <param name="requester">Never counts, whatever the steps say, in their own place or in another's.</param>
    /// <param name="digest">What is asked now; a yes to another digest does not count.</param>
    /// <param name="approvals">All that were given.</param>
    /// <param name="sequential">Whether a step is asked only once those before it are met.</param>
    public static Tally Count(
        IReadOnlyList<PinnedStep> steps, bool distinct, SubjectId requester, string digest, IReadOnlyList<Approval> approvals, bool sequential = false)
    {
        // NB. One no ends it: a second approver must not be able to outvote a first who saw a reason to refuse.
        if (approvals.FirstOrDefault(approval => !approval.Yes) is { } no)
        {
            return new Tally.Refused(no);
        }

        var answered = new HashSet<SubjectId>();
        var seats = Seats(approvals.Where(approval => approval.SawDigest == digest), requester, answered);
        var counted = distinct ? Match(steps, seats) : [.. steps.Select(step => step.Approvers.Count(person => Counts(step, person, seats)))];
        var open = new List<OpenStep>();
        for (var i = 0; i < steps.Count; i++)
        {
            if (counted[i] < steps[i].Need)
            {
                var could = steps[i].Approvers.Where(person => person != requester && !seats.ContainsKey(person) && !answered.Contains(person)).ToList();
                open.Add(new OpenStep(steps[i], steps[i].Need - counted[i], could, i));
            }
        }

        return open.Count == 0 ? new Tally.Complete()
            : sequential ? new Tally.Waiting([open[0]]) { Later = open[1..] }
            : new Tally.Waiting(open);
    }

    /// <summary>Whether the steps could be met at all, were everybody who may answer to say yes.</summary>
    public static bool CanBeMet(IReadOnlyList<PinnedStep> steps, bool distinct, SubjectId requester)
    {
        var all = steps.SelectMany(step => step.Approvers).Where(person => person != requester).Distinct().ToDictionary(person => person, _ => StepUp.Passkey);
        var counted = distinct ? Match(steps, all) : [.. steps.Select(step => step.Approvers.Count(all.ContainsKey))];
        return counted.Zip(steps).All(pair => pair.First >= pair.Second.Need);
    }

    /// <summary>The places that the yeses take: a person answers once, and a place is filled once, whoever sits in it.</summary>
    /// <returns>Each place, with how whoever took it proved themselves anew.</returns>
    private static Dictionary<SubjectId, StepUp> Seats(IEnumerable<Approval> yeses, SubjectId requester, HashSet<SubjectId> answered)
    {
        var seats = new Dictionary<SubjectId, StepUp>();
        foreach (var yes in yeses)
        {
            // NB. Neither a requester who answers for somebody who is away, nor somebody who answers for the requester.
            if (yes.By != requester && yes.Seat != requester && !seats.ContainsKey(yes.Seat) && answered.Add(yes.By))
            {
                seats.Add(yes.Seat, yes.Proof?.Kind ?? StepUp.None);
            }
        }

        return seats;
    }

    /// <remarks>NB. A yes without the proof that a step demands fills no place in it, however it came here.</remarks>
    private static bool Counts(PinnedStep step, SubjectId person, Dictionary<SubjectId, StepUp> seats) => seats.TryGetValue(person, out var proved) && proved >= step.StepUp;

    /// <summary>Gives each person to at most one step so that as many places as possible are filled (augmenting paths), those of earlier steps first.</summary>
    private static int[] Match(IReadOnlyList<PinnedStep> steps, Dictionary<SubjectId, StepUp> persons)
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
            foreach (var person in steps[step].Approvers.Where(person => Counts(steps[step], person, persons)))
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
