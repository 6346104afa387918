using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;

namespace Stint.Server.Api;

/// <summary>What is not JSON is answered 400 by the Authorization API, as it demands, and not 415 as everywhere else.</summary>
internal static class AuthzenContent
{
    public static Task RefuseOthersAsync(HttpContext context, Func<Task> next) =>
        context.Request.Path.StartsWithSegments(AuthzenEndpoints.Base, StringComparison.Ordinal)
        && HttpMethods.IsPost(context.Request.Method)
        && !(MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) && string.Equals(type.MediaType, "application/json", StringComparison.OrdinalIgnoreCase))
            ? ProblemResult.WriteAsync(context, ProblemKind.Unreadable.Say("The body is not said to be JSON.", "Send the header `Content-Type: application/json`."))
            : next();
}
