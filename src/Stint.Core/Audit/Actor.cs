namespace Stint.Core.Audit;

/// <summary>Who did it: <c>person:ann</c>, <c>workload:deploy-shop</c>, <c>rule:NAME</c>, <c>sender:NAME</c>, <c>directory:scim</c> or <c>directory:ldap</c>, or a part of Stint itself (<c>stint:keeper</c>).</summary>
public readonly record struct Actor
{
    private readonly string? _text;

    private Actor(string kind, string name)
    {
        if (string.IsNullOrEmpty(name))
        {
            throw new ArgumentException("An actor has a name.", nameof(name));
        }

        _text = $"{kind}:{name}";
    }

    /// <summary>The part of Stint that makes targets equal to their open grants.</summary>
    public static Actor Keeper { get; } = new("stint", "keeper");

    /// <summary>The part of Stint that carries bytes.</summary>
    public static Actor Gateway { get; } = new("stint", "gateway");

    /// <summary>The server process itself: its start, its keys, its backups.</summary>
    public static Actor Server { get; } = new("stint", "server");

    /// <summary>Whoever has a shell on the server's machine, without a name that could be proved.</summary>
    public static Actor Operator { get; } = new("stint", "operator");

    /// <summary>The company's directory, which tells over SCIM who is there.</summary>
    public static Actor Directory { get; } = new("directory", "scim");

    /// <summary>The company's directory, which is asked over LDAP who is there.</summary>
    public static Actor Ldap { get; } = new("directory", "ldap");

    /// <summary>A person, by the name that the catalog gives them.</summary>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static Actor Person(string id) => new("person", id);

    /// <summary>A person or a workload.</summary>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static Actor Of(SubjectId subject) => subject.IsWorkload ? new("workload", subject.Value["workload:".Length..]) : new("person", subject.Value);

    /// <summary>Another system that says when tasks are done, by the name that the configuration gives it.</summary>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static Actor Sender(string name) => new("sender", name);

    /// <summary>A policy that decided without a person.</summary>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    public static Actor Rule(string name) => new("rule", name);

    /// <summary>As it stands in the log.</summary>
    /// <exception cref="InvalidOperationException">This is the default value, which is nobody.</exception>
    public override string ToString() => _text ?? throw new InvalidOperationException("A fact without an actor is not a fact.");
}
