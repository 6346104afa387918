using System.Collections.Concurrent;
using Stint.Core;
using Stint.Core.Sessions;

namespace Stint.Server.Sessions;

/// <summary>The sessions that this node carries, or looks after for the gateway nodes that are linked to it, by assignment. Orders go to a gateway through here and nowhere else.</summary>
/// <remarks>
/// NB. A session is put here before its row is committed. A revoke that commits first is seen by the admission's own
/// transaction; one that commits later finds the session here. Between the two nothing can slip through.
/// </remarks>
internal sealed class LiveSessions
{
    private readonly ConcurrentDictionary<SessionId, Entry> _all = new();
    private readonly Lock _lock = new();
    private readonly Dictionary<AssignmentId, HashSet<SessionId>> _byAssignment = [];
    private readonly Dictionary<AssignmentId, List<TaskCompletionSource>> _waiting = [];

    /// <summary>Gateway nodes whose sessions are looked after here; set as each links up.</summary>
    public IReadOnlyList<string> Guests { get; set; } = [];

    /// <summary>How many are looked after here.</summary>
    public int Count => _all.Count;

    /// <summary>Assignments with at least one session here.</summary>
    public IReadOnlyList<AssignmentId> Assignments
    {
        get
        {
            lock (_lock)
            {
                return [.. _byAssignment.Keys];
            }
        }
    }

    public void Add(AssignmentId assignment, AuthorizedSession session)
    {
        if (!_all.TryAdd(session.Id, new Entry(assignment, session)))
        {
            throw new InvalidOperationException($"The session {session.Id} is here already.");
        }

        lock (_lock)
        {
            if (!_byAssignment.TryGetValue(assignment, out var set))
            {
                _byAssignment[assignment] = set = [];
            }

            set.Add(session.Id);
        }
    }

    /// <summary>Forgets a session; nothing happens when it is not here.</summary>
    public void Remove(SessionId id)
    {
        if (!_all.TryRemove(id, out var entry))
        {
            return;
        }

        List<TaskCompletionSource>? waiting = null;
        lock (_lock)
        {
            if (_byAssignment.TryGetValue(entry.Assignment, out var set) && set.Remove(id) && set.Count == 0)
            {
                _byAssignment.Remove(entry.Assignment);
                _waiting.Remove(entry.Assignment, out waiting);
            }
        }

        waiting?.ForEach(one => one.TrySetResult());
    }

    public AuthorizedSession? Find(SessionId id) => _all.TryGetValue(id, out var entry) ? entry.Session : null;

    public AssignmentId? AssignmentOf(SessionId id) => _all.TryGetValue(id, out var entry) ? entry.Assignment : null;

    public bool Has(AssignmentId assignment)
    {
        lock (_lock)
        {
            return _byAssignment.ContainsKey(assignment);
        }
    }

    /// <summary>Gives an order to one session.</summary>
    /// <returns>Whether it is here.</returns>
    public bool Give(SessionId id, SessionOrder order)
    {
        if (!_all.TryGetValue(id, out var entry))
        {
            return false;
        }

        entry.Session.Give(order);
        return true;
    }

    /// <summary>Gives every session of an assignment its order.</summary>
    /// <returns>How many got one.</returns>
    public int Give(AssignmentId assignment, Func<AuthorizedSession, SessionOrder> order)
    {
        SessionId[] ids;
        lock (_lock)
        {
            if (!_byAssignment.TryGetValue(assignment, out var set))
            {
                return 0;
            }

            ids = [.. set];
        }

        return ids.Count(id => Find(id) is { } session && Give(id, order(session)));
    }

    /// <summary>Gives an order to every session here.</summary>
    public void GiveAll(SessionOrder order)
    {
        foreach (var entry in _all.Values)
        {
            entry.Session.Give(order);
        }
    }

    /// <summary>Completes when the assignment has no session here; at once when it has none now.</summary>
    public Task WhenNone(AssignmentId assignment)
    {
        lock (_lock)
        {
            if (!_byAssignment.ContainsKey(assignment))
            {
                return Task.CompletedTask;
            }

            // NB. Continuations must not run on the gateway's thread that says goodbye.
            var source = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (!_waiting.TryGetValue(assignment, out var list))
            {
                _waiting[assignment] = list = [];
            }

            list.Add(source);
            return source.Task;
        }
    }

    private sealed record Entry(AssignmentId Assignment, AuthorizedSession Session);
}
