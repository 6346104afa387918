using Stint.Server.Identity;

namespace Stint.Server.Hosting;

/// <summary>Reads whose tokens prove workloads.</summary>
internal static class IssuersReader
{
    private const string GitHub = "https://token.actions.githubusercontent.com";
    private const string GitLab = "https://gitlab.com";

    /// <summary><c>identity.issuers.NAME.preset</c>, <c>.issuer</c>, <c>.trust_domain</c>, <c>.audience</c>, <c>.jwks_url</c>, <c>.jwks_file</c>, <c>.ca</c>, <c>.once</c>, <c>.keep</c> and <c>.loopback_http</c>; every problem is told.</summary>
    public static IReadOnlyList<Issuer> Read(SettingReader read)
    {
        var issuers = new List<Issuer>();
        foreach (var name in read.NamesBelow("identity.issuers"))
        {
            var key = $"identity.issuers.{name}";
            if (!Core.Catalog.Words.IsName(name))
            {
                read.Blame(read.FirstBelow(key), $"`{key}` names an issuer with other characters than letters, digits, hyphens and underscores, or with more than 63");
            }

            if (One(read, name, key) is { } issuer)
            {
                if (issuers.Find(other => issuer.Url is null ? other.TrustDomain == issuer.TrustDomain : other.Url == issuer.Url) is { } same)
                {
                    // NB. With two of them, a token would be looked at with the keys or for the audience of either.
                    read.Blame(read.FirstBelow(key), $"`{key}` is the issuer that `identity.issuers.{same.Name}` is; keep one of them");
                }

                issuers.Add(issuer);
            }
        }

        return issuers;
    }

    private static Issuer? One(SettingReader read, string name, string key)
    {
        var preset = read.OneOf(
            $"{key}.preset",
            ("oidc", IssuerPreset.Oidc),
            ("github", IssuerPreset.GitHub),
            ("gitlab", IssuerPreset.GitLab),
            ("kubernetes", IssuerPreset.Kubernetes),
            ("spiffe", IssuerPreset.Spiffe)) ?? IssuerPreset.Oidc;
        var plain = read.Flag($"{key}.loopback_http") ?? false;
        var given = read.Text($"{key}.issuer");
        var url = given ?? preset switch { IssuerPreset.GitHub => GitHub, IssuerPreset.GitLab => GitLab, _ => null };
        var domain = read.Text($"{key}.trust_domain");
        var audience = read.Text($"{key}.audience");
        var (keysUrl, keysFile) = (read.Url($"{key}.jwks_url"), read.FilePath($"{key}.jwks_file"));
        var authority = read.FilePath($"{key}.ca");
        var issuer = new Issuer
        {
            Name = name,
            Preset = preset,
            Url = preset == IssuerPreset.Spiffe ? null : url,
            TrustDomain = domain,
            Audience = audience ?? "",
            KeysUrl = keysUrl,
            KeysFile = keysFile,
            Authority = authority,
            Once = read.Flag($"{key}.once") ?? false,
            Keep = read.Texts($"{key}.keep") ?? [],
        };
        if (audience is null && !read.IsGiven($"{key}.audience"))
        {
            read.Blame(read.FirstBelow(key), $"`{key}.audience` is missing; give what its tokens are made for, best the address of this server");
        }

        if (preset == IssuerPreset.Spiffe)
        {
            if (given is not null)
            {
                read.Blame($"{key}.issuer", $"`{key}.issuer` is not for spiffe; name the trust domain with `{key}.trust_domain`");
            }

            if (domain is null ? !read.IsGiven($"{key}.trust_domain") : !IsTrustDomain(domain))
            {
                read.Blame(domain is null ? read.FirstBelow(key) : $"{key}.trust_domain", $"`{key}.trust_domain` must name the trust domain, such as example.org");
            }

            if (keysUrl is null && keysFile is null)
            {
                read.Blame(read.FirstBelow(key), $"`{key}` says nowhere what its tokens are signed with; name its bundle with `{key}.jwks_url` or `{key}.jwks_file`");
            }
        }
        else
        {
            if (domain is not null)
            {
                read.Blame($"{key}.trust_domain", $"`{key}.trust_domain` is for the preset spiffe; take it out");
            }

            if (url is null && !read.IsGiven($"{key}.issuer"))
            {
                read.Blame(read.FirstBelow(key), $"`{key}.issuer` is missing; give what its tokens say as `iss`, such as https://gitlab.example.com");
            }
            else if (url is not null && keysUrl is null && keysFile is null && !IsSafe(url, plain))
            {
                read.Blame($"{key}.issuer", $"`{key}.issuer` is where its keys are asked for, and must be an https address without a query; for one on this machine alone `{key}.loopback_http: true` allows http, and `{key}.jwks_file` or `{key}.jwks_url` names the keys elsewhere");
            }
        }

        if (keysUrl is not null && keysFile is not null)
        {
            read.Blame($"{key}.jwks_file", $"`{key}.jwks_url` and `{key}.jwks_file` both say where its keys are; keep one");
        }

        if (keysUrl is not null && !IsSafe(keysUrl.ToString(), plain))
        {
            read.Blame($"{key}.jwks_url", $"`{key}.jwks_url` must be an https address, and whoever is in between could else sign as anybody; for one on this machine alone `{key}.loopback_http: true` allows http");
        }

        foreach (var (setting, file) in (ReadOnlySpan<(string, string?)>)[("jwks_file", keysFile), ("ca", authority)])
        {
            if (file is not null && !File.Exists(file))
            {
                read.Blame($"{key}.{setting}", $"`{key}.{setting}` names {file}, which is not there");
            }
        }

        return audience is not null && (preset == IssuerPreset.Spiffe ? domain : url) is not null ? issuer : null;
    }

    internal static bool IsSafe(string text, bool plain) => Uri.TryCreate(text, UriKind.Absolute, out var uri)
        && (uri.Scheme == "https" || (plain && uri is { Scheme: "http", IsLoopback: true })) && uri.UserInfo.Length == 0 && uri.Query.Length == 0 && uri.Fragment.Length == 0;

    private static bool IsTrustDomain(string text) => text.Length <= 255 && text.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter is '.' or '-' or '_');
}
