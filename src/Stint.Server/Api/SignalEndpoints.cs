using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stint.Server.Identity;
using Stint.Server.Identity.Signals;

namespace Stint.Server.Api;

/// <summary>Why a security event token was not taken (RFC 8935, section 2.3).</summary>
/// <param name="Err">A word of section 2.4.</param>
/// <param name="Description">For whoever reads the transmitter's log.</param>
internal sealed record SignalProblem(string Err, string Description);

/// <summary>Where transmitters tell what became of sessions and accounts: push delivery of security event tokens (RFC 8935).</summary>
internal static class SignalEndpoints
{
    /// <summary>Where it is.</summary>
    public const string Path = "/ssf/events";

    private const string Content = "application/" + SecurityEventTokens.Type;

    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost(Path, TakeAsync)
        .WithMetadata(Open.Instance)
        .Describe("takeSignal", "Tell what became of a session or an account", "A security event token (RFC 8417) of a configured transmitter, as `application/secevent+jwt` (push delivery, RFC 8935). 202 with nothing once what it ends has ended; errors are those of RFC 8935. Needs no other proof than its signature.", null, 202, 429);

    private static async Task<IResult> TakeAsync(HttpContext context, TakeSignal take, WrongProofs wrong, CancellationToken cancellation)
    {
        context.Response.Headers.CacheControl = "no-store";
        if (wrong.TooMany(context) is { } wait)
        {
            return wait;
        }

        if (context.Request.ContentType?.Split(';')[0].Trim().Equals(Content, StringComparison.OrdinalIgnoreCase) != true)
        {
            return Refuse("invalid_request", $"Send a security event token as {Content}.");
        }

        if (await ReadAsync(context.Request, cancellation) is not { } token)
        {
            return Refuse("invalid_request", $"A security event token has at most {SecurityEventTokens.Longest} characters here.", StatusCodes.Status413PayloadTooLarge);
        }

        switch (await take.TakeAsync(token, Bearer.Network(context.Connection.RemoteIpAddress), cancellation))
        {
            case Signal.Taken:
                return Results.StatusCode(StatusCodes.Status202Accepted);
            case Signal.Later:
                context.Response.Headers.RetryAfter = "30";
                return Refuse("invalid_key", "The keys of its issuer cannot be had now, so nobody can tell whether it is right.", StatusCodes.Status503ServiceUnavailable);
            case Signal.Refused refused:
                // NB. What is wrong with a token is told, and counted: whoever tries many is stopped.
                return wrong.Count(context) ?? Refuse(refused.Error, refused.Why);
            default:
                throw new InvalidOperationException("A signal is taken or it is not.");
        }
    }

    /// <summary>The body; null when it is longer than any token.</summary>
    private static async Task<string?> ReadAsync(HttpRequest request, CancellationToken cancellation)
    {
        if (request.ContentLength > SecurityEventTokens.Longest)
        {
            return null;
        }

        var bytes = new ArrayBufferWriter<byte>(4 << 10);
        while (bytes.WrittenCount <= SecurityEventTokens.Longest)
        {
            var read = await request.Body.ReadAsync(bytes.GetMemory(4 << 10), cancellation);
            if (read == 0)
            {
                return Encoding.UTF8.GetString(bytes.WrittenSpan).Trim();
            }

            bytes.Advance(read);
        }

        return null;
    }

    private static IResult Refuse(string error, string description, int status = 400) => Results.Json(new SignalProblem(error, description), ApiJson.Default.SignalProblem, statusCode: status);
}
