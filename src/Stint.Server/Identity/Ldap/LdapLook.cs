using System.Globalization;
using System.Text.Json.Nodes;
using Stint.Core.Catalog;
using Stint.Server.Identity.Scim;

namespace Stint.Server.Identity.Ldap;

/// <summary>Looks at the directory: at all of it, or at what changed since.</summary>
internal static class LdapLook
{
    private const int Longest = 512;

    /// <summary>Active Directory's number of what an account may do: this bit says that it may nothing (UserAccountControl, ADS_UF_ACCOUNTDISABLE).</summary>
    private const long Disabled = 2;

    /// <summary>The time that stands for being locked until somebody unlocks (draft-behera-ldap-password-policy, section 5.3.3). Any other time is a lock after wrong passwords, which would let anybody end anybody's access.</summary>
    private const string LockedForGood = "000001010000Z";

    private static readonly string[] s_states = ["userAccountControl", "nsAccountLock", "pwdAccountLockedTime"];

    /// <param name="options">Where, and what of it.</param>
    /// <param name="since">Looks only at what changed since then; null for all.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="LdapTroubleException">It is not whole.</exception>
    public static async Task<DirectoryLook> ReadAsync(LdapOptions options, DateTimeOffset? since, CancellationToken cancellation)
    {
        await using var line = await LdapLine.OpenAsync(options, cancellation);
        var names = options.Attributes;
        var notes = new List<string>();
        DateTimeOffset? until = null;
        var people = new List<LookedPerson>();
        string[] wanted = [names.Id, names.Changed, names.Name, names.Display, names.Mail, names.Manager, names.Department, names.Title, names.Given, names.Family, names.Employee, .. s_states];
        foreach (var entry in await line.SearchAsync(new LdapSearch(options.PeopleBase, true, Since(options.PeopleFilter, names, since), wanted), cancellation))
        {
            until = Later(until, Time(entry.Text(names.Changed)));
            if (Person(entry, names, notes) is { } person)
            {
                people.Add(person);
            }
        }

        var groups = new List<LookedGroup>();
        foreach (var entry in await line.SearchAsync(new LdapSearch(options.GroupsBase, true, Since(options.GroupsFilter, names, since), [names.Id, names.Changed, names.GroupName, .. names.Members]), cancellation))
        {
            until = Later(until, Time(entry.Text(names.Changed)));
            if (await GroupAsync(line, entry, names, notes, cancellation) is { } group)
            {
                groups.Add(group);
            }
        }

        if (line.Elsewhere > 0)
        {
            notes.Add($"The directory says that {line.Elsewhere} parts of it are at other servers. They are not asked.");
        }

        return new DirectoryLook(since is null, people, groups, until, notes);
    }

    /// <summary>A moment as directories write it (RFC 4517, section 3.3.13), to the second; null when it is none.</summary>
    public static DateTimeOffset? Time(string? text) => text is { Length: >= 15 } && text.EndsWith('Z')
        && DateTimeOffset.TryParseExact(text[..14], "yyyyMMddHHmmss", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time : null;

    /// <summary>What a name with <c>;range=0-1499</c> says: which part of the values stands there.</summary>
    /// <returns>The attribute, and the number of the value after the last; null for the last part. Null when it says nothing of the kind.</returns>
    public static (string Attribute, long? Next)? Range(string name)
    {
        const string Option = ";range=";
        var at = name.IndexOf(Option, StringComparison.OrdinalIgnoreCase);
        if (at < 0 || name[(at + Option.Length)..].Split('-') is not [_, var last])
        {
            return null;
        }

        return last == "*" ? (name[..at], null) : long.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var end) ? (name[..at], end + 1) : null;
    }

    /// <summary>A person; null when the entry cannot be one.</summary>
    public static LookedPerson? Person(LdapEntry entry, LdapAttributes names, List<string> notes)
    {
        if (Id(entry, names) is not { } id || Shown(entry.Text(names.Name)) is not { } name)
        {
            notes.Add($"{Shown(entry.Dn) ?? "An entry"} is passed over: it has no {names.Id} or no {names.Name} that Stint's account may read.");
            return null;
        }

        var active = !IsDisabled(entry);
        var body = new JsonObject { ["externalId"] = id, ["userName"] = name, ["active"] = active };
        Put(body, "displayName", entry.Text(names.Display));
        var parts = new JsonObject();
        Put(parts, "givenName", entry.Text(names.Given));
        Put(parts, "familyName", entry.Text(names.Family));
        if (parts.Count > 0)
        {
            body["name"] = parts;
        }

        if (Shown(entry.Text(names.Mail)) is { } mail && !mail.Contains('\n', StringComparison.Ordinal))
        {
            body["emails"] = new JsonArray(new JsonObject { ["value"] = mail, ["primary"] = true });
        }

        Put(body, "title", entry.Text(names.Title));
        var extension = new JsonObject();
        Put(extension, "department", entry.Text(names.Department));
        Put(extension, "employeeNumber", entry.Text(names.Employee));
        if (extension.Count > 0)
        {
            body[ScimSchemas.Enterprise.Id] = extension;
        }

        return new LookedPerson(id, entry.Dn, name, active, body, entry.Text(names.Manager));
    }

    private static async Task<LookedGroup?> GroupAsync(LdapLine line, LdapEntry entry, LdapAttributes names, List<string> notes, CancellationToken cancellation)
    {
        if (Id(entry, names) is not { } id || Shown(entry.Text(names.GroupName)) is not { } name)
        {
            notes.Add($"The group {Shown(entry.Dn) ?? "of an unreadable name"} is passed over: it has no {names.Id} or no {names.GroupName} that Stint's account may read.");
            return null;
        }

        var (members, called) = (new List<string>(), new List<string>());
        foreach (var attribute in names.Members)
        {
            var values = attribute.Equals("memberUid", StringComparison.OrdinalIgnoreCase) ? called : members;
            values.AddRange(entry.Texts(attribute));
            await RangesAsync(line, entry, attribute, values, cancellation);
        }

        return new LookedGroup(id, entry.Dn, name, members, called);
    }

    /// <summary>Reads on where a server tells the values of an attribute part by part (MS-ADTS, section 3.1.1.3.1.3.3).</summary>
    private static async Task RangesAsync(LdapLine line, LdapEntry entry, string attribute, List<string> values, CancellationToken cancellation)
    {
        var first = entry;
        for (var from = 0L; ;)
        {
            (string Name, long? Next)? part = null;
            foreach (var name in entry.Attributes.Keys)
            {
                if (Range(name) is var (of, next) && of.Equals(attribute, StringComparison.OrdinalIgnoreCase))
                {
                    part = (name, next);
                    values.AddRange(entry.Texts(name));
                }
            }

            if (part is null && entry == first)
            {
                return;
            }

            // NB. A part that is missing or does not move on is half an answer: whoever is not told of would be taken for gone.
            if (part is null || part.Value.Next <= from)
            {
                throw new LdapTroubleException($"it does not tell all members of {entry.Dn}");
            }

            if (part.Value.Next is not { } more)
            {
                return;
            }

            from = more;
            var found = await line.SearchAsync(new LdapSearch(first.Dn, false, new LdapFilter.Present("objectClass"), [$"{attribute};range={more.ToString(CultureInfo.InvariantCulture)}-*"]), cancellation);
            entry = found is [var only] ? only : throw new LdapTroubleException($"it does not tell all members of {first.Dn}");
        }
    }

    private static LdapFilter Since(LdapFilter filter, LdapAttributes names, DateTimeOffset? since) => since is not { } time ? filter
        : filter.And(new LdapFilter.Compare(
            5,
            names.Changed,
            System.Text.Encoding.ASCII.GetBytes(time.UtcDateTime.ToString(names.Changed == LdapAttributes.ActiveDirectory.Changed ? "yyyyMMddHHmmss'.0Z'" : "yyyyMMddHHmmss'Z'", CultureInfo.InvariantCulture))));

    private static bool IsDisabled(LdapEntry entry) =>
        (entry.Text("userAccountControl") is { } control && (!long.TryParse(control, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var bits) || (bits & Disabled) != 0))
        || (entry.Text("nsAccountLock") is { } locked && !locked.Equals("false", StringComparison.OrdinalIgnoreCase))
        || entry.Texts("pwdAccountLockedTime").Contains(LockedForGood);

    private static string? Id(LdapEntry entry, LdapAttributes names) => entry.Values(names.Id) is not [var value, ..] ? null
        : value.Length == 16 && names.Id.Equals(LdapAttributes.ActiveDirectory.Id, StringComparison.OrdinalIgnoreCase) ? new Guid(value).ToString("D")
        : Shown(System.Text.Encoding.UTF8.GetString(value));

    private static void Put(JsonObject into, string name, string? value)
    {
        if (Shown(value) is { } good)
        {
            into[name] = good;
        }
    }

    private static string? Shown(string? value) => value?.Trim() is { Length: > 0 and <= Longest } text && Words.IsShowable(text, newLines: true) ? text : null;

    private static DateTimeOffset? Later(DateTimeOffset? one, DateTimeOffset? other) => one is null || other > one ? other ?? one : one;
}
