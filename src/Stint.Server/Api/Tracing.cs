using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Stint.Server.Api;

/// <summary>One span for each call, named after its route: never after its address, which says who and what.</summary>
internal static class Tracing
{
    private static readonly ActivitySource Source = new("Stint.Api");

    public static async Task TraceAsync(HttpContext context, Func<Task> next)
    {
        using var span = Source.StartActivity("call", ActivityKind.Server);
        if (span is null)
        {
            await next();
            return;
        }

        var route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText;
        span.DisplayName = route is null ? context.Request.Method : $"{context.Request.Method} {route}";
        span.SetTag("http.request.method", context.Request.Method);
        span.SetTag("http.route", route);
        try
        {
            await next();
        }
        finally
        {
            span.SetTag("http.response.status_code", context.Response.StatusCode);
            if (context.Response.StatusCode >= 500)
            {
                span.SetStatus(ActivityStatusCode.Error);
            }
        }
    }
}
