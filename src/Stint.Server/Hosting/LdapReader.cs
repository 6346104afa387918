using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Stint.Server.Identity.Ldap;

namespace Stint.Server.Hosting;

/// <summary>Reads which directory is pulled from.</summary>
internal static class LdapReader
{
    private const string Key = "directory.ldap";

    /// <summary><c>directory.ldap.*</c>; every problem is told.</summary>
    /// <returns>Null when nothing of it is given. Of no use where a problem was told.</returns>
    public static LdapOptions? Read(SettingReader read, IReadOnlyDictionary<string, string> environment)
    {
        if (read.NamesBelow(Key).Count == 0)
        {
            return null;
        }

        if (read.IsGiven("directory.scim_token_file") || read.IsGiven("directory.scim_token_env"))
        {
            read.Blame(read.FirstBelow(Key), "`directory.ldap` stands beside the `directory.scim_token` of a program that tells over SCIM who is there; keep one of the two, for each would take for gone whom only the other knows");
        }

        var active = read.OneOf($"{Key}.preset", ("openldap", false), ("active-directory", true)) ?? false;
        var (host, port, tls) = Server(read);
        return new LdapOptions
        {
            Host = host,
            Port = port,
            Tls = tls,
            BindDn = Place(read, "bind_dn", "such as cn=stint,dc=example,dc=com", mayBeUser: active) ?? "",
            BindPassword = SecretReader.Read(read, Key, "bind_password", 1, "at the directory", environment) ?? "",
            Authority = Authority(read, tls),
            PeopleBase = Place(read, "people_base", "such as ou=people,dc=example,dc=com") ?? "",
            PeopleFilter = Filter(read, "people_filter", active ? "(&(objectCategory=person)(objectClass=user))" : "(objectClass=person)"),
            GroupsBase = Place(read, "groups_base", "such as ou=groups,dc=example,dc=com") ?? "",
            GroupsFilter = Filter(read, "groups_filter", active ? "(objectClass=group)" : "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames)(objectClass=posixGroup))"),
            Attributes = Attributes(read, active ? LdapAttributes.ActiveDirectory : LdapAttributes.OpenLdap),
            Every = read.Duration($"{Key}.every", TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)) ?? TimeSpan.FromSeconds(60),
            WholeEvery = read.Duration($"{Key}.whole_every", TimeSpan.FromSeconds(1), TimeSpan.FromDays(1)) ?? TimeSpan.FromMinutes(5),
            MostLeaving = (int?)read.Number($"{Key}.most_leaving", 0, 10_000_000),
        };
    }

    private static (string Host, int Port, LdapTls Tls) Server(SettingReader read)
    {
        const string UrlKey = Key + ".url";
        var start = read.Flag($"{Key}.start_tls");
        if (read.Text(UrlKey) is not { } text)
        {
            if (!read.IsGiven(UrlKey))
            {
                read.Blame(read.FirstBelow(Key), $"`{UrlKey}` is missing; give the address of the directory's server, such as ldap://ldap.example.com");
            }

            return ("", 0, LdapTls.Start);
        }

        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("ldap" or "ldaps") || url.Host.Length == 0 || url.UserInfo.Length > 0 || url.Query.Length > 0 || url.AbsolutePath is not ("" or "/"))
        {
            read.Blame(UrlKey, $"`{UrlKey}` is no address of a directory; write ldap://HOST, ldap://HOST:PORT or ldaps://HOST, and what is looked for with the other settings");
            return ("", 0, LdapTls.Start);
        }

        var always = url.Scheme == "ldaps";
        if (always && start is not null)
        {
            read.Blame($"{Key}.start_tls", $"`{Key}.start_tls` is for ldap://; ldaps:// is encrypted from the first byte");
        }
        else if (start == false && !url.IsLoopback)
        {
            read.Blame($"{Key}.start_tls", $"`{Key}.start_tls` is false and {url.Host} is another machine: the password and who may do what would cross the network readable, and changeable; take it out, or use ldaps://");
        }

        return (url.IdnHost.Trim('[', ']'), url.Port > 0 ? url.Port : always ? 636 : 389, always ? LdapTls.Always : start == false ? LdapTls.Off : LdapTls.Start);
    }

    private static string? Authority(SettingReader read, LdapTls tls)
    {
        const string AuthorityKey = Key + ".ca_file";
        if (read.FilePath(AuthorityKey) is not { } file)
        {
            return null;
        }

        try
        {
            X509Certificate2Collection roots = [];
            roots.ImportFromPemFile(file);
            if (roots.Count == 0)
            {
                read.Blame(AuthorityKey, $"`{AuthorityKey}` names {file}, which holds no certificate in PEM");
            }
            else if (tls == LdapTls.Off)
            {
                read.Blame(AuthorityKey, $"`{AuthorityKey}` stands beside `{Key}.start_tls` false: nothing is encrypted that it could vouch for; keep one of the two");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            read.Blame(AuthorityKey, $"`{AuthorityKey}` names {file}, which cannot be read as certificates in PEM");
        }

        return file;
    }

    private static string? Place(SettingReader read, string word, string example, bool mayBeUser = false)
    {
        var key = $"{Key}.{word}";
        if (read.Text(key) is not { } text)
        {
            if (!read.IsGiven(key))
            {
                read.Blame(read.FirstBelow(Key), $"`{key}` is missing; give it, {example}");
            }

            return null;
        }

        // Active Directory lets in by user@domain as well.
        if (LdapNames.Key(text) is null && !(mayBeUser && text.Contains('@', StringComparison.Ordinal)))
        {
            read.Blame(key, $"`{key}` is not a distinguished name; write one, {example}");
        }

        return text;
    }

    private static LdapFilter Filter(SettingReader read, string word, string usual)
    {
        var key = $"{Key}.{word}";
        try
        {
            return LdapFilter.Parse(read.Text(key) ?? usual);
        }
        catch (FormatException e)
        {
            read.Blame(key, $"`{key}` is not a filter as RFC 4515 writes it: {e.Message}");
            return LdapFilter.Parse(usual);
        }
    }

    private static LdapAttributes Attributes(SettingReader read, LdapAttributes usual)
    {
        return new LdapAttributes
        {
            Id = One("id", usual.Id),
            Changed = One("changed", usual.Changed),
            Name = One("name", usual.Name),
            Display = One("display", usual.Display),
            Mail = One("mail", usual.Mail),
            Manager = One("manager", usual.Manager),
            Department = One("department", usual.Department),
            Title = One("title", usual.Title),
            Given = One("given_name", usual.Given),
            Family = One("family_name", usual.Family),
            Employee = One("employee_number", usual.Employee),
            GroupName = One("group_name", usual.GroupName),
            Members = Many("members", usual.Members),
        };

        string One(string word, string otherwise) => read.Text($"{Key}.attributes.{word}") is { } given && Check(word, given) ? given : otherwise;

        IReadOnlyList<string> Many(string word, IReadOnlyList<string> otherwise) => read.Texts($"{Key}.attributes.{word}") is { } given && given.All(one => Check(word, one)) ? given : otherwise;

        bool Check(string word, string name)
        {
            if (!LdapNames.IsAttribute(name))
            {
                read.Blame($"{Key}.attributes.{word}", $"`{Key}.attributes.{word}` is `{name}`, which is not the name of an attribute; write letters, digits and hyphens");
                return false;
            }

            return true;
        }
    }
}
