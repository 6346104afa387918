namespace Stint.Core;

/// <summary>Who asks: a person, by the name that the catalog gives them, or a workload, written <c>workload:NAME</c>. No person's name holds a colon.</summary>
public readonly record struct SubjectId(string Value)
{
    private const string Machine = "workload:";

    /// <summary>Whether it is a machine: it may ask, and nothing else.</summary>
    public bool IsWorkload => Value?.StartsWith(Machine, StringComparison.Ordinal) == true;

    /// <summary>As policies name them: <c>person:ann</c>, <c>workload:deploy-shop</c>.</summary>
    public string Full => IsWorkload ? Value : $"person:{Value}";

    /// <summary>A workload, by its name in the catalog.</summary>
    public static SubjectId Workload(string name) => new(Machine + name);

    /// <inheritdoc/>
    public override string ToString() => Value;
}

/// <summary>One asking. Written <c>req-</c> and twelve characters.</summary>
public readonly record struct RequestId(string Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value;
}

/// <summary>One right in one window. Written <c>gr-</c> and twelve characters.</summary>
public readonly record struct GrantId(string Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value;
}

/// <summary>What stands at a target for a subject and a role. Written <c>as-</c> and twelve characters.</summary>
public readonly record struct AssignmentId(string Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value;
}

/// <summary>One connection under a grant. Written <c>ses-</c> and twelve characters.</summary>
public readonly record struct SessionId(string Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value;
}

/// <summary>One person's word on who answers for them while they are away. Written <c>del-</c> and twelve characters.</summary>
public readonly record struct DelegationId(string Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value;
}

/// <summary>One counter-offer. Written <c>off-</c> and twelve characters.</summary>
public readonly record struct OfferId(string Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value;
}

/// <summary>One asking for a bundle. Written <c>bu-</c> and twelve characters.</summary>
public readonly record struct BundleId(string Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value;
}

/// <summary>One looking back at a break-glass. Written <c>rv-</c> and twelve characters.</summary>
public readonly record struct ReviewId(string Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value;
}

/// <summary>One report that is kept for a time, to be looked at in a browser. Written <c>rp-</c> and twelve characters.</summary>
public readonly record struct ReportId(string Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value;
}

/// <summary>A role at a resource, written <c>orders-db/read-only</c>.</summary>
public readonly record struct RoleRef(string Resource, string Role)
{
    /// <summary>Reads <c>RESOURCE/ROLE</c>; null when it is not of that form.</summary>
    public static RoleRef? Parse(string? text)
    {
        var slash = text?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        return slash > 0 && slash < text!.Length - 1 && text.IndexOf('/', slash + 1) < 0
            ? new RoleRef(text[..slash], text[(slash + 1)..])
            : null;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Resource}/{Role}";
}
