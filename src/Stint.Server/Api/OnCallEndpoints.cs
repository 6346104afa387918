using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stint.Core.Requests;
using Stint.Server.Catalog.OnCall;
using Stint.Server.Identity;

namespace Stint.Server.Api;

/// <summary>What a sender says of who is on call.</summary>
/// <param name="Rota">Name of the rota; the catalog says that this sender tells of it.</param>
/// <param name="Persons">Names or addresses of those who are on call from now on; empty for nobody.</param>
/// <param name="Until">Until before when; null until something else is told.</param>
internal sealed record OnCallBody(string? Rota = null, IReadOnlyList<string>? Persons = null, DateTimeOffset? Until = null);

/// <summary>Who is on call now.</summary>
/// <param name="Rota">Name of the rota.</param>
/// <param name="Persons">By their names here.</param>
internal sealed record OnCallShape(string Rota, IReadOnlyList<string> Persons);

/// <summary>Other systems say who is on call. No person's token opens this: each call proves itself by its signature.</summary>
internal static class OnCallEndpoints
{
    /// <summary>What is signed in the place of a task: a signature for the one is none for the other.</summary>
    public const string Signed = "on-call";

    public static void Map(IEndpointRouteBuilder api) => api.MapPost("/webhooks/{sender}", TellAsync)
        .WithMetadata(Open.Instance)
        .Describe("tellOnCall", "Who is on call now", "By a sender of the preset `plain` with `on_call`, of a rota with `webhook: SENDER`. `Stint-Signature: t=SECONDS,v1=HEX` is HMAC-SHA-256, with the sender's secret, over `SECONDS.on-call.BODY`: the seconds since 1970, at most five minutes from the server's clock, and the raw body, `{rota, persons, until}`. The same call again, and one that was signed before what is known, are refused with 409.", typeof(OnCallShape), 200, 400, 401, 403, 409, 413, 422, 429);

    private static async Task<IResult> TellAsync(HttpContext context, string sender, Senders senders, WrongProofs wrong, TellOnCall tell, TimeProvider time, CancellationToken cancellation)
    {
        if (wrong.TooMany(context) is { } wait)
        {
            return wait;
        }

        var (found, known) = senders.Find(sender, WebhookPreset.Plain);
        if (await TaskEndpoints.ReadAsync(context, cancellation) is not { } body)
        {
            return TaskEndpoints.TooLarge();
        }

        var signature = TaskEndpoints.One(context, "Stint-Signature");
        if (!Webhook.IsSignedPlain(found.Secret, signature, Signed, body, time.GetUtcNow()) || !known || found.Preset != WebhookPreset.Plain)
        {
            return TaskEndpoints.Unsigned(wrong, context);
        }

        if (!found.TellsOnCall)
        {
            return Answers.Problem(ProblemKind.NotYours.Say($"{found.Name} does not tell who is on call.", "Say `on_call` of it in the configuration."));
        }

        OnCallBody? said;
        try
        {
            said = JsonSerializer.Deserialize(body, ApiJson.Default.OnCallBody);
        }
        catch (JsonException e)
        {
            return Answers.Invalid([new FieldProblem(e.Path?.TrimStart('$', '.') ?? "", "is not as it must be; write {\"rota\": \"payments\", \"persons\": [\"ann\"], \"until\": \"2026-12-01T09:00:00Z\"}")]);
        }

        var at = DateTimeOffset.FromUnixTimeSeconds(long.Parse(signature!.Split(',')[0].Trim()[2..], CultureInfo.InvariantCulture));
        var told = await tell.TellAsync(
            found.Name, new OnCallTold(said?.Rota, said?.Persons, said?.Until), at, SHA256.HashData(Encoding.UTF8.GetBytes($"{signature}\n{Signed}")), cancellation);
        return told.Answer(persons => new OnCallShape(said!.Rota!, [.. persons.Select(person => person.Value)]), ApiJson.Default.OnCallShape);
    }
}
