namespace Stint.Core.Audit;

/// <summary>What is wrong with a log.</summary>
public enum LogFault
{
    /// <summary>A fact is not what was hashed when it was written.</summary>
    Changed = 1,

    /// <summary>A fact that was there is not there, and later ones are.</summary>
    Dropped = 2,

    /// <summary>A fact stands in the log a second time.</summary>
    Duplicated = 3,

    /// <summary>A fact stands in the place of another, or out of its order.</summary>
    Reordered = 4,

    /// <summary>The end is missing: a signed head covers more facts than there are.</summary>
    Truncated = 5,

    /// <summary>Facts stand behind the newest signed head, and nobody signed for them.</summary>
    AfterHead = 6,

    /// <summary>A head is not signed by the log's key, or is of another log.</summary>
    HeadNotSigned = 7,

    /// <summary>The facts do not have the root that was signed; nothing smaller could be blamed.</summary>
    HeadDiffers = 8,

    /// <summary>There is no signed head at all.</summary>
    NoHead = 9,

    /// <summary>Something cannot be read as what it should be.</summary>
    Malformed = 10,
}

/// <summary>One thing that is wrong, and where.</summary>
/// <param name="Fault">What.</param>
/// <param name="Seq">The first fact that it concerns; null when it concerns none.</param>
/// <param name="LastSeq">The last one; equal to <paramref name="Seq"/> for a single fact.</param>
/// <param name="Kind">The fact's kind; null when it cannot be read.</param>
/// <param name="About">What the fact is about (<c>request req-…</c>); null when it cannot be read.</param>
/// <param name="Sentence">The same for a person, with a full stop.</param>
public sealed record LogFinding(LogFault Fault, long? Seq, long? LastSeq, string? Kind, string? About, string Sentence);

/// <summary>What a verification found.</summary>
public sealed record LogReport
{
    /// <summary>Whether every fact is as it was signed.</summary>
    public bool Holds => Findings.Count == 0;

    /// <summary>How many facts were read.</summary>
    public required long Facts { get; init; }

    /// <summary>How many of them, from the first, stand under a head that was checked and holds.</summary>
    public required long Covered { get; init; }

    /// <summary>The largest head that was checked against the facts and holds; null when none does.</summary>
    public required SignedCheckpoint? Head { get; init; }

    /// <summary>What is wrong, in the order of the facts as they were read; at most <see cref="LogVerifier.MaxFindings"/>.</summary>
    public required IReadOnlyList<LogFinding> Findings { get; init; }

    /// <summary>How many more findings there were.</summary>
    public required long LeftOff { get; init; }
}
