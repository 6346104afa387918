using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Threading.Channels;
using Stint.Core;
using Stint.Core.Sessions;
using Stint.Server.Sessions;

namespace Stint.Server.Nodes;

/// <summary>The line to one gateway node, while it holds.</summary>
internal sealed class NodeLink(string node) : IDisposable
{
    // A node that does not read so many orders is cut off; what it missed is told anew when it links up again.
    private const int Most = 50_000;

    private readonly Channel<NodeLine> _lines = Channel.CreateBounded<NodeLine>(Most);
    private readonly ConcurrentDictionary<string, TaskCompletionSource<FetchedPart>> _fetches = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _over = new();

    public string Node { get; } = node;

    /// <summary>Where the node's clients knock; null while nobody can.</summary>
    public DoorShape? Door { get; set; }

    public ChannelReader<NodeLine> Lines => _lines.Reader;

    /// <summary>Cancelled when another link took this one's place, or it was given up.</summary>
    public CancellationToken Over => _over.Token;

    public void Send(NodeLine line)
    {
        if (!_lines.Writer.TryWrite(line))
        {
            Close();
        }
    }

    public void Send(SessionId session, SessionOrder order) => Send(order switch
    {
        SessionOrder.Cut cut => new NodeLine { Cut = new CutShape(session.Value, cut.Reason, cut.Sentence, cut.Hint) },
        SessionOrder.Extend extend => new NodeLine { Extend = new ExtendShape(session.Value, extend.NotAfter) },
        _ => throw new InvalidOperationException($"{order.GetType().Name} cannot be told to a node."),
    });

    /// <summary>Asks the node for a part of a recording.</summary>
    /// <exception cref="TimeoutException">It does not send it.</exception>
    public async Task<FetchedPart> FetchAsync(string file, long offset, TimeSpan within, TimeProvider time, CancellationToken cancellation)
    {
        var ticket = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        var part = new TaskCompletionSource<FetchedPart>(TaskCreationOptions.RunContinuationsAsynchronously);
        _fetches[ticket] = part;
        try
        {
            Send(new NodeLine { Fetch = new FetchShape(ticket, file, offset) });
            return await part.Task.WaitAsync(within, time, cancellation);
        }
        finally
        {
            _fetches.TryRemove(ticket, out _);
        }
    }

    /// <summary>A part came.</summary>
    /// <returns>Whether anybody waits for it.</returns>
    public bool Fetched(string ticket, FetchedPart part) => _fetches.TryRemove(ticket, out var waiting) && waiting.TrySetResult(part);

    public void Close()
    {
        try
        {
            _over.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // Somebody was quicker.
        }
    }

    public void Dispose() => _over.Dispose();
}

/// <summary>A part of a recording as its node has it.</summary>
/// <param name="Length">How long the file is there; −1 when it is not.</param>
/// <param name="Bytes">From the offset that was asked for; empty at the end.</param>
internal sealed record FetchedPart(long Length, byte[] Bytes);

/// <summary>The gateway nodes that are linked to this process, and the sessions that it looks after for them.</summary>
internal sealed class NodeLinks(LiveSessions live)
{
    private readonly ConcurrentDictionary<string, NodeLink> _links = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<SessionId, string> _sessions = new();

    /// <summary>The link of a node; null while it has none here.</summary>
    public NodeLink? Find(string node) => _links.GetValueOrDefault(node);

    /// <summary>Where clients may knock, of any node that is linked.</summary>
    public DoorShape? AnyDoor => _links.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => pair.Value.Door).FirstOrDefault(door => door is not null);

    /// <summary>A node links up. An older link of the same name is over: one name is one process.</summary>
    public NodeLink Open(string node)
    {
        var link = new NodeLink(node);
        NodeLink? before = null;
        _links.AddOrUpdate(node, link, (_, old) =>
        {
            before = old;
            return link;
        });
        before?.Close();
        live.Guests = [.. _links.Keys];
        return link;
    }

    /// <summary>The link broke. Its sessions stay in sight: the node may come back before it ends them.</summary>
    public void Close(NodeLink link)
    {
        _links.TryRemove(new KeyValuePair<string, NodeLink>(link.Node, link));
        live.Guests = [.. _links.Keys];
        link.Dispose();
    }

    /// <summary>From here on the session's orders go to its node, over whichever link holds then.</summary>
    public void Look(AuthorizedSession session, string node)
    {
        _sessions[session.Id] = node;
        session.Listen(order => Find(node)?.Send(session.Id, order));
    }

    /// <summary>The session is over here.</summary>
    /// <returns>Whether it was in sight.</returns>
    public bool Forget(SessionId session)
    {
        if (!_sessions.TryRemove(session, out _))
        {
            return false;
        }

        live.Remove(session);
        Measures.LiveSessions.Add(-1);
        return true;
    }

    /// <summary>The node is lost, and has ended by itself what it carried.</summary>
    public void ForgetAll(string node)
    {
        foreach (var session in _sessions.Where(pair => pair.Value == node).Select(pair => pair.Key).ToList())
        {
            Forget(session);
        }
    }

    /// <summary>Whether the session is looked after here.</summary>
    public bool Knows(SessionId session) => _sessions.ContainsKey(session);
}
