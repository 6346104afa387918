using Stint.Core.Policies.Cel;

namespace Stint.Core.Policies;

/// <summary>What a condition may read, with types and meaning: published by the guide and by the schema.</summary>
public static class ConditionShape
{
    /// <summary>Longest condition, in characters.</summary>
    public const int MaxLength = 4_000;

    private static readonly CelType Texts = CelType.List(CelType.String);
    private static readonly CelType TextMap = CelType.Map(CelType.String, CelType.String);

    /// <summary>Everything that can be read.</summary>
    public static CelEnvironment Environment { get; } = CelEnvironment.Of(
        new CelField(
            "subject",
            CelType.Of(new CelShape(
                "subject",
                [
                    new CelField("id", CelType.String, "Who asks: their name in the catalog."),
                    new CelField("name", CelType.String, "Their name for people; empty when the catalog gives none."),
                    new CelField("mail", CelType.String, "Their address; empty when the catalog gives none."),
                    new CelField("groups", Texts, "The groups that they are in, groups in groups counted."),
                    new CelField("manager", CelType.String, "Who they report to; empty for nobody."),
                    new CelField("on_call", CelType.Bool, "Whether they are on call in any rota when the access would open."),
                    new CelField("on_call_for", Texts, "The rotas in which they are on call then."),
                    new CelField("attributes", TextMap, "What else the catalog says of them."),
                    new CelField("kind", CelType.String, "person or workload."),
                    new CelField("claims", TextMap, "Of a workload: what its platform's token said, such as repository or ref; empty for a person and for a static token."),
                ])),
            "Who asks."),
        new CelField(
            "resource",
            CelType.Of(new CelShape(
                "resource",
                [
                    new CelField("name", CelType.String, "Its name in the catalog."),
                    new CelField("kind", CelType.String, "Its kind: postgres, …"),
                    new CelField("labels", TextMap, "Its labels."),
                    new CelField("owners", Texts, "The persons who own it."),
                ])),
            "The system that is asked for."),
        new CelField(
            "role",
            CelType.Of(new CelShape(
                "role",
                [
                    new CelField("name", CelType.String, "The part behind the slash: read-only."),
                    new CelField("risk", CelType.String, "low, medium or high."),
                ])),
            "What one may do there."),
        new CelField(
            "request",
            CelType.Of(new CelShape(
                "request",
                [
                    new CelField("reason", CelType.String, "The justification; empty when none was given."),
                    new CelField("ticket", CelType.String, "The tracker's ticket; empty when none was given."),
                    new CelField("task", CelType.String, "The task that access is bound to, such as github:org/repo#12; empty when none was named."),
                    new CelField("statements", Texts, "The texts of the exact statements that it is for; empty when it is for whatever the role allows."),
                    new CelField("duration", CelType.Duration, "How long it was asked for; absent when the asking left it to the policy.", MayBeAbsent: true),
                ])),
            "What was asked."),
        new CelField("now", CelType.Timestamp, "When the access would open: the asked start, or the moment of the question. Asked again, with the moment of then, before it opens."));

    internal static int SubjectId { get; } = Environment.SlotOf("subject.id");

    internal static int SubjectName { get; } = Environment.SlotOf("subject.name");

    internal static int SubjectMail { get; } = Environment.SlotOf("subject.mail");

    internal static int SubjectGroups { get; } = Environment.SlotOf("subject.groups");

    internal static int SubjectManager { get; } = Environment.SlotOf("subject.manager");

    internal static int SubjectOnCall { get; } = Environment.SlotOf("subject.on_call");

    internal static int SubjectOnCallFor { get; } = Environment.SlotOf("subject.on_call_for");

    internal static int SubjectAttributes { get; } = Environment.SlotOf("subject.attributes");

    internal static int SubjectKind { get; } = Environment.SlotOf("subject.kind");

    internal static int SubjectClaims { get; } = Environment.SlotOf("subject.claims");

    internal static int ResourceName { get; } = Environment.SlotOf("resource.name");

    internal static int ResourceKind { get; } = Environment.SlotOf("resource.kind");

    internal static int ResourceLabels { get; } = Environment.SlotOf("resource.labels");

    internal static int ResourceOwners { get; } = Environment.SlotOf("resource.owners");

    internal static int RoleName { get; } = Environment.SlotOf("role.name");

    internal static int RoleRisk { get; } = Environment.SlotOf("role.risk");

    internal static int RequestReason { get; } = Environment.SlotOf("request.reason");

    internal static int RequestTicket { get; } = Environment.SlotOf("request.ticket");

    internal static int RequestTask { get; } = Environment.SlotOf("request.task");

    internal static int RequestStatements { get; } = Environment.SlotOf("request.statements");

    internal static int RequestFor { get; } = Environment.SlotOf("request.duration");

    internal static int Now { get; } = Environment.SlotOf("now");

    /// <summary>Whether a slot says something of the resource or the role alone.</summary>
    internal static bool IsOfResource(int slot) => Environment.Slots[slot].Path.StartsWith("resource.", StringComparison.Ordinal) || Environment.Slots[slot].Path.StartsWith("role.", StringComparison.Ordinal);

    /// <summary>Whether a slot says something of the person that does not change with the time.</summary>
    internal static bool IsOfPerson(int slot) => slot != SubjectOnCall && slot != SubjectOnCallFor && slot != SubjectClaims && Environment.Slots[slot].Path.StartsWith("subject.", StringComparison.Ordinal);

    /// <summary>Whether a slot tells two people apart who are in the same groups and have the same attributes.</summary>
    internal static bool IsOfOnePerson(int slot) => slot != SubjectGroups && slot != SubjectAttributes && slot != SubjectKind && IsOfPerson(slot);

    /// <summary>Whether a slot says something of one asking, or of the time.</summary>
    internal static bool IsOfAsking(int slot) =>
        slot == Now || slot == SubjectOnCall || slot == SubjectOnCallFor || slot == SubjectClaims || Environment.Slots[slot].Path.StartsWith("request.", StringComparison.Ordinal);
}
