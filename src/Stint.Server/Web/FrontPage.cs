using System.Globalization;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stint.Server.Api;
using Stint.Server.Identity;
using Stint.Server.Web.Pages;

namespace Stint.Server.Web;

/// <summary>What a browser finds here: what this is, where the API is described, and what each problem means.</summary>
internal static class FrontPage
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        // NB. Who it is is not asked here: whether their cookie counts is seen at the page that they are led to.
        routes.MapGet("/", (HttpContext context) => WebSessions.SecretOf(context) is null ? Html("Stint", Start) : Results.Redirect("/home")).Quiet();
        routes.MapGet("/problems", () => Html("Problems", Problems(ProblemKind.All))).Quiet();
        routes.MapGet("/problems/{name}", (string name) =>
            ProblemKind.All.Where(kind => kind.Name == name).ToList() is [_, ..] kinds ? Html("Problem", Problems(kinds)) : Results.NotFound()).Quiet();
    }

    private const string Start = """
        <p>This server gives people access to a system for a stint: just what they need, just when they need it, and it ends by itself.</p>
        <p><a class="btn btn-primary" href="/home">Sign in</a></p>
        <p>Or use it from the command line:</p>
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

    private static IResult Html(string title, string body) => PageResult.Of<Front>(new Dictionary<string, object?> { [nameof(Pages.Front.Title)] = title, [nameof(Pages.Front.Body)] = body });
}
