using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Stint.Server.Api;
using Stint.Server.Store;

namespace Stint.Server.Identity;

/// <summary>Marks a page: whoever is not signed in is led to where one does, and back.</summary>
internal sealed class ForBrowsers
{
    public static ForBrowsers Instance { get; } = new();
}

/// <summary>What a call must show that came with a browser's cookie, which browsers send along wherever a call comes from.</summary>
internal static class ByCookie
{
    /// <summary>The header of a script, and the field of a form.</summary>
    public const string Header = "X-Stint-CSRF", Field = "csrf";

    /// <summary>Whether the call comes from a page of ours.</summary>
    public static async Task<bool> IsOursAsync(HttpContext context, WebSession session)
    {
        var request = context.Request;
        if (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method))
        {
            return true;
        }

        // NB. Two proofs: a browser that tells where a call comes from must say here, and whoever calls must know the token.
        if (!ComesFromHere(request))
        {
            return false;
        }

        var shown = request.Headers[Header] is { Count: 1 } header ? header[0] : await FieldAsync(context);
        return shown is { Length: > 0 and <= Secrets.Longest } && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(shown), Encoding.UTF8.GetBytes(session.Csrf));
    }

    /// <summary>Whether nothing says that the call comes from elsewhere. It is all that can be asked of one who is not signed in.</summary>
    public static bool ComesFromHere(HttpRequest request) =>
        !(request.Headers["Sec-Fetch-Site"] is { Count: > 0 } site && site != "same-origin")
        && !(request.Headers.Origin is { Count: > 0 } origin && origin != $"{request.Scheme}://{request.Host}");

    public static Task RefuseAsync(HttpContext context) => ProblemResult.WriteAsync(context, ProblemKind.NotYours.Say(
        "The call was not made by a page of this server, as far as one can see: its CSRF token is missing or not that of this sign-in.",
        $"Load the page again. A script sends the header `{Header}`, a form the field `{Field}`."));

    private static async Task<string?> FieldAsync(HttpContext context)
    {
        if (context.Request.ContentType?.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) != true)
        {
            return null;
        }

        try
        {
            return (await context.Request.ReadFormAsync(context.RequestAborted))[Field] is { Count: 1 } field ? field[0] : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}
