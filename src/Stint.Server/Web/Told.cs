using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Stint.Server.Identity;
using Stint.Server.Web.Pages;

namespace Stint.Server.Web;

/// <summary>Says in a page why something did not come to be, and the way out.</summary>
internal static class Told
{
    /// <summary>Marks an address that people look at: led to where one signs in, and no part of the API.</summary>
    public static RouteHandlerBuilder Page(this RouteHandlerBuilder route) => route.WithMetadata(ForBrowsers.Instance).ExcludeFromDescription();

    /// <summary>A page with a sentence and a way out.</summary>
    public static IResult Trouble(Reader reader, string heading, string sentence, string? remedy, int status, string back = "/home") => PageResult.Of<Trouble>(
        new Dictionary<string, object?>
        {
            [nameof(Pages.Trouble.Reader)] = reader,
            [nameof(Pages.Trouble.Heading)] = heading,
            [nameof(Pages.Trouble.Sentence)] = sentence,
            [nameof(Pages.Trouble.Remedy)] = remedy ?? "",
            [nameof(Pages.Trouble.Back)] = back,
        },
        status);

    /// <summary>The same words whether it does not exist or is not theirs to know of.</summary>
    public static IResult NotFound(Reader reader) =>
        Trouble(reader, "Not found", "There is no such thing, or none that you may know of.", "Look whether the address is whole; or ask whoever gave it to you.", 404);

    /// <summary>What to say of an outcome that is not what was wanted.</summary>
    public static IResult Of<T>(Reader reader, Outcome<T> outcome, string back) => outcome switch
    {
        Outcome<T>.NotFound => NotFound(reader),
        Outcome<T>.LostRace lost => Trouble(reader, "Somebody was faster", Sentence(lost.Why), "What you see there now is how it is.", 409, back),
        Outcome<T>.NotYours no => Trouble(reader, "Not yours to do", Sentence(no.Why), no.WhoCould.Count > 0 ? $"Who could: {string.Join(", ", no.WhoCould)}." : null, 403, back),
        Outcome<T>.Invalid wrong => Trouble(reader, "That does not make sense as it stands", string.Join(" ", wrong.Problems.Select(problem => Sentence(problem.Message))), null, 422, back),
        Outcome<T>.Refused no => Trouble(reader, "Not now", Sentence(no.Why), no.Remedy is { } remedy ? Sentence(remedy) : null, 409, back),
        _ => throw new InvalidOperationException("What was done needs no excuse."),
    };

    /// <summary>A use case's half sentence as a whole one.</summary>
    public static string Sentence(string half) => SetUpPages.Sentence(half)!;
}
