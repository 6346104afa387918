using System.Globalization;
using System.Text.Json;
using Stint.Core.Catalog;

namespace Stint.Core.Audit;

/// <summary>Checks evidence sentence by sentence, with nothing but the file and, at best, the log's key.</summary>
/// <remarks>It can show that what the file holds was in the log; that nothing else about the request is in the log, only the log itself can show.</remarks>
public static class EvidenceVerifier
{
    /// <summary>Verifies a file.</summary>
    /// <param name="file">Its bytes.</param>
    /// <param name="trust">The key that the doubter takes for the log's.</param>
    public static EvidenceReport Verify(ReadOnlyMemory<byte> file, KeyTrust trust)
    {
        var sentences = new List<EvidenceSentence>();
        void Say(string text, string? why) => sentences.Add(new EvidenceSentence(sentences.Count + 1, text + ".", why));

        EvidenceFile read;
        try
        {
            read = EvidenceFile.Read(file);
        }
        catch (FormatException bad)
        {
            Say("This file is evidence of Stint, in its one form", $"it cannot be read as such: {bad.Message}");
            return new EvidenceReport(sentences, null, null, trust.Given);
        }

        Say($"This file is evidence of Stint about {EvidencePhrases.Plain(read.Request)}, in its one form", null);
        var (key, head) = Heads(read, trust, Say);
        var facts = new List<FactBody>();
        var readable = read.Facts.Select(fact => Readable(fact.Body)).OfType<FactBody>().ToList();
        var rests = new RestsOn(EvidenceStory.Extended(readable), EvidenceBundle.Of(readable));
        long last = -1;
        foreach (var (body, proof) in read.Facts)
        {
            var (text, fact, why) = CheckFact(body, proof, head, read.Request, rests, last);
            Say(text, why);
            if (fact is not null)
            {
                facts.Add(fact);
                last = fact.Seq;
            }
        }

        CheckCatalogs(read, facts, Say);
        CheckStory(facts, Say);
        CheckSections(read, facts, Say);
        return new EvidenceReport(sentences, read.Request, key, trust.Given);
    }

    private static (CheckpointKey? Key, Checkpoint? Head) Heads(EvidenceFile read, KeyTrust trust, Action<string, string?> say)
    {
        CheckpointKey? key = null;
        SignedCheckpoint? head = null;
        string? why = null;
        try
        {
            head = SignedCheckpoint.Parse(read.Head);
            key = CheckpointKey.Parse(read.Key);

            // NB. Signature lines of unknown keys are to be passed over, so a change in one would pass unseen: there are none.
            why = head.Signatures.Count == 1 ? key.Refusal(head) : "it carries signatures of others, which cannot be checked";
        }
        catch (FormatException bad)
        {
            why = bad.Message;
        }

        var size = head is null ? "its facts" : string.Create(CultureInfo.InvariantCulture, $"its first {head.Head.Size} facts");
        say($"The log {EvidencePhrases.Plain(key?.Name ?? "(unreadable)")} signed one head over {size}, with the key {key?.Fingerprint ?? "(unreadable)"}", why);
        if (trust.Given)
        {
            say("That key is the one that you brought", key is not null && trust.Accepts(key) ? null : "it is another key");
        }

        return (key, why is null ? head!.Head : null);
    }

    private static (string Text, FactBody? Fact, string? Why) CheckFact(JsonElement element, string[] proof, Checkpoint? head, string request, RestsOn rests, long last)
    {
        FactBody fact;
        try
        {
            fact = FactBody.Of(element);
        }
        catch (FormatException bad)
        {
            return ("One more fact stands here", null, bad.Message);
        }

        var hashes = new List<TreeHash>();
        foreach (var text in proof)
        {
            if (!TreeHash.TryParse(text, out var hash))
            {
                return (EvidencePhrases.Of(fact), fact, "a hash of its proof is not one");
            }

            hashes.Add(hash);
        }

        var why = head is null ? "there is no signed head to prove it under"
            : !Merkle.VerifyInclusion(Merkle.LeafHash(CanonicalJson.Bytes(element)), fact.Seq, head.Size, hashes, head.Root) ? "this text is not in the log at this place: the fact or its proof was changed"
            : fact.Seq <= last ? "it is out of order"
            : !Belongs(fact, request, rests) ? $"it is not about {EvidencePhrases.Plain(request)}"
            : fact.Kind == FactKinds.ApprovalGiven && fact.Actor != $"person:{fact.Text("by")}" ? "it was not given by the person it names"
            : null;
        return (EvidencePhrases.Of(fact), fact, why);
    }

    /// <summary>Facts about the request; and those that it rests on: when its catalog took effect, the opening of the grant that it extends, and the asking for the bundle that it is a part of.</summary>
    private static bool Belongs(FactBody fact, string request, RestsOn rests) =>
        Names(fact, request)
        || fact.Kind == FactKinds.CatalogApplied
        || (fact.Kind == FactKinds.GrantOpened && rests.Extended is not null && fact.Text("grant") == rests.Extended)
        || (fact.Kind == FactKinds.BundleAsked && rests.Bundle is not null && fact.Text("bundle") == rests.Bundle);

    /// <summary>What else the asking names.</summary>
    private sealed record RestsOn(string? Extended, string? Bundle);

    private static FactBody? Readable(JsonElement body)
    {
        try
        {
            return FactBody.Of(body);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static bool Names(FactBody fact, string request) => fact.Find("request") switch
    {
        { ValueKind: JsonValueKind.String } one => one.GetString() == request,
        { ValueKind: JsonValueKind.Array } many => many.EnumerateArray().Any(one => one.ValueKind == JsonValueKind.String && one.GetString() == request),
        _ => false,
    };

    private static void CheckCatalogs(EvidenceFile read, List<FactBody> facts, Action<string, string?> say)
    {
        var needed = Evidence.Needed(facts);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (version, source) in read.Catalogs)
        {
            var by = facts.FirstOrDefault(fact => fact.Kind is FactKinds.RequestAsked or FactKinds.GrantOpening && fact.Text("catalog") == version);
            var why = source.Files.Any(file => file.Text.Contains("\r\n", StringComparison.Ordinal)) ? "a file has line ends that its version does not cover"
                : !source.Files.Select(file => file.Name).SequenceEqual(source.Files.Select(file => file.Name).Order(StringComparer.Ordinal)) ? "its files are out of order"
                : CatalogFiles.Version(source) != version ? "the text of its files was changed, or its version was"
                : by is null ? "no fact here rests on it"
                : !seen.Add(version) ? "it stands here twice"
                : null;
            var files = string.Join(", ", source.Files.Select(file => EvidencePhrases.Plain(file.Name)));
            say($"The catalog's text ({files}) hashes to version {EvidencePhrases.Short(version)}"
                + (by is null ? "" : string.Create(CultureInfo.InvariantCulture, $", which fact {by.Seq} names")), why);
        }

        if (needed.Find(version => !read.Catalogs.Any(catalog => catalog.Version == version)) is { } missing)
        {
            say($"The catalog {EvidencePhrases.Short(missing)}, on which a fact rests, is here", "its text is not in the file");
        }
    }

    private static void CheckStory(List<FactBody> facts, Action<string, string?> say)
    {
        var asked = facts.Where(fact => fact.Kind == FactKinds.RequestAsked).ToList();
        var first = asked.FirstOrDefault();
        var subject = first?.Text("subject");
        say(
            $"The request was asked exactly once, by {EvidencePhrases.Plain(subject ?? "nobody")} in person",
            first is null ? "the asking is not here" : asked.Count > 1 ? "there are several askings" : first.Actor != new SubjectId(subject ?? "").Full ? "somebody else asked" : null);
        if (first is null)
        {
            return;
        }

        if (EvidenceBundle.Check(first, facts) is var (bundle, odd))
        {
            say(bundle, odd);
        }

        foreach (var fact in facts.Where(fact => fact.Kind == FactKinds.ApprovalGiven))
        {
            say(
                string.Create(CultureInfo.InvariantCulture, $"What {EvidencePhrases.Plain(fact.Text("by") ?? "somebody")} saw in fact {fact.Seq} is what was asked in fact {first.Seq}"),
                fact.Text("saw") is not { } saw ? "the fact does not say what was seen" : saw != first.Text("digest") ? "the digests differ" : fact.Seq < first.Seq ? "it was given before the asking" : null);
        }

        foreach (var (text, why) in EvidenceSteps.Offers(facts))
        {
            say(text, why);
        }

        foreach (var (text, why) in EvidenceSteps.Proofs(facts))
        {
            say(text, why);
        }

        if (facts.Find(fact => fact.Kind == FactKinds.RequestApproved) is { } approved)
        {
            var (text, why) = EvidenceStory.Approval(first, approved, facts);
            say(text, why);
        }

        foreach (var (text, why) in EvidenceReview.Story(first, facts))
        {
            say(text, why);
        }

        var joined = EvidenceStory.Extended(facts);
        foreach (var opened in facts.Where(fact => fact.Kind is FactKinds.GrantOpening or FactKinds.GrantOpened && (joined is null || fact.Text("grant") != joined)))
        {
            var (text, why) = EvidenceStory.Opening(opened, facts);
            say(text, why);
        }
    }

    private static void CheckSections(EvidenceFile read, List<FactBody> facts, Action<string, string?> say)
    {
        var catalogs = read.Catalogs.GroupBy(catalog => catalog.Version, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.First().Source, StringComparer.Ordinal);
        var derived = EvidenceSections.Of(facts, catalogs);

        // NB. A section that the facts do not call for says something else than they do, as does one that is missing.
        var sections = EvidenceSections.NamesFor(facts).Concat(read.Root.TryGetProperty(EvidenceSections.Review, out _) ? [EvidenceSections.Review] : (string[])[]).Distinct();
        foreach (var section in sections)
        {
            var same = read.Root.TryGetProperty(section, out _) && derived.ContainsKey(section) && CanonicalJson.Bytes(read.Root.GetProperty(section)).AsSpan().SequenceEqual(CanonicalJson.Bytes(derived[section]));
            say($"The section “{section}” says {EvidenceSections.Says(section)}, as the facts do", same ? null : "it says something else than the facts");
        }
    }
}
