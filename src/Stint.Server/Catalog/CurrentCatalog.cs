using Stint.Core.Catalog;

namespace Stint.Server.Catalog;

/// <summary>The catalog version that decides now, with the directory's people and what others tell of who is on call in it. Readers never wait; <see cref="ApplyCatalog"/> and the directory replace it.</summary>
internal sealed class CurrentCatalog(LoadedCatalog first)
{
    private readonly Lock _lock = new();
    private volatile LoadedCatalog _now = first;
    private DirectoryPeople _people = DirectoryPeople.Nobody;
    private IReadOnlyDictionary<string, KnownShifts> _shifts = new Dictionary<string, KnownShifts>();
    private long _number;
    private long _change = -1;

    public LoadedCatalog Now => _now;

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
                (_now, _number) = (next.With(_people).With(_shifts), number);
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
                _now = _now.With(people).With(_shifts);
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
            _now = _now.With(_people).With(shifts);
        }
    }
}
