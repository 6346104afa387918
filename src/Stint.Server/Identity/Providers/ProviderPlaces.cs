using System.Text.Json;

namespace Stint.Server.Identity.Providers;

/// <summary>Where a provider is asked for what (OpenID Connect Discovery 1.0, section 3; for GitHub as its documentation says).</summary>
internal sealed record ProviderPlaces
{
    public required Uri Authorize { get; init; }

    public required Uri Token { get; init; }

    /// <summary>Where its keys are; null for GitHub, which signs nothing.</summary>
    public Uri? Keys { get; init; }

    /// <summary>What it says of somebody beside the ID token; null for nothing.</summary>
    public Uri? UserInfo { get; init; }

    /// <summary>Where people sign out of it; null when it does not say.</summary>
    public Uri? EndSession { get; init; }

    /// <summary>Whether the client's secret goes into the form rather than into a header.</summary>
    public bool SecretInForm { get; init; }

    /// <summary>Whether each of its answers names it (RFC 9207).</summary>
    public bool NamesItself { get; init; }

    /// <summary>Those of GitHub, or of a GitHub Enterprise Server.</summary>
    public static ProviderPlaces OfGitHub(string home)
    {
        var web = home.TrimEnd('/');
        return new ProviderPlaces
        {
            Authorize = new Uri($"{web}/login/oauth/authorize"),
            Token = new Uri($"{web}/login/oauth/access_token"),
            UserInfo = new Uri(web == ProviderLinks.GitHubHome ? "https://api.github.com/user" : $"{web}/api/v3/user"),
            SecretInForm = true,
        };
    }

    /// <summary>Reads a discovery document.</summary>
    /// <exception cref="InvalidDataException">It is another issuer's, or says what cannot be used.</exception>
    public static ProviderPlaces Read(JsonElement root, Provider provider)
    {
        // NB. The document of another issuer would have our secret sent to whoever wrote it (OpenID Connect Discovery 1.0, section 4.3).
        if (root.ValueKind != JsonValueKind.Object || SignedJwt.Text(root, "issuer") != provider.Issuer)
        {
            throw new InvalidDataException("its discovery document is another issuer's");
        }

        var ways = Texts(root, "token_endpoint_auth_methods_supported");
        if (ways.Count > 0 && !ways.Contains("client_secret_basic") && !ways.Contains("client_secret_post"))
        {
            throw new InvalidDataException("it takes a client's secret neither in a header nor in a form (client_secret_basic, client_secret_post)");
        }

        return new ProviderPlaces
        {
            Authorize = Place(root, "authorization_endpoint", provider) ?? throw Missing("authorization_endpoint"),
            Token = Place(root, "token_endpoint", provider) ?? throw Missing("token_endpoint"),
            Keys = Place(root, "jwks_uri", provider) ?? throw Missing("jwks_uri"),
            UserInfo = Place(root, "userinfo_endpoint", provider),
            EndSession = Place(root, "end_session_endpoint", provider),

            // A header is what everybody has to take when nothing is said (section 3).
            SecretInForm = ways.Count > 0 && !ways.Contains("client_secret_basic"),
            NamesItself = root.TryGetProperty("authorization_response_iss_parameter_supported", out var names) && names.ValueKind == JsonValueKind.True,
        };
    }

    /// <summary>Whether something may be asked for there: nobody in between can read or change it.</summary>
    public static bool IsSafe(Uri uri, bool loopbackHttp) => (uri.Scheme == "https" || (loopbackHttp && uri is { Scheme: "http", IsLoopback: true })) && uri.UserInfo.Length == 0 && uri.Fragment.Length == 0;

    private static InvalidDataException Missing(string name) => new($"its discovery document names no {name}");

    private static Uri? Place(JsonElement root, string name, Provider provider)
    {
        if (SignedJwt.Text(root, name) is not { } text)
        {
            return null;
        }

        return Uri.TryCreate(text, UriKind.Absolute, out var uri) && IsSafe(uri, provider.LoopbackHttp)
            ? uri
            : throw new InvalidDataException($"its discovery document names a {name} that is no https address");
    }

    private static List<string> Texts(JsonElement root, string name) => root.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array
        ? [.. list.EnumerateArray().Where(one => one.ValueKind == JsonValueKind.String).Select(one => one.GetString()!)]
        : [];
}
