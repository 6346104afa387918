using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stint.Server.Api;
using Stint.Server.Identity;

namespace Stint.Server.Web;

/// <summary>What a browser finds here: what this is, where the API is described, and what each problem means.</summary>
internal static class FrontPage
{
    private const string Style = """
        body { font: 1rem/1.5 system-ui, sans-serif; max-width: 42rem; margin: 3rem auto; padding: 0 1rem; color: #1b1b1f; background: #fff; }
        code, pre { font-family: ui-monospace, monospace; background: #f2f2f5; border-radius: .25rem; padding: .1rem .3rem; }
        pre { padding: .75rem; overflow-x: auto; }
        a { color: #0b57a4; }
        @media (prefers-color-scheme: dark) { body { color: #e6e6ea; background: #17171b; } code, pre { background: #26262c; } a { color: #8ab8f0; } }
        """;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", () => Html("Stint", Front)).Quiet();
        routes.MapGet("/style.css", () => Results.Text(Style, "text/css; charset=utf-8")).Quiet();
        routes.MapGet("/problems", () => Html("Problems", Problems(ProblemKind.All))).Quiet();
        routes.MapGet("/problems/{name}", (string name) =>
            ProblemKind.All.Where(kind => kind.Name == name).ToList() is [_, ..] kinds ? Html("Problem", Problems(kinds)) : Results.NotFound()).Quiet();
    }

    private const string Front = """
        <p>This server gives people access to a system for a stint: just what they need, just when they need it, and it ends by itself.</p>
        <p>It is used from the command line:</p>
        <pre>stint login
        stint ls
        stint request RESOURCE/ROLE --for 30m --wait
        stint connect RESOURCE</pre>
        <ul>
        <li><a href="/openapi/v1.json">The API, described in OpenAPI 3.1</a></li>
        <li><a href="/problems">What each problem of the API means</a></li>
        <li><a href="/api/v1/catalog/schema">The JSON schema of a catalog</a> (with a token)</li>
        <li><a href="/healthz">Whether the process lives</a>, and <a href="/readyz">whether it takes work</a></li>
        </ul>
        """;

    private static RouteHandlerBuilder Quiet(this RouteHandlerBuilder route) => route.WithMetadata(Open.Instance).ExcludeFromDescription();

    private static string Problems(IEnumerable<ProblemKind> kinds)
    {
        var text = new StringBuilder();
        foreach (var kind in kinds)
        {
            text.Append(CultureInfo.InvariantCulture, $"<h2 id=\"{kind.Name}\">{WebUtility.HtmlEncode(kind.Title)}</h2><p><code>{kind.Type}</code>, status {kind.Status}. {WebUtility.HtmlEncode(kind.Explanation)}</p>\n");
        }

        return text.ToString();
    }

    private static IResult Html(string title, string body) => Results.Text(
        $"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><link rel=\"stylesheet\" href=\"/style.css\"></head>\n<body><h1>{title}</h1>\n{body}</body></html>\n",
        "text/html; charset=utf-8");
}
