using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stint.Core;
using Stint.Server.Api;
using Stint.Server.Hosting;
using Stint.Server.Identity;
using Stint.Server.Sessions;

namespace Stint.Server.Web;

/// <summary>What a page hears.</summary>
/// <param name="Grants">See <see cref="PageMarks"/>.</param>
/// <param name="Requests">The same.</param>
/// <param name="Approvals">The same.</param>
/// <param name="Sessions">The same.</param>
/// <param name="Focus">The same.</param>
/// <param name="Stint">Changes with the pages themselves.</param>
internal sealed record LiveMarks(string Grants, string Requests, string Approvals, string Sessions, string Focus, string Stint);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(LiveMarks))]
internal sealed partial class LiveJson : JsonSerializerContext;

/// <summary>Tells open pages, by server-sent events, that something of theirs changed. What it is they ask for like anybody.</summary>
internal sealed class LivePages(MarkPages marks, WebSessions browsers, NodeState node)
{
    /// <summary>Most open pages of one person that hear.</summary>
    private const int Most = 24;

    private readonly ConcurrentDictionary<SubjectId, int> _open = new();

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/live", (HttpContext context, Caller caller, LivePages pages, string? request, string? session) =>
        pages.FollowAsync(context, caller, new PageFocus(request is null ? null : new RequestId(request), session is null ? null : new SessionId(session)))).ExcludeFromDescription();

    /// <summary>Where a page about that listens.</summary>
    public static string Href(PageFocus focus) =>
        focus.Request is { } request ? $"/live?request={request}" : focus.Session is { } session ? $"/live?session={session}" : "/live";

    /// <summary>How it stands, as pages keep it.</summary>
    public static string Text(PageMarks now) => JsonSerializer.Serialize(new LiveMarks(now.Grants, now.Requests, now.Approvals, now.Sessions, now.Focus, Assets.Version), LiveJson.Default.LiveMarks);

    private async Task<IResult> FollowAsync(HttpContext context, Caller caller, PageFocus focus)
    {
        if (caller.Session is not { } session)
        {
            return Answers.Problem(ProblemKind.NotYours.Say("This is for the pages of a browser in which you are signed in.", "With a token wait for a request: `wait_seconds`."));
        }

        if (_open.AddOrUpdate(caller.Id, 1, static (_, count) => count + 1) > Most)
        {
            Left(caller.Id);
            return Answers.Problem(ProblemKind.TooMany.Say($"You have {Most} pages open that hear of changes.", "Close some; this one shows how it was when it was loaded."));
        }

        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(node.Draining, context.RequestAborted);
            context.Response.ContentType = "text/event-stream";

            // A proxy that collects an answer before it passes it on would make it late.
            context.Response.Headers["X-Accel-Buffering"] = "no";
            await foreach (var now in marks.FollowAsync(caller.Id, focus, either.Token))
            {
                // NB. Whoever was signed out, or sent away, hears nothing more, on whichever node that was.
                if (!await browsers.CountsAsync(session, either.Token))
                {
                    break;
                }

                await context.Response.WriteAsync($"event: marks\ndata: {Text(now)}\n\n", either.Token);
                await context.Response.Body.FlushAsync(either.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // They left, or this node stops: the page looks for it, or for another one, by itself.
        }
        finally
        {
            Left(caller.Id);
        }

        return Results.Empty;
    }

    private void Left(SubjectId person)
    {
        if (_open.AddOrUpdate(person, 0, static (_, count) => count - 1) <= 0)
        {
            _open.TryRemove(KeyValuePair.Create(person, 0));
        }
    }
}
