using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stint.Core;
using Stint.Server.Identity;
using Stint.Server.Sessions;
using Stint.Server.Store;

namespace Stint.Server.Api;

/// <summary>Who is at which target, and ending it.</summary>
internal static class SessionEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/sessions", ListAsync)
            .Describe("listSessions", "Sessions, newest first", "One's own; with `resource`, those of a resource that one owns; everything for admins and auditors.", typeof(ListOf<SessionShape>), 200, 422);
        api.MapGet("/sessions/{id}", async (Caller caller, FindSessions find, string id, CancellationToken cancellation) =>
                (await find.GetAsync(caller.Id, new SessionId(id), cancellation)).Answer(Mapping.Of, ApiJson.Default.SessionShape))
            .Describe("getSession", "One session", "Who, under which grant, from where, and the recording as last anchored in the audit log.", typeof(SessionShape), 200, 404);
        api.MapPost("/sessions/{id}/kill", async (Caller caller, KillSession kill, string id, [FromBody] CommentBody body, CancellationToken cancellation) =>
                (await kill.KillAsync(caller.Id, new SessionId(id), body.Comment, cancellation)).Answer(Mapping.Of, ApiJson.Default.SessionShape))
            .Describe("killSession", "End one session", "The grant stays. By its holder, owners of the resource and admins.", typeof(SessionShape), 200, 403, 404, 409, 422);
    }

    private static async Task<IResult> ListAsync(
        Caller caller,
        FindSessions find,
        string? subject,
        string? resource,
        string? grant,
        bool? live,
        int? limit,
        string? cursor,
        CancellationToken cancellation)
    {
        var (page, problem) = Answers.PageOf(limit, cursor);
        if (problem is not null)
        {
            return problem;
        }

        var filter = new SessionFilter
        {
            Subject = subject is null ? null : new SubjectId(subject),
            Resource = resource,
            Grant = grant is null ? null : new GrantId(grant),
            Live = live,
        };
        return Results.Json(Answers.ListOf(await find.ListAsync(caller.Id, filter, page!, cancellation), Mapping.Of), ApiJson.Default.ListOfSessionShape);
    }
}
