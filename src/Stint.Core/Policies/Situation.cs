using Stint.Core.Catalog;
using Stint.Core.Policies.Cel;

namespace Stint.Core.Policies;

/// <summary>What conditions look at, for one question. What no condition reads is never worked out.</summary>
internal sealed class Situation(LoadedCatalog catalog, Subject subject, Resource resource, Role role, Question question) : CelSource
{
    private CelInputs? _inputs;
    private IReadOnlyList<string>? _onCallFor;

    public Resource Resource { get; } = resource;

    public Question Question { get; } = question;

    /// <summary>The values that conditions are evaluated over.</summary>
    public CelInputs Inputs => _inputs ??= new CelInputs(ConditionShape.Environment, this);

    /// <summary>When the access would open: the asked start, or the moment of the question.</summary>
    public DateTimeOffset Opens => Question.StartAt ?? Question.Now;

    // Before anybody showed a token, a workload is taken for one that shows what the catalog demands to the letter.
    private CelMap Claims => subject is Workload machine ? CelMap.Of(Question.Claims ?? machine.Certain) : CelMap.Empty;

    private IReadOnlyList<string> OnCallFor => _onCallFor ??= catalog.OnCallFor(subject.Id, Opens);

    public override CelValue Read(int slot)
    {
        if (slot == ConditionShape.SubjectId)
        {
            return CelValue.From(subject.Id.Value);
        }

        if (slot == ConditionShape.SubjectGroups)
        {
            return CelValue.From(catalog.GroupListOf(subject.Id));
        }

        if (slot == ConditionShape.SubjectName)
        {
            return CelValue.From(subject.Name);
        }

        if (slot == ConditionShape.SubjectMail)
        {
            return CelValue.From((subject as Person)?.Mail ?? "");
        }

        if (slot == ConditionShape.SubjectManager)
        {
            return CelValue.From((subject as Person)?.Manager?.Value ?? "");
        }

        if (slot == ConditionShape.SubjectOnCall)
        {
            return CelValue.From(OnCallFor.Count > 0);
        }

        if (slot == ConditionShape.SubjectOnCallFor)
        {
            return CelValue.From(CelList.Of(OnCallFor));
        }

        if (slot == ConditionShape.SubjectAttributes)
        {
            return CelValue.From((subject as Person)?.AttributeMap ?? CelMap.Empty);
        }

        if (slot == ConditionShape.SubjectKind)
        {
            return CelValue.From(subject is Workload ? "workload" : "person");
        }

        if (slot == ConditionShape.SubjectClaims)
        {
            return CelValue.From(Claims);
        }

        if (slot == ConditionShape.ResourceName)
        {
            return CelValue.From(Resource.Name);
        }

        if (slot == ConditionShape.ResourceKind)
        {
            return CelValue.From(Resource.Kind);
        }

        if (slot == ConditionShape.ResourceLabels)
        {
            return CelValue.From(Resource.LabelMap);
        }

        if (slot == ConditionShape.ResourceOwners)
        {
            return CelValue.From(CelList.OfSet(Resource.Owners.Select(owner => owner.Value)));
        }

        if (slot == ConditionShape.RoleName)
        {
            return CelValue.From(role.Ref.Role);
        }

        if (slot == ConditionShape.RoleRisk)
        {
            return CelValue.From(role.Risk);
        }

        if (slot == ConditionShape.RequestReason)
        {
            return CelValue.From(Question.Reason ?? "");
        }

        if (slot == ConditionShape.RequestTicket)
        {
            return CelValue.From(Question.Ticket ?? "");
        }

        if (slot == ConditionShape.RequestTask)
        {
            return CelValue.From(Question.Task ?? "");
        }

        if (slot == ConditionShape.RequestStatements)
        {
            return CelValue.From(CelList.Of([.. Question.Statements?.List.Select(statement => statement.Sql) ?? []]));
        }

        if (slot == ConditionShape.RequestFor)
        {
            return Question.For is { } length ? CelValue.From(length) : CelValue.Absent;
        }

        return slot == ConditionShape.Now ? CelValue.From(Opens) : CelValue.Absent;
    }
}
