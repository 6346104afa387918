using System.Collections.Frozen;
using Stint.Core.Grants;

namespace Stint.Core.Catalog;

/// <summary>Settings of a resource or a role, checked against a shape. Values are string, long, bool, <see cref="TimeSpan"/>, a list of strings, or <see cref="SecretRef"/>.</summary>
public sealed record Settings(FrozenDictionary<string, object> Values)
{
    /// <summary>No settings at all.</summary>
    public static Settings Empty { get; } = new(FrozenDictionary<string, object>.Empty);

    /// <summary>The value, or the given one when it is absent.</summary>
    public T Get<T>(string name, T absent) => Values.TryGetValue(name, out var value) ? (T)value : absent;

    /// <summary>The value; null when absent.</summary>
    public T? Find<T>(string name)
        where T : class => Values.TryGetValue(name, out var value) ? (T)value : null;
}

/// <summary>Names a secret that stands elsewhere: <c>{ env: NAME }</c>, <c>{ file: PATH }</c> or <c>{ sealed: TEXT }</c>.</summary>
public sealed record SecretRef(SecretSource Source, string Name)
{
    /// <summary>Source and name; a sealed one's text is long and says nothing.</summary>
    public override string ToString() => Source == SecretSource.Sealed ? "sealed" : $"{Source}:{Name}";
}

/// <summary>Where a secret stands.</summary>
public enum SecretSource
{
    /// <summary>A variable of the server's environment.</summary>
    Env = 1,

    /// <summary>A file that only the server reads.</summary>
    File = 2,

    /// <summary>Sealed under the server's master key (<c>stint seal</c>).</summary>
    Sealed = 3,
}

/// <summary>What a kind takes: the settings of a resource, and those of a role.</summary>
public sealed record KindShape(string Kind, string Description, Guarantee Guarantee, IReadOnlyList<Field> Resource, IReadOnlyList<Field> Role)
{
    /// <summary>The names that roles of this kind may have; null for any.</summary>
    public IReadOnlyList<string>? RoleNames { get; init; }

    /// <summary>Whether a catalog has one resource of this kind at the most.</summary>
    public bool OnlyOne { get; init; }

    /// <summary>Whether a session can be held to exact statements: only the gateway leads there, and it reads what is said.</summary>
    public bool HoldsToStatements { get; init; }

    /// <summary>Whether what a holder does goes past the gateway, so that nothing of it is recorded.</summary>
    public bool Unrecorded { get; init; }
}

/// <summary>One setting.</summary>
/// <param name="Name">As the catalog writes it.</param>
/// <param name="Type">What it holds.</param>
/// <param name="Description">For the JSON schema, the web form and the guide.</param>
public sealed record Field(string Name, FieldType Type, string Description)
{
    public bool Required { get; init; }

    /// <summary>Allowed values of a text; null for any.</summary>
    public IReadOnlyList<string>? OneOf { get; init; }

    /// <summary>What holds when it is absent, for people; null when absence means absence.</summary>
    public string? Default { get; init; }

    /// <summary>Smallest whole number, inclusive.</summary>
    public long? Min { get; init; }

    /// <summary>Largest whole number, inclusive.</summary>
    public long? Max { get; init; }

    /// <summary>Says what is wrong with a text (or each text of a list); null from it means nothing is. Null for no further check.</summary>
    public Func<string, string?>? Check { get; init; }
}

/// <summary>What a setting holds.</summary>
public enum FieldType
{
    Text = 1,
    Number = 2,
    Flag = 3,
    Duration = 4,
    TextList = 5,
    Secret = 6,
}
