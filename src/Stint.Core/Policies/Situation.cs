using Stint.Core.Catalog;
using Stint.Core.Policies.Cel;

namespace Stint.Core.Policies;

/// <summary>What conditions look at, for one question. Made cheaply; what a condition does not read is never worked out.</summary>
internal sealed class Situation(LoadedCatalog catalog, Person person, Resource resource, Role role, Question question)
{
    private CelInputs? _inputs;

    public LoadedCatalog Catalog { get; } = catalog;

    public Person Person { get; } = person;

    public Resource Resource { get; } = resource;

    public Role Role { get; } = role;

    public Question Question { get; } = question;

    /// <summary>When the access would open: the asked start, or the moment of the question.</summary>
    public DateTimeOffset Opens => Question.StartAt ?? Question.Now;

    /// <summary>The values that a condition reads.</summary>
    public CelInputs Inputs(Condition condition)
    {
        _inputs ??= ConditionShape.NewInputs();
        ConditionShape.Fill(_inputs, this, condition.Program);
        return _inputs;
    }
}
