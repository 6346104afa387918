using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stint.Core;
using Stint.Core.Grants;
using Stint.Server.Grants;
using Stint.Server.Hosting;
using Stint.Server.Identity;
using Stint.Server.Nodes;
using Stint.Server.Sessions;
using Stint.Server.Store;

namespace Stint.Server.Api;

/// <summary>Beginning, using and ending what was approved.</summary>
internal static class GrantEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/grants", ListAsync)
            .WithMetadata(ByCode.Instance, ForWorkloads.Instance)
            .Describe("listGrants", "Grants, newest first", "One's own; with `resource`, those of a resource that one owns; everything for admins and auditors. `state` takes several with commas.", typeof(ListOf<GrantShape>), 200, 422);
        api.MapGet("/grants/{id}", GetAsync)
            .WithMetadata(ByCode.Instance, ForWorkloads.Instance)
            .Describe("getGrant", "One grant", "With `wait_seconds` (at most 60) and `seen_version` it answers when the version is newer, or when the time is over.", typeof(GrantShape), 200, 404, 422);
        api.MapPost("/grants/{id}/begin", BeginAsync)
            .WithMetadata(ForWorkloads.Instance)
            .Describe("begin", "Open an approved grant", "Its time starts now. The policy is asked again.", typeof(GrantShape), 200, 403, 404, 409);
        api.MapPost("/grants/{id}/end", async (Caller caller, EndGrant end, string id, [FromBody] EmptyBody? body, CancellationToken cancellation) =>
                (await end.EndAsync(caller.Id, new GrantId(id), cancellation)).Answer(Mapping.Of, ApiJson.Default.GrantShape))
            .WithMetadata(ByCode.Instance, ForWorkloads.Instance)
            .Describe("end", "Hand a grant back", "Before its time; its sessions end at once.", typeof(GrantShape), 200, 403, 404, 409);
        api.MapPost("/grants/{id}/revoke", async (Caller caller, RevokeGrant revoke, string id, [FromBody] RevokeBody body, CancellationToken cancellation) =>
                (await revoke.RevokeAsync(caller.Id, new GrantId(id), body.Comment, body.TargetGone ?? false, cancellation)).Answer(Mapping.Of, ApiJson.Default.GrantShape))
            .Describe("revoke", "Take a grant away", "By owners of the resource and admins; its sessions end at once.", typeof(GrantShape), 200, 403, 404, 409, 422);
        api.MapPost("/grants/{id}/logins", MintAsync)
            .WithMetadata(ByCode.Instance, ForWorkloads.Instance)
            .Describe("mintLogin", "Get a way in", "Begins the grant when it waits for that, and waits until it is open. The secret is shown this once; with an Idempotency-Key a repetition answers 409 instead of showing it again.", typeof(LoginShape), 201, 403, 404, 409);
    }

    private static async Task<IResult> BeginAsync(Caller caller, BeginGrant begin, FindGrants find, string id, [FromBody] EmptyBody? body, CancellationToken cancellation) =>
        await OutOfScopeAsync(caller, find, id, cancellation) ?? (await begin.BeginAsync(caller.Id, new GrantId(id), cancellation)).Answer(Mapping.Of, ApiJson.Default.GrantShape);

    private static async Task<IResult> ListAsync(
        Caller caller,
        FindGrants find,
        string? state,
        string? subject,
        string? resource,
        bool? mine,
        int? limit,
        string? cursor,
        CancellationToken cancellation)
    {
        var (page, problem) = Answers.PageOf(limit, cursor);
        var states = new List<GrantState>();
        foreach (var word in state?.Split(',') ?? [])
        {
            if (Words.Grant.Find(word) is { } one)
            {
                states.Add(one);
            }
            else
            {
                problem ??= Answers.Invalid([new FieldProblem("state", "must be one or several, with commas, of ready, opening, open, closing, closed")]);
            }
        }

        if (problem is not null)
        {
            return problem;
        }

        var query = new GrantQuery { States = states, Subject = subject is null ? null : new SubjectId(subject), Mine = caller.ByCode || (mine ?? false) };
        return Results.Json(Answers.ListOf(await find.ListAsync(caller.Id, query, resource, page!, cancellation), Mapping.Of), ApiJson.Default.ListOfGrantShape);
    }

    private static async Task<IResult> GetAsync(
        Caller caller,
        FindGrants find,
        NodeState node,
        string id,
        [FromQuery(Name = "wait_seconds")] int? waitSeconds,
        [FromQuery(Name = "seen_version")] long? seenVersion,
        CancellationToken cancellation)
    {
        if (Answers.WrongWait(waitSeconds) is { } problem)
        {
            return problem;
        }

        var grant = new GrantId(id);
        var outcome = await Answers.WaitAsync(
            waitSeconds,
            node,
            (wait, token) => find.WaitAsync(caller.Id, grant, seenVersion ?? 0, wait, token),
            token => find.GetAsync(caller.Id, grant, token),
            cancellation);
        return caller.ByCode && outcome is Outcome<GrantView>.Done { Value.Grant.Subject: var subject } && subject != caller.Id
            ? Answers.NotFound()
            : outcome.Answer(Mapping.Of, ApiJson.Default.GrantShape);
    }

    private static async Task<IResult> MintAsync(
        Caller caller, MintLogin mint, FindGrants find, KeptAnswers kept, KeyedCall? call, GatewayDoor own, NodeLinks links, string id, [FromBody] EmptyBody? body, CancellationToken cancellation)
    {
        if (caller.ByCode && await find.GetAsync(caller.Id, new GrantId(id), cancellation) is Outcome<GrantView>.Done { Value.Grant.BreakGlass: false })
        {
            return Answers.OnlyBreakGlass();
        }

        if (await OutOfScopeAsync(caller, find, id, cancellation) is { } beyond)
        {
            return beyond;
        }

        if ((own.IsOpen ? DoorShape.Of(own) : links.AnyDoor) is not { } door)
        {
            return Answers.Problem(ProblemKind.Refused.Say("This node carries no sessions, and no gateway is linked to it.", "Start a gateway, or ask a node that runs with the gateway role."));
        }

        return await kept.OnceAsync(
            caller.Id,
            call,
            async keep => (await mint.MintAsync(caller.Id, new GrantId(id), cancellation, keep is null ? null : work => keep(work, "")))
                .Answer(minted => Shape(minted, door), ApiJson.Default.LoginShape, 201),
            cancellation);
    }

    /// <summary>The answer to whoever would use what their token is not for; null for anything else.</summary>
    private static async Task<IResult?> OutOfScopeAsync(Caller caller, FindGrants find, string id, CancellationToken cancellation) =>
        caller.Scope is not null && await find.GetAsync(caller.Id, new GrantId(id), cancellation) is Outcome<GrantView>.Done { Value.Grant.Role: var role } && !caller.MayUse(role)
            ? Answers.Problem(ProblemKind.NotYours.Say($"This token is for {string.Join(", ", caller.Scope)} alone."))
            : null;

    /// <summary>A way in as a client takes it.</summary>
    public static LoginShape Shape(MintedLogin minted, DoorShape door)
    {
        var host = door.Host.Contains(':', StringComparison.Ordinal) ? $"[{door.Host}]" : door.Host;
        var dsn = $"postgresql://{Uri.EscapeDataString(minted.Login)}:{Uri.EscapeDataString(minted.Secret)}@{host}:{door.Port.ToString(CultureInfo.InvariantCulture)}/{Uri.EscapeDataString(minted.Database ?? "")}?sslmode={(door.SslMode == "disable" ? "disable" : "require")}";
        return new LoginShape(minted.Login, minted.Secret, door.Host, door.Port, minted.Database, door.SslMode, door.CertificateToTrust, dsn, minted.Grant.NotAfter!.Value);
    }
}
