namespace Stint.Simulation;

/// <summary>The process died here. Whoever catches it throws the whole node away.</summary>
internal sealed class CrashException(string where) : Exception($"crash at {where}")
{
    public string Where { get; } = where;
}

/// <summary>Decides where the process dies: armed, it dies at the n-th place from now, whichever that is.</summary>
internal sealed class Faults
{
    private int _left = -1;

    /// <summary>Places passed so far in the whole run.</summary>
    public long Passed { get; private set; }

    public long Crashes { get; private set; }

    /// <summary>Where it died how often.</summary>
    public SortedDictionary<string, long> Places { get; } = new(StringComparer.Ordinal);

    /// <summary>The process died and was not started again. Nothing of it can do anything any more, whoever swallowed the exception.</summary>
    public bool Dead { get; private set; }

    public void Arm(int places) => _left = places;

    public void Disarm() => _left = -1;

    public void Revive()
    {
        Dead = false;
        _left = -1;
    }

    /// <summary>A place where a process may die.</summary>
    /// <exception cref="CrashException">It does.</exception>
    public void Place(string name)
    {
        Passed++;
        if (Dead)
        {
            throw new CrashException(name + ", after its death");
        }

        if (_left >= 0 && _left-- == 0)
        {
            Crashes++;
            Dead = true;
            Places[name] = Places.GetValueOrDefault(name) + 1;
            throw new CrashException(name);
        }
    }
}
