// These are the words of the language.
#pragma warning disable CA1720

namespace Stint.Core.Policies.Cel;

/// <summary>A type of the language, as a variable, a field or an expression has it.</summary>
public sealed class CelType
{
    private CelType(string name, CelTypeKind kind, CelType[]? of = null, CelShape? shape = null, int number = 0)
    {
        (Name, Kind, Of1, Shape, Number) = (name, kind, of ?? [], shape, number);
    }

    /// <summary>Its name without parameters, as <c>type()</c> compares it: <c>list</c>, <c>google.protobuf.Duration</c>.</summary>
    public string Name { get; }

    /// <summary>The shape of a record; null for every other type.</summary>
    public CelShape? Shape { get; }

    internal CelTypeKind Kind { get; }

    internal CelType[] Of1 { get; }

    /// <summary>Which type variable it is.</summary>
    internal int Number { get; }

    /// <summary><c>bool</c>.</summary>
    public static CelType Bool { get; } = new("bool", CelTypeKind.Truth);

    /// <summary><c>int</c>.</summary>
    public static CelType Int { get; } = new("int", CelTypeKind.Signed);

    /// <summary><c>uint</c>.</summary>
    public static CelType Uint { get; } = new("uint", CelTypeKind.Unsigned);

    /// <summary><c>double</c>.</summary>
    public static CelType Double { get; } = new("double", CelTypeKind.Floating);

    /// <summary><c>string</c>.</summary>
    public static CelType String { get; } = new("string", CelTypeKind.Text);

    /// <summary><c>bytes</c>.</summary>
    public static CelType Bytes { get; } = new("bytes", CelTypeKind.Bytes);

    /// <summary><c>timestamp</c>.</summary>
    public static CelType Timestamp { get; } = new("google.protobuf.Timestamp", CelTypeKind.Timestamp);

    /// <summary><c>duration</c>.</summary>
    public static CelType Duration { get; } = new("google.protobuf.Duration", CelTypeKind.Duration);

    /// <summary>The type of <c>null</c> alone.</summary>
    public static CelType Null { get; } = new("null_type", CelTypeKind.Null);

    /// <summary>Not known before the evaluation.</summary>
    public static CelType Dyn { get; } = new("dyn", CelTypeKind.Dyn);

    /// <summary>An IPv4 or IPv6 address.</summary>
    public static CelType Address { get; } = new("net.IP", CelTypeKind.Address);

    /// <summary>An IPv4 or IPv6 network.</summary>
    public static CelType Network { get; } = new("net.CIDR", CelTypeKind.Network);

    internal static CelType Kinds { get; } = new("type", CelTypeKind.Kind);

    /// <summary><c>list(of)</c>.</summary>
    public static CelType List(CelType of) => new("list", CelTypeKind.List, [of]);

    /// <summary><c>map(key, value)</c>.</summary>
    public static CelType Map(CelType key, CelType value) => new("map", CelTypeKind.Map, [key, value]);

    /// <summary><c>optional_type(of)</c>.</summary>
    public static CelType Optional(CelType of) => new("optional_type", CelTypeKind.Optional, [of]);

    /// <summary>A record of a shape.</summary>
    public static CelType Of(CelShape shape) => new(shape.Name, CelTypeKind.Record, null, shape);

    /// <summary>A type that takes other types, that nothing here makes values of. Only for declarations.</summary>
    internal static CelType Opaque(string name, CelType[] of) => new(name, CelTypeKind.Opaque, of);

    internal static CelType Variable(int number) => new("_", CelTypeKind.Variable, null, null, number);

    internal static CelType KindOf(CelType of) => new("type", CelTypeKind.Kind, [of]);

    internal CelType With(CelType[] of) => new(Name, Kind, of, Shape, Number);

    internal static CelType Of(in CelValue value) => value.Kind switch
    {
        CelKind.Null => Null,
        CelKind.Truth => Bool,
        CelKind.Signed => Int,
        CelKind.Unsigned => Uint,
        CelKind.Floating => Double,
        CelKind.Text => String,
        CelKind.Bytes => Bytes,
        CelKind.List => AnyList,
        CelKind.Map => AnyMap,
        CelKind.Timestamp => Timestamp,
        CelKind.Duration => Duration,
        CelKind.Kind => Kinds,
        CelKind.Optional => AnyOptional,
        CelKind.Record => Of(value.Record.Shape),
        CelKind.Address => Address,
        CelKind.Network => Network,
        _ => Dyn,
    };

    internal static readonly CelType AnyList = List(Dyn);
    internal static readonly CelType AnyMap = Map(Dyn, Dyn);
    internal static readonly CelType AnyOptional = Optional(Dyn);

    /// <summary>Whether a value is of this type, looking no deeper than its outside.</summary>
    internal bool Holds(CelKind kind) => Kind switch
    {
        CelTypeKind.Dyn or CelTypeKind.Variable => true,
        CelTypeKind.Truth => kind == CelKind.Truth,
        CelTypeKind.Signed => kind == CelKind.Signed,
        CelTypeKind.Unsigned => kind == CelKind.Unsigned,
        CelTypeKind.Floating => kind == CelKind.Floating,
        CelTypeKind.Text => kind == CelKind.Text,
        CelTypeKind.Bytes => kind == CelKind.Bytes,
        CelTypeKind.List => kind == CelKind.List,
        CelTypeKind.Map => kind == CelKind.Map,
        CelTypeKind.Timestamp => kind == CelKind.Timestamp,
        CelTypeKind.Duration => kind == CelKind.Duration,
        CelTypeKind.Kind => kind == CelKind.Kind,
        CelTypeKind.Optional => kind == CelKind.Optional,
        CelTypeKind.Record => kind == CelKind.Record,
        CelTypeKind.Address => kind == CelKind.Address,
        CelTypeKind.Network => kind == CelKind.Network,
        CelTypeKind.Null => kind == CelKind.Null,
        _ => false,
    };

    /// <summary>Whether the two are written alike.</summary>
    internal bool Same(CelType other)
    {
        if (Kind != other.Kind || Number != other.Number || Name != other.Name || Of1.Length != other.Of1.Length)
        {
            return false;
        }

        for (var i = 0; i < Of1.Length; i++)
        {
            if (!Of1[i].Same(other.Of1[i]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>As a policy writer reads it: <c>list(string)</c>, <c>timestamp</c>, <c>optional(int)</c>.</summary>
    public override string ToString() => Kind switch
    {
        CelTypeKind.Timestamp => "timestamp",
        CelTypeKind.Duration => "duration",
        CelTypeKind.Null => "null",
        CelTypeKind.Variable => "anything",
        CelTypeKind.Optional => $"optional({Of1[0]})",
        _ when Of1.Length > 0 => $"{Name}({string.Join(", ", Of1.Select(of => of.ToString()))})",
        _ => Name,
    };
}

/// <summary>The kinds of types.</summary>
internal enum CelTypeKind : byte
{
    Dyn,
    Variable,
    Null,
    Truth,
    Signed,
    Unsigned,
    Floating,
    Text,
    Bytes,
    List,
    Map,
    Timestamp,
    Duration,
    Kind,
    Optional,
    Record,
    Address,
    Network,
    Opaque,
}

/// <summary>A named shape: what <c>subject</c> or <c>request</c> may be asked for.</summary>
/// <param name="Name">Its name in messages and in the published schema.</param>
/// <param name="Fields">Its fields in the order in which they are published.</param>
public sealed record CelShape(string Name, IReadOnlyList<CelField> Fields)
{
    internal int IndexOf(string field)
    {
        for (var i = 0; i < Fields.Count; i++)
        {
            if (Fields[i].Name == field)
            {
                return i;
            }
        }

        return -1;
    }
}

/// <summary>One field of a shape, or a variable of an environment.</summary>
/// <param name="Name">Its name in conditions.</param>
/// <param name="Type">Its type.</param>
/// <param name="Description">What it says, for the guide and the JSON schema: one sentence.</param>
/// <param name="Unit">What a number counts; empty where there is nothing to count.</param>
/// <param name="MayBeAbsent">Whether a question may lack it, so that conditions should ask with <c>has()</c> or <c>?</c>.</param>
public sealed record CelField(string Name, CelType Type, string Description, string Unit = "", bool MayBeAbsent = false);
