using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Identity;

/// <summary>Lets this node decide by what the directory says, and ends what it takes away.</summary>
/// <remarks>Who comes waits for up to a second, together with others; who goes is gone before the call is answered that said so.</remarks>
internal sealed class FollowDirectory(StintStore store, CurrentCatalog current, EndLeavers leavers, DirectorySource source, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan AtLeastEvery = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Together = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Next = TimeSpan.FromMilliseconds(1);
    private const int Batch = 250;

    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly DirectoryModel _model = new();
    private long _looked;
    private bool _valued;

    /// <summary>After a change here: what takes something away counts, and has ended what it ends, once this returns.</summary>
    /// <remarks>NB. Whoever told of it may have gone: the rest is done all the same.</remarks>
    public async Task ChangedAsync(CancellationToken cancellation)
    {
        if (await TakesAsync(cancellation))
        {
            await LookAsync(CancellationToken.None);
        }
    }

    /// <summary>Looks at every wake, and from time to time in case one was missed.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var waiter = store.Wakes.Listen(Wakes.Directory);
        while (!stop.IsCancellationRequested)
        {
            var wait = AtLeastEvery;
            try
            {
                var left = Together - time.GetElapsedTime(_looked);
                if (left > TimeSpan.Zero && !await TakesAsync(stop))
                {
                    wait = left;
                }
                else
                {
                    await LookAsync(stop);
                }

                if (!_valued)
                {
                    _valued = await ValueAsync(stop);
                    wait = _valued ? wait : Next;
                }
            }
            catch (StoreUnavailableException)
            {
                // What is known stays, and is looked at again soon.
                wait = Together;
            }

            using var round = CancellationTokenSource.CreateLinkedTokenSource(stop);
            using var bound = new CancellationTokenSource(wait, time);
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

    /// <summary>Brings this node to what the directory says.</summary>
    public async Task LookAsync(CancellationToken cancellation)
    {
        await _one.WaitAsync(cancellation);
        try
        {
            var known = _model.Number >= 0;
            var before = current.Now;
            var (changes, open) = await store.ReadAsync(async reads => (await _model.ReadAsync(reads), await reads.OpenDirectoryChangesAsync()), cancellation);
            if (changes is null or { Count: > 0 })
            {
                current.Replace(_model.People(), _model.Number);
                _looked = time.GetTimestamp();
            }

            // NB. Another node may have ended what this takes away before this one decided by it: it is ended here once more.
            List<DirectoryChange> taking = [.. (changes ?? []).Where(change => change.Takes).UnionBy(open, change => change.Number)];
            if (taking.Count > 0 || (changes is null && known))
            {
                await leavers.EndAsync(source.Actor, cancellation);
                await leavers.EndFallenAsync(changes is null ? null : _model.About(taking), known ? before : null, source.Actor, cancellation);
                if (open.Count > 0)
                {
                    await store.WriteAsync(async work => await work.DirectoryDoneAsync(open[^1].Number), cancellation);
                }
            }
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    /// <summary>Keeps the values of some whom an older version took in; until all are kept, filters look at each.</summary>
    /// <returns>Whether nobody is left.</returns>
    internal async Task<bool> ValueAsync(CancellationToken cancellation)
    {
        if (await store.ReadAsync(async reads => await reads.AllValuedAsync(), cancellation))
        {
            return true;
        }

        await store.WriteAsync(
            async work =>
            {
                await work.AloneWithDirectoryAsync();
                foreach (var (id, body) in await work.UnvaluedAsync(Batch))
                {
                    await work.ValuedAsync(id, [.. Scim.ScimKept.Of(System.Text.Json.Nodes.JsonNode.Parse(body)!.AsObject())]);
                }
            },
            cancellation);
        return false;
    }

    private Task<bool> TakesAsync(CancellationToken cancellation) => store.ReadAsync(async reads => await reads.TakesDirectoryAsync(_model.Number), cancellation);
}
