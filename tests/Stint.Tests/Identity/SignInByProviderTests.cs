using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Primitives;
using Stint.Core;
using Stint.Server;
using Stint.Server.Catalog;
using Stint.Server.Identity;
using Stint.Server.Identity.Providers;
using Stint.Server.Store;
using Xunit;

namespace Stint.Tests.Identity;

/// <summary>Answers of a provider as those bring them who want to be somebody else.</summary>
public sealed class SignInByProviderTests
{
    private const string Redirect = "https://stint.example.com/sign-in/acme/callback";

    private static readonly string Catalog = World.Catalog
        .Replace("  ann: {}", "  ann: { mail: ann@example.com }", StringComparison.Ordinal)
        .Replace("  bob: {}", "  bob: { mail: two@example.com }", StringComparison.Ordinal)
        .Replace("  carol: {}", "  carol: { mail: two@example.com }", StringComparison.Ordinal)
        .Replace("  dave: {}", "  dave: { disabled: true, mail: dave@example.com }", StringComparison.Ordinal)
        .Replace("auditors: [dave]", "auditors: [eve]", StringComparison.Ordinal);

    /// <summary>This server, a provider that it knows, and a browser between them.</summary>
    private sealed class Scene : IAsyncDisposable
    {
        private readonly World _world;
        private readonly List<ProviderLink> _links = [];

        private Scene(World world) => (_world, Provider) = (world, new TestProvider(world.Time));

        public TestProvider Provider { get; }

        public ManualTime Time => _world.Time;

        public ProviderLink Link { get; private set; } = null!;

        public SignInByProvider SignIn { get; private set; } = null!;

        public static async Task<Scene> NewAsync(Func<Provider, Provider>? other = null)
        {
            var world = await World.NewAsync(Catalog);
            var scene = new Scene(world)
            {
                SignIn = new SignInByProvider(world.Get<StintStore>(), world.Get<CurrentCatalog>(), world.Get<IdSource>(), new WebSessionLimits(TimeSpan.FromHours(12), TimeSpan.FromDays(7)), world.Time, NullLogger<SignInByProvider>.Instance),
            };
            scene.Link = scene.LinkTo((other ?? (same => same))(scene.Provider.Provider()));
            return scene;
        }

        public ProviderLink LinkTo(Provider provider)
        {
            var link = new ProviderLink(provider, Time, NullLogger.Instance);
            _links.Add(link);
            return link;
        }

        public Task<(string To, ProviderFlow Flow)> StartAsync(string? session = null) => SignIn.StartAsync(Link, Redirect, "/account", session, CancellationToken.None);

        public Task<ProviderOutcome> FinishAsync(ProviderFlow? flow, Dictionary<string, string> back, ProviderLink? link = null) =>
            SignIn.FinishAsync(link ?? Link, flow, back.Select(one => new KeyValuePair<string, StringValues>(one.Key, one.Value)), Redirect, CancellationToken.None);

        /// <summary>Goes there and comes back.</summary>
        public async Task<ProviderOutcome> GoAsync(string? session = null)
        {
            var (to, flow) = await StartAsync(session);
            return await FinishAsync(flow, Provider.Agree(to));
        }

        public async Task<SignIn> ProvedAsync(string? session = null) => Assert.IsType<ProviderOutcome.Proved>(await GoAsync(session)).How;

        public async Task RefusedAsync(string says = "does not hold") => Refused(await GoAsync(), says);

        public static void Refused(ProviderOutcome outcome, string says) => Assert.Contains(says, Assert.IsType<ProviderOutcome.Refused>(outcome).Say, StringComparison.Ordinal);

        public async ValueTask DisposeAsync()
        {
            _links.ForEach(link => link.Dispose());
            await Provider.DisposeAsync();
            await _world.DisposeAsync();
        }
    }

    [Fact]
    public async Task Answer_AsItShouldBe_SaysWhoTheyAre()
    {
        await using var scene = await Scene.NewAsync();
        var (to, flow) = await scene.StartAsync();
        var query = QueryHelpers.ParseQuery(new Uri(to).Query).ToDictionary(one => one.Key, one => one.Value.ToString());
        Assert.Equal((flow.State, flow.Nonce, flow.Challenge, Redirect, "openid profile email", "604800"), (query["state"], query["nonce"], query["code_challenge"], query["redirect_uri"], query["scope"], query["max_age"]));
        Assert.DoesNotContain(flow.Verifier, to, StringComparison.Ordinal);
        Assert.Equal(3, new HashSet<string> { flow.State, flow.Nonce, flow.Verifier }.Count);
        Assert.Equal(
            new SignIn(new SubjectId("ann"), "oidc:acme", scene.Time.GetUtcNow().AddMinutes(-20), "acme", "u-1", "s-1", "urn:acme:mfa"),
            Assert.IsType<ProviderOutcome.Proved>(await scene.FinishAsync(flow, scene.Provider.Agree(to))).How);

        // Elliptic curves, the secret in a form, and a token that does not say when.
        scene.Provider.Says["token_endpoint_auth_methods_supported"] = new JsonArray("client_secret_post", "private_key_jwt");
        scene.Provider.Sign = claims => scene.Provider.Keys.Sign(claims.ToJsonString(), "ec-1");
        scene.Provider.Claiming(("auth_time", null), ("sid", null), ("acr", null));
        scene.Time.Advance(ProviderLink.FreshFor);
        Assert.Equal(new SignIn(new SubjectId("ann"), "oidc:acme", DateTimeOffset.UnixEpoch, "acme", "u-1"), await scene.ProvedAsync());
    }

    [Fact]
    public async Task Token_ForSomebodyElseOrAnotherTime_IsRefused()
    {
        await using var scene = await Scene.NewAsync();
        var now = scene.Time.GetUtcNow();
        foreach (var (name, value) in new (string Name, JsonNode? Value)[]
        {
            ("iss", "https://evil.example.com"), ("iss", scene.Provider.Url + "/"), ("iss", null), ("iss", new JsonArray(scene.Provider.Url)),
            ("aud", "another-client"), ("aud", null), ("aud", new JsonArray(TestProvider.ClientId, "another-client")), ("azp", "another-client"), ("azp", 7),
            ("nonce", "another"), ("nonce", null), ("nonce", ""), ("sub", null), ("sub", ""), ("sub", 7), ("sub", new string('x', 256)),
            ("exp", null), ("exp", now.AddSeconds(-31).ToUnixTimeSeconds()), ("exp", "9999999999"),
            ("iat", null), ("iat", now.AddMinutes(-10).ToUnixTimeSeconds()), ("iat", now.AddSeconds(31).ToUnixTimeSeconds()), ("nbf", now.AddMinutes(2).ToUnixTimeSeconds()), ("nbf", "tomorrow"),
            ("at_hash", "another"),
        })
        {
            scene.Provider.Claiming((name, value));
            Assert.True(await scene.GoAsync() is ProviderOutcome.Refused { Status: 403 } refused && refused.Say.Contains("does not hold", StringComparison.Ordinal), $"{name} {value?.ToJsonString()}");
            scene.Provider.Forget(name);
        }

        // When they proved themselves is not known where it cannot be read.
        foreach (var value in (JsonNode?[])[0, "yesterday", -1, 1e300])
        {
            scene.Provider.Claiming(("auth_time", value));
            Assert.Equal(DateTimeOffset.UnixEpoch, (await scene.ProvedAsync()).At);
        }

        // Its access token is another one than that which the ID token came with.
        scene.Provider.OtherHash = true;
        await scene.RefusedAsync();
    }

    [Fact]
    public async Task Token_SignedOtherwise_IsRefused()
    {
        await using var scene = await Scene.NewAsync();
        await using var other = new TestIssuer();
        Assert.Equal("ann", (await scene.ProvedAsync()).Person.Value);
        var own = scene.Provider.Keys;
        var secrets = (byte[][])[Encoding.UTF8.GetBytes(own.Rsa("rsa-1").ExportSubjectPublicKeyInfoPem()), own.Rsa("rsa-1").ExportParameters(false).Modulus!, Encoding.UTF8.GetBytes(TestProvider.ClientSecret)];
        foreach (var sign in (Func<string, string>[])
        [
            claims => TestIssuer.Join("""{"alg":"none"}""", claims, _ => []),
            claims => TestIssuer.Join("""{"alg":"none","kid":"rsa-1"}""", claims, _ => [1]),
            claims => TestIssuer.Join("""{"alg":"NoNe","kid":"rsa-1"}""", claims, _ => [1]),
            claims => own.Sign(claims)[..^40] + ".",
            .. secrets.Select(secret => (Func<string, string>)(claims => TestIssuer.Join("""{"alg":"HS256","typ":"JWT","kid":"rsa-1"}""", claims, text => HMACSHA256.HashData(secret, text)))),

            // Somebody else's key under the same name, the name of another, no name where there are two, and a key that the token brings along.
            claims => other.Sign(claims),
            claims => own.Sign(claims, header: """{"alg":"RS256","kid":"ec-1"}"""),
            claims => own.Sign(claims, header: """{"alg":"RS256","kid":"rsa-9"}"""),
            claims => own.Sign(claims, header: """{"alg":"RS256"}"""),
            claims => other.Sign(claims, header: $$"""{"alg":"RS256","kid":"rsa-1","jku":"{{other.Url}}/keys"}"""),
            claims => own.Sign(claims, header: """{"alg":"RS256","kid":"rsa-1","crit":["exp"]}"""),
            claims => own.Sign(claims, header: """{"alg":"RS256","kid":"rsa-1","typ":"logout+jwt"}"""),
            claims => own.Sign(claims[..^1] + ",\"sub\":\"u-2\"}"),
            claims => own.Sign(claims.Replace("ann", "root", StringComparison.Ordinal)).Split('.') is [_, var body, _] && own.Sign(claims).Split('.') is [var head, _, var signature] ? $"{head}.{body}.{signature}" : "",
            claims => own.Sign(claims[..^1] + $",\"padding\":\"{new string('x', SignedJwt.Longest)}\"}}"),
            _ => "",
        ])
        {
            scene.Provider.Sign = claims => sign(claims.ToJsonString());
            await scene.RefusedAsync();
        }
    }

    [Fact]
    public async Task Keys_Rotated_TheNewCountsAtOnce_AndTheOldNoLonger()
    {
        await using var scene = await Scene.NewAsync();
        await scene.ProvedAsync();
        var old = scene.Provider.Keys.Rsa("rsa-1");
        scene.Provider.Keys.Remove("rsa-1");
        scene.Provider.Keys.Add("rsa-2", "RS256");
        scene.Provider.Sign = claims => scene.Provider.Keys.Sign(claims.ToJsonString(), "rsa-2");
        scene.Time.Advance(IssuerKeys.Pause);
        await scene.ProvedAsync();
        Assert.Equal(2, scene.Provider.Keys.Asked);
        scene.Provider.Sign = claims => TestIssuer.Join("""{"alg":"RS256","kid":"rsa-1"}""", claims.ToJsonString(), text => old.SignData(text, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        await scene.RefusedAsync();
        await scene.RefusedAsync();
        Assert.Equal(2, scene.Provider.Keys.Asked);
    }

    [Fact]
    public async Task Attributes_AreWhatTheTableNames_WhereTheyAreTexts()
    {
        await using var scene = await Scene.NewAsync(provider => provider with { Attributes = new Dictionary<string, string> { ["site"] = "office", ["level"] = "https://acme.example/level" } });
        async Task<Dictionary<string, string>> SaidAsync(params (string, JsonNode?)[] claims)
        {
            scene.Provider.Claiming(claims);
            return Assert.IsType<ProviderOutcome.Proved>(await scene.GoAsync()).Attributes.ToDictionary();
        }

        // What the table does not name is nothing, not even under the names that attributes have here.
        Assert.Equal(
            new() { ["site"] = "berlin", ["level"] = "3" },
            await SaidAsync(("office", "berlin"), ("https://acme.example/level", "3"), ("site", "rome"), ("level", "9"), ("admin", "true"), ("attributes", new JsonObject { ["site"] = "rome" })));

        // What is no text of a decent length is not there, and nothing of it is taken.
        foreach (var odd in (JsonNode?[])[3, true, new JsonArray("berlin"), new JsonObject { ["is"] = "berlin" }, "", new string('b', 201), "berlin\nparis", "ber\u0000lin", "ber\u202elin"])
        {
            Assert.Equal(new() { ["level"] = "3" }, await SaidAsync(("office", odd)));
        }

        // What the token lacks is asked for beside it, and what stands in the token is not said otherwise there.
        scene.Provider.Instead["/userinfo"] = (200, """{"sub":"u-1","office":"paris","https://acme.example/level":"9"}""");
        Assert.Equal(new() { ["site"] = "paris", ["level"] = "3" }, await SaidAsync(("office", null)));
        scene.Provider.Instead["/userinfo"] = (200, """{"sub":"u-2","office":"paris"}""");
        await scene.RefusedAsync();
    }

    [Fact]
    public async Task Answer_ToAnotherAskingOrTwice_IsRefused()
    {
        await using var scene = await Scene.NewAsync();
        var (to, flow) = await scene.StartAsync();
        var (_, other) = await scene.StartAsync();
        var back = scene.Provider.Agree(to);

        // No cookie, another browser's cookie, another state, none, and one that goes on.
        Scene.Refused(await scene.FinishAsync(null, back), "was not sent there from here");
        Scene.Refused(await scene.FinishAsync(other, back), "was not sent there from here");
        Scene.Refused(await scene.FinishAsync(flow, new(back) { ["state"] = "x" }), "was not sent there from here");
        Scene.Refused(await scene.FinishAsync(flow, new(back) { ["state"] = flow.State + "x" }), "was not sent there from here");
        Scene.Refused(await scene.FinishAsync(flow, new(back) { ["state"] = "" }), "was not sent there from here");
        back.Remove("state");
        Scene.Refused(await scene.FinishAsync(flow, back), "was not sent there from here");
        back["state"] = flow.State;

        // Parts that stand twice, of which one is looked at here and the other there.
        Scene.Refused(await scene.SignIn.FinishAsync(scene.Link, flow, [new("state", flow.State), new("code", new StringValues(["x", back["code"]]))], Redirect, CancellationToken.None), "does not hold");
        Assert.False(scene.Provider.Calls.ContainsKey("/token"));

        // The code is bound to what was kept of the browser, and to where it was sent back to.
        Scene.Refused(await scene.FinishAsync(flow with { Verifier = other.Verifier }, scene.Provider.Agree(to)), "did not take the code");
        Scene.Refused(await scene.SignIn.FinishAsync(scene.Link, flow, scene.Provider.Agree(to).Select(one => new KeyValuePair<string, StringValues>(one.Key, one.Value)), "https://evil.example.com/", CancellationToken.None), "did not take the code");

        // Once, and not again.
        Assert.IsType<ProviderOutcome.Proved>(await scene.FinishAsync(flow, back));
        Scene.Refused(await scene.FinishAsync(flow, back), "did not take the code");
        Scene.Refused(await scene.FinishAsync(flow, new() { ["state"] = flow.State, ["error"] = "access_denied", ["error_description"] = "<b>call 555-0100</b>" }), "did not let you through: access_denied.");
        Scene.Refused(await scene.FinishAsync(flow, new() { ["state"] = flow.State, ["error"] = "<b>call 555-0100</b>" }), "no readable error");
        Scene.Refused(await scene.FinishAsync(flow, new() { ["state"] = flow.State }), "does not hold");
        Scene.Refused(await scene.FinishAsync(flow, new() { ["state"] = flow.State, ["id_token"] = "x", ["access_token"] = "y" }), "does not hold");
    }

    [Fact]
    public async Task Answer_OfAnotherProvider_IsRefused_AndItsCodeGoesNowhere()
    {
        await using var scene = await Scene.NewAsync();
        await using var evil = new TestProvider(scene.Time);
        var evilLink = scene.LinkTo(evil.Provider("evil"));

        // Somebody begins at the one and is brought back as from the other, in both directions.
        var (to, flow) = await scene.StartAsync();
        Scene.Refused(await scene.FinishAsync(flow, scene.Provider.Agree(to), evilLink), "was not sent there from here");
        var (evilTo, evilFlow) = await scene.SignIn.StartAsync(evilLink, Redirect, "/", null, CancellationToken.None);
        Scene.Refused(await scene.FinishAsync(evilFlow, evil.Agree(evilTo)), "was not sent there from here");
        Assert.False(scene.Provider.Calls.ContainsKey("/token") || evil.Calls.ContainsKey("/token"));

        // The other says that it is the first; its tokens say so as well.
        evil.Claiming(("iss", scene.Provider.Url));
        Scene.Refused(await scene.FinishAsync(evilFlow, evil.Agree(evilTo), evilLink), "does not hold");
        evil.Says["issuer"] = scene.Provider.Url;
        scene.Time.Advance(ProviderLink.FreshFor);
        evil.Claiming(("iss", evil.Url));
        await Assert.ThrowsAsync<ProviderAwayException>(() => scene.SignIn.StartAsync(scene.LinkTo(evil.Provider("evil")), Redirect, "/", null, CancellationToken.None));

        // A provider whose answers name it (RFC 9207): one that names none, or another, is somebody else's.
        scene.Provider.Says["authorization_response_iss_parameter_supported"] = true;
        scene.Time.Advance(ProviderLink.FreshFor);
        (to, flow) = await scene.StartAsync();
        var back = scene.Provider.Agree(to);
        Scene.Refused(await scene.FinishAsync(flow, new(back) { ["iss"] = evil.Url }), "does not hold");
        Scene.Refused(await scene.FinishAsync(flow, back.Where(one => one.Key != "iss").ToDictionary()), "does not hold");
        Scene.Refused(await scene.FinishAsync(flow, new() { ["state"] = flow.State, ["error"] = "access_denied" }), "does not hold");
        Assert.IsType<ProviderOutcome.Proved>(await scene.FinishAsync(flow, back));
    }

    [Fact]
    public async Task Provider_ThatLiesOrIsAway_LetsNobodyIn()
    {
        await using var scene = await Scene.NewAsync();
        foreach (var (name, value) in new (string, JsonNode?)[]
        {
            ("issuer", "https://evil.example.com"), ("issuer", null), ("token_endpoint", "http://evil.example.com/token"), ("token_endpoint", null), ("authorization_endpoint", "javascript:alert(1)"),
            ("jwks_uri", "file:///etc/passwd"), ("jwks_uri", null), ("userinfo_endpoint", "http://169.254.169.254/"), ("token_endpoint_auth_methods_supported", new JsonArray("none")),
        })
        {
            scene.Provider.Says[name] = value;
            await Assert.ThrowsAsync<ProviderAwayException>(() => scene.StartAsync());
            scene.Provider.Says.Remove(name);
            scene.Time.Advance(ProviderLink.Pause);
        }

        // Asked again and again, it is asked once in a while.
        scene.Provider.Instead["/.well-known/openid-configuration"] = (200, new string(' ', 300 << 10));
        var asked = scene.Provider.Calls["/.well-known/openid-configuration"];
        await Assert.ThrowsAsync<ProviderAwayException>(() => scene.StartAsync());
        await Assert.ThrowsAsync<ProviderAwayException>(() => scene.StartAsync());
        Assert.Equal(asked + 1, scene.Provider.Calls["/.well-known/openid-configuration"]);
        scene.Provider.Instead.Clear();
        scene.Time.Advance(ProviderLink.Pause);
        await scene.ProvedAsync();

        foreach (var (status, body) in new[] { (302, "https://evil.example.com/"), (500, "{}"), (200, "<html>"), (200, "[]"), (200, """{"token_type":"mac","id_token":"x"}"""), (200, $$"""{"token_type":"Bearer","padding":"{{new string('x', 300 << 10)}}"}""") })
        {
            scene.Provider.Instead["/token"] = (status, body);
            Scene.Refused(await scene.GoAsync(), "does not answer");
        }

        scene.Provider.Instead["/token"] = (200, """{"token_type":"Bearer","access_token":"x"}""");
        await scene.RefusedAsync();
        scene.Provider.Instead.Clear();

        // What is away counts by what it said before; its tokens need its keys.
        scene.Provider.Instead["/.well-known/openid-configuration"] = (503, "");
        scene.Time.Advance(ProviderLink.FreshFor);
        Assert.StartsWith(scene.Provider.Url, (await scene.StartAsync()).To, StringComparison.Ordinal);
        scene.Provider.Keys.Down = true;
        Scene.Refused(await scene.GoAsync(), "does not answer");
    }

    [Theory]
    [InlineData("preferred_username", "nobody", null)]
    [InlineData("preferred_username", "dave", null)]
    [InlineData("preferred_username", "ANN", null)]
    [InlineData("preferred_username", "ann ", null)]
    [InlineData("preferred_username", "workload:ann", null)]
    [InlineData("preferred_username", "ann@example.com", null)]
    [InlineData("email", "ann@example.com", "ann")]
    [InlineData("email", "Ann@Example.com", "ann")]
    [InlineData("email", "two@example.com", null)]
    [InlineData("email", "dave@example.com", null)]
    [InlineData("email", "eve", "eve")]
    [InlineData("upn", "bob", "bob")]
    public async Task Name_OfTheCatalog_IsOneOrNone(string claim, string value, string? person)
    {
        await using var scene = await Scene.NewAsync(provider => provider with { Person = claim });
        scene.Provider.Claiming((claim, value));
        if (person is null)
        {
            Assert.IsType<ProviderOutcome.Refused>(await scene.GoAsync());
        }
        else
        {
            Assert.Equal(person, (await scene.ProvedAsync()).Person.Value);
        }
    }

    [Fact]
    public async Task Account_OfOthers_DoesNotComeIn()
    {
        await using (var scene = await Scene.NewAsync(provider => provider with { Person = "email" }))
        {
            foreach (var value in (JsonNode?[])[false, null, "no", 1])
            {
                scene.Provider.Claiming(("email_verified", value));
                await scene.RefusedAsync("nobody verified");
            }

            scene.Provider.Claiming(("email_verified", "true"), ("email", null));
            scene.Provider.Instead["/userinfo"] = (200, """{"sub":"u-2","email":"ann@example.com","email_verified":true}""");
            await scene.RefusedAsync();

            // Beside the token, about the same.
            scene.Provider.Instead["/userinfo"] = (200, """{"sub":"u-1","email":"ann@example.com","email_verified":true}""");
            Assert.Equal("ann", (await scene.ProvedAsync()).Person.Value);
            scene.Provider.Instead["/userinfo"] = (200, """{"sub":"u-1","email":"ann@example.com","email_verified":false}""");
            await scene.RefusedAsync("nobody verified");
        }

        await using (var google = await Scene.NewAsync(provider => provider with { Preset = ProviderPreset.Google, Person = "email", Domains = ["example.com"] }))
        {
            Assert.Equal("example.com", QueryHelpers.ParseQuery(new Uri((await google.StartAsync()).To).Query)["hd"]);
            await google.RefusedAsync("of a domain that may not come in");
            google.Provider.Claiming(("hd", "evil.example.com"));
            await google.RefusedAsync("of a domain that may not come in");
            google.Provider.Claiming(("hd", "example.com"));
            Assert.Equal("ann", (await google.ProvedAsync()).Person.Value);
        }

        const string Tenant = "2b2b1c2e-0000-4000-8000-1a2b3c4d5e6f";
        await using var entra = await Scene.NewAsync(provider => provider with { Preset = ProviderPreset.Entra, Tenant = Tenant, Domains = ["example.com"] });
        entra.Provider.Claiming(("preferred_username", "Ann@example.com"));
        await entra.RefusedAsync();
        entra.Provider.Claiming(("tid", "99999999-0000-4000-8000-1a2b3c4d5e6f"));
        await entra.RefusedAsync();
        entra.Provider.Claiming(("tid", Tenant));
        Assert.Equal("ann", (await entra.ProvedAsync()).Person.Value);
        entra.Provider.Claiming(("preferred_username", "ann@other.example.com"));
        await entra.RefusedAsync("of a domain that may not come in");
    }

    [Fact]
    public async Task FreshProof_IsOneThatWasGivenSinceItWasAskedFor()
    {
        await using var scene = await Scene.NewAsync(provider => provider with { AcrValues = ["urn:acme:mfa", "urn:acme:key"], AmrValues = ["hwk"] });
        var (to, flow) = await scene.StartAsync("si-1");
        var query = QueryHelpers.ParseQuery(new Uri(to).Query).ToDictionary(one => one.Key, one => one.Value.ToString());
        Assert.Equal(("login", "300", "urn:acme:mfa urn:acme:key"), (query["prompt"], query["max_age"], query["acr_values"]));
        Assert.True(flow.Fresh);

        // Who takes the asking out of the address comes back with the proof of twenty minutes ago, or of none.
        Scene.Refused(await scene.GoAsync("si-1"), "does not hold");
        scene.Provider.Claiming(("auth_time", null));
        Scene.Refused(await scene.GoAsync("si-1"), "does not hold");
        scene.Provider.Claiming(("auth_time", scene.Time.GetUtcNow().AddMinutes(5).ToUnixTimeSeconds()));
        Scene.Refused(await scene.GoAsync("si-1"), "does not hold");
        scene.Provider.Claiming(("auth_time", scene.Time.GetUtcNow().AddSeconds(-5).ToUnixTimeSeconds()));
        Scene.Refused(await scene.GoAsync("si-1"), "does not hold");
        scene.Provider.Claiming(("amr", new JsonArray("pwd")));
        Scene.Refused(await scene.GoAsync("si-1"), "does not hold");
        scene.Provider.Claiming(("amr", new JsonArray("pwd", "hwk")), ("acr", "urn:acme:password"));
        Scene.Refused(await scene.GoAsync("si-1"), "does not hold");
        scene.Provider.Claiming(("acr", "urn:acme:key"));
        Assert.Equal(("urn:acme:key", scene.Time.GetUtcNow()), (await scene.ProvedAsync("si-1") is var how ? (how.Acr, how.At) : default));
    }

    [Fact]
    public async Task GitHub_SaysWhoTheyAre_AndWhetherTheyAreMembers()
    {
        await using var scene = await Scene.NewAsync(provider => provider with { Preset = ProviderPreset.GitHub, Person = "login", Organization = "acme", Scopes = ["read:user", "read:org"] });
        var hub = scene.Provider;
        hub.GitHub = true;
        hub.Instead["/api/v3/user"] = (200, """{"id":4711,"login":"Ann"}""");
        hub.Instead["/api/v3/user/memberships/orgs/acme"] = (200, """{"state":"active","organization":{"login":"Acme"}}""");
        var (to, flow) = await scene.StartAsync();
        Assert.StartsWith($"{hub.Url}/login/oauth/authorize?", to, StringComparison.Ordinal);
        Assert.False(QueryHelpers.ParseQuery(new Uri(to).Query).ContainsKey("nonce"));
        Assert.Equal(new SignIn(new SubjectId("ann"), "github:acme", DateTimeOffset.UnixEpoch, "acme", "4711"), Assert.IsType<ProviderOutcome.Proved>(await scene.FinishAsync(flow, hub.Agree(to))).How);

        // A used code is refused with 200.
        Scene.Refused(await scene.FinishAsync(flow, new() { ["state"] = flow.State, ["code"] = "used" }), "did not take the code");
        foreach (var membership in new[] { (404, "{}"), (403, "{}"), (200, """{"state":"pending","organization":{"login":"acme"}}"""), (200, """{"state":"active","organization":{"login":"evil"}}"""), (200, "[]") })
        {
            hub.Instead["/api/v3/user/memberships/orgs/acme"] = membership;
            await scene.RefusedAsync("no member of acme");
        }

        await using var mails = await Scene.NewAsync(provider => provider with { Preset = ProviderPreset.GitHub, Person = "email" });
        mails.Provider.GitHub = true;
        mails.Provider.Instead["/api/v3/user"] = (200, """{"id":4711,"login":"mallory"}""");
        foreach (var list in new[] { """[{"email":"ann@example.com","primary":true,"verified":false}]""", """[{"email":"ann@example.com","primary":false,"verified":true}]""", "[]", "{}" })
        {
            mails.Provider.Instead["/api/v3/user/emails"] = (200, list);
            Assert.IsType<ProviderOutcome.Refused>(await mails.GoAsync());
        }

        mails.Provider.Instead["/api/v3/user/emails"] = (200, """[{"email":"m@example.com","primary":false,"verified":true},{"email":"ann@example.com","primary":true,"verified":true}]""");
        Assert.Equal("ann", (await mails.ProvedAsync()).Person.Value);
    }
}
