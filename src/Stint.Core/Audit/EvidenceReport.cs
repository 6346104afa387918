namespace Stint.Core.Audit;

/// <summary>One thing that evidence claims, and whether it holds.</summary>
/// <param name="Number">From 1, in the order in which to read them.</param>
/// <param name="Text">The claim, in plain English, with a full stop.</param>
/// <param name="Why">Why it does not hold; null when it does.</param>
public sealed record EvidenceSentence(int Number, string Text, string? Why)
{
    /// <summary>Whether it holds.</summary>
    public bool Holds => Why is null;
}

/// <summary>What the verification of evidence found.</summary>
/// <param name="Sentences">Every claim. When the file cannot be read at all, only the first.</param>
/// <param name="Request">The request that it is about; null when that could not be read.</param>
/// <param name="Key">The key that the file names as the log's; null when that could not be read.</param>
/// <param name="KeyBrought">Whether the doubter brought a key to hold it against.</param>
public sealed record EvidenceReport(IReadOnlyList<EvidenceSentence> Sentences, string? Request, CheckpointKey? Key, bool KeyBrought)
{
    /// <summary>Whether every sentence holds.</summary>
    public bool Holds => Sentences.All(sentence => sentence.Holds);

    /// <summary>What must be said aloud beside the sentences; null when there is nothing.</summary>
    public string? Warning => KeyBrought
        ? null
        : $"YOU BROUGHT NO KEY. The file names its own key, so anybody could have written all of it. Compare this fingerprint with one that you got from elsewhere: {Key?.Fingerprint ?? "unreadable"}";
}
