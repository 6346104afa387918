using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Catalog;
using Stint.Core.Policies;
using Stint.Core.Requests;

namespace Stint.Server.Approvals;

/// <summary>How a request stands with those whose yes it needs, under the catalog of this moment.</summary>
/// <param name="Catalog">That catalog.</param>
/// <param name="Request">The request.</param>
/// <param name="Steps">Its steps with who may answer them now; empty for one that a rule decided.</param>
/// <param name="Progress">How far each has come; empty for a request that is older than that.</param>
/// <param name="Added">Who may answer besides those whom the asking named.</param>
/// <param name="Approvals">Every answer so far, oldest first.</param>
internal sealed record Stand(
    LoadedCatalog Catalog,
    Request Request,
    IReadOnlyList<PinnedStep> Steps,
    IReadOnlyList<StepProgress> Progress,
    IReadOnlyList<StepAddition> Added,
    IReadOnlyList<Approval> Approvals)
{
    /// <summary>What the answers make of it; complete for one that a rule decided.</summary>
    public Tally Tally { get; } = Steps.Count == 0 ? new Tally.Complete() : CurrentSteps.Count(Catalog, Request, Steps, Approvals);

    /// <summary>The steps that are asked now.</summary>
    public IReadOnlyList<OpenStep> Open => Tally is Tally.Waiting waiting ? waiting.Open : [];

    /// <summary>The steps whose turn comes later.</summary>
    public IReadOnlyList<OpenStep> Later => Tally is Tally.Waiting waiting ? waiting.Later : [];

    private Verdict.NeedsApproval? Needs => Request.Verdict as Verdict.NeedsApproval;

    /// <summary>Places in the steps that a yes counts in now: in steps with an order, none that comes later.</summary>
    public IEnumerable<int> Counting
    {
        get
        {
            if (Needs is not { Sequential: true } needs)
            {
                return Enumerable.Range(0, Steps.Count);
            }

            // Where nobody counts twice, a yes to an earlier step can set somebody free for this one.
            return Open is [var open, ..] ? Enumerable.Range(needs.Distinct ? 0 : open.Index, needs.Distinct ? open.Index + 1 : 1) : Enumerable.Range(0, Steps.Count);
        }
    }

    /// <summary>Everybody who is asked for an answer now: those whom a step that is asked waits for, and who have not answered.</summary>
    public IReadOnlyCollection<SubjectId> Asked
    {
        get
        {
            var answered = Approvals.SelectMany(approval => new[] { approval.By, approval.Seat }).ToHashSet();
            var asked = Needs is { Distinct: true }
                ? Counting.SelectMany(step => Steps[step].Approvers)
                : Open.SelectMany(open => open.Could);
            return [.. asked.Where(person => !answered.Contains(person)).Distinct().OrderBy(person => person.Value, StringComparer.Ordinal)];
        }
    }

    /// <summary>How far a step has come; null for a request that is older than that.</summary>
    public StepProgress? ProgressOf(int step) => Progress.FirstOrDefault(one => one.Step == step);

    /// <summary>The same with more people at its steps.</summary>
    public Stand With(IReadOnlyList<StepAddition> added) => new(Catalog, Request, CurrentSteps.Of(Catalog, Request, added), Progress, added, Approvals);

    /// <summary>The same with one step further on.</summary>
    public Stand With(StepProgress step) => this with { Progress = [.. Progress.Where(one => one.Step != step.Step).Append(step).OrderBy(one => one.Step)] };

    /// <summary>The same with one more answer.</summary>
    public Stand With(Approval approval) => new(Catalog, Request, Steps, Progress, Added, [.. Approvals, approval]);
}
