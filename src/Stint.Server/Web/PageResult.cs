using System.Text;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Stint.Server.Web;

/// <summary>A page, rendered here and sent whole.</summary>
internal sealed class PageResult : IResult
{
    /// <summary>Nothing but this server's own files, and nothing inline.</summary>
    /// <remarks>NB. <c>form-action</c> holds for redirects after a form as well: whoever is led to another server goes by a link.</remarks>
    public const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private readonly Type _page;
    private readonly ParameterView _parameters;
    private readonly int _status;

    private PageResult(Type page, IDictionary<string, object?>? parameters, int status) =>
        (_page, _parameters, _status) = (page, parameters is null ? ParameterView.Empty : ParameterView.FromDictionary(parameters), status);

    /// <summary>Answers with a page.</summary>
    /// <param name="parameters">The component's parameters; null for none.</param>
    /// <param name="status">Its status.</param>
    public static IResult Of<TPage>(IDictionary<string, object?>? parameters = null, int status = 200)
        where TPage : IComponent => new PageResult(typeof(TPage), parameters, status);

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        // Rendered whole before a byte is sent: a page that breaks is a problem, and never half a page.
        await using var renderer = new HtmlRenderer(httpContext.RequestServices, httpContext.RequestServices.GetRequiredService<ILoggerFactory>());
        var html = await renderer.Dispatcher.InvokeAsync(async () => (await renderer.RenderComponentAsync(_page, _parameters)).ToHtmlString());
        var headers = httpContext.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers["Cross-Origin-Opener-Policy"] = "same-origin";

        // NB. Under no-referrer a browser says "Origin: null" with a form of ours, and nothing could tell it from another site's.
        headers["Referrer-Policy"] = "same-origin";
        httpContext.Response.StatusCode = _status;
        httpContext.Response.ContentType = "text/html; charset=utf-8";
        await httpContext.Response.WriteAsync(html, Encoding.UTF8, httpContext.RequestAborted);
    }
}
