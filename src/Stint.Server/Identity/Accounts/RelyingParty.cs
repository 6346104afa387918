using Microsoft.AspNetCore.Http;

namespace Stint.Server.Identity.Accounts;

/// <summary>Who asks for a passkey: the name that it is bound to, and the origins that may use it (Web Authentication Level 2, section 13.4.9).</summary>
/// <param name="publicUrl">How people reach the server; null for its own machine alone.</param>
internal sealed class RelyingParty(Uri? publicUrl)
{
    /// <summary>A browser refuses addresses in numbers here: without a name it is <c>localhost</c>.</summary>
    public string Id { get; } = publicUrl?.IdnHost ?? "localhost";

    /// <summary>Whether there can be passkeys at all: a public address in numbers has none.</summary>
    public bool HasPasskeys { get; } = publicUrl is null || publicUrl.HostNameType == UriHostNameType.Dns;

    /// <summary>Whether a browser takes a passkey on the page that it has open.</summary>
    public bool WorksAt(HttpContext context) => HasPasskeys && string.Equals(context.Request.Host.Host, Id, StringComparison.OrdinalIgnoreCase);

    /// <summary>Where the same page can use passkeys; null when nowhere.</summary>
    public string? Elsewhere(HttpContext context) => !HasPasskeys ? null
        : publicUrl is not null ? publicUrl.GetLeftPart(UriPartial.Authority)
        : $"{context.Request.Scheme}://localhost{(context.Request.Host.Port is { } port ? $":{port}" : "")}";

    /// <summary>Whether an origin that a browser names is this server's.</summary>
    public bool IsOwn(string origin, HttpContext context)
    {
        if (!Uri.TryCreate(origin, UriKind.Absolute, out var uri) || uri.PathAndQuery != "/")
        {
            return false;
        }

        // NB. A name that merely ends like ours is another's; and another port of this machine is another program's.
        return publicUrl is not null
            ? Uri.Compare(uri, publicUrl, UriComponents.SchemeAndServer, UriFormat.UriEscaped, StringComparison.OrdinalIgnoreCase) == 0
            : uri.Host == "localhost" && uri.Scheme == context.Request.Scheme && (context.Request.Host.Port ?? (uri.Scheme == "https" ? 443 : 80)) == uri.Port;
    }

    /// <summary>The address of a page, for a link that somebody opens: with a name, so that a passkey can be made there.</summary>
    /// <param name="listens">Where the server listens.</param>
    /// <param name="path">The page, with its slash.</param>
    public string Link(Uri listens, string path)
    {
        if (publicUrl is not null)
        {
            return publicUrl.ToString().TrimEnd('/') + path;
        }

        var host = System.Net.IPAddress.TryParse(listens.Host.Trim('[', ']'), out var address) && (System.Net.IPAddress.IsLoopback(address) || address.Equals(System.Net.IPAddress.Any) || address.Equals(System.Net.IPAddress.IPv6Any)) ? "localhost" : listens.Host;
        return $"{listens.Scheme}://{host}:{listens.Port}{path}";
    }
}
