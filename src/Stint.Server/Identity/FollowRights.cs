using Stint.Core.Catalog;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Identity;

/// <summary>Lets this node count the rights in Stint itself that are held for a time: open grants at the resource of that kind, and what was given at the setting up.</summary>
/// <remarks>
/// Who is over is counted out by <see cref="CurrentCatalog"/> itself, on the second. Whose grant moves counts no more from
/// that commit on: here before the call is answered, on another node as soon as it hears, and at the next look at the
/// latest. What cannot be looked at does not count.
/// </remarks>
internal sealed class FollowRights : IDisposable
{
    private static readonly TimeSpan WhileHeld = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan AtLeastEvery = TimeSpan.FromSeconds(15);

    private readonly StintStore _store;
    private readonly CurrentCatalog _current;
    private readonly CatalogVersions _versions;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly Lock _lock = new();
    private readonly HashSet<string> _moved = new(StringComparer.Ordinal);
    private List<HeldRight> _counted = [];
    private bool _looking;

    // How often this node heard of something to look at, and up to which of these it has looked.
    private long _heard = 1;
    private long _seen;

    public FollowRights(StintStore store, CurrentCatalog current, CatalogVersions versions, TimeProvider time)
    {
        (_store, _current, _versions, _time) = (store, current, versions, time);
        store.Wakes.On("grant:", Moved);
        store.Wakes.On(Wakes.Rights, _ => Hear());
        store.Wakes.On(Wakes.Catalog, _ => Hear());
    }

    /// <summary>Whether something was committed that this node has not looked at, or is looking at: whoever comes in now waits for the look.</summary>
    public bool IsBehind => Volatile.Read(ref _seen) != Volatile.Read(ref _heard);

    /// <summary>Looks, when there is something to look at. With the store away nobody is counted.</summary>
    public async Task CatchUpAsync(CancellationToken cancellation)
    {
        try
        {
            if (IsBehind)
            {
                await LookAsync(onlyBehind: true, cancellation);
            }
        }
        catch (StoreUnavailableException)
        {
            CountNobody();
        }
    }

    /// <summary>Looks at every wake, and from time to time in case one was missed.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var waiter = _store.Wakes.Listen(Wakes.Rights);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await LookAsync(stop);
            }
            catch (StoreUnavailableException)
            {
                CountNobody();
            }

            using var round = CancellationTokenSource.CreateLinkedTokenSource(stop);
            using var bound = new CancellationTokenSource(_counted.Count > 0 || IsBehind ? WhileHeld : AtLeastEvery, _time);
            using var ends = bound.Token.Register(round.Cancel);
            try
            {
                await waiter.WaitAsync(round.Token);
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                // Time to look.
            }
        }
    }

    /// <summary>Brings this node to what the store says.</summary>
    public Task LookAsync(CancellationToken cancellation) => LookAsync(onlyBehind: false, cancellation);

    public void Dispose() => _one.Dispose();

    private void Hear() => Interlocked.Increment(ref _heard);

    private async Task LookAsync(bool onlyBehind, CancellationToken cancellation)
    {
        await _one.WaitAsync(cancellation);
        try
        {
            // Who waited for another's look may have seen enough by it.
            if (onlyBehind && !IsBehind)
            {
                return;
            }

            long heard;
            lock (_lock)
            {
                (_looking, heard) = (true, Volatile.Read(ref _heard));
                _moved.Clear();
            }

            Count(await ReadAsync(cancellation), heard);
        }
        finally
        {
            lock (_lock)
            {
                _looking = false;
            }

            _one.Release();
        }
    }

    private async Task<List<HeldRight>> ReadAsync(CancellationToken cancellation)
    {
        var (given, open) = await _store.ReadAsync(async reads => (await reads.RightsAsync(_time.GetUtcNow()), await reads.OpenRightsAsync()), cancellation);
        List<HeldRight> rights = [.. given.Select(right => new HeldRight(right.Person, right.Right, right.Until))];
        foreach (var (grant, version) in open)
        {
            // NB. What was granted while the name meant another system is no right in this one. Whether the name means it now is asked of whatever catalog decides.
            if (StintRights.Find(grant.Role.Role) is { } right && grant.NotAfter is { } until
                && await _versions.FindAsync(version, cancellation) is { } then && then.IsOfStint(grant.Role))
            {
                rights.Add(new HeldRight(grant.Subject, right, until) { Grant = grant.Id, Role = grant.Role });
            }
        }

        return rights;
    }

    private void Count(List<HeldRight> rights, long heard)
    {
        lock (_lock)
        {
            // NB. What moved while the store was read may have been read as it was before.
            if (rights.RemoveAll(right => right.Grant is { } grant && _moved.Contains(Wakes.Of(grant))) > 0)
            {
                Hear();
            }

            _counted = rights;
            _current.Replace(rights);
            Volatile.Write(ref _seen, heard);
        }
    }

    private void CountNobody()
    {
        lock (_lock)
        {
            _counted = [];
            Hear();
            _current.Replace(_counted);
        }
    }

    /// <summary>Called within the commit that moved a grant, before its caller is answered.</summary>
    private void Moved(string name)
    {
        lock (_lock)
        {
            if (_looking)
            {
                _moved.Add(name);
            }

            if (name == "grant:*")
            {
                Hear();
            }
            else if (_counted.Exists(right => right.Grant is { } grant && Wakes.Of(grant) == name))
            {
                _counted = _counted.FindAll(right => right.Grant is not { } grant || Wakes.Of(grant) != name);
                Hear();
                _current.Replace(_counted);
            }
        }
    }
}
