using Stint.Core.Catalog;

namespace Stint.Server.Catalog;

/// <summary>The catalog version that decides now. Readers never wait; <see cref="ApplyCatalog"/> replaces it.</summary>
internal sealed class CurrentCatalog(LoadedCatalog first)
{
    private readonly Lock _lock = new();
    private volatile LoadedCatalog _now = first;
    private long _number;

    public LoadedCatalog Now => _now;

    /// <summary>Lets a catalog decide from now on.</summary>
    /// <param name="next">The catalog.</param>
    /// <param name="number">The number of its taking effect. One that is older than what decides already is passed over: two that were committed one after the other may come here the other way round.</param>
    public void Replace(LoadedCatalog next, long number)
    {
        lock (_lock)
        {
            if (number >= _number)
            {
                (_now, _number) = (next, number);
            }
        }
    }
}
