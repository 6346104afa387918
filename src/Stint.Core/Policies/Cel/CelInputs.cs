namespace Stint.Core.Policies.Cel;

/// <summary>Gives the value of a slot when an expression first asks for it, so that what no expression reads is never looked up.</summary>
public abstract class CelSource
{
    /// <summary>The value of a slot; <see cref="CelValue.Absent"/> when it is not there. Must not throw, and must be of the slot's type.</summary>
    public abstract CelValue Read(int slot);
}

/// <summary>
/// The values that expressions are evaluated over, and the room that an evaluation works in. One decision has one, on one thread;
/// many programs of the same environment may be evaluated over it one after the other. <see cref="Clear"/> makes it ready for the next.
/// </summary>
public sealed class CelInputs
{
    private readonly CelEnvironment _environment;
    internal readonly CelValue[] Slots;
    internal CelValue[] Locals = [];
    internal CelError? Failure;
    internal CelLimits Limits = CelLimits.Default;
    internal CelTruth[]? Atoms;
    private CelSource? _source;
    private long _steps;

    /// <summary>Inputs with every slot unfilled.</summary>
    /// <param name="environment">Whose slots they are.</param>
    /// <param name="source">Asked for a slot that is read before it was set; null when such a slot counts as absent.</param>
    public CelInputs(CelEnvironment environment, CelSource? source = null)
    {
        _environment = environment;
        _source = source;
        Slots = new CelValue[environment.Slots.Count];
    }

    /// <summary>The environment whose slots these are.</summary>
    public CelEnvironment Environment => _environment;

    /// <summary>Fills a slot. The value's type is the caller's duty: a wrong one ends in an error of whatever reads it.</summary>
    public void Set(int slot, CelValue value) => Slots[slot] = value;

    /// <summary>Fills a slot by its path; for tests and tools, a decider keeps the numbers.</summary>
    public void Set(string path, CelValue value) => Slots[_environment.SlotOf(path)] = value;

    /// <summary>Makes every slot unfilled again.</summary>
    /// <param name="source">Asked from now on.</param>
    public void Clear(CelSource? source = null)
    {
        Array.Clear(Slots);
        Array.Clear(Locals);
        _source = source;
        Failure = null;
    }

    internal bool Exhausted { get; private set; }

    internal void Begin(CelLimits limits, int locals)
    {
        Limits = limits;
        _steps = limits.Steps;
        Exhausted = false;
        Failure = null;
        if (Locals.Length < locals)
        {
            Locals = new CelValue[locals];
        }
    }

    /// <summary>Takes steps off the budget; false when it is used up, and then the evaluation must end.</summary>
    internal bool Charge(long steps)
    {
        _steps -= steps;
        if (_steps >= 0)
        {
            return true;
        }

        Exhausted = true;
        return false;
    }

    /// <summary>The value of a slot, asking the source when nobody has.</summary>
    internal CelValue Read(int slot)
    {
        var value = Slots[slot];
        return value.Kind == CelKind.Unfilled ? Fill(slot) : value;
    }

    internal CelValue Fill(int slot)
    {
        var value = _source?.Read(slot) ?? CelValue.Absent;
        if (value.Kind == CelKind.Unfilled)
        {
            value = CelValue.Absent;
        }

        Slots[slot] = value;
        return value;
    }

#pragma warning disable CA1822 // Read as what the frame does, beside TooMany.
    internal CelValue Fail(CelErrorCode code, string message) => CelValue.Fail(new CelError(code, message));
#pragma warning restore CA1822

    internal CelValue TooMany() => Fail(CelErrorCode.TooManySteps, $"it takes more than {Limits.Steps} steps; look at fewer elements or shorter texts");

    /// <summary>Notes why a test or text could not be had.</summary>
    internal CelTruth FailTest(in CelValue failure)
    {
        Failure = failure.Error;
        return CelTruth.Failed;
    }
}
