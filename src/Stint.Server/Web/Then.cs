using Microsoft.AspNetCore.Http;

namespace Stint.Server.Web;

/// <summary>Where a browser goes once somebody is signed in: a path of this server, and nothing else.</summary>
internal static class Then
{
    private const string Home = "/home";
    private const int Longest = 1_000;

    /// <summary>The path that was asked for, or the start page for none and for one that leads elsewhere.</summary>
    public static string Of(string? then) => IsOwn(then) ? then! : Home;

    /// <summary>The path that this request's <c>then</c> asks for.</summary>
    public static string Of(HttpContext context) => Of(context.Request.Query["then"] is { Count: 1 } one ? one[0] : null);

    /// <summary>Leads whoever is not signed in to where one does, and from there back to the page that was asked for.</summary>
    public static Task ToSignInAsync(HttpContext context)
    {
        var request = context.Request;
        var back = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) ? request.Path + request.QueryString : Home;
        context.Response.Redirect($"/sign-in?then={Uri.EscapeDataString(Of(back))}");
        return Task.CompletedTask;
    }

    // NB. A browser reads \ as / and drops tabs and line ends: //other.example and /\other.example are other servers.
    private static bool IsOwn(string? then) =>
        then is { Length: > 0 and <= Longest }
        && then[0] == '/'
        && !(then.Length > 1 && then[1] is '/' or '\\')
        && then.All(letter => letter is > ' ' and < '\u007f' and not '\\')
        && !then.StartsWith("/sign-", StringComparison.Ordinal);
}
