using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Stint.Server.Hosting;

namespace Stint.Server.Api;

/// <summary>What every answer has: safe headers, and a problem where something went wrong.</summary>
internal sealed class Answering(RequestDelegate next, ServerOptions options, ILogger<Answering> log)
{
    private const string RequestId = "X-Request-ID";

    public async Task InvokeAsync(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers.ContentSecurityPolicy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Resource-Policy"] = "same-origin";
        headers.CacheControl = "no-store";

        // Whoever numbers their calls finds the number again, whatever came of the call.
        if (context.Request.Headers[RequestId] is [{ Length: > 0 } id] && id.All(letter => letter is >= ' ' and <= '~'))
        {
            headers[RequestId] = id;
        }

        if (context.Request.IsHttps)
        {
            headers.StrictTransportSecurity = "max-age=31536000";
        }

        if (options.Web.IsPlain && !context.Request.IsHttps && !IsTrustedPeer(context))
        {
            await ProblemResult.WriteAsync(context, ProblemKind.PlainHttp.Say());
            return;
        }

        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }
        catch (BadHttpRequestException e)
        {
            await AnswerAsync(context, Unreadable(e));
            return;
        }
        catch (Store.StoreUnavailableException e)
        {
            log.StoreUnusable(e, context.TraceIdentifier);
            headers.RetryAfter = "2";
            await AnswerAsync(context, ProblemKind.Unavailable.Say($"The store cannot be used just now. Trace {context.TraceIdentifier}."));
            return;
        }
#pragma warning disable CA1031 // The last catch: whatever it was, the caller gets a problem and the log the reason.
        catch (Exception e)
#pragma warning restore CA1031
        {
            log.RequestBroke(e, context.TraceIdentifier);
            await AnswerAsync(context, ProblemKind.Broken.Say($"Trace {context.TraceIdentifier}."));
            return;
        }

        if (!context.Response.HasStarted && context.Response is { StatusCode: >= 400, ContentType: null })
        {
            await ProblemResult.WriteAsync(context, OfStatus(context.Response.StatusCode));
        }
    }

    /// <summary>Whether the peer of the socket itself, before any forwarded header, may speak plainly.</summary>
    private bool IsTrustedPeer(HttpContext context)
    {
        var peer = context.Features.Get<DirectPeer>()?.Address ?? context.Connection.RemoteIpAddress;
        if (peer is null)
        {
            return false;
        }

        var plain = peer.IsIPv4MappedToIPv6 ? peer.MapToIPv4() : peer;
        return System.Net.IPAddress.IsLoopback(plain) || options.Web.BehindProxy.Any(network => network.Contains(plain));
    }

    private static async Task AnswerAsync(HttpContext context, ApiProblem problem)
    {
        if (context.Response.HasStarted)
        {
            // Half an answer must not look like a whole one.
            context.Abort();
            return;
        }

        context.Response.ContentLength = null;
        await ProblemResult.WriteAsync(context, problem);
    }

    private static ApiProblem OfStatus(int status) => status switch
    {
        404 => ProblemKind.NotFound.Say("There is no such address here.", "See /openapi/v1.json."),
        405 => ProblemKind.MethodNotAllowed.Say(),
        413 => ProblemKind.TooLarge.Say(),
        415 => ProblemKind.UnsupportedMediaType.Say(remedy: "Send the header `Content-Type: application/json`."),
        503 => ProblemKind.Unavailable.Say(),
        < 500 => ProblemKind.Unreadable.Say() with { Status = status },
        _ => ProblemKind.Broken.Say() with { Status = status },
    };

    private static ApiProblem Unreadable(BadHttpRequestException e) => (e.StatusCode, e.InnerException) switch
    {
        (413, _) => ProblemKind.TooLarge.Say(),
        (415, _) => ProblemKind.UnsupportedMediaType.Say(remedy: "Send the header `Content-Type: application/json`."),
        (_, JsonException json) => OfJson(json),
        (400, _) => OfBinding(e.Message),
        var (status, _) => OfStatus(status),
    };

    /// <summary>The framework speaks of its own types; the caller hears of the parameter or the body.</summary>
    private static ApiProblem OfBinding(string message)
    {
        var quoted = message.Split('"');
        if (message.EndsWith("was not provided from body.", StringComparison.Ordinal))
        {
            return ProblemKind.Unreadable.Say("This call has a body, and none was sent.", "Send a JSON object; see /openapi/v1.json.");
        }

        if (message.StartsWith("Failed to bind parameter", StringComparison.Ordinal) && quoted.Length == 5)
        {
            var name = ApiJson.Default.Options.PropertyNamingPolicy!.ConvertName(quoted[1].Split(' ')[^1]);
            return ProblemKind.Unreadable.Say($"The parameter `{name}` cannot be read.", errors: [new FieldProblem(name, Form(quoted[1]))]);
        }

        if (message.StartsWith("Required parameter", StringComparison.Ordinal) && quoted.Length == 3)
        {
            var name = ApiJson.Default.Options.PropertyNamingPolicy!.ConvertName(quoted[1].Split(' ')[^1]);
            return ProblemKind.Invalid.Say(errors: [new FieldProblem(name, "is required")]);
        }

        return ProblemKind.Unreadable.Say(Sentence(message));
    }

    private static string Form(string declared) =>
        declared.Contains("int", StringComparison.Ordinal) || declared.Contains("long", StringComparison.Ordinal) ? "must be a whole number"
        : declared.Contains("bool", StringComparison.Ordinal) ? "must be true or false"
        : declared.Contains("Date", StringComparison.Ordinal) ? "must be a time such as 2026-12-24T18:00:00Z"
        : "is not of the documented form; see /openapi/v1.json";

    /// <summary>Says where the body stops making sense, in the caller's words and never in type names.</summary>
    private static ApiProblem OfJson(JsonException json)
    {
        var field = json.Path is { Length: > 2 } path ? path[2..] : "";
        var place = json.LineNumber is { } line ? $"line {line + 1}, byte {(json.BytePositionInLine ?? 0) + 1}" : "the body";
        if (json.Message.Contains("could not be mapped to any .NET member", StringComparison.Ordinal))
        {
            return ProblemKind.Unreadable.Say($"The body has a member that is not known here: `{field}`.", errors: [new FieldProblem(field, "is not a member of this call; take it out, or see /openapi/v1.json")]);
        }

        if (json.Message.Contains("missing required properties", StringComparison.Ordinal))
        {
            var names = json.Message.Split('\'').Where((_, i) => i % 2 == 1).Where(name => !name.Contains('.', StringComparison.Ordinal)).ToList();
            return ProblemKind.Invalid.Say(errors: [.. names.Select(name => new FieldProblem(name, "is required"))]);
        }

        if (field.Length == 0 && json.Path == "$" && json.Message.Contains("could not be converted", StringComparison.Ordinal))
        {
            return ProblemKind.Unreadable.Say("The body must be a JSON object.", "See /openapi/v1.json.");
        }

        return field.Length > 0 && !json.Message.Contains("invalid", StringComparison.Ordinal)
            ? ProblemKind.Unreadable.Say($"The body cannot be read at {place}: `{field}` is not of the documented type.", errors: [new FieldProblem(field, "is not of the documented type; see /openapi/v1.json")])
            : ProblemKind.Unreadable.Say($"The body is not well-formed JSON at {place}.");
    }

    private static string Sentence(string message) => message.EndsWith('.') ? message : message + ".";
}

/// <summary>Who the socket belongs to, kept before forwarded headers replace it.</summary>
internal sealed record DirectPeer(System.Net.IPAddress? Address);
