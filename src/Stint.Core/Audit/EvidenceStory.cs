using System.Globalization;
using System.Text.Json;
using Stint.Core.Approvals;

namespace Stint.Core.Audit;

/// <summary>Whether the facts of a request follow from each other: counted again, not believed.</summary>
internal static class EvidenceStory
{
    /// <summary>Whether the asking's verdict, and the answers given, really made an approval.</summary>
    public static (string Text, string? Why) Approval(FactBody asked, FactBody approved, IReadOnlyList<FactBody> facts)
    {
        var number = approved.Seq.ToString(CultureInfo.InvariantCulture);
        var verdict = asked.Find("verdict") is { ValueKind: JsonValueKind.Object } found ? found : default;
        var outcome = verdict.ValueKind == JsonValueKind.Object ? Text(verdict, "outcome") : null;
        if (asked.Seq > approved.Seq)
        {
            return ($"The request was asked before fact {number} approved it", "it was approved before it was asked");
        }

        // NB. Said as what it is: the yeses stand in the series' own evidence, and this file does not prove them.
        if (asked.Text("occurrence_of") is { } series)
        {
            return ($"Fact {number} let in an occurrence of {EvidencePhrases.Plain(series)}, whose own evidence tells how it was approved", null);
        }

        switch (outcome)
        {
            case "allow":
                return ($"A rule allowed it, so fact {number} needed nobody's yes", Texts(verdict, "decided_by").Count > 0 ? null : "the verdict names no rule that decided");
            case "needs_approval":
                var text = $"The answers given before fact {number} fulfil every step that the verdict asked for, counted again";
                if ((verdict.TryGetProperty("steps", out var pinned) ? Steps(pinned) : null) is not { Count: > 0 } steps || asked.Text("subject") is not { } subject || asked.Text("digest") is not { } digest)
                {
                    return (text, "the steps cannot be read");
                }

                var answers = facts.Where(fact => fact.Kind == FactKinds.ApprovalGiven && fact.Seq < approved.Seq).Select(Answer).ToList();
                var (widened, odd) = EvidenceSteps.Widened(steps, facts.Where(fact => fact.Seq < approved.Seq));
                return (text, odd ?? Quorum.Count(widened, Flag(verdict, "distinct"), new SubjectId(subject), digest, answers, Flag(verdict, "sequential")) switch
                {
                    Tally.Complete => null,
                    Tally.Refused => "somebody said no",
                    _ => "a yes is missing",
                });
            default:
                return ($"The verdict let fact {number} approve the request", "the verdict was neither yes nor yes-with-approval");
        }
    }

    /// <summary>Whether a grant opened after an approval, and not for longer than was approved.</summary>
    public static (string Text, string? Why) Opening(FactBody opened, IReadOnlyList<FactBody> facts)
    {
        var approved = facts.LastOrDefault(fact => fact.Kind == FactKinds.RequestApproved && fact.Seq < opened.Seq);
        var place = opened.Seq.ToString(CultureInfo.InvariantCulture);
        var length = EvidencePhrases.Span(approved?.Number("for_seconds"));
        var text = $"Access in fact {place} was opened after the request was approved, and for no longer than {length}";
        if (approved is null)
        {
            return (text, "there is no approval before it");
        }

        if (opened.Kind == FactKinds.GrantOpening && opened.Time("not_before") is null && opened.Time("not_after") is null)
        {
            return (text, null);
        }

        if ((opened.Time("not_before"), opened.Time("not_after"), approved.Number("for_seconds")) is not ({ } from, { } until, { } seconds))
        {
            return (text, "its window cannot be read");
        }

        // NB. An extension opens at once, and its length counts from the end of the grant that it joins: so its window is
        // longer by what was left of that one, and only that one's own fact says how much.
        if (Extended(facts) is { } joined)
        {
            text = $"Access in fact {place} was opened after the request was approved, and for no longer than {length} behind the end of {EvidencePhrases.Plain(joined)}, which it joins";
            if (facts.LastOrDefault(fact => fact.Kind == FactKinds.GrantOpened && fact.Text("grant") == joined && fact.Seq < opened.Seq)?.Time("not_after") is not { } end)
            {
                return ($"Access in fact {place} was opened after the request was approved; it joins {EvidencePhrases.Plain(joined)}, whose end is not in this file, so that its length is not checked here", null);
            }

            from = end > from ? end : from;
        }

        return (text, (until - from).TotalSeconds <= seconds ? null : "its window is longer");
    }

    /// <summary>The grant that the asking extends; null when it is no extension.</summary>
    public static string? Extended(IEnumerable<FactBody> facts) => facts.FirstOrDefault(fact => fact.Kind == FactKinds.RequestAsked)?.Text("extends");

    private static Approval Answer(FactBody fact) => new()
    {
        Request = new RequestId(fact.Text("request") ?? ""),
        By = new SubjectId(fact.Text("by") ?? ""),
        For = fact.Text("for") is { } absent ? new SubjectId(absent) : null,
        Yes = fact.Flag("yes") == true,
        At = fact.At,
        SawDigest = fact.Text("saw") ?? "",
        Via = fact.Text("via") ?? "",
        Proof = EvidenceSteps.Proof(fact),
    };

    /// <summary>The steps of a verdict, or of a bundle; null when they cannot be read.</summary>
    public static List<PinnedStep>? Steps(JsonElement steps)
    {
        if (steps.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        var read = new List<PinnedStep>();
        foreach (var step in steps.EnumerateArray())
        {
            if (step.ValueKind != JsonValueKind.Object || !step.TryGetProperty("need", out var need) || need.ValueKind != JsonValueKind.Number
                || !need.TryGetInt32(out var count) || count < 1)
            {
                return null;
            }

            read.Add(new PinnedStep(Text(step, "name") ?? "", Text(step, "from_step") ?? "", People(step), count)
            {
                Escalate = step.TryGetProperty("escalate", out var escalate) && escalate.ValueKind == JsonValueKind.Object
                    ? new PinnedEscalation(TimeSpan.FromSeconds(Number(escalate, "after_seconds")), Text(escalate, "to") ?? "", People(escalate))
                    : null,
                NotForReports = Flag(step, "not_for_reports"),

                // NB. A word that this version does not know is the strictest that it knows.
                StepUp = Text(step, "step_up") is { } stepUp ? StepUps.Read(stepUp) ?? StepUp.Passkey : StepUp.None,
            });
        }

        return read;
    }

    private static List<SubjectId> People(JsonElement element) => Texts(element, "approvers").ConvertAll(person => new SubjectId(person));

    private static bool Flag(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;

    /// <summary>0 where there is none that a duration could have.</summary>
    private static int Number(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : 0;

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static List<string> Texts(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array
        ? [.. value.EnumerateArray().Where(item => item.ValueKind == JsonValueKind.String).Select(item => item.GetString()!)]
        : [];
}
