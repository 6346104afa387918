using System.Globalization;
using System.Text.Json;
using Stint.Core.Approvals;
using Stint.Core.Policies;

namespace Stint.Core.Audit;

/// <summary>What facts say of steps between the asking and the decision, checked against what the verdict pinned.</summary>
internal static class EvidenceSteps
{
    /// <summary>Facts of the section about approvals.</summary>
    public static bool IsOfApproval(string kind) => kind is FactKinds.ApprovalGiven or FactKinds.ApproversAsked or FactKinds.ApproversReminded
        or FactKinds.RequestEscalated or FactKinds.AnswerHandedOver or FactKinds.OfferMade or FactKinds.OfferAccepted or FactKinds.BundleAsked;

    /// <summary>The steps with whom facts added to them.</summary>
    /// <param name="steps">As the verdict pinned them.</param>
    /// <param name="facts">Those before the decision.</param>
    /// <returns>The steps; and what is wrong with an addition, null when nothing is.</returns>
    public static (IReadOnlyList<PinnedStep> Steps, string? Odd) Widened(IReadOnlyList<PinnedStep> steps, IEnumerable<FactBody> facts)
    {
        var widened = steps.ToList();
        foreach (var fact in facts.Where(fact => fact.Kind is FactKinds.ApproversAsked or FactKinds.RequestEscalated or FactKinds.AnswerHandedOver))
        {
            if (fact.Number("step") is not { } index || index < 0 || index >= steps.Count)
            {
                return (steps, "somebody was added to a step that there is not");
            }

            var step = widened[(int)index];
            if (fact.Kind == FactKinds.AnswerHandedOver)
            {
                // NB. Whom an admin named stands in the place of one whom the verdict names, and no admin names themselves.
                if (fact.Text("person") is not { } heir || fact.Text("for") is not { } left || fact.Actor == $"person:{heir}" || !fact.Actor.StartsWith("person:", StringComparison.Ordinal)
                    || !(step.Approvers.Contains(new SubjectId(left)) || step.Escalate?.Approvers.Contains(new SubjectId(left)) == true))
                {
                    return (steps, string.Create(CultureInfo.InvariantCulture, $"fact {fact.Seq} hands over what was not that person's, or to whoever did it"));
                }

                widened[(int)index] = step with { Approvers = [.. step.Approvers.Append(new SubjectId(heir)).Distinct()] };
                continue;
            }

            var persons = Persons(fact).Where(person => !step.Approvers.Contains(person)).ToList();

            // NB. The verdict says whom a step may grow by: those whom it names for an escalation, and those of a rota,
            // whom nobody knew at the asking.
            var isOnCall = Sources.HasRota(step.From) || (step.Escalate is { } to && Sources.HasRota(to.To));
            if (!isOnCall && persons.Exists(person => fact.Kind != FactKinds.RequestEscalated || step.Escalate?.Approvers.Contains(person) != true))
            {
                return (steps, string.Create(CultureInfo.InvariantCulture, $"fact {fact.Seq} adds somebody whom the verdict does not name"));
            }

            widened[(int)index] = step with { Approvers = [.. step.Approvers, .. persons] };
        }

        return (widened, null);
    }

    /// <summary>A sentence for each yes that came with a counter-offer: that the requester took that offer of that person.</summary>
    public static IEnumerable<(string Text, string? Why)> Offers(IReadOnlyList<FactBody> facts)
    {
        foreach (var yes in facts.Where(fact => fact.Kind == FactKinds.ApprovalGiven && fact.Text("offer") is not null))
        {
            var taken = facts.FirstOrDefault(fact => fact.Kind == FactKinds.OfferAccepted && fact.Text("offer") == yes.Text("offer"));
            yield return (
                string.Create(CultureInfo.InvariantCulture, $"The yes in fact {yes.Seq} is the counter-offer of {EvidencePhrases.Plain(yes.Text("by") ?? "nobody")}, which the requester took"),
                taken is null ? "no fact here says that it was taken"
                : taken.Text("by") != yes.Text("by") ? "the offer was another's"
                : null);
        }
    }

    /// <summary>A sentence for each yes that came with a passkey's signature, checked with the public key that the file holds.</summary>
    public static IEnumerable<(string Text, string? Why)> Proofs(IReadOnlyList<FactBody> facts)
    {
        foreach (var yes in facts.Where(fact => fact.Kind == FactKinds.ApprovalGiven && fact.Find("proof") is { ValueKind: JsonValueKind.Object }))
        {
            var who = EvidencePhrases.Plain(yes.Text("by") ?? "somebody");
            var read = yes.Find("proof") is { } proof ? ProofJson.Read(proof) : null;
            yield return read switch
            {
                ApprovalProof.Passkey signed => (
                    string.Create(CultureInfo.InvariantCulture, $"The yes of {who} in fact {yes.Seq} was signed with a passkey, over the digest of what they saw"),
                    yes.Text("saw") is { } saw ? signed.Assertion.Against(saw) : "the fact does not say what was seen"),
                ApprovalProof.Fresh fresh => (
                    string.Create(CultureInfo.InvariantCulture, $"{who} had proved who they are at most 10 minutes before the yes in fact {yes.Seq}{(fresh.CommandLine is { } cli ? $", and their command line {EvidencePhrases.Plain(cli)} carried it" : "")}"),
                    yes.At - fresh.At is var age && age >= TimeSpan.Zero && age <= StepUps.FreshFor ? null : "it was longer ago"),
                _ => (string.Create(CultureInfo.InvariantCulture, $"The yes of {who} in fact {yes.Seq} came with a proof"), "it cannot be read"),
            };
        }
    }

    /// <summary>The proof that a yes came with; null for none, and for one that proves nothing.</summary>
    public static ApprovalProof? Proof(FactBody yes) => yes.Find("proof") is { } json && ProofJson.Read(json) is { } proof
        && (proof is not ApprovalProof.Passkey signed || (yes.Text("saw") is { } saw && signed.Assertion.Against(saw) is null))
        && (proof is not ApprovalProof.Fresh fresh || (fresh.At <= yes.At && yes.At - fresh.At <= StepUps.FreshFor))
        ? proof
        : null;

    private static IEnumerable<SubjectId> Persons(FactBody fact) => fact.Find("persons") is { ValueKind: JsonValueKind.Array } persons
        ? persons.EnumerateArray().Where(person => person.ValueKind == JsonValueKind.String).Select(person => new SubjectId(person.GetString()!))
        : [];
}
