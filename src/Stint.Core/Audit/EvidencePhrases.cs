using System.Globalization;
using System.Text;
using System.Text.Json;
using Stint.Core.Approvals;

namespace Stint.Core.Audit;

/// <summary>What a fact says, as a person would say it.</summary>
internal static class EvidencePhrases
{
    private const int Longest = 200;

    /// <summary>The sentence of a fact, without a full stop.</summary>
    public static string Of(FactBody fact)
    {
        var who = Who(fact.Actor);
        string Get(string field) => Quote(fact.Text(field) ?? "nothing");
        var role = fact.Text("role") is { } named ? Plain(named) : "a role";
        var grant = Plain(fact.Text("grant") ?? "a grant");
        var session = Plain(fact.Text("session") ?? "a session");
        var said = fact.Kind switch
        {
            FactKinds.RequestAsked when fact.Text("occurrence_of") is { } series => $"an occurrence of {Plain(series)} came: {role}, for {Span(fact.Number("for_seconds"))}",
            FactKinds.RequestAsked => $"{who} asked for {role}{(fact.Flag("break_glass") == true ? " as break-glass" : "")}, for {Span(fact.Number("for_seconds"))}{Reason(fact, "reason")}{Ticket(fact)}{(fact.Text("task") is { } task ? $", bound to task {Quote(task)}" : "")}{Claims(fact)}{Statements(fact)}; the policies answered {Verdict(fact)} under catalog {Short(fact.Text("catalog"))}",
            FactKinds.BundleAsked => $"{who} asked for the bundle {Get("name")}: {EvidenceBundle.Roles(fact)}",
            FactKinds.RequestApproved => fact.Flag("by_rule") == true
                ? $"the request was approved by rule, for {Span(fact.Number("for_seconds"))}"
                : $"with the answer of {who} the request was approved, for {Span(fact.Number("for_seconds"))}",
            FactKinds.RequestDenied => $"the request was denied by {who}{Reason(fact, "reason")}",
            FactKinds.RequestCancelled => $"{who} took the request back{Reason(fact, "reason")}",
            FactKinds.RequestLapsed => $"the request lapsed{Reason(fact, "reason")}",
            FactKinds.ApprovalGiven => $"{who} said {(fact.Flag("yes") == true ? "yes" : "no")}{Instead(fact)}, having seen digest {Short(fact.Text("saw"))}"
                + EvidenceSteps.Proof(fact) switch { ApprovalProof.Passkey => ", signed with a passkey", ApprovalProof.Fresh { CommandLine: null } => ", having just signed in", ApprovalProof.Fresh => ", having just logged in their command line", _ => "" }
                + (fact.Number("shortened_to_seconds") is { } shorter ? $", and shortened it to {Span(shorter)}" : "") + Reason(fact, "comment"),
            FactKinds.ApproversAsked => $"step {fact.Number("step")} was asked of {People(fact)}{Reason(fact, "cause")}",
            FactKinds.ApproversReminded => $"{People(fact)} were reminded of step {fact.Number("step")}",
            FactKinds.RequestEscalated => $"step {fact.Number("step")} had waited too long, and {People(fact)} could answer too",
            FactKinds.AnswerHandedOver => $"{who} let {Get("person")} answer step {fact.Number("step")}, which {Get("for")} was to answer, who left",
            FactKinds.ReviewHandedOver => $"{who} let {Get("person")} review it, which {Get("for")} was to, who left",
            FactKinds.OfferMade => $"{who}{Instead(fact)} offered {(fact.Text("role") is { } other ? Plain(other) : "the same role")}, for {Span(fact.Number("for_seconds"))}, instead{Reason(fact, "comment")}",
            FactKinds.OfferAccepted => $"{who} took the counter-offer of {Quote(fact.Text("by") ?? "nobody")}",
            FactKinds.SeriesBegan => $"the series began: {Get("rule")}, first {(fact.Time("start_at") is { } first ? Time(first) : "never")}",
            FactKinds.SeriesEnded => $"{who} ended the series{Reason(fact, "reason")}",
            FactKinds.OccurrenceMissed => $"the occurrence of {(fact.Time("start_at") is { } missed ? Time(missed) : "some time")} was over before it could open",
            FactKinds.GlassBroken => $"{who} broke the glass for {role}{Reason(fact, "reason")}; {People(fact)} were told, and the review {Plain(fact.Text("review") ?? "of it")} was opened",
            FactKinds.GlassSeen => $"{who} saw that the glass was broken",
            FactKinds.ReviewOverdue => $"the review {Plain(fact.Text("review") ?? "of it")} was overdue",
            FactKinds.ReviewAccepted => $"{who} reviewed the break-glass and found it right{Reason(fact, "comment")}",
            FactKinds.ConcernRaised => $"{who} reviewed the break-glass and found something wrong{Reason(fact, "comment")}",
            FactKinds.GrantReady => $"the grant {grant} was made ready",
            FactKinds.GrantOpening => $"{who} began the grant {grant}{Window(fact)}"
                + (fact.Find("verdict") is null ? "" : $"; the policies, asked again, answered {Verdict(fact)} under catalog {Short(fact.Text("catalog"))}"),
            FactKinds.GrantOpened => $"access under {grant} was open{Window(fact)}",
            FactKinds.GrantClosing => $"{who} began to take away the access under {grant}{Reason(fact, "reason")}",
            FactKinds.GrantClosed => $"the access under {grant} was over{Reason(fact, "reason")}",
            FactKinds.AssignmentAdding => $"the change of the target was intended, for the account {Get("account")}",
            FactKinds.AssignmentAdded => $"the account {Get("account")} stood at the target",
            FactKinds.AssignmentRemoving => $"the removal of the account {Get("account")} from the target was intended",
            FactKinds.AssignmentRemoved => $"the account {Get("account")} was gone from the target",
            FactKinds.RemovalStuck => $"the removal of the account {Get("account")} from the target kept failing, and went on{Reason(fact, "error")}",
            FactKinds.CredentialMinted => $"{who} was given the login {Get("login")} for {grant}",
            FactKinds.CertificateIssued => $"{who} was given the certificate {Get("serial")} for the key {Get("fingerprint")} under {grant}{Window(fact)}",
            FactKinds.SessionStarted => $"{who} connected from {Get("from")}, in session {session}",
            FactKinds.SessionAnchored => $"the recording of {session} had {fact.Number("records")} records and the hash {Short(fact.Text("recording"))}",
            FactKinds.SessionEnded => $"the session {session} ended{Reason(fact, "reason")}"
                + (fact.Text("recording") is { } hash ? $", with {fact.Number("statements")} statements recorded and the hash {Short(hash)}" : ""),
            FactKinds.SessionKilled => $"{who} ordered the end of session {session}{Reason(fact, "reason")}",
            FactKinds.StatementCounted => $"statement {fact.Number("index") + 1} of the request was let through in session {session}, for the {fact.Number("count")}. time",
            FactKinds.StatementRefused => $"a statement was refused in session {session} ({Plain(fact.Text("reason_code") ?? "no reason")}), the {fact.Number("count")}. in it",
            FactKinds.CatalogApplied => $"{who} put catalog {Short(fact.Text("catalog"))} into effect",
            _ => $"{Plain(fact.Kind)} happened, by {who}",
        };
        return string.Create(CultureInfo.InvariantCulture, $"On {Time(fact.At)} {said} (fact {fact.Seq})");
    }

    /// <summary>A text that cannot move a terminal's cursor or turn the line around.</summary>
    public static string Plain(string text)
    {
        var plain = new StringBuilder(text.Length);
        foreach (var code in text.Length > Longest ? text[..Longest] + "…" : text)
        {
            plain.Append(char.GetUnicodeCategory(code) is UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator ? '\ufffd' : code);
        }

        return plain.ToString();
    }

    /// <summary>A duration in the largest unit that is whole.</summary>
    public static string Span(long? seconds) => seconds switch
    {
        null => "a time that is not said",
        var s when s % 3600 == 0 && s != 0 => Count(s.Value / 3600, "hour"),
        var s when s % 60 == 0 && s != 0 => Count(s.Value / 60, "minute"),
        var s => Count(s.Value, "second"),
    };

    /// <summary>The first characters of a hash; the whole one stands in the file.</summary>
    public static string Short(string? hash) => hash is null ? "(none)" : Plain(hash.Length > 12 ? hash[..12] + "…" : hash);

    private static string Count(long count, string unit) => string.Create(CultureInfo.InvariantCulture, $"{count} {unit}{(count == 1 ? "" : "s")}");

    private static string Who(string actor) => Plain(
        actor.StartsWith("person:", StringComparison.Ordinal) ? actor[7..]
        : actor.StartsWith("rule:", StringComparison.Ordinal) ? $"the rule {actor[5..]}"
        : actor.StartsWith("sender:", StringComparison.Ordinal) ? $"the sender {actor[7..]}"
        : actor.StartsWith("stint:", StringComparison.Ordinal) ? $"Stint's {actor[6..]}"
        : actor);

    private static string Quote(string text) => $"“{Plain(text)}”";

    private static string Reason(FactBody fact, string field) => string.IsNullOrEmpty(fact.Text(field)) ? "" : $", because {Quote(fact.Text(field)!)}";

    /// <summary>Whose place somebody took who was away.</summary>
    private static string Instead(FactBody fact) => fact.Text("for") is { } absent ? $" in the place of {Quote(absent)}" : "";

    private static string People(FactBody fact) => fact.Find("persons") is { ValueKind: JsonValueKind.Array } persons && persons.GetArrayLength() > 0
        ? string.Join(", ", persons.EnumerateArray().Where(person => person.ValueKind == JsonValueKind.String).Select(person => Plain(person.GetString()!)))
        : "nobody";

    private static string Ticket(FactBody fact) => string.IsNullOrEmpty(fact.Text("ticket")) ? "" : $", on ticket {Quote(fact.Text("ticket")!)}";

    /// <summary>What a workload's token said of the run that asked.</summary>
    private static string Claims(FactBody fact) => fact.Find("claims") is { ValueKind: JsonValueKind.Array } claims && claims.GetArrayLength() > 0
        ? $", by a token that said {string.Join(", ", claims.EnumerateArray().Select(claim => Quote(claim.ValueKind == JsonValueKind.String ? claim.GetString()! : "?")))}"
        : "";

    /// <summary>The exact statements that were asked for, each whole: whoever doubts wants to read what was approved.</summary>
    private static string Statements(FactBody fact) => fact.Find("authorization_details") is { ValueKind: JsonValueKind.Array } details
        ? $", for exactly {string.Join("; ", details.EnumerateArray().SelectMany(detail => detail.GetProperty("statements").EnumerateArray()).Select(Statement))}"
        : "";

    private static string Statement(JsonElement one)
    {
        var sql = string.Concat((one.GetProperty("sql").GetString() ?? "").Split('\n').Select((line, at) => (at == 0 ? "" : "⏎") + string.Concat(line.Chunk(Longest).Select(part => Plain(new string(part))))));
        var with = one.TryGetProperty("any_parameters", out _) ? " with any parameters"
            : one.TryGetProperty("parameters", out var values) ? $" with {string.Join(", ", values.EnumerateArray().Select(value => value.ValueKind == JsonValueKind.String ? Quote(value.GetString()!) : "NULL"))}"
            : "";
        return $"“{sql}”{with}{(one.TryGetProperty("times", out var times) ? $", {times.GetRawText()} times at most" : "")}";
    }

    private static string Verdict(FactBody fact) =>
        fact.Find("verdict") is { ValueKind: JsonValueKind.Object } verdict && verdict.TryGetProperty("outcome", out var outcome) && outcome.ValueKind == JsonValueKind.String
            ? Quote(outcome.GetString()!)
            : "nothing readable";

    private static string Window(FactBody fact) => fact.Time("not_before") is { } from && fact.Time("not_after") is { } until ? $", from {Time(from)} until before {Time(until)}" : "";

    private static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture) + " UTC";
}
