using System.Text;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Stint.Core.Audit;
using Xunit;

namespace Stint.Tests.Audit;

public class FactTests
{
    private static readonly DateTimeOffset At = new DateTimeOffset(2026, 11, 22, 14, 0, 0, TimeSpan.FromHours(1)).AddTicks(1234567);

    [Fact]
    public void Seal_AFact_WritesCanonicalBytesThatReadBack()
    {
        var fact = new Fact(FactKinds.RequestAsked, At, Actor.Person("ann"))
        {
            ["role"] = "orders-db/read-only",
            ["request"] = "req-1",
            ["for_seconds"] = 1800,
            ["ticket"] = null,
            ["yes"] = true,
            ["approvers"] = new[] { "bob", "cyd" },
            ["start_at"] = At,
            ["verdict"] = new JsonObject { ["trace"] = new JsonArray(new JsonObject { ["rule"] = "r", ["index"] = 1 }), ["outcome"] = "allow" },
        };

        var written = fact.Seal(12);

        Assert.Equal(
            """
            {"actor":"person:ann","at":"2026-11-22T13:00:00.123456Z","fields":{"approvers":["bob","cyd"],"for_seconds":1800,"request":"req-1","role":"orders-db/read-only","start_at":"2026-11-22T13:00:00.123456Z","ticket":null,"verdict":{"outcome":"allow","trace":[{"index":1,"rule":"r"}]},"yes":true},"kind":"RequestAsked","seq":12}
            """,
            written.Body);
        Assert.Equal(Merkle.LeafHash(Encoding.UTF8.GetBytes(written.Body)), written.LeafHash);
        var body = FactBody.Parse(written.Body);
        Assert.Equal((12L, "RequestAsked", written.At, "person:ann"), (body.Seq, body.Kind, body.At, body.Actor));
        Assert.Equal(("req-1", 1800L, true), (body.Text("request"), body.Number("for_seconds"), body.Flag("yes")));
        Assert.Null(body.Text("absent"));
        Assert.Null(body.Number("request"));
        Assert.Empty(fact.Unclassified);
    }

    [Fact]
    public void Seal_AnUnclassifiedField_NeverWritesItsValue()
    {
        var fact = new Fact(FactKinds.CredentialMinted, At, Actor.Person("ann"))
        {
            ["password"] = "hunter2",
            ["grant"] = "gr-1",
            ["token_count"] = 42_424_242,
            ["verdict"] = new JsonObject
            {
                ["trace"] = new JsonArray(new JsonObject { ["rule"] = "r", ["canary"] = new JsonObject { ["rule"] = "hunter2" } }),
                ["secret_value"] = "hunter2",
            },
        };

        var body = fact.Seal(0).Body;

        Assert.DoesNotContain("hunter2", body);
        Assert.DoesNotContain("42424242", body);
        Assert.Contains("\"password\":\"[secret]\"", body);
        Assert.Contains("\"canary\":\"[secret]\"", body);
        Assert.Contains("\"rule\":\"r\"", body);
        Assert.Equal(["password", "token_count"], fact.Unclassified);
    }

    [Fact]
    public void FieldClasses_OfAnythingNotInTheTable_IsSecret()
    {
        Assert.Equal(FieldClass.Secret, FieldClasses.Of("password"));
        Assert.Equal(FieldClass.Secret, FieldClasses.Of("Request"));
        Assert.Equal(FieldClass.Personal, FieldClasses.Of("reason"));
        Assert.Equal(FieldClass.Public, FieldClasses.Of("request"));
        Assert.DoesNotContain(FieldClass.Secret, FieldClasses.All.Values);
    }

    [Fact]
    public void FieldClasses_EveryName_IsOneThatAFactTakes()
    {
        var fact = new Fact(FactKinds.ServerStarted, At, Actor.Server);
        foreach (var name in FieldClasses.All.Keys)
        {
            Assert.Matches("^[a-z][a-z0-9_]*$", name);
            fact[name] = "x";
        }

        Assert.Empty(fact.Unclassified);
        Assert.DoesNotContain(FieldClasses.Withheld, fact.Seal(0).Body);
    }

    [Fact]
    public void FieldClasses_EveryNameInAKindsDescription_IsClassified()
    {
        // The kinds' comments are where writers of facts look up field names; what they name must not be withheld.
        string[] named =
        [
            "request", "subject", "role", "for_seconds", "opening", "start_at", "reason", "ticket", "extends", "catalog", "verdict", "digest", "lapses_at",
            "by_rule", "yes", "saw", "comment", "shortened_to_seconds", "via", "grant", "joins", "not_before", "not_after", "assignment", "late_ms", "account",
            "until", "attempts", "error", "login", "session", "from", "application", "record", "node", "file", "recording", "records", "bytes", "statements",
            "note", "bytes_in", "bytes_out", "files", "previous", "resource", "drift", "version", "roles", "key", "name", "size", "format",
        ];
        Assert.DoesNotContain(named, name => FieldClasses.Of(name) == FieldClass.Secret);
    }

    [Fact]
    public void Seal_ATextOfAnyCharacters_ReadsBackAsItWas() => Prop.ForAll(
        ArbMap.Default.ArbFor<string>(),
        text =>
        {
            text ??= "";
            var written = new Fact(FactKinds.RequestAsked, At, Actor.Operator) { ["reason"] = text, ["note"] = new JsonObject { ["reason"] = text } }.Seal(3);
            var whole = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
            var body = FactBody.Parse(written.Body);
            Assert.Equal(whole, body.Text("reason"));
            Assert.Equal(whole, body.Find("note")!.Value.GetProperty("reason").GetString());
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Seal_ABodyTooLong_SaysSo()
    {
        var fact = new Fact(FactKinds.RequestAsked, At, Actor.Person("ann")) { ["reason"] = new string('x', Fact.MaxBodyBytes) };
        var thrown = Assert.Throws<FactTooLargeException>(() => fact.Seal(0));
        Assert.Contains("RequestAsked", thrown.Message);
        var long1 = new Fact(FactKinds.RequestAsked, At, Actor.Person("ann")) { ["reason"] = new string('x', Fact.MaxBodyBytes - 200) }.Seal(0);
        Assert.Equal(0, FactBody.Parse(long1.Body).Seq);
    }

    [Theory]
    [InlineData("")]
    [InlineData("requestAsked")]
    [InlineData("Request Asked")]
    [InlineData("RequestAsked\n")]
    public void Fact_OfAKindThatIsNoName_IsRefused(string kind) =>
        Assert.Throws<ArgumentException>(() => new Fact(kind, At, Actor.Keeper));

    [Theory]
    [InlineData("")]
    [InlineData("Role")]
    [InlineData("a b")]
    [InlineData("a\n")]
    [InlineData("1a")]
    public void Fact_FieldThatIsNoName_IsRefused(string field) =>
        Assert.Throws<ArgumentException>(() => new Fact(FactKinds.GrantOpened, At, Actor.Keeper) { [field] = 1 });

    [Fact]
    public void Fact_WithoutAnActor_IsRefused() =>
        Assert.Throws<InvalidOperationException>(() => new Fact(FactKinds.GrantOpened, At, default));

    [Fact]
    public void Fact_NestedValueChangedLater_KeepsWhatItWasGiven()
    {
        var node = new JsonObject { ["rule"] = "before" };
        var fact = new Fact(FactKinds.AskRefused, At, Actor.Person("ann")) { ["verdict"] = node };
        node["rule"] = "after";
        Assert.Contains("before", fact.Seal(0).Body);
    }

    [Theory]
    [InlineData("""{"actor":"a:b","at":"2026-11-22T13:00:00.123456Z","fields":{},"kind":"K","seq":0,"zeal":1}""")]
    [InlineData("""{"actor":"a:b","at":"2026-11-22T13:00:00.123456Z","fields":{},"kind":"K"}""")]
    [InlineData("""{"actor":"a:b","at":"2026-11-22T13:00:00Z","fields":{},"kind":"K","seq":0}""")]
    [InlineData("""{"actor":"a:b","at":"2026-11-22T13:00:00.123456Z","fields":[],"kind":"K","seq":0}""")]
    [InlineData("""{"actor":"a:b","at":"2026-11-22T13:00:00.123456Z","fields":{},"kind":"K","seq":-1}""")]
    [InlineData("""{"actor": "a:b","at":"2026-11-22T13:00:00.123456Z","fields":{},"kind":"K","seq":0}""")]
    [InlineData("[]")]
    public void Parse_WhatIsNoBody_IsRefused(string text) => Assert.Throws<FormatException>(() => FactBody.Parse(text));
}
