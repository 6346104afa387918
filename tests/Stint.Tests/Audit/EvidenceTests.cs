using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Stint.Core.Audit;
using Stint.Core.Catalog;
using Xunit;

namespace Stint.Tests.Audit;

public sealed class EvidenceTests : IDisposable
{
    private const string Request = "req-4f1k9w2m7x0c";

    private static readonly CatalogSource Catalog = new(
    [
        new CatalogFile("people.yaml", "people:\n  ann: {}\n  bob: {}\n"),
        new CatalogFile("policies.yaml", "policies:\n  others:\n    deny: group:x\n  production-owner:\n    who: group:developers\n    approve: { workflow: owner }\n\n  last: {}\nworkflows:\n  owner: {}\n"),
    ]);

    private static readonly string Version = CatalogFiles.Version(Catalog);

    private readonly TestLog _log = new();

    public void Dispose() => _log.Dispose();

    [Fact]
    public async Task Verify_EvidenceOfAWholeRequest_EverySentenceHolds()
    {
        Play();
        var report = EvidenceVerifier.Verify(await WriteAsync(), KeyTrust.Parse(_log.Key.Fingerprint));

        Assert.True(report.Holds, Failed(report));
        Assert.Null(report.Warning);
        Assert.Equal(Request, report.Request);
        Assert.Equal(Enumerable.Range(1, report.Sentences.Count), report.Sentences.Select(sentence => sentence.Number));
        var text = report.Sentences.Select(sentence => sentence.Text).ToList();
        Assert.Contains(text, line => line.Contains("ann asked for orders-db/owner, for 1 hour, because “fix the totals”, on ticket “INC-7”; the policies answered “needs_approval”", StringComparison.Ordinal));
        Assert.Contains(text, line => line.Contains("bob said yes, having seen digest d1d1d1d1d1d1…, and shortened it to 30 minutes", StringComparison.Ordinal));
        Assert.Contains(text, line => line.Contains("with 3 statements recorded and the hash abababababab…", StringComparison.Ordinal));
        Assert.Contains(text, line => line.Contains("people.yaml, policies.yaml) hashes to version", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Write_TheSections_HoldWhatADoubterLooksFor()
    {
        Play();
        using var file = JsonDocument.Parse(await WriteAsync());
        var root = file.RootElement;
        Assert.Equal("fix the totals", root.GetProperty("asking").GetProperty("fields").GetProperty("reason").GetString());
        Assert.Equal("production-owner", root.GetProperty("verdict").GetProperty("trace")[0].GetProperty("rule").GetString());
        var policy = root.GetProperty("policies")[0];
        Assert.Equal("  production-owner:\n    who: group:developers\n    approve: { workflow: owner }", policy.GetProperty("text").GetString());
        Assert.Equal(("policies.yaml", 4), (policy.GetProperty("file").GetString(), policy.GetProperty("line").GetInt32()));
        Assert.Equal("d1d1d1d1d1d1d1d1", root.GetProperty("approvals")[0].GetProperty("fields").GetProperty("saw").GetString());
        Assert.StartsWith("abab", root.GetProperty("recordings")[0].GetProperty("recording").GetString());
        Assert.True(root.GetProperty("recordings")[0].GetProperty("final").GetBoolean());
        Assert.Equal(2, root.GetProperty("sessions").GetArrayLength());
        Assert.Equal(6, root.GetProperty("grants").GetArrayLength());
    }

    [Fact]
    public async Task Verify_WithoutAKey_HoldsButWarns()
    {
        Play();
        var report = EvidenceVerifier.Verify(await WriteAsync(), KeyTrust.Nothing);
        Assert.True(report.Holds);
        Assert.Contains("YOU BROUGHT NO KEY", report.Warning);
        Assert.Contains(_log.Key.Fingerprint, report.Warning);
    }

    [Fact]
    public async Task Verify_ByAnotherKey_SaysThatItIsAnother()
    {
        Play();
        using var other = new TestLog();
        var failed = Assert.Single(EvidenceVerifier.Verify(await WriteAsync(), KeyTrust.Parse(other.Key.Public)).Sentences, sentence => !sentence.Holds);
        Assert.Equal("That key is the one that you brought.", failed.Text);
    }

    // Every fourth: with all of them this one test takes half a minute of a processor, and what a byte's neighbours say is in the same sentence.
    [Fact]
    public async Task Verify_BytesChangedAllOverTheFile_NamesASentenceThatFails()
    {
        Play();
        var file = await WriteAsync();
        Assert.True(EvidenceVerifier.Verify(file, KeyTrust.Nothing).Holds);
        for (var i = 0; i < file.Length; i += 4)
        {
            var flip = (byte)(1 << (i / 4 % 8));
            file[i] ^= flip;
            var report = EvidenceVerifier.Verify(file, KeyTrust.Nothing);
            Assert.True(
                report.Sentences.Any(sentence => !sentence.Holds && sentence.Why!.Length > 0),
                $"byte {i} xor {flip} passed, near {Encoding.UTF8.GetString(file, Math.Max(0, i - 30), Math.Min(60, file.Length - Math.Max(0, i - 30)))}");
            file[i] ^= flip;
        }
    }

    [Theory]
    [InlineData("fix the totals", "fix the Totals", "ann asked for orders-db/owner")]
    [InlineData("\"via\":\"cli\"", "\"via\":\"cla\"", "bob said yes")]
    [InlineData("approve: { workflow: owner }", "approve: { workflow: owned }", "The catalog's text (people.yaml, policies.yaml)")]
    [InlineData("stint.example.com/log\\n", "stint.example.com/lug\\n", "signed one head")]
    public async Task Verify_AWordChangedEverywhere_FailsTheSentenceThatSaysIt(string from, string to, string sentence)
    {
        Play();
        var text = Encoding.UTF8.GetString(await WriteAsync());
        Assert.Contains(from, text);
        var report = EvidenceVerifier.Verify(Encoding.UTF8.GetBytes(text.Replace(from, to, StringComparison.Ordinal)), KeyTrust.Nothing);
        Assert.Contains(report.Sentences, said => !said.Holds && said.Text.Contains(sentence, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("asking")]
    [InlineData("verdict")]
    [InlineData("policies")]
    [InlineData("approvals")]
    [InlineData("decisions")]
    [InlineData("grants")]
    [InlineData("sessions")]
    [InlineData("recordings")]
    public async Task Verify_ASectionThatSaysSomethingElse_IsTheOneThatFails(string section)
    {
        Play();
        var file = JsonNode.Parse(await WriteAsync())!.AsObject();
        file[section] = new JsonArray("something else");
        var report = EvidenceVerifier.Verify(Encode(file), KeyTrust.Nothing);
        Assert.StartsWith($"The section “{section}”", Assert.Single(report.Sentences, sentence => !sentence.Holds).Text);
    }

    [Fact]
    public async Task Verify_AMemberTooMany_IsRefused()
    {
        Play();
        var file = JsonNode.Parse(await WriteAsync())!.AsObject();
        file["zeal"] = 1;
        Assert.Contains("exactly the members", Assert.Single(EvidenceVerifier.Verify(Encode(file), KeyTrust.Nothing).Sentences).Why);
    }

    [Fact]
    public async Task Verify_AnotherRequestsName_FailsEveryFact()
    {
        Play();
        var report = EvidenceVerifier.Verify(await WriteAsync(request: "req-other"), KeyTrust.Nothing);
        Assert.Equal(_log.Facts.Count(About), report.Sentences.Count(sentence => sentence.Why == "it is not about req-other"));
    }

    [Fact]
    public async Task Verify_AYesToSomethingElse_DoesNotCount()
    {
        Play(saw: "e2e2e2e2e2e2e2e2");
        var report = EvidenceVerifier.Verify(await WriteAsync(), KeyTrust.Nothing);
        Assert.Equal(["the digests differ", "a yes is missing"], report.Sentences.Where(sentence => !sentence.Holds).Select(sentence => sentence.Why));
    }

    [Fact]
    public async Task Verify_AYesOfTheRequester_DoesNotCount()
    {
        Play(approver: "ann");
        Assert.Equal("a yes is missing", Assert.Single(EvidenceVerifier.Verify(await WriteAsync(), KeyTrust.Nothing).Sentences, sentence => !sentence.Holds).Why);
    }

    [Fact]
    public async Task Verify_AWindowLongerThanApproved_IsFound()
    {
        Play(minutes: 31);
        Assert.Equal(2, EvidenceVerifier.Verify(await WriteAsync(), KeyTrust.Nothing).Sentences.Count(sentence => sentence.Why == "its window is longer"));
    }

    [Theory]
    [InlineData(90, true)]
    [InlineData(91, false)]
    public async Task Verify_AnExtension_CountsFromTheEndOfTheGrantThatItJoins(int minutes, bool holds)
    {
        // The joined grant ends 60 minutes after the new one opens; 30 more were approved.
        Play(minutes: minutes, joins: true);
        var whole = EvidenceVerifier.Verify(await WriteAsync(also: "gr-0"), KeyTrust.Nothing);
        Assert.Equal(holds ? 0 : 2, whole.Sentences.Count(sentence => sentence.Why == "its window is longer"));
        Assert.Equal(holds, whole.Holds);

        var without = EvidenceVerifier.Verify(await WriteAsync(), KeyTrust.Nothing);
        Assert.True(without.Holds, Failed(without));
        Assert.Equal(2, without.Sentences.Count(sentence => sentence.Text.Contains("is not checked here", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Verify_AGrantOfAnotherRequestThatIsNotJoined_DoesNotBelong()
    {
        Play();
        Assert.Contains(EvidenceVerifier.Verify(await WriteAsync(also: "gr-other"), KeyTrust.Nothing).Sentences, sentence => sentence.Why == $"it is not about {Request}");
    }

    [Fact]
    public async Task Verify_TheAskingLeftOut_IsFound()
    {
        Play();
        var report = EvidenceVerifier.Verify(await WriteAsync(leaveOut: FactKinds.RequestAsked), KeyTrust.Nothing);
        Assert.Contains(report.Sentences, sentence => sentence.Why == "the asking is not here");
    }

    [Fact]
    public async Task Verify_TheApprovalLeftOut_IsFound()
    {
        Play();
        var report = EvidenceVerifier.Verify(await WriteAsync(leaveOut: FactKinds.ApprovalGiven), KeyTrust.Nothing);
        Assert.Equal("a yes is missing", Assert.Single(report.Sentences, sentence => !sentence.Holds).Why);
    }

    [Fact]
    public async Task Write_WithoutTheCatalogItRestsOn_IsRefused()
    {
        Play();
        await Assert.ThrowsAsync<FormatException>(() => WriteAsync(catalogs: []));
        Assert.Equal([Version], Evidence.CatalogsNeeded(_log.Facts.Where(About).Select(fact => fact.Body)));
    }

    [Fact]
    public async Task Write_FilesWithOtherLineEnds_GivesTheSameEvidence()
    {
        Play();
        var windows = new CatalogSource([.. Catalog.Files.Reverse().Select(file => file with { Text = file.Text.Replace("\n", "\r\n", StringComparison.Ordinal) })]);
        Assert.Equal(await WriteAsync(), await WriteAsync(catalogs: [windows]));
    }

    [Fact]
    public async Task Verify_WordsThatMoveATerminalsCursor_ComeOutPlain()
    {
        Play(reason: "a\u001b[2J\r\nb\u202ec");
        var report = EvidenceVerifier.Verify(await WriteAsync(), KeyTrust.Nothing);
        Assert.True(report.Holds, Failed(report));
        Assert.DoesNotContain(report.Sentences, sentence => sentence.Text.Any(code => code is '\u001b' or '\r' or '\n' or '\u202e'));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("{}\n")]
    [InlineData("[]\n")]
    [InlineData("null\n")]
    [InlineData("not json\n")]
    public void Verify_WhatIsNoEvidence_SaysSoInOneSentence(string text) =>
        Assert.False(Assert.Single(EvidenceVerifier.Verify(Encoding.UTF8.GetBytes(text), KeyTrust.Nothing).Sentences).Holds);

    private static byte[] Encode(JsonObject file) => [.. CanonicalJson.Bytes(file), (byte)'\n'];

    private static bool About(SealedFact fact) => FactBody.Parse(fact.Body).Text("request") == Request;

    private static string Failed(EvidenceReport report) =>
        string.Join('\n', report.Sentences.Where(sentence => !sentence.Holds).Select(sentence => $"{sentence.Number}. {sentence.Text} NO: {sentence.Why}"));

    private async Task<byte[]> WriteAsync(string request = Request, string? leaveOut = null, CatalogSource[]? catalogs = null, string also = "")
    {
        var head = _log.Heads[^1];
        var facts = new List<EvidenceFact>();
        foreach (var fact in _log.Facts.Where(fact => (About(fact) && fact.Kind != leaveOut) || FactBody.Parse(fact.Body).Text("grant") == also))
        {
            facts.Add(new EvidenceFact(fact.Body, await MerkleProofs.InclusionAsync(_log, fact.Seq, head.Head.Size, CancellationToken.None)));
        }

        return Evidence.Write(request, facts, head, _log.Key, catalogs ?? [Catalog]);
    }

    private void Play(string saw = "d1d1d1d1d1d1d1d1", string approver = "bob", int minutes = 30, string reason = "fix the totals", bool joins = false)
    {
        var ann = Actor.Person("ann");
        var at = TestLog.Noon;
        JsonNode Verdict() => new JsonObject
        {
            ["outcome"] = "needs_approval",
            ["decided_by"] = new JsonArray("production-owner"),
            ["distinct"] = false,
            ["trace"] = new JsonArray(new JsonObject { ["rule"] = "production-owner", ["outcome"] = "decided", ["because"] = "it matched" }),
            ["steps"] = new JsonArray(new JsonObject { ["name"] = "owners", ["from_step"] = "owners", ["need"] = 1, ["approvers"] = new JsonArray("bob", "cyd") }),
        };
        void Write(string kind, Actor actor, params (string Name, FactValue? Value)[] fields)
        {
            var fact = new Fact(kind, at = at.AddSeconds(7), actor) { ["request"] = Request };
            foreach (var (name, value) in fields)
            {
                fact[name] = value;
            }

            _log.Append(fact);
            _log.Append(new Fact(FactKinds.GrantOpened, at, Actor.Keeper) { ["grant"] = "gr-other", ["request"] = "req-another" });
        }

        var (from, until) = (at.AddMinutes(1), at.AddMinutes(1 + minutes));
        if (joins)
        {
            _log.Append(new Fact(FactKinds.GrantOpened, at, Actor.Keeper) { ["grant"] = "gr-0", ["request"] = "req-0", ["not_before"] = at, ["not_after"] = from.AddMinutes(60) });
        }

        Write(FactKinds.RequestAsked, ann, ("extends", joins ? "gr-0" : null), ("subject", "ann"), ("role", "orders-db/owner"), ("for_seconds", 3600), ("reason", reason), ("ticket", "INC-7"), ("catalog", Version), ("verdict", Verdict()), ("digest", "d1d1d1d1d1d1d1d1"));
        Write(FactKinds.ApprovalGiven, Actor.Person(approver), ("by", approver), ("yes", true), ("saw", saw), ("shortened_to_seconds", 1800), ("via", "cli"));
        Write(FactKinds.RequestApproved, Actor.Person(approver), ("by_rule", false), ("for_seconds", 1800));
        Write(FactKinds.GrantReady, Actor.Person(approver), ("grant", "gr-1"));
        Write(FactKinds.GrantOpening, ann, ("grant", "gr-1"), ("not_before", from), ("not_after", until), ("verdict", Verdict()), ("catalog", Version));
        Write(FactKinds.AssignmentAdded, Actor.Keeper, ("grant", "gr-1"), ("assignment", "as-1"), ("account", "stint_ann_x"));
        Write(FactKinds.GrantOpened, Actor.Keeper, ("grant", "gr-1"), ("not_before", from), ("not_after", until));
        Write(FactKinds.SessionStarted, ann, ("grant", "gr-1"), ("session", "ses-1"), ("from", "10.0.0.7"));
        Write(FactKinds.SessionEnded, Actor.Gateway, ("grant", "gr-1"), ("session", "ses-1"), ("reason", "expired"), ("recording", string.Concat(Enumerable.Repeat("ab", 32))), ("records", 9), ("statements", 3), ("file", "2026/ses-1.rec"), ("bytes", 1234));
        Write(FactKinds.GrantClosing, Actor.Keeper, ("grant", "gr-1"), ("reason", "expired"));
        Write(FactKinds.GrantClosed, Actor.Keeper, ("grant", "gr-1"), ("reason", "expired"), ("late_ms", 2));
        _log.Sign();
    }
}
