using System.Net;
using Stint.Core.Audit;
using Stint.Server.Store;

namespace Stint.Server.Identity;

/// <summary>Puts tries in vain on record: a few facts a minute tell of all of them, however many there are. Never what was tried, nor under which name: people type secrets into the wrong field.</summary>
/// <param name="store">Where the log is.</param>
/// <param name="clock">The clock.</param>
/// <param name="fact">The fact, of an address, a count and a time.</param>
internal sealed class RefusalCount(StintStore store, TimeProvider clock, Func<string, long, DateTimeOffset, Fact> fact)
{
    private const int FactsPerMinute = 6;

    private readonly RateLimit<int> _facts = new(FactsPerMinute, clock);
    private long _untold;

    /// <summary>Counts one.</summary>
    /// <param name="address">Where it came from, as one counts addresses.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    public async Task AddAsync(IPAddress address, CancellationToken cancellation)
    {
        Interlocked.Increment(ref _untold);
        if (_facts.Take(0) is null && Interlocked.Exchange(ref _untold, 0) is > 0 and var count)
        {
            await store.WriteAsync(
                work =>
                {
                    work.Append(fact(address.ToString(), count, clock.Now()));
                    return Task.CompletedTask;
                },
                cancellation);
        }
    }
}
