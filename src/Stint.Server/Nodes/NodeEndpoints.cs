using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;
using Stint.Core;
using Stint.Core.Sessions;
using Stint.Server.Api;
using Stint.Server.Hosting;
using Stint.Server.Identity;

namespace Stint.Server.Nodes;

/// <summary>What gateway nodes speak with. No person's token opens it, and a node's secret opens nothing else.</summary>
internal static class NodeEndpoints
{
    /// <summary>Below the API; the gateway's side uses the same words.</summary>
    public const string Path = "/api/v1/nodes";

    /// <summary>How often a link says that it lives.</summary>
    public static readonly TimeSpan BeatEvery = TimeSpan.FromSeconds(1);

    /// <summary>How long a node that lost its link is waited for; it ends what it carries well before.</summary>
    private static readonly TimeSpan Lost = TimeSpan.FromSeconds(30);

    /// <summary>Most bytes of a part of a recording.</summary>
    public const int MostPart = 4 << 20;

    private const long MostBeat = 4 << 20;

    private static readonly byte[] NewLine = "\n"u8.ToArray();

    public static void Map(IEndpointRouteBuilder routes)
    {
        var nodes = routes.MapGroup(Path).WithMetadata(Closed.Instance).ExcludeFromDescription();
        nodes.MapPost("/link", LinkAsync);
        nodes.MapPost("/beat", (HttpContext context, NodeTokens tokens, NodeGate gate, NodeLinks links, TimeProvider time) => AskedAsync<BeatBody, NodeDone>(
            context, tokens, MostBeat, NodeJson.Default.BeatBody, NodeJson.Default.NodeDone, async (node, beat, token) =>
            {
                if (links.Find(node) is not { } link)
                {
                    return null;
                }

                link.Door = beat.Door;
                await gate.ReconcileAsync(node, beat, token);
                return new NodeDone(true);
            }));
        nodes.MapPost("/login", (HttpContext context, NodeTokens tokens, ISessionGate gate) => AskedAsync<LoginBody, LoginFound>(
            context, tokens, null, NodeJson.Default.LoginBody, NodeJson.Default.LoginFound, async (_, body, token) => new LoginFound(await gate.FindLoginAsync(body.Login, token))));
        nodes.MapPost("/admit", (HttpContext context, NodeTokens tokens, NodeGate gate) => AskedAsync<Knock, AdmitShape>(
            context, tokens, null, NodeJson.Default.Knock, NodeJson.Default.AdmitShape, async (node, knock, token) => await gate.AdmitAsync(node, knock, token)));
        nodes.MapPost("/anchor", (HttpContext context, NodeTokens tokens, NodeGate gate) => AskedAsync<AnchorBody, NodeDone>(
            context, tokens, null, NodeJson.Default.AnchorBody, NodeJson.Default.NodeDone, (node, body, token) => gate.AnchorAsync(node, new SessionId(body.Session), body.Head, token)));
        nodes.MapPost("/count", (HttpContext context, NodeTokens tokens, NodeGate gate) => AskedAsync<CountBody, NodeDone>(
            context, tokens, null, NodeJson.Default.CountBody, NodeJson.Default.NodeDone, (node, body, token) => gate.CountAsync(node, new SessionId(body.Session), body.Statement, token)));
        nodes.MapPost("/held-to", (HttpContext context, NodeTokens tokens, NodeGate gate) => AskedAsync<HeldToBody, NodeDone>(
            context, tokens, null, NodeJson.Default.HeldToBody, NodeJson.Default.NodeDone, (node, body, token) => gate.HeldToAsync(node, new SessionId(body.Session), body.Why, body.Count, token)));
        nodes.MapPost("/cut", (HttpContext context, NodeTokens tokens, NodeGate gate) => AskedAsync<CutBody, NodeDone>(
            context, tokens, null, NodeJson.Default.CutBody, NodeJson.Default.NodeDone, (node, body, token) => gate.CutAsync(node, new SessionId(body.Session), body.Backend, token)));
        nodes.MapPost("/ended", (HttpContext context, NodeTokens tokens, NodeGate gate) => AskedAsync<EndedBody, NodeDone>(
            context, tokens, null, NodeJson.Default.EndedBody, NodeJson.Default.NodeDone, (node, body, token) => gate.EndedAsync(node, new SessionId(body.Session), body.End, token)));
        nodes.MapPut("/parts/{ticket}", PartAsync);
    }

    private static async Task AskedAsync<TBody, TAnswer>(
        HttpContext context, NodeTokens tokens, long? most, JsonTypeInfo<TBody> reads, JsonTypeInfo<TAnswer> writes, Func<string, TBody, CancellationToken, Task<TAnswer?>> answer)
        where TBody : class
        where TAnswer : class
    {
        if (await NodeAsync(context, tokens) is not { } node)
        {
            return;
        }

        if (await ReadAsync(context, most, reads) is not { } body)
        {
            return;
        }

        if (await answer(node, body, context.RequestAborted) is { } said)
        {
            await context.Response.WriteAsJsonAsync(said, writes, null, context.RequestAborted);
            return;
        }

        await ProblemResult.WriteAsync(context, ProblemKind.NotFound.Say("That is not this node's."));
    }

    private static async Task<TBody?> ReadAsync<TBody>(HttpContext context, long? most, JsonTypeInfo<TBody> reads)
        where TBody : class
    {
        if (most is { } bytes && context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = bytes;
        }

        try
        {
            if (await JsonSerializer.DeserializeAsync(context.Request.Body, reads, context.RequestAborted) is { } body)
            {
                return body;
            }
        }
        catch (JsonException)
        {
            // Told below, without quoting it: what a node sends may hold what nobody else may read.
        }

        await ProblemResult.WriteAsync(context, ProblemKind.Unreadable.Say("The body is not what this version of Stint reads.", "Run the same version at every node."));
        return null;
    }

    // A node's secret, and nothing but it.
    private static async Task<string?> NodeAsync(HttpContext context, NodeTokens tokens)
    {
        var header = context.Request.Headers.Authorization;
        var secret = header.Count == 1 && header[0] is { } text && text.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? text.AsSpan(7).Trim() : default;
        if (tokens.Find(secret) is { } node)
        {
            return node;
        }

        if (tokens.Failed(Bearer.Network(context.Connection.RemoteIpAddress)) is { } wait)
        {
            await Bearer.TooMany(context, wait);
            return null;
        }

        context.Response.Headers.WWWAuthenticate = "Bearer realm=\"stint nodes\"";
        await ProblemResult.WriteAsync(context, ProblemKind.Unauthenticated.Say(
            "That is the secret of no gateway node.",
            "Name the node in `nodes` of the control plane's configuration, with the hash that `stint token` printed, and give the gateway the token itself."));
        return null;
    }

    private static async Task LinkAsync(HttpContext context, NodeTokens tokens, NodeGate gate, NodeLinks links, NodeState state, Parts parts, TimeProvider time, ILogger<NodeLinks> log)
    {
        if (await NodeAsync(context, tokens) is not { } node || await ReadAsync(context, MostBeat, NodeJson.Default.LinkBody) is not { } hello)
        {
            return;
        }

        // The line is open for hours: what bounds an answer does not bound it.
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }

        var link = links.Open(node);
        try
        {
            using var over = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, link.Over, state.Draining);
            link.Door = hello.Door;
            var beat = new BeatBody(hello.Version, hello.UpSeconds, hello.Door, hello.Sessions);
            await gate.ReconcileAsync(node, beat, over.Token);
            await gate.TellAgainAsync(beat, over.Token);
            Log.Linked(log, node, hello.Sessions.Count);
            context.Response.ContentType = "application/x-ndjson";
            await WriteAsync(context, new NodeLine { Welcome = new WelcomeShape(node, parts.MockSecret, time.GetUtcNow()) }, over.Token);
            await PumpAsync(context, link, time, over.Token);
        }
        catch (OperationCanceledException)
        {
            // The node left, another link took its place, or this process drains: it links up again, here or elsewhere.
        }
        finally
        {
            links.Close(link);
            Log.Unlinked(log, node);
            _ = ForgetAsync(node, links, time);
        }
    }

    private static async Task PumpAsync(HttpContext context, NodeLink link, TimeProvider time, CancellationToken over)
    {
        using var beats = new PeriodicTimer(BeatEvery, time);
        var beat = beats.WaitForNextTickAsync(over).AsTask();
        var lines = link.Lines.WaitToReadAsync(over).AsTask();
        while (true)
        {
            await Task.WhenAny(lines, beat);
            if (lines.IsCompleted)
            {
                await lines;
                while (link.Lines.TryRead(out var line))
                {
                    await JsonSerializer.SerializeAsync(context.Response.Body, line, NodeJson.Default.NodeLine, over);
                    await context.Response.Body.WriteAsync(NewLine, over);
                }

                await context.Response.Body.FlushAsync(over);
                lines = link.Lines.WaitToReadAsync(over).AsTask();
            }

            if (beat.IsCompleted)
            {
                await beat;
                await WriteAsync(context, new NodeLine(), over);
                beat = beats.WaitForNextTickAsync(over).AsTask();
            }
        }
    }

    private static async Task WriteAsync(HttpContext context, NodeLine line, CancellationToken cancellation)
    {
        await JsonSerializer.SerializeAsync(context.Response.Body, line, NodeJson.Default.NodeLine, cancellation);
        await context.Response.Body.WriteAsync(NewLine, cancellation);
        await context.Response.Body.FlushAsync(cancellation);
    }

    private static async Task ForgetAsync(string node, NodeLinks links, TimeProvider time)
    {
        await Task.Delay(Lost, time, CancellationToken.None);
        if (links.Find(node) is null)
        {
            links.ForgetAll(node);
        }
    }

    private static async Task PartAsync(HttpContext context, NodeTokens tokens, NodeLinks links, string ticket, long length)
    {
        if (await NodeAsync(context, tokens) is not { } node)
        {
            return;
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = MostPart;
        }

        using var bytes = new MemoryStream();
        await context.Request.Body.CopyToAsync(bytes, context.RequestAborted);

        // NB. A ticket is its link's: another node, and one that comes twice, find nobody who waits.
        context.Response.StatusCode = links.Find(node)?.Fetched(ticket, new FetchedPart(length, bytes.ToArray())) == true ? StatusCodes.Status204NoContent : StatusCodes.Status404NotFound;
    }
}
