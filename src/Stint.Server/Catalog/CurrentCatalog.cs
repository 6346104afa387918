using Stint.Core.Catalog;

namespace Stint.Server.Catalog;

/// <summary>The catalog version that decides now, with the directory's people, what others tell of who is on call, and the rights that are held for a time in it. Readers never wait; <see cref="ApplyCatalog"/>, the directory, calendars and the rights replace it.</summary>
internal sealed class CurrentCatalog(LoadedCatalog first, TimeProvider time)
{
    private readonly Lock _lock = new();
    private volatile Standing _now = new(first, DateTimeOffset.MaxValue);
    private DirectoryPeople _people = DirectoryPeople.Nobody;
    private IReadOnlyList<HeldRight> _rights = [];
    private IReadOnlyDictionary<string, KnownShifts> _shifts = new Dictionary<string, KnownShifts>();
    private long _number;
    private long _change = -1;

    /// <remarks>NB. A right that is over is in no answer, however late the keeper is and whoever else should have said so.</remarks>
    public LoadedCatalog Now => _now is var now && (now.Until == DateTimeOffset.MaxValue || time.GetUtcNow() < now.Until) ? now.Catalog : Renew();

    /// <summary>Another catalog with the directory's people in it, as it would decide now.</summary>
    public LoadedCatalog With(LoadedCatalog other) => other.With(_people).With(_shifts);

    /// <summary>Lets a catalog decide from now on.</summary>
    /// <param name="next">The catalog.</param>
    /// <param name="number">The number of its taking effect. One that is older than what decides already is passed over: two that were committed one after the other may come here the other way round.</param>
    public void Replace(LoadedCatalog next, long number)
    {
        lock (_lock)
        {
            if (number >= _number)
            {
                _number = number;
                Put(next.With(_people).With(_shifts));
            }
        }
    }

    /// <summary>Lets what the directory knows count from now on.</summary>
    /// <param name="people">Who is there.</param>
    /// <param name="change">The number of the last change in it; an older one is passed over.</param>
    public void Replace(DirectoryPeople people, long change)
    {
        lock (_lock)
        {
            if (change > _change)
            {
                (_people, _change) = (people, change);
                Put(_now.Catalog.With(people).With(_shifts));
            }
        }
    }

    /// <summary>Lets what others tell of who is on call count from now on.</summary>
    /// <param name="shifts">By the name of the rota.</param>
    public void Replace(IReadOnlyDictionary<string, KnownShifts> shifts)
    {
        lock (_lock)
        {
            _shifts = shifts;
            Put(_now.Catalog.With(_people).With(shifts));
        }
    }

    /// <summary>Lets these rights in Stint itself count from now on, each until it is over, and no others.</summary>
    public void Replace(IReadOnlyList<HeldRight> rights)
    {
        lock (_lock)
        {
            _rights = rights;
            Put(_now.Catalog);
        }
    }

    private LoadedCatalog Renew()
    {
        lock (_lock)
        {
            return Put(_now.Catalog);
        }
    }

    private LoadedCatalog Put(LoadedCatalog catalog)
    {
        var made = catalog.With(_rights, time.GetUtcNow());
        _now = new Standing(made, made.HeldRights.Select(right => right.Until).DefaultIfEmpty(DateTimeOffset.MaxValue).Min());
        return made;
    }

    /// <param name="Catalog">What decides.</param>
    /// <param name="Until">When the next of its rights is over.</param>
    private sealed record Standing(LoadedCatalog Catalog, DateTimeOffset Until);
}
