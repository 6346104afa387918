using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;

namespace Stint.Server.Api;

/// <summary>An error as RFC 9457 writes it, with members of our own.</summary>
internal sealed record ApiProblem
{
    /// <summary>Names the kind of problem, and is a page of this server that explains it.</summary>
    public required string Type { get; init; }

    /// <summary>The kind in words; the same for every problem of a kind.</summary>
    public required string Title { get; init; }

    public required int Status { get; init; }

    /// <summary>What happened this time.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Detail { get; init; }

    /// <summary>What would help; absent when nothing does.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Remedy { get; init; }

    /// <summary>Every field that is wrong; absent when the problem is not about fields.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<FieldProblem>? Errors { get; init; }

    /// <summary>Persons who could do what the caller may not; absent when nobody could or it is not theirs to know.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? WhoCould { get; init; }

    /// <summary>The state after a lost race; absent when it cannot be told.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? State { get; init; }
}

/// <summary>One field that is wrong.</summary>
/// <param name="Field">Its name in the request; empty for the whole.</param>
/// <param name="Message">What is wrong, and what would be right.</param>
internal sealed record FieldProblem(string Field, string Message);

/// <summary>A kind of problem.</summary>
/// <param name="Name">Last part of its type.</param>
/// <param name="Status">Its HTTP status.</param>
/// <param name="Title">In words.</param>
/// <param name="Explanation">For the page behind the type.</param>
internal sealed record ProblemKind(string Name, int Status, string Title, string Explanation)
{
    public static readonly ProblemKind Unreadable = new("unreadable", 400, "The request cannot be read", "Its body is not JSON of the documented form, or a query parameter or header does not have the documented form. The detail names the place.");
    public static readonly ProblemKind Unauthenticated = new("unauthenticated", 401, "No valid token", "Send `Authorization: Bearer stp_…` with a token whose hash the catalog keeps for a person who is not disabled.");
    public static readonly ProblemKind NotYours = new("not-yours", 403, "Not yours to do", "You may see it, and may not do this. The detail says why; `who_could` names who could.");
    public static readonly ProblemKind PlainHttp = new("plain-http", 403, "Plain HTTP only through the proxy", "This server speaks plain HTTP to the proxies that its configuration names, and to its own machine. Come through the proxy.");
    public static readonly ProblemKind NotFound = new("not-found", 404, "Not found", "There is no such thing, or none that you may know of. The two look the same.");
    public static readonly ProblemKind MethodNotAllowed = new("method-not-allowed", 405, "Not with this method", "The address exists and takes the methods that the Allow header lists.");
    public static readonly ProblemKind LostRace = new("lost-race", 409, "Somebody was faster", "It is decided, ended or changed already. Read it again.");
    public static readonly ProblemKind Refused = new("refused", 409, "Not in this state", "Understood and allowed to you, and its state or a limit does not let it happen now. The detail says which.");
    public static readonly ProblemKind KeyInUse = new("key-in-use", 409, "The same call is under way", "Another call with this Idempotency-Key has not been answered yet, or its answer is shown only once. Wait, or use a key of its own.");
    public static readonly ProblemKind TooLarge = new("too-large", 413, "The request is too large", "The body is larger than this server takes.");
    public static readonly ProblemKind UnsupportedMediaType = new("unsupported-media-type", 415, "Not this content type", "Bodies are JSON: send `Content-Type: application/json`.");
    public static readonly ProblemKind Invalid = new("invalid", 422, "What was asked does not make sense", "`errors` lists every field that is wrong, all at once.");
    public static readonly ProblemKind KeyReused = new("key-reused", 422, "The Idempotency-Key was used for something else", "A key stands for one call with one body. Use a new one.");
    public static readonly ProblemKind TooMany = new("too-many-requests", 429, "Too many requests", "Wait as long as the Retry-After header says, in seconds.");
    public static readonly ProblemKind Broken = new("broken", 500, "Something broke", "It was not you. The server's log has the details under the trace identifier of the detail.");
    public static readonly ProblemKind Unavailable = new("unavailable", 503, "Not now", "The server starts, stops, or cannot reach what it needs. Nothing was changed; try again.");

    public static IReadOnlyList<ProblemKind> All { get; } =
    [
        Unreadable, Unauthenticated, NotYours, PlainHttp, NotFound, MethodNotAllowed, LostRace, Refused, KeyInUse,
        TooLarge, UnsupportedMediaType, Invalid, KeyReused, TooMany, Broken, Unavailable,
    ];

    public string Type => "/problems/" + Name;

    public ApiProblem Say(string? detail = null, string? remedy = null, IReadOnlyList<FieldProblem>? errors = null) => new()
    {
        Type = Type,
        Title = Title,
        Status = Status,
        Detail = detail,
        Remedy = remedy,
        Errors = errors,
    };
}

/// <summary>Answers with a problem.</summary>
internal sealed class ProblemResult(ApiProblem problem) : IResult
{
    public ApiProblem Problem { get; } = problem;

    public Task ExecuteAsync(HttpContext httpContext) => WriteAsync(httpContext, Problem);

    public static Task WriteAsync(HttpContext context, ApiProblem problem)
    {
        context.Response.StatusCode = problem.Status;
        return context.Response.WriteAsJsonAsync(problem, ApiJson.Default.ApiProblem, "application/problem+json", context.RequestAborted);
    }
}
