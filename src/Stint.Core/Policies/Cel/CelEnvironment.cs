namespace Stint.Core.Policies.Cel;

/// <summary>
/// What an expression may read. A variable whose type is a shape is laid out flat: each of its fields, and of the shapes within,
/// has a slot of its own, so that <c>subject.on_call</c> is one look into an array.
/// </summary>
public sealed class CelEnvironment
{
    private readonly Dictionary<string, CelPlace> _places = new(StringComparer.Ordinal);
    private readonly List<CelSlot> _slots = [];

    private CelEnvironment(IReadOnlyList<CelField> variables, string container)
    {
        Variables = variables;
        Container = container;
        foreach (var variable in variables)
        {
            if (!_places.TryAdd(variable.Name, Lay(variable.Name, variable)))
            {
                throw new ArgumentException($"{variable.Name} is declared twice.", nameof(variables));
            }
        }
    }

    /// <summary>The variables, as declared; the guide and the schema publish them.</summary>
    public IReadOnlyList<CelField> Variables { get; }

    /// <summary>Every single thing that can be read, in the order of its number.</summary>
    public IReadOnlyList<CelSlot> Slots => _slots;

    /// <summary>The namespace that names are looked up in first; empty for policies.</summary>
    internal string Container { get; }

    /// <summary>An environment of these variables.</summary>
    /// <exception cref="ArgumentException">Two have the same name.</exception>
    public static CelEnvironment Of(params IReadOnlyList<CelField> variables) => new(variables, "");

    internal static CelEnvironment Within(string container, params IReadOnlyList<CelField> variables) => new(variables, container);

    /// <summary>The number of a slot by its path, as <c>subject.on_call</c>.</summary>
    /// <exception cref="ArgumentException">There is none; the paths are written in the program, so this is a mistake in it.</exception>
    public int SlotOf(string path) => _slots.Find(slot => slot.Path == path)?.Number ?? throw new ArgumentException($"Nothing is declared as {path}.", nameof(path));

    internal CelPlace? Find(string name) => _places.GetValueOrDefault(name);

    internal IEnumerable<string> Names => _places.Keys;

    private CelPlace Lay(string path, CelField field)
    {
        if (field.Type.Shape is not { } shape)
        {
            var slot = new CelSlot(_slots.Count, path, field);
            _slots.Add(slot);
            return new CelPlace(path, field, slot.Number, null);
        }

        var children = new Dictionary<string, CelPlace>(StringComparer.Ordinal);
        foreach (var child in shape.Fields)
        {
            children.Add(child.Name, Lay($"{path}.{child.Name}", child));
        }

        return new CelPlace(path, field, -1, children);
    }
}

/// <summary>One thing that can be read.</summary>
/// <param name="Number">Its place in <see cref="CelInputs"/>.</param>
/// <param name="Path">As a condition writes it.</param>
/// <param name="Field">Its type, description and unit.</param>
public sealed record CelSlot(int Number, string Path, CelField Field);

/// <summary>A variable, or a field that can be reached from one without leaving the slots.</summary>
/// <param name="Slot">-1 for a shape, whose <paramref name="Children"/> have the slots.</param>
internal sealed record CelPlace(string Path, CelField Field, int Slot, Dictionary<string, CelPlace>? Children)
{
    public IEnumerable<int> AllSlots => Children is null ? [Slot] : Children.Values.SelectMany(child => child.AllSlots);
}
