using Microsoft.Extensions.Logging;
using Stint.Core;
using Stint.Core.Sessions;
using Stint.Server.Sessions;
using Stint.Server.Store;

namespace Stint.Server.Nodes;

/// <summary>The control plane's side of a gateway node: the gate's five questions, for sessions of that node and no others.</summary>
/// <remarks>
/// A session of a gateway node stands among this process's live sessions like one that it carries itself, so that every
/// order reaches it by the same way; what listens there writes to the node's link. Whatever a link missed is made good by
/// the node's beats, which name the sessions that it carries: one that is not looked after here is taken in and told where it
/// stands, and one on record that the node does not name is over.
/// </remarks>
internal sealed class NodeGate(StintStore store, SessionGate gate, LiveSessions live, NodeLinks links, SessionOrders orders, GateOptions options, TimeProvider clock, ILogger<NodeGate> log)
{
    /// <summary>How long after its admission a session may be unknown to its own node: the answer is on its way.</summary>
    public static readonly TimeSpan OnItsWay = TimeSpan.FromSeconds(30);

    private static readonly Upstream Nowhere = new("", 0, null, "", "", "disable", null);

    /// <summary>Lets somebody in at a node.</summary>
    public async Task<AdmitShape> AdmitAsync(string node, Knock knock, CancellationToken cancellation)
    {
        if (links.Find(node) is null)
        {
            return new AdmitShape(null, new GateAnswer.Refused(GateRefusal.Unavailable, "This gateway is not linked to its control plane, so it lets nobody in.", "Try again in a moment."));
        }

        switch (await gate.AdmitAsync(knock, node, cancellation))
        {
            case GateAnswer.Admitted { Session: var session }:
                links.Look(session, node);
                // NB. The beginning is past for a gateway whose clock is a little behind; the end is the one that was decided.
                return new AdmitShape(AdmittedShape.Of(session, clock.Now() - OnItsWay), null);
            case GateAnswer.Refused refused:
                return new AdmitShape(null, refused);
            default:
                throw new InvalidOperationException("An answer of a kind that a node cannot be told.");
        }
    }

    /// <returns>Null when the session is not the node's.</returns>
    public async Task<NodeDone?> AnchorAsync(string node, SessionId session, RecordingHead head, CancellationToken cancellation)
    {
        if (!IsOf(session, head) || await FindAsync(node, session, cancellation) is null)
        {
            return null;
        }

        await gate.AnchorAsync(session, head, cancellation);
        return new NodeDone(true);
    }

    /// <returns>Null when the session is not the node's.</returns>
    public async Task<NodeDone?> CountAsync(string node, SessionId session, int statement, CancellationToken cancellation) =>
        await FindAsync(node, session, cancellation) is null ? null : new NodeDone(await gate.CountAsync(session, statement, cancellation));

    /// <returns>Null when the session is not the node's.</returns>
    public async Task<NodeDone?> HeldToAsync(string node, SessionId session, StatementRefusal why, long count, CancellationToken cancellation)
    {
        if (!Enum.IsDefined(why) || count < 1 || await FindAsync(node, session, cancellation) is null)
        {
            return null;
        }

        await gate.HeldToAsync(session, why, count, cancellation);
        return new NodeDone(true);
    }

    /// <returns>Null when the session is not the node's.</returns>
    public async Task<NodeDone?> CutAsync(string node, SessionId session, string? backend, CancellationToken cancellation)
    {
        // NB. Without a name it would end every connection of the account; a node has only the one.
        if (string.IsNullOrEmpty(backend) || !backend.All(char.IsAsciiDigit) || await FindAsync(node, session, cancellation) is not { State: SessionState.Live } seen)
        {
            return null;
        }

        await gate.CutAtTargetAsync(session, seen.Assignment, backend, cancellation);
        return new NodeDone(true);
    }

    /// <returns>Null when the session is not the node's.</returns>
    public async Task<NodeDone?> EndedAsync(string node, SessionId session, SessionEnd end, CancellationToken cancellation)
    {
        if ((end.Recording is { } head && !IsOf(session, head)) || await FindAsync(node, session, cancellation) is null)
        {
            return null;
        }

        links.Forget(session);

        // NB. The node asks again until this is answered; the end of a session that has ended changes nothing.
        await SessionGate.EndAsync(store, session, end, clock.Now(), cancellation);
        return new NodeDone(true);
    }

    /// <summary>Brings this process and a node to the same opinion of what the node carries.</summary>
    public async Task ReconcileAsync(string node, BeatBody beat, CancellationToken cancellation)
    {
        var now = clock.Now();
        var named = beat.Sessions.Select(id => new SessionId(id)).ToHashSet();
        await store.WriteAsync(
            async work => await work.BeatAsync(new Node(node, "gateway", beat.Version, now - TimeSpan.FromSeconds(beat.UpSeconds), now)),
            cancellation);
        foreach (var session in named.Where(session => !links.Knows(session)))
        {
            await TakeInAsync(node, session, cancellation);
        }

        // What is on record and not named was lost with an earlier process, or its node never heard that it was let in.
        var up = now - TimeSpan.FromSeconds(beat.UpSeconds);
        await foreach (var session in LiveAsync(node, cancellation))
        {
            if (!named.Contains(session.Id) && (session.StartedAt < up || session.StartedAt < now - OnItsWay))
            {
                links.Forget(session.Id);
                var end = new SessionEnd(SessionEndReason.NodeLost, $"the gateway {node} does not carry it any more; its recording ends where it ends", now, session.Recording, session.BytesFromClient, session.BytesToClient);
                await SessionGate.EndAsync(store, session.Id, end, now, cancellation);
                Log.SessionLost(log, session.Id, node);
            }
        }
    }

    /// <summary>Tells every session of a node that is looked after here where it stands: a link that broke may have lost an order.</summary>
    public async Task TellAgainAsync(BeatBody beat, CancellationToken cancellation)
    {
        foreach (var assignment in beat.Sessions.Select(id => live.AssignmentOf(new SessionId(id))).OfType<AssignmentId>().Distinct().ToList())
        {
            await orders.ReconcileAsync(assignment, cancellation);
        }

        foreach (var id in beat.Sessions.Select(id => new SessionId(id)).Where(links.Knows).ToList())
        {
            if (await store.ReadAsync(async reads => await reads.FindSessionAsync(id), cancellation) is { KillBy: not null } killed)
            {
                KillSession.Cut(live, killed);
            }
        }
    }

    private async Task TakeInAsync(string node, SessionId id, CancellationToken cancellation)
    {
        var (session, grants) = await store.ReadAsync(
            async reads => await reads.FindSessionAsync(id) is { } found && await reads.FindGrantAsync(found.Grant) is { } own
                ? (found, Admission.Alike(await reads.GrantsOfAsync(found.Assignment), own.Statements))
                : (null, []),
            cancellation);
        if (session is not { State: SessionState.Live } || session.Node != node)
        {
            links.Find(node)?.Send(id, new SessionOrder.Cut(SessionEndReason.Unchecked, "This session was ended: the control plane does not know it as live.", "Connect again in a moment."));
            return;
        }

        var order = session.KillBy is not null ? KillSession.OrderFor(session) : SessionOrders.OrderFor(grants, clock.Now());
        if (order is SessionOrder.Extend && Admission.Decide(id, grants, clock.Now(), Nowhere, new SessionLimits(options.Idle, options.Connections)) is { } again)
        {
            try
            {
                live.Add(session.Assignment, again);
            }
            catch (InvalidOperationException)
            {
                // Another beat of the same node was quicker.
                return;
            }

            Measures.LiveSessions.Add(1);
            links.Look(again, node);

            // NB. Looked after from here on, and only then read once more: what was taken away in between is seen by one of the two.
            await orders.ReconcileAsync(session.Assignment, cancellation);
            return;
        }

        links.Find(node)?.Send(id, order);
    }

    private async IAsyncEnumerable<Session> LiveAsync(string node, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        long? after = null;
        do
        {
            var page = await store.ReadAsync(async reads => await reads.SessionsAsync(new SessionFilter { Live = true, Node = node }, new Page(500, after)), cancellation);
            foreach (var session in page.Items)
            {
                yield return session;
            }

            after = page.Next;
        }
        while (after is not null);
    }

    // NB. A node may speak of its own sessions only: of another's it hears what it hears of one that does not exist.
    private Task<Session?> FindAsync(string node, SessionId session, CancellationToken cancellation) => store.ReadAsync(
        async reads => await reads.FindSessionAsync(session) is { } found && found.Node == node ? found : null,
        cancellation);

    // NB. The name becomes a path here: it must be the one that a gateway gives to this session's file, and no other's.
    private static bool IsOf(SessionId session, RecordingHead head)
    {
        var parts = head.File.Split('/');
        return parts is ["v1", { Length: 4 }, { Length: 2 }, { Length: 2 }, _]
            && parts[1..4].All(part => part.All(char.IsAsciiDigit))
            && parts[4] == $"{session.Value}.rec"
            && head is { Records: >= 0, Bytes: >= 0, Statements: >= 0, Hash.Length: 32 };
    }
}
