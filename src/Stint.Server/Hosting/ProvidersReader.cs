using Stint.Core.Catalog;
using Stint.Server.Identity.Providers;

namespace Stint.Server.Hosting;

/// <summary>Reads at whom people may sign in.</summary>
internal static class ProvidersReader
{
    private const int LeastSecret = 16;
    private const int MostAttributes = 20;
    private const int LongestClaim = 200;
    private const int LongestLabel = 60;

    // NB. What stands at these addresses is this server's own.
    private static readonly string[] Taken = ["password", "passkey", "totp", "recovery", "code", "device", "setup", "set-up", "link", "end", "out"];

    /// <summary><c>identity.providers.NAME.…</c>; every problem is told.</summary>
    public static IReadOnlyList<Provider> Read(SettingReader read, WebOptions web, IReadOnlyDictionary<string, string> environment)
    {
        var providers = new List<Provider>();
        foreach (var name in read.NamesBelow("identity.providers"))
        {
            var key = $"identity.providers.{name}";
            SecretReader.CheckName(read, key, name, "a provider");
            if (Taken.Contains(name))
            {
                read.Blame(read.FirstBelow(key), $"`{key}` has a name that this server needs for itself; take another");
            }

            if (One(read, name, key, environment) is { } provider)
            {
                providers.Add(provider);
            }
        }

        // NB. Where people are sent back to is not left to whatever name a browser called this server by.
        if (providers.Count > 0 && web.PublicUrl is null && !System.Net.IPAddress.IsLoopback(web.Listen.Address))
        {
            read.Blame(read.FirstBelow("identity.providers"), "`identity.providers` needs `web.public_url`: the address at which browsers reach this server, and to which providers send them back");
        }

        return providers;
    }

    private static Provider? One(SettingReader read, string name, string key, IReadOnlyDictionary<string, string> environment)
    {
        var preset = read.OneOf(
            $"{key}.preset",
            ("oidc", ProviderPreset.Oidc),
            ("okta", ProviderPreset.Okta),
            ("entra", ProviderPreset.Entra),
            ("google", ProviderPreset.Google),
            ("keycloak", ProviderPreset.Keycloak),
            ("github", ProviderPreset.GitHub)) ?? ProviderPreset.Oidc;
        var attributes = Attributes(read, key, preset);
        var (groups, groupsLast) = Groups(read, key, preset, attributes.Count > 0);

        var label = read.Text($"{key}.label");
        if (label is not null && (label.Length > LongestLabel || !Words.IsShowable(label, newLines: false)))
        {
            read.Blame($"{key}.label", $"`{key}.label` must be one line of at most {LongestLabel} characters");
        }

        var plain = read.Flag($"{key}.loopback_http") ?? false;
        var tenant = Tenant(read, key, preset);
        var issuer = Issuer(read, key, preset, tenant, plain);
        var client = read.Text($"{key}.client_id");
        if (client is null && !read.IsGiven($"{key}.client_id"))
        {
            read.Blame(read.FirstBelow(key), $"`{key}.client_id` is missing; give the client ID that the provider made for this server");
        }
        else if (client is not null && client.Any(letter => letter is < '!' or > '~'))
        {
            read.Blame($"{key}.client_id", $"`{key}.client_id` holds other characters than visible ASCII ones");
        }

        var secret = SecretReader.Read(read, key, "client_secret", LeastSecret, "at the provider", environment);
        var organization = read.Text($"{key}.organization");
        if (organization is not null && (preset != ProviderPreset.GitHub || !organization.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_')))
        {
            read.Blame($"{key}.organization", preset == ProviderPreset.GitHub ? $"`{key}.organization` must be an organization's name as it stands in its address" : $"`{key}.organization` is for the preset github; take it out");
        }

        var domains = read.Texts($"{key}.domains") ?? [];
        if (domains.FirstOrDefault(domain => Uri.CheckHostName(domain) != UriHostNameType.Dns) is { } odd)
        {
            read.Blame($"{key}.domains", $"`{key}.domains` holds `{odd}`; name domains such as example.com, without @");
        }

        if (preset == ProviderPreset.Google && domains.Count == 0 && !read.IsGiven($"{key}.domains"))
        {
            read.Blame(read.FirstBelow(key), $"`{key}.domains` is missing; name the domains of your Workspace, for whoever has an account at Google signs in there");
        }

        var person = Person(read, key, preset, organization);
        var acr = read.Texts($"{key}.acr_values") ?? [];
        var amr = read.Texts($"{key}.amr_values") ?? [];
        foreach (var (word, values) in (ReadOnlySpan<(string, IReadOnlyList<string>)>)[("acr_values", acr), ("amr_values", amr)])
        {
            if (values.Count > 0 && preset is ProviderPreset.GitHub or ProviderPreset.Google)
            {
                read.Blame($"{key}.{word}", $"`{key}.{word}` is for fresh proofs, and {(preset == ProviderPreset.GitHub ? "GitHub" : "Google")} cannot be asked for one; take it out");
            }
            else if (values.Any(value => value.Any(letter => letter is < '!' or > '~')))
            {
                read.Blame($"{key}.{word}", $"`{key}.{word}` holds a value with a blank or another character than visible ASCII ones");
            }
        }

        var scopes = Scopes(read, key, preset, organization, person);
        var authority = read.FilePath($"{key}.ca");
        if (authority is not null && !File.Exists(authority))
        {
            read.Blame($"{key}.ca", $"`{key}.ca` names {authority}, which is not there");
            authority = null;
        }

        return issuer is null || client is null || secret is null ? null : new Provider
        {
            Name = name,
            Label = label ?? Usual(preset, name),
            Preset = preset,
            Issuer = issuer,
            ClientId = client,
            ClientSecret = secret,
            Scopes = scopes,
            Person = person,
            Domains = domains,
            Tenant = tenant,
            Organization = organization,
            AcrValues = acr,
            AmrValues = amr,
            Groups = groups,
            Attributes = attributes,
            GroupsLast = groupsLast,
            Authority = authority,
            LoopbackHttp = plain,
        };
    }

    private static (string? Claim, TimeSpan Last) Groups(SettingReader read, string key, ProviderPreset preset, bool hasAttributes)
    {
        var (claim, last) = (read.Text($"{key}.groups"), read.Duration($"{key}.groups_last", TimeSpan.FromMinutes(5), TimeSpan.FromDays(7)));
        if (claim is not null && preset is ProviderPreset.GitHub or ProviderPreset.Google)
        {
            read.Blame($"{key}.groups", $"`{key}.groups` is a claim, and {(preset == ProviderPreset.GitHub ? "GitHub" : "Google")} says none of groups; take it out");
        }
        else if (claim is not null && claim.Any(letter => letter is < '!' or > '~'))
        {
            read.Blame($"{key}.groups", $"`{key}.groups` must be the name of a claim, such as groups");
        }
        else if (claim is null && last is not null && !hasAttributes)
        {
            read.Blame($"{key}.groups_last", $"`{key}.groups_last` stands without `{key}.groups` or `{key}.attributes`; say what lasts, or take it out");
        }

        return (claim, last ?? TimeSpan.FromHours(24));
    }

    /// <summary>The table of what claims are called here: <c>attributes.NAME</c> is the claim.</summary>
    private static Dictionary<string, string> Attributes(SettingReader read, string key, ProviderPreset preset)
    {
        var (below, table) = ($"{key}.attributes", new Dictionary<string, string>(StringComparer.Ordinal));
        if (read.Texts(below) is not null || read.IsGiven(below))
        {
            read.Blame(below, $"`{below}` must be a table of attributes and claims, such as {{ \"department\": \"dept\" }}");
        }

        foreach (var name in read.NamesBelow(below))
        {
            var claim = read.Text($"{below}.{name}");
            if (!Words.IsName(name))
            {
                read.Blame(read.FirstBelow($"{below}"), $"`{below}.{name}` is not what an attribute can be called; write small letters, digits and hyphens");
            }
            else if (claim is { Length: > LongestClaim } || claim?.Any(letter => letter is < '!' or > '~') == true)
            {
                read.Blame($"{below}.{name}", $"`{below}.{name}` must be the name of a claim, such as department");
            }
            else if (claim is not null)
            {
                table[name] = claim;
            }
        }

        if (table.Count > 0 && preset == ProviderPreset.GitHub)
        {
            read.Blame(read.FirstBelow(below), $"`{below}` is about claims, and GitHub has none; take it out");
        }
        else if (table.Count > MostAttributes)
        {
            read.Blame(read.FirstBelow(below), $"`{below}` names {table.Count} attributes; at most {MostAttributes} are taken from a sign-in");
        }

        return table;
    }

    private static string? Tenant(SettingReader read, string key, ProviderPreset preset)
    {
        var tenant = read.Text($"{key}.tenant");
        if (preset != ProviderPreset.Entra)
        {
            if (tenant is not null)
            {
                read.Blame($"{key}.tenant", $"`{key}.tenant` is for the preset entra; take it out");
            }

            return null;
        }

        if (tenant is null && read.IsGiven($"{key}.tenant"))
        {
            return null;
        }

        // NB. `common` and `organizations` let in whoever has a tenant of their own, under any name that they give themselves there.
        if (!Guid.TryParseExact(tenant, "D", out var id))
        {
            read.Blame(tenant is null ? read.FirstBelow(key) : $"{key}.tenant", $"`{key}.tenant` must be the ID of your tenant, such as 2b2b1c2e-0000-4000-8000-1a2b3c4d5e6f; `common` and `organizations` would let in everybody's");
            return null;
        }

        return id.ToString("D");
    }

    private static string? Issuer(SettingReader read, string key, ProviderPreset preset, string? tenant, bool plain)
    {
        var given = read.Text($"{key}.issuer");
        if (preset is ProviderPreset.Google or ProviderPreset.Entra && given is not null && !plain)
        {
            read.Blame($"{key}.issuer", $"`{key}.issuer` is known of this preset; take it out");
        }

        var issuer = given ?? preset switch
        {
            ProviderPreset.Google => ProviderLinks.Google,
            ProviderPreset.GitHub => ProviderLinks.GitHubHome,
            ProviderPreset.Entra => tenant is null ? null : $"https://login.microsoftonline.com/{tenant}/v2.0",
            _ => null,
        };
        if (issuer is null)
        {
            if (preset != ProviderPreset.Entra && !read.IsGiven($"{key}.issuer"))
            {
                read.Blame(read.FirstBelow(key), $"`{key}.issuer` is missing; give {preset switch { ProviderPreset.Okta => "https://YOUR-ORG.okta.com", ProviderPreset.Keycloak => "https://HOST/realms/REALM", _ => "what its tokens say as `iss`, such as https://login.example.com" }}");
            }

            return null;
        }

        if (!Uri.TryCreate(issuer, UriKind.Absolute, out var uri) || !ProviderPlaces.IsSafe(uri, plain) || uri.Query.Length > 0)
        {
            read.Blame($"{key}.issuer", $"`{key}.issuer` is where people and this server's secret are sent, and must be an https address without a query; for one on this machine alone `{key}.loopback_http: true` allows http");
            return null;
        }

        return issuer;
    }

    private static string Person(SettingReader read, string key, ProviderPreset preset, string? organization)
    {
        var usual = preset switch { ProviderPreset.Google => "email", ProviderPreset.GitHub => "login", _ => "preferred_username" };
        var person = read.Text($"{key}.person") ?? usual;
        var place = read.IsGiven($"{key}.person") ? $"{key}.person" : read.FirstBelow(key);
        if (preset == ProviderPreset.Entra && person == "email")
        {
            read.Blame(place, $"`{key}.person` is email, which nobody verifies at Entra ID; take preferred_username, upn or oid");
        }
        else if (preset == ProviderPreset.Google && person is not ("email" or "sub"))
        {
            read.Blame(place, $"`{key}.person` is `{person}`; Google says email and sub");
        }
        else if (preset == ProviderPreset.GitHub && person is not ("login" or "email"))
        {
            read.Blame(place, $"`{key}.person` is `{person}`; GitHub says login and email");
        }
        else if (preset == ProviderPreset.GitHub && person == "login" && organization is null)
        {
            // NB. Whoever renames an account there leaves its old name to anybody.
            read.Blame(place, $"`{key}.person` is login, and at GitHub anybody may take a name that somebody gave up; name the `{key}.organization` that they have to be members of, or take email");
        }
        else if (person.Any(letter => letter is < '!' or > '~'))
        {
            read.Blame(place, $"`{key}.person` must be the name of a claim, such as preferred_username or email");
        }

        return person;
    }

    private static IReadOnlyList<string> Scopes(SettingReader read, string key, ProviderPreset preset, string? organization, string person)
    {
        IReadOnlyList<string> usual = preset == ProviderPreset.GitHub
            ? ["read:user", .. person == "email" ? ["user:email"] : Array.Empty<string>(), .. organization is null ? Array.Empty<string>() : ["read:org"]]
            : ["openid", "profile", "email"];
        if (read.Texts($"{key}.scopes") is not { } scopes)
        {
            return usual;
        }

        if (scopes.FirstOrDefault(scope => scope.Any(letter => letter is < '!' or > '~' or '"' or '\\')) is { } odd)
        {
            read.Blame($"{key}.scopes", $"`{key}.scopes` holds `{odd}`, which is no scope");
        }

        if (preset != ProviderPreset.GitHub && !scopes.Contains("openid"))
        {
            read.Blame($"{key}.scopes", $"`{key}.scopes` lacks openid, without which nobody is told who signed in");
        }

        return scopes;
    }

    private static string Usual(ProviderPreset preset, string name) => preset switch
    {
        ProviderPreset.Okta => "Okta",
        ProviderPreset.Entra => "Microsoft Entra ID",
        ProviderPreset.Google => "Google",
        ProviderPreset.GitHub => "GitHub",
        ProviderPreset.Keycloak => "Keycloak",
        _ => name,
    };
}
