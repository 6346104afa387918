namespace Stint.Core.Policies.Cel;

/// <summary>What a function does with arguments of the right types. A failure is a value, see <see cref="CelInputs.Fail"/>.</summary>
internal delegate CelValue CelFunction(CelInputs frame, ReadOnlySpan<CelValue> arguments);

/// <summary>One form of a function: its types and what it does.</summary>
/// <param name="Name">As written, with its namespace: <c>size</c>, <c>math.abs</c>; operators as <c>_+_</c>.</param>
/// <param name="Member">Written behind its first argument and a dot.</param>
/// <param name="Parameters">The first one is the target of a member.</param>
/// <param name="Flat">Its cost does not grow with its lists and maps.</param>
internal sealed record CelOverload(string Name, bool Member, CelType[] Parameters, CelType Result, CelFunction Body, bool Flat = false)
{
    /// <summary>Whether values of these kinds can be given to it.</summary>
    public bool Takes(ReadOnlySpan<CelValue> arguments)
    {
        for (var i = 0; i < Parameters.Length; i++)
        {
            if (!Parameters[i].Holds(arguments[i].Kind))
            {
                return false;
            }
        }

        return arguments.Length == Parameters.Length;
    }

    /// <summary>As an author reads it: <c>string.startsWith(string)</c>, <c>int + int</c>.</summary>
    public override string ToString() => CelWriting.Signature(Name, Member, Parameters);
}

/// <summary>Every function there is, by name.</summary>
internal static class CelLibrary
{
    /// <summary>Most arguments that any overload takes.</summary>
    public const int MostArguments = 4;

    public static readonly CelType T = CelType.Variable(0);
    public static readonly CelType U = CelType.Variable(1);

    private static readonly Dictionary<(string Name, bool Member), CelOverload[]> All = Index();

    public static IReadOnlyList<CelOverload> Find(string name, bool member) => All.GetValueOrDefault((name, member)) ?? [];

    public static bool Knows(string name) => All.ContainsKey((name, false)) || All.ContainsKey((name, true));

    public static IEnumerable<(string Name, bool Member)> Names => All.Keys.Where(key => char.IsAsciiLetter(key.Name[0]));

    public static CelOverload Of(string name, CelType result, CelFunction body, params CelType[] parameters) => new(name, false, parameters, result, body);

    public static CelOverload On(string name, CelType result, CelFunction body, params CelType[] parameters) => new(name, true, parameters, result, body);

    private static Dictionary<(string Name, bool Member), CelOverload[]> Index()
    {
        var all = CelOperators.All().Concat(CelStandard.All()).Concat(CelConversions.All()).Concat(CelTimeFunctions.All()).Concat(CelTextFunctions.All())
            .Concat(CelListFunctions.All()).Concat(CelMathFunctions.All()).Concat(CelOptionalFunctions.All()).Concat(CelNetFunctions.All());
        return all.GroupBy(overload => (overload.Name, overload.Member)).ToDictionary(group => group.Key, group => group.ToArray());
    }
}
