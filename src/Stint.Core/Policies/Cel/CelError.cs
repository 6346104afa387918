namespace Stint.Core.Policies.Cel;

/// <summary>Why an evaluation gave no value.</summary>
public enum CelErrorCode
{
    /// <summary>The result of arithmetic does not fit its type.</summary>
    Overflow,

    /// <summary>Division or remainder by zero.</summary>
    DivisionByZero,

    /// <summary>A map has no such key, or a list no such index.</summary>
    NoSuchKey,

    /// <summary>A function or operator got a value of a type that it is not made for.</summary>
    NoSuchOverload,

    /// <summary>A name that nothing is known under. Only without the type check.</summary>
    Unknown,

    /// <summary>A value that a conversion or function cannot take: text that is no number, a zone that nobody knows.</summary>
    BadValue,

    /// <summary>An input that is not there for this question, read without <c>has()</c> or <c>?</c>.</summary>
    Absent,

    /// <summary>The steps that one evaluation may take are used up.</summary>
    TooManySteps,

    /// <summary>A text, list or map would become larger than one evaluation may make it.</summary>
    TooLarge,
}

/// <summary>An evaluation that gave no value: data, never thrown.</summary>
/// <param name="Code">What kind of failure it is.</param>
/// <param name="Message">A sentence for the author of the condition. It holds no input's value, only types, names and constants.</param>
public sealed record CelError(CelErrorCode Code, string Message)
{
    /// <summary>Where in the source, counted in UTF-16 units from 0; -1 when it is about the whole.</summary>
    public int Offset { get; internal set; } = -1;
}

/// <summary>What an evaluation came to.</summary>
public abstract record CelOutcome
{
    private CelOutcome()
    {
    }

    /// <summary>It gave a value of the type that was expected.</summary>
    /// <param name="Value">The value.</param>
    public sealed record Is(CelValue Value) : CelOutcome;

    /// <summary>It gave none. A condition that failed is never met.</summary>
    /// <param name="Error">Why.</param>
    public sealed record Failed(CelError Error) : CelOutcome;
}

/// <summary>What a condition came to.</summary>
public enum CelTruth : byte
{
    /// <summary>Evaluated: no.</summary>
    False,

    /// <summary>Evaluated: yes.</summary>
    True,

    /// <summary>It could not be evaluated; that is never a yes.</summary>
    Failed,

    /// <summary>Only for an atom: the evaluation never came to it.</summary>
    NotReached,
}

/// <summary>One thing that is wrong with a source.</summary>
/// <param name="Offset">Counted in UTF-16 units from 0.</param>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1, in UTF-16 units.</param>
/// <param name="Message">A sentence that says what to do.</param>
public sealed record CelProblem(int Offset, int Line, int Column, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Line}:{Column}: {Message}";
}

/// <summary>What one expression may cost. All of them are there so that no expression can hang a decision or fill the memory.</summary>
public sealed record CelLimits
{
    /// <summary>The bounds of a policy's conditions.</summary>
    public static CelLimits Default { get; } = new();

    /// <summary>Longest source, in UTF-16 units.</summary>
    public int Source { get; init; } = 8_192;

    /// <summary>Deepest nesting.</summary>
    public int Depth { get; init; } = 100;

    /// <summary>Most operators, calls, names and constants in one expression.</summary>
    public int Nodes { get; init; } = 2_000;

    /// <summary>Most problems that are reported at once.</summary>
    public int Problems { get; init; } = 20;

    /// <summary>Steps of one evaluation. One is about a node of a macro's body, or 16 characters looked at.</summary>
    public int Steps { get; init; } = 100_000;

    /// <summary>Longest text or bytes that an evaluation makes, in UTF-16 units or bytes.</summary>
    public int Text { get; init; } = 65_536;

    /// <summary>Most elements of a list or map that an evaluation makes.</summary>
    public int Elements { get; init; } = 10_000;

    /// <summary>Longest that one <c>matches</c> may take. Matching is linear, so this is only reached by a machine that stalls.</summary>
    public TimeSpan Match { get; init; } = TimeSpan.FromMilliseconds(250);
}
