using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Stint.Core.Requests;
using Stint.Server.Grants;
using Stint.Server.Identity;

namespace Stint.Server.Api;

/// <summary>What a task's being done came to.</summary>
/// <param name="Task">The task; null for a call that told of none that is done.</param>
/// <param name="Ended">Names of the grants that ended.</param>
/// <param name="Cancelled">Names of the requests that waited and were cancelled.</param>
/// <param name="Repeated">Whether the same call was taken before, and nothing was done.</param>
internal sealed record TaskEndShape(string? Task, IReadOnlyList<string> Ended, IReadOnlyList<string> Cancelled, bool Repeated);

/// <summary>Other systems say that a task is done. No person's token opens these: each call proves itself by its signature.</summary>
internal static class TaskEndpoints
{
    /// <summary>Largest body: vendors send whole descriptions along.</summary>
    private const int MostBytes = 1 << 20;

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapPost("/tasks/{id}/done", DoneAsync)
            .WithMetadata(Open.Instance)
            .Describe("taskDone", "A task is done", "By a sender of the preset `plain`, which `Stint-Sender` names. `id` is the task's name, escaped once as a part of an address. `Stint-Signature: t=SECONDS,v1=HEX` is HMAC-SHA-256, with the sender's secret, over `SECONDS.TASK.BODY`: the seconds since 1970, at most five minutes from the server's clock, the task's name as it is kept, and the raw body, which may be empty. The same call again is refused with 409.", typeof(TaskEndShape), 200, 401, 403, 409, 413, 429);
        api.MapPost("/tasks/hooks/{sender}", HookAsync)
            .WithMetadata(Open.Instance)
            .Describe("taskHook", "What GitHub, GitLab, Jira and PagerDuty call", "Signed as the vendor's documentation says, with JSON as its body. An issue that is closed, a pull or merge request that is merged or closed, an incident that is resolved ends what is bound to it; every other event is taken and does nothing. A delivery that is repeated does nothing.", typeof(TaskEndShape), 200, 401, 413, 429);
    }

    private static async Task<IResult> DoneAsync(HttpContext context, string id, Senders senders, WrongProofs wrong, DoneTask done, TimeProvider time, CancellationToken cancellation)
    {
        if (wrong.TooMany(context) is { } wait)
        {
            return wait;
        }

        var (sender, known) = senders.Find(One(context, "Stint-Sender"), WebhookPreset.Plain);
        if (await ReadAsync(context, cancellation) is not { } body)
        {
            return TooLarge();
        }

        // A slash in the name stays escaped on its way here.
        var task = TaskName.Normal(Uri.UnescapeDataString(id));
        var signature = One(context, "Stint-Signature");
        if (!Webhook.IsSignedPlain(sender.Secret, signature, task ?? "", body, time.GetUtcNow()) || !known || sender.Preset != WebhookPreset.Plain || task is null)
        {
            return Unsigned(wrong, context);
        }

        if (!sender.Owns(task))
        {
            return Answers.Problem(ProblemKind.NotYours.Say($"{sender.Name} ends tasks that begin with {sender.Tasks} alone."));
        }

        var end = await done.EndAsync(task, sender.Name, SHA256.HashData(Encoding.UTF8.GetBytes($"{signature}\n{task}")), cancellation);
        return end.Repeated
            ? Answers.Problem(ProblemKind.Refused.Say("This call was taken already.", "Sign it anew, with the moment of now, if it is meant again."))
            : Answer(end);
    }

    private static async Task<IResult> HookAsync(HttpContext context, string sender, Senders senders, WrongProofs wrong, DoneTask done, TimeProvider time, CancellationToken cancellation)
    {
        if (wrong.TooMany(context) is { } wait)
        {
            return wait;
        }

        var (found, known) = senders.Find(sender, WebhookPreset.GitHub);
        if (await ReadAsync(context, cancellation) is not { } body)
        {
            return TooLarge();
        }

        var preset = found.Preset == WebhookPreset.Plain ? WebhookPreset.GitHub : found.Preset;
        if (!Webhook.IsSigned(preset, found.Secret, name => One(context, name), body, time.GetUtcNow()) || !known || found.Preset == WebhookPreset.Plain)
        {
            return Unsigned(wrong, context);
        }

        // NB. What is not this sender's to end is answered like any other event: a vendor repeats what is refused, and tells who listens.
        return Webhook.Done(found.Preset, body) is { } task && found.Owns(task)
            ? Answer(await done.EndAsync(task, found.Name, SHA256.HashData(body), cancellation))
            : Answer(new TaskEnd(null, [], [], Repeated: false));
    }

    private static IResult Answer(TaskEnd end) => Results.Json(
        new TaskEndShape(end.Task, [.. end.Ended.Select(grant => grant.Value)], [.. end.Cancelled.Select(request => request.Value)], end.Repeated), ApiJson.Default.TaskEndShape);

    /// <summary>The raw body; null when it is larger than any vendor's.</summary>
    internal static async Task<byte[]?> ReadAsync(HttpContext context, CancellationToken cancellation)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } bound)
        {
            bound.MaxRequestBodySize = MostBytes;
        }

        if (context.Request.ContentLength > MostBytes)
        {
            return null;
        }

        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, cancellation);
        return body.ToArray();
    }

    /// <summary>A header that is there once.</summary>
    internal static string? One(HttpContext context, string name) => context.Request.Headers.TryGetValue(name, out var values) && values.Count == 1 ? values[0] : null;

    internal static IResult Unsigned(WrongProofs wrong, HttpContext context) =>
        wrong.Refuse(context, "The call is not signed by a sender that is known here.", "See that both have the same secret, and that the raw body is signed.");

    internal static IResult TooLarge() => Answers.Problem(ProblemKind.TooLarge.Say());
}

/// <summary>Answers calls that prove themselves and whose proof is not right: all alike, and not too often for an address.</summary>
internal sealed class WrongProofs(Hosting.LimitOptions limits, TimeProvider time)
{
    private readonly RateLimit<IPAddress> _failures = new(limits.FailuresPerMinute, time);

    /// <summary>The answer to an address that tried too often, before anything of its call is read; null for any other.</summary>
    public IResult? TooMany(HttpContext context) => _failures.Peek(Bearer.Network(context.Connection.RemoteIpAddress)) is { } wait ? new Retry(wait) : null;

    public IResult Refuse(HttpContext context, string what, string remedy) => Count(context) ?? Answers.Problem(ProblemKind.Unauthenticated.Say(what, remedy));

    /// <summary>Counts a wrong proof.</summary>
    /// <returns>The answer to an address that tried too often; null for any other.</returns>
    public IResult? Count(HttpContext context) => _failures.Take(Bearer.Network(context.Connection.RemoteIpAddress)) is { } wait ? new Retry(wait) : null;

    private sealed class Retry(TimeSpan wait) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext) => Bearer.TooMany(httpContext, wait);
    }
}
