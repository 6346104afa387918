using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stint.Core;
using Stint.Core.Approvals;
using Stint.Server.Approvals;
using Stint.Server.Identity;
using Stint.Server.Store;

namespace Stint.Server.Api;

/// <summary>The review that a break-glass is under.</summary>
/// <param name="State"><c>open</c>, <c>accepted</c>, or <c>concern</c>.</param>
/// <param name="DueAt">By when it should be closed.</param>
/// <param name="Overdue">Whether it was not.</param>
/// <param name="Told">Who was told.</param>
/// <param name="Reviewers">Who was named to review it.</param>
/// <param name="ClosedBy">Who closed it; null while it is open.</param>
/// <param name="Comment">What they found; null while it is open.</param>
internal sealed record ReviewRefShape(
    string Id, string State, DateTimeOffset DueAt, bool Overdue, IReadOnlyList<string> Told, IReadOnlyList<string> Reviewers, string? ClosedBy, DateTimeOffset? ClosedAt, string? Comment);

/// <summary>A session under review.</summary>
/// <param name="State"><c>live</c> or <c>ended</c>.</param>
/// <param name="Statements">Statements that were sent to the target, as last anchored.</param>
internal sealed record ReviewedSessionShape(string Id, string State, DateTimeOffset StartedAt, DateTimeOffset? EndedAt, long Statements);

/// <summary>A review, with what was done.</summary>
internal sealed record ReviewShape
{
    public required string Id { get; init; }

    /// <summary><c>open</c>; <c>accepted</c>: what was done was found right; <c>concern</c>: something was found wrong.</summary>
    public required string State { get; init; }

    public required string Request { get; init; }

    /// <summary>Who broke the glass.</summary>
    public required string Subject { get; init; }

    public required string Role { get; init; }

    /// <summary>The justification.</summary>
    public required string Reason { get; init; }

    public string? Ticket { get; init; }

    public required DateTimeOffset OpenedAt { get; init; }

    /// <summary>By when it should be closed.</summary>
    public required DateTimeOffset DueAt { get; init; }

    /// <summary>Whether it was not closed in time.</summary>
    public required bool Overdue { get; init; }

    /// <summary>Who was told, by name.</summary>
    public required IReadOnlyList<string> Told { get; init; }

    /// <summary>Whether the caller was told and has not said that they saw it.</summary>
    public required bool Unseen { get; init; }

    /// <summary>Who was named to review it.</summary>
    public required IReadOnlyList<string> Reviewers { get; init; }

    /// <summary>Who may close it now; empty once it is closed.</summary>
    public required IReadOnlyList<string> Could { get; init; }

    /// <summary>What came of it; null when nothing did.</summary>
    public GrantShape? Grant { get; init; }

    /// <summary>Every connection under it, oldest first.</summary>
    public required IReadOnlyList<ReviewedSessionShape> Sessions { get; init; }

    /// <summary>Statements in all of them.</summary>
    public required long Statements { get; init; }

    /// <summary>Where the evidence is, for admins and auditors.</summary>
    public required string Evidence { get; init; }

    public DateTimeOffset? ClosedAt { get; init; }

    /// <summary>Who closed it; null while it is open.</summary>
    public string? ClosedBy { get; init; }

    /// <summary>What they found; null while it is open.</summary>
    public string? Comment { get; init; }
}

/// <summary>What a reviewer makes of a break-glass.</summary>
internal sealed record CloseReviewBody
{
    /// <summary><c>accepted</c> or <c>concern</c>.</summary>
    public required string Outcome { get; init; }

    /// <summary>What was looked at and found; must not be empty.</summary>
    public required string Comment { get; init; }
}

/// <summary>Reviews in the words of the API.</summary>
internal static class ReviewMapping
{
    public static ReviewRefShape RefOf(Review review) => new(
        review.Id.Value, Words.Review[review.State], review.DueAt, review.OverdueAt is not null, Names(review.Told), Names(review.Reviewers), review.ClosedBy?.Value, review.ClosedAt, review.Comment);

    public static ReviewShape Of(ReviewView view) => new()
    {
        Id = view.Review.Id.Value,
        State = Words.Review[view.Review.State],
        Request = view.Review.Request.Value,
        Subject = view.Review.Person.Value,
        Role = view.Review.Role.ToString(),
        Reason = view.Request.Reason,
        Ticket = view.Request.Ticket,
        OpenedAt = view.Review.OpenedAt,
        DueAt = view.Review.DueAt,
        Overdue = view.Review.OverdueAt is not null,
        Told = Names(view.Review.Told),
        Unseen = view.Unseen,
        Reviewers = Names(view.Review.Reviewers),
        Could = Names(view.Could),
        Grant = view.Grant is { } grant ? Mapping.Of(grant) : null,
        Sessions = [.. view.Sessions.Select(session => new ReviewedSessionShape(
            session.Id.Value, Words.Session[session.State], session.StartedAt, session.EndedAt, session.Recording?.Statements ?? 0))],
        Statements = view.Statements,
        Evidence = $"/api/v1/audit/evidence/{view.Review.Request}",
        ClosedAt = view.Review.ClosedAt,
        ClosedBy = view.Review.ClosedBy?.Value,
        Comment = view.Review.Comment,
    };

    private static List<string> Names(IReadOnlyList<SubjectId> people) => [.. people.Select(person => person.Value)];
}

/// <summary>Looking back at break-glass.</summary>
internal static class ReviewEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/reviews", ListAsync)
            .Describe("listReviews", "Reviews of break-glass, newest first", "Those that concern the caller: their own, those that they may close, those that they were told of; everything for admins and auditors. `awaiting_me` gives what the caller may close, `unseen` what they were told of and have not acknowledged.", typeof(ListOf<ReviewShape>), 200, 422);
        api.MapGet("/reviews/{id}", async (Caller caller, FindReviews find, string id, CancellationToken cancellation) =>
                (await find.GetAsync(caller.Id, new ReviewId(id), cancellation)).Answer(ReviewMapping.Of, ApiJson.Default.ReviewShape))
            .Describe("getReview", "One review", "With what was done under the break-glass: sessions, and how many statements they sent.", typeof(ReviewShape), 200, 404);
        api.MapPost("/reviews/{id}/close", CloseAsync)
            .Describe("closeReview", "Say what a break-glass came to", "By a reviewer, never by who broke the glass, once access is over. `accepted`: what was done was right. `concern`: something was not. Both need a comment.", typeof(ReviewShape), 200, 403, 404, 409, 422);
        api.MapPost("/reviews/{id}/seen", async (Caller caller, SeeGlass see, string id, [FromBody] EmptyBody? body, CancellationToken cancellation) =>
                (await see.SeeAsync(caller.Id, new ReviewId(id), cancellation)).Answer(ReviewMapping.Of, ApiJson.Default.ReviewShape))
            .Describe("seeGlass", "Say that one saw it", "Whoever was told of a break-glass is told until they say so.", typeof(ReviewShape), 200, 403, 404);
    }

    private static async Task<IResult> ListAsync(
        Caller caller,
        FindReviews find,
        string? state,
        [FromQuery(Name = "awaiting_me")] bool? awaitingMe,
        bool? unseen,
        int? limit,
        string? cursor,
        CancellationToken cancellation)
    {
        var (page, problem) = Answers.PageOf(limit, cursor);
        ReviewState? wanted = null;
        if (problem is null && state is not null && (wanted = Words.Review.Find(state)) is null)
        {
            problem = Answers.Invalid([new FieldProblem("state", "must be one of open, accepted, concern")]);
        }

        return problem ?? Results.Json(
            Answers.ListOf(
                await find.ListAsync(caller.Id, new ReviewQuery { State = wanted, AwaitingMe = awaitingMe ?? false, Unseen = unseen ?? false }, page!, cancellation),
                ReviewMapping.Of),
            ApiJson.Default.ListOfReviewShape);
    }

    private static async Task<IResult> CloseAsync(Caller caller, CloseReview close, string id, [FromBody] CloseReviewBody body, CancellationToken cancellation) =>
        Words.Review.Find(body.Outcome) is not ({ } outcome and not ReviewState.Open)
            ? Answers.Invalid([new FieldProblem("outcome", "must be accepted or concern")])
            : (await close.CloseAsync(caller.Id, new ReviewId(id), outcome, body.Comment, cancellation)).Answer(ReviewMapping.Of, ApiJson.Default.ReviewShape);
}
