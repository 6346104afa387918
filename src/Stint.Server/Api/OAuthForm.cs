using System.Net;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;

namespace Stint.Server.Api;

/// <summary>Why a program did not get what it asked for (RFC 6749, section 5.2).</summary>
/// <param name="Error">A word of that section, of RFC 8628 or of RFC 8693.</param>
/// <param name="ErrorDescription">For whoever reads the program's output.</param>
internal sealed record OAuthProblem(string Error, [property: JsonPropertyName("error_description")] string ErrorDescription);

/// <summary>What a program sent as a form, each of its fields once.</summary>
internal sealed class OAuthForm
{
    /// <summary>Fields that may stand several times (RFC 8693, section 2.1).</summary>
    private static readonly string[] Several = ["audience", "resource"];

    private readonly IFormCollection _form;

    private OAuthForm(IFormCollection form) => _form = form;

    /// <summary>Reads it, and sees to it that nobody keeps the answer.</summary>
    /// <returns>The form, or why there is none.</returns>
    public static async Task<(OAuthForm? Form, IResult? Problem)> ReadAsync(HttpContext context, CancellationToken cancellation)
    {
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.Pragma = "no-cache";
        if (context.Request.ContentType?.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) != true || !context.Request.HasFormContentType)
        {
            return (null, Refuse("invalid_request", "Send a form: application/x-www-form-urlencoded."));
        }

        IFormCollection form;
        try
        {
            form = await context.Request.ReadFormAsync(cancellation);
        }
        catch (InvalidDataException)
        {
            return (null, Refuse("invalid_request", "The form cannot be read."));
        }

        return form.FirstOrDefault(one => one.Value.Count > 1 && !Several.Contains(one.Key)).Key is { } twice
            ? (null, Refuse("invalid_request", $"{(Core.Catalog.Words.IsShowable(twice, newLines: false) && twice.Length <= 60 ? twice : "A field")} stands twice."))
            : (new OAuthForm(form), null);
    }

    /// <summary>A field; null when it is missing or empty, which mean the same (RFC 6749, section 3.2).</summary>
    public string? One(string field) => _form[field] is { Count: 1 } values && values[0] is { Length: > 0 } value ? value : null;

    /// <summary>Whether it is there, empty or not.</summary>
    public bool Has(string field) => _form.ContainsKey(field);

    /// <summary>Every value of a field that may stand several times.</summary>
    public IEnumerable<string> All(string field) => _form[field].OfType<string>();

    public static IResult Refuse(string error, string description, HttpStatusCode status = HttpStatusCode.BadRequest) =>
        Results.Json(new OAuthProblem(error, description), ApiJson.Default.OAuthProblem, statusCode: (int)status);
}
