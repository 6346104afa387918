using System.Collections.Concurrent;

namespace Stint.Server.Store;

/// <summary>Tells waiters that something they look at was committed, on this node or on another.</summary>
/// <remarks>
/// A wake is a hint, never the truth: whoever hears it reads the store. One may come without a change (after a lost
/// connection every waiter is woken), none is missed after <see cref="Listen"/> returned, unless the other node's
/// message is still under way.
/// </remarks>
internal sealed class Wakes
{
    private readonly ConcurrentDictionary<string, Waiter[]> _waiters = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private (string Prefix, Action<string> Act)[] _handlers = [];

    /// <summary>The name for a request: <c>request:req-…</c>.</summary>
    public static string Of(Core.RequestId id) => "request:" + id.Value;

    /// <summary>The name for an asking for a bundle: <c>bundle:bu-…</c>.</summary>
    public static string Of(Core.BundleId id) => "bundle:" + id.Value;

    /// <summary>The name for a grant: <c>grant:gr-…</c>.</summary>
    public static string Of(Core.GrantId id) => "grant:" + id.Value;

    /// <summary>The name for the sessions of an assignment: <c>sessions:as-…</c>.</summary>
    public static string Sessions(Core.AssignmentId id) => "sessions:" + id.Value;

    /// <summary>The name for one session: <c>session:ses-…</c>.</summary>
    public static string Of(Core.SessionId id) => "session:" + id.Value;

    /// <summary>Something is due, or due earlier than was known.</summary>
    public const string Keeper = "keeper";

    /// <summary>How soon something must be due to be worth a wake of the keeper: twice its longest sleep.</summary>
    public static readonly TimeSpan KeeperLooks = TimeSpan.FromSeconds(2);

    /// <summary>Another catalog counts, or a change of it was proposed or answered.</summary>
    public const string Catalog = "catalog";

    /// <summary>The directory changed, or somebody was sent away or taken back.</summary>
    public const string Directory = "directory";

    /// <summary>Somebody came to a right in Stint itself.</summary>
    public const string Rights = "rights";

    /// <summary>Something was told of who is on call.</summary>
    public const string OnCall = "on-call";

    /// <summary>Facts were appended.</summary>
    public const string Audit = "audit";

    /// <summary>Listens from now on; dispose to stop. Listen first, then read, then wait: nothing is missed.</summary>
    public Waiter Listen(string name)
    {
        var waiter = new Waiter(this, name);
        _waiters.AddOrUpdate(name, static (_, added) => [added], static (_, old, added) => [.. old, added], waiter);
        return waiter;
    }

    /// <summary>Calls <paramref name="act"/> with the whole name for every wake that starts with the prefix, and with <c>prefix*</c> when any may have been missed. It must be quick and must not throw.</summary>
    public void On(string prefix, Action<string> act)
    {
        lock (_lock)
        {
            _handlers = [.. _handlers, (prefix, act)];
        }
    }

    /// <summary>Wakes those who listen to the name.</summary>
    internal void Wake(string name)
    {
        if (_waiters.TryGetValue(name, out var waiters))
        {
            foreach (var waiter in waiters)
            {
                waiter.Wake();
            }
        }

        foreach (var (prefix, act) in Volatile.Read(ref _handlers))
        {
            if (name.StartsWith(prefix, StringComparison.Ordinal))
            {
                act(name);
            }
        }
    }

    /// <summary>Wakes everybody: messages may have been missed.</summary>
    internal void WakeAll()
    {
        foreach (var waiter in _waiters.Values.SelectMany(waiters => waiters))
        {
            waiter.Wake();
        }

        foreach (var (prefix, act) in Volatile.Read(ref _handlers))
        {
            act(prefix + "*");
        }
    }

    private void Forget(Waiter waiter)
    {
        while (_waiters.TryGetValue(waiter.Name, out var waiters))
        {
            Waiter[] left = [.. waiters.Where(other => other != waiter)];
            if (left.Length == 0
                    ? _waiters.TryRemove(KeyValuePair.Create(waiter.Name, waiters))
                    : _waiters.TryUpdate(waiter.Name, left, waiters))
            {
                return;
            }
        }
    }

    /// <summary>Somebody who waits for one name.</summary>
    internal sealed class Waiter : IDisposable
    {
        private readonly Wakes _wakes;
        private TaskCompletionSource _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal Waiter(Wakes wakes, string name)
        {
            _wakes = wakes;
            Name = name;
        }

        public string Name { get; }

        /// <summary>Returns at the next wake, or at once when one came since the last return.</summary>
        public async Task WaitAsync(CancellationToken cancellation)
        {
            await _woken.Task.WaitAsync(cancellation);
            _woken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        public void Dispose() => _wakes.Forget(this);

        internal void Wake() => _woken.TrySetResult();
    }
}
