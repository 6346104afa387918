namespace Stint.Server.Identity.Ldap;

/// <summary>How the directory's server is reached.</summary>
internal enum LdapTls
{
    /// <summary>Not encrypted: on this machine alone.</summary>
    Off = 1,

    /// <summary>Encrypted after the first words (RFC 4511, section 4.14). Nothing else is said before.</summary>
    Start = 2,

    /// <summary>Encrypted from the first byte.</summary>
    Always = 3,
}

/// <summary>What the attributes are called, of which people and groups are made.</summary>
internal sealed record LdapAttributes
{
    /// <summary>What stays the same whatever else changes: <c>entryUUID</c> or <c>objectGUID</c>.</summary>
    public required string Id { get; init; }

    /// <summary>When an entry changed last.</summary>
    public required string Changed { get; init; }

    public required string Name { get; init; }

    public required string Display { get; init; }

    public required string Mail { get; init; }

    public required string Manager { get; init; }

    public required string Department { get; init; }

    public required string Title { get; init; }

    public required string Given { get; init; }

    public required string Family { get; init; }

    public required string Employee { get; init; }

    public required string GroupName { get; init; }

    /// <summary>Who is in a group: distinguished names, but for <c>memberUid</c>, which holds names.</summary>
    public required IReadOnlyList<string> Members { get; init; }

    public static LdapAttributes OpenLdap { get; } = new()
    {
        Id = "entryUUID",
        Changed = "modifyTimestamp",
        Name = "uid",
        Display = "cn",
        Mail = "mail",
        Manager = "manager",
        Department = "departmentNumber",
        Title = "title",
        Given = "givenName",
        Family = "sn",
        Employee = "employeeNumber",
        GroupName = "cn",
        Members = ["member", "uniqueMember", "memberUid"],
    };

    public static LdapAttributes ActiveDirectory { get; } = OpenLdap with
    {
        Id = "objectGUID",
        Changed = "whenChanged",
        Name = "sAMAccountName",
        Display = "displayName",
        Department = "department",
        Employee = "employeeID",
        GroupName = "sAMAccountName",
        Members = ["member"],
    };
}

/// <summary>The directory that is pulled from.</summary>
internal sealed record LdapOptions
{
    public required string Host { get; init; }

    public required int Port { get; init; }

    public required LdapTls Tls { get; init; }

    /// <summary>Who Stint is there.</summary>
    public required string BindDn { get; init; }

    public required string BindPassword { get; init; }

    /// <summary>PEM file of the authorities that vouch for the server; null for the machine's own.</summary>
    public string? Authority { get; init; }

    public required string PeopleBase { get; init; }

    public required LdapFilter PeopleFilter { get; init; }

    public required string GroupsBase { get; init; }

    public required LdapFilter GroupsFilter { get; init; }

    public required LdapAttributes Attributes { get; init; }

    /// <summary>How often it is asked what changed.</summary>
    public required TimeSpan Every { get; init; }

    /// <summary>How often all of it is read: what is gone is not seen otherwise.</summary>
    public required TimeSpan WholeEvery { get; init; }

    /// <summary>How many people one pull may take something from; null for ten, or half of all.</summary>
    public int? MostLeaving { get; init; }

    /// <summary>How many entries are asked for at a time.</summary>
    public int Page { get; init; } = 500;

    /// <summary>How long one answer is waited for.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Since when there is too long no good pull.</summary>
    public TimeSpan Late => 3 * Every;

    /// <summary>Never the password.</summary>
    public override string ToString() => $"{(Tls == LdapTls.Always ? "ldaps" : "ldap")}://{Host}:{Port}";
}
