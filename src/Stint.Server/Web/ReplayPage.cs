using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stint.Server.Identity;

namespace Stint.Server.Web;

/// <summary>
/// The page that shows a kept report. It is the same for every address and holds nothing: what it shows it asks the API for,
/// with the key that stands behind the <c>#</c>, which a browser sends nowhere.
/// </summary>
internal static class ReplayPage
{
    private static readonly string Style = Read("ReplayPage.css");
    private static readonly string Script = Read("ReplayPage.js");
    private static readonly string Page = Read("ReplayPage.html").Replace("{style}", Style, StringComparison.Ordinal).Replace("{script}", Script, StringComparison.Ordinal);

    /// <summary>Nothing but this script and this style, and nothing from anywhere else. Trusted types make a browser refuse text that would become markup.</summary>
    private static readonly string Policy =
        $"default-src 'none'; script-src {Hash(Script)}; style-src {Hash(Style)}; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/catalog/replays/{id}", (HttpContext context) =>
    {
        context.Response.Headers.ContentSecurityPolicy = Policy;
        context.Response.Headers["Cross-Origin-Opener-Policy"] = "same-origin";
        return Results.Text(Page, "text/html; charset=utf-8");
    }).WithMetadata(Open.Instance).ExcludeFromDescription();

    /// <summary>How a policy names an inline text: by its hash.</summary>
    private static string Hash(string text) => $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)))}'";

    private static string Read(string file)
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream("web/" + file)!, Encoding.UTF8);

        // NB. A browser hashes what it parsed, in which a carriage return is none.
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
