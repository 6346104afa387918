using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Stint.Server.Identity;
using Xunit;

namespace Stint.Tests.Identity;

/// <summary>Tokens of a platform as those show them who want to come in without being a job.</summary>
public sealed class PlatformTokensTests
{
    private static readonly DateTimeOffset Start = new(2026, 11, 22, 9, 0, 0, TimeSpan.Zero);

    private static (PlatformTokens Tokens, ManualTime Time) Believing(params Issuer[] issuers)
    {
        var time = new ManualTime(Start);
        return (new PlatformTokens(new Issuers(issuers), time, NullLogger<PlatformTokens>.Instance), time);
    }

    private static Issuer Of(TestIssuer issuer, string name = "ci") => new() { Name = name, Preset = IssuerPreset.Oidc, Url = issuer.Url, Audience = TestIssuer.Audience };

    private static async Task RefusedAsync(PlatformTokens tokens, string token, string why)
    {
        var wrong = Assert.IsType<PlatformToken.Wrong>(await tokens.VerifyAsync(token, CancellationToken.None));
        Assert.Contains(why, wrong.Why, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rsa-1")]
    [InlineData("ec-1")]
    public async Task Verify_ItsOwn_SaysWhatItSays(string key)
    {
        await using var issuer = new TestIssuer();
        var (tokens, _) = Believing(Of(issuer));
        using var held = tokens;
        var verified = Assert.IsType<PlatformToken.Verified>(await tokens.VerifyAsync(issuer.Sign(issuer.Claims(Start, ("deep", new JsonObject { ["er"] = 7 })).ToJsonString(), key), CancellationToken.None));
        Assert.Equal(("acme/shop", "7"), (verified.Claims["repository"], verified.Claims["deep.er"]));
    }

    [Fact]
    public async Task Verify_OtherIssuerAudienceOrTime_IsRefused()
    {
        await using var issuer = new TestIssuer();
        var (tokens, time) = Believing(Of(issuer));
        using var held = tokens;
        await RefusedAsync(tokens, issuer.Token(Start, ("iss", issuer.Url + "/")), "issuer");
        await RefusedAsync(tokens, issuer.Token(Start, ("iss", issuer.Url.ToUpperInvariant())), "issuer");
        await RefusedAsync(tokens, issuer.Token(Start, ("iss", null)), "issuer");
        await RefusedAsync(tokens, issuer.Token(Start, ("iss", new JsonArray(issuer.Url))), "issuer");
        await RefusedAsync(tokens, issuer.Token(Start, ("aud", "https://stint.example.com/")), "audience");
        await RefusedAsync(tokens, issuer.Token(Start, ("aud", "https://other.example.com")), "audience");
        await RefusedAsync(tokens, issuer.Token(Start, ("aud", new JsonArray(TestIssuer.Audience, "https://other.example.com"))), "audience");
        await RefusedAsync(tokens, issuer.Token(Start, ("aud", null)), "audience");
        await RefusedAsync(tokens, issuer.Token(Start, ("exp", null)), "until when");
        await RefusedAsync(tokens, issuer.Token(Start, ("exp", "9999999999")), "until when");
        await RefusedAsync(tokens, issuer.Token(Start, ("exp", 1e300)), "until when");
        await RefusedAsync(tokens, issuer.Token(Start, ("exp", Start.AddDays(400).ToUnixTimeSeconds())), "longer than");
        await RefusedAsync(tokens, issuer.Token(Start, ("nbf", Start.AddMinutes(2).ToUnixTimeSeconds())), "not count yet");
        await RefusedAsync(tokens, issuer.Token(Start, ("nbf", "tomorrow")), "readable");

        var token = issuer.Token(Start);
        time.Advance(TimeSpan.FromMinutes(5) + SignedJwt.Skew - TimeSpan.FromSeconds(1));
        Assert.IsType<PlatformToken.Verified>(await tokens.VerifyAsync(token, CancellationToken.None));
        time.Advance(TimeSpan.FromSeconds(1));
        await RefusedAsync(tokens, token, "no longer");
        Assert.IsType<PlatformToken.Verified>(await tokens.VerifyAsync(issuer.Token(time.GetUtcNow(), ("aud", new JsonArray(TestIssuer.Audience))), CancellationToken.None));
    }

    [Fact]
    public async Task Verify_SignedOtherwise_IsRefused()
    {
        await using var issuer = new TestIssuer();
        await using var other = new TestIssuer();
        var (tokens, _) = Believing(Of(issuer), Of(other, "other"));
        using var held = tokens;
        var claims = issuer.Claims(Start).ToJsonString();

        // Nobody's signature, in all the spellings of none.
        foreach (var none in (string[])["none", "None", "NONE", ""])
        {
            await RefusedAsync(tokens, TestIssuer.Join($$"""{"alg":"{{none}}","kid":"rsa-1"}""", claims, _ => [1]), "algorithm");
        }

        await RefusedAsync(tokens, issuer.Sign(claims)[..^400] + ".", "not a signed JWT");

        // The public key as the secret of an HMAC.
        foreach (var secret in (byte[][])[Encoding.UTF8.GetBytes(issuer.Rsa("rsa-1").ExportSubjectPublicKeyInfoPem()), issuer.Rsa("rsa-1").ExportSubjectPublicKeyInfo(), issuer.Rsa("rsa-1").ExportParameters(false).Modulus!])
        {
            await RefusedAsync(tokens, TestIssuer.Join("""{"alg":"HS256","typ":"JWT","kid":"rsa-1"}""", claims, text => HMACSHA256.HashData(secret, text)), "algorithm");
        }

        // Another issuer's key of the same name, one that nobody has, and the name of one with the signature of the other.
        await RefusedAsync(tokens, other.Sign(claims), "not signed with a key of its issuer");
        await RefusedAsync(tokens, issuer.Sign(claims, header: """{"alg":"RS256","kid":"rsa-9"}"""), "not signed with a key of its issuer");
        await RefusedAsync(tokens, issuer.Sign(claims, header: """{"alg":"RS256","kid":"ec-1"}"""), "not signed with a key of its issuer");
        await RefusedAsync(tokens, issuer.Sign(claims, header: """{"alg":"PS256","kid":"rsa-1"}"""), "not signed with a key of its issuer");
        await RefusedAsync(tokens, issuer.Sign(claims, header: """{"alg":"RS256"}"""), "not signed with a key of its issuer");

        // A key that the token brings along, or says where to get.
        var own = issuer.Rsa("rsa-1").ExportParameters(false);
        using var mine = RSA.Create(2048);
        await RefusedAsync(
            tokens,
            TestIssuer.Join($$"""{"alg":"RS256","kid":"rsa-1","jku":"{{other.Url}}/keys","jwk":{"kty":"RSA"} }""", claims, text => mine.SignData(text, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)),
            "not signed with a key of its issuer");
        Assert.NotNull(own.Modulus);

        // What has to be understood, and other kinds of tokens.
        await RefusedAsync(tokens, issuer.Sign(claims, header: """{"alg":"RS256","kid":"rsa-1","crit":["exp"]}"""), "another kind");
        await RefusedAsync(tokens, issuer.Sign(claims, header: """{"alg":"RS256","kid":"rsa-1","typ":"logout+jwt"}"""), "another kind");

        // A changed word, and one that stands twice.
        var parts = issuer.Sign(claims).Split('.');
        await RefusedAsync(tokens, $"{parts[0]}.{issuer.Sign(claims.Replace("acme/shop", "acme/bank", StringComparison.Ordinal)).Split('.')[1]}.{parts[2]}", "not signed with a key of its issuer");
        await RefusedAsync(tokens, issuer.Sign(claims[..^1] + ",\"repository\":\"acme/bank\"}"), "not a signed JWT");
        await RefusedAsync(tokens, issuer.Sign("[]"), "not a signed JWT");
        await RefusedAsync(tokens, issuer.Sign("{\"a.b\":\"1\",\"a\":{\"b\":\"2\"}," + claims[1..]), "same thing twice");
    }

    [Fact]
    public async Task Verify_Huge_IsRefusedBeforeItIsRead()
    {
        await using var issuer = new TestIssuer();
        var (tokens, _) = Believing(Of(issuer));
        using var held = tokens;
        await RefusedAsync(tokens, issuer.Token(Start, ("padding", new string('x', SignedJwt.Longest))), "longer than one that is looked at");
        await RefusedAsync(tokens, string.Join('.', Enumerable.Repeat("e30", 4)), "not a signed JWT");
        await RefusedAsync(tokens, "", "not a signed JWT");
        await RefusedAsync(tokens, "stp_" + new string('x', 43), "not a signed JWT");
        var deep = string.Concat(Enumerable.Repeat("{\"a\":", 2_000)) + "1" + new string('}', 2_000);
        await RefusedAsync(tokens, issuer.Sign(deep), "not a signed JWT");
        Assert.Equal(0, issuer.Asked);
    }

    [Fact]
    public async Task Keys_Rotated_TheOldCountsNoLonger_AndNobodyMakesUsAskOften()
    {
        await using var issuer = new TestIssuer();
        var (tokens, time) = Believing(Of(issuer));
        using var held = tokens;
        Assert.IsType<PlatformToken.Verified>(await tokens.VerifyAsync(issuer.Token(time.GetUtcNow()), CancellationToken.None));
        var old = issuer.Rsa("rsa-1");
        issuer.Remove("rsa-1");
        issuer.Add("rsa-2", "RS256");

        // Nobody has such a key: asked for once, and then not again for a while, however many come.
        time.Advance(IssuerKeys.Pause);
        for (var i = 0; i < 20; i++)
        {
            await RefusedAsync(tokens, issuer.Sign(issuer.Claims(time.GetUtcNow()).ToJsonString(), "rsa-2", $$"""{"alg":"RS256","kid":"nobody-{{i}}"}"""), "not signed");
        }

        Assert.Equal(2, issuer.Asked);
        Assert.IsType<PlatformToken.Verified>(await tokens.VerifyAsync(issuer.Sign(issuer.Claims(time.GetUtcNow()).ToJsonString(), "rsa-2"), CancellationToken.None));
        Assert.Equal(2, issuer.Asked);
        await RefusedAsync(
            tokens,
            TestIssuer.Join("""{"alg":"RS256","kid":"rsa-1"}""", issuer.Claims(time.GetUtcNow()).ToJsonString(), text => old.SignData(text, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)),
            "not signed");

        // The issuer is down: what is known counts for an hour, and then nothing does.
        issuer.Down = true;
        time.Advance(IssuerKeys.StaleFor - TimeSpan.FromMinutes(1));
        Assert.IsType<PlatformToken.Verified>(await tokens.VerifyAsync(issuer.Sign(issuer.Claims(time.GetUtcNow()).ToJsonString(), "rsa-2"), CancellationToken.None));
        time.Advance(TimeSpan.FromMinutes(2));
        await Assert.ThrowsAsync<KeysUnknownException>(() => tokens.VerifyAsync(issuer.Sign(issuer.Claims(time.GetUtcNow()).ToJsonString(), "rsa-2"), CancellationToken.None));
        issuer.Down = false;
        time.Advance(IssuerKeys.Pause);
        Assert.IsType<PlatformToken.Verified>(await tokens.VerifyAsync(issuer.Sign(issuer.Claims(time.GetUtcNow()).ToJsonString(), "rsa-2"), CancellationToken.None));
    }

    [Fact]
    public async Task Keys_Elsewhere_AreNotFollowed()
    {
        await using var issuer = new TestIssuer();
        await using var inside = new TestIssuer();
        foreach (var wrong in (Action[])[() => issuer.RedirectTo = inside.Url + "/keys", () => issuer.KeysAt = inside.Url + "/keys", () => issuer.KeysAt = "file:///etc/passwd", () => issuer.Instead = new string(' ', 1 << 20), () => issuer.Instead = """{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"rsa-1"}]}"""])
        {
            (issuer.RedirectTo, issuer.KeysAt, issuer.Instead) = (null, null, null);
            wrong();
            var (tokens, _) = Believing(Of(issuer));
            using var held = tokens;
            await Assert.ThrowsAsync<KeysUnknownException>(() => tokens.VerifyAsync(issuer.Token(Start), CancellationToken.None));
        }

        Assert.Equal(0, inside.Asked);
    }

    [Fact]
    public async Task Spiffe_ByItsTrustDomain_FromABundleFile()
    {
        await using var issuer = new TestIssuer();
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, issuer.KeySet().Replace("\"use\":\"sig\"", "\"use\":\"jwt-svid\"", StringComparison.Ordinal));
        var (tokens, _) = Believing(new Issuer { Name = "mesh", Preset = IssuerPreset.Spiffe, TrustDomain = "example.org", Audience = TestIssuer.Audience, KeysFile = file });
        using var held = tokens;
        var verified = Assert.IsType<PlatformToken.Verified>(await tokens.VerifyAsync(issuer.Token(Start, ("iss", null), ("sub", "spiffe://example.org/ns/shop/sa/deploy")), CancellationToken.None));
        Assert.Equal("mesh", verified.Issuer.Name);
        await RefusedAsync(tokens, issuer.Token(Start, ("iss", null), ("sub", "spiffe://example.org.evil.com/ns/shop/sa/deploy")), "issuer");
        File.Delete(file);
    }
}
