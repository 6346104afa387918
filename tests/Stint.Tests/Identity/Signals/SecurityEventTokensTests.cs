using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Stint.Server.Identity;
using Stint.Server.Identity.Signals;
using Xunit;

namespace Stint.Tests.Identity.Signals;

/// <summary>Security event tokens as those show them who want to be taken for the transmitter.</summary>
public sealed class SecurityEventTokensTests
{
    private const string Header = """{"alg":"RS256","typ":"secevent+jwt","kid":"rsa-1"}""";

    private static readonly DateTimeOffset Start = new(2026, 11, 22, 9, 0, 0, TimeSpan.Zero);

    private static SecurityEventTokens Believing(TestIssuer issuer, ManualTime? time = null) => new(
        new Transmitters([new Transmitter(new Issuer { Name = "idp", Preset = IssuerPreset.Oidc, Url = issuer.Url, Audience = TestIssuer.Audience, TellsOfEvents = true }, issuer.Url)]),
        time ?? new ManualTime(Start),
        NullLogger<SecurityEventTokens>.Instance);

    /// <summary>What a token says that is taken.</summary>
    internal static JsonObject Claims(TestIssuer issuer, DateTimeOffset now, string kind, JsonObject? subject, params (string Name, JsonNode? Value)[] other)
    {
        var claims = new JsonObject
        {
            ["iss"] = issuer.Url,
            ["aud"] = TestIssuer.Audience,
            ["iat"] = now.ToUnixTimeSeconds(),
            ["jti"] = Guid.CreateVersion7().ToString(),
            ["events"] = new JsonObject { ["https://schemas.openid.net/secevent/" + kind] = new JsonObject { ["event_timestamp"] = now.ToUnixTimeSeconds() } },
        };
        if (subject is not null)
        {
            claims["sub_id"] = subject;
        }

        foreach (var (name, value) in other)
        {
            claims.Remove(name);
            if (value is not null)
            {
                claims[name] = value.DeepClone();
            }
        }

        return claims;
    }

    internal static string Sign(TestIssuer issuer, JsonObject claims, string id = "rsa-1") =>
        issuer.Sign(claims.ToJsonString(), id, Header.Replace("rsa-1", id, StringComparison.Ordinal).Replace("RS256", id[0] == 'e' ? "ES256" : "RS256", StringComparison.Ordinal));

    private static JsonObject Claims(TestIssuer issuer, params (string Name, JsonNode? Value)[] other) =>
        Claims(issuer, Start, "caep/event-type/session-revoked", new JsonObject { ["format"] = "email", ["email"] = "ann@example.com" }, other);

    [Theory]
    [InlineData("rsa-1")]
    [InlineData("ec-1")]
    public async Task Verify_ItsOwn_IsTaken_AlsoAmongOtherAudiences(string key)
    {
        await using var issuer = new TestIssuer();
        using var tokens = Believing(issuer);
        var one = Assert.IsType<SecurityEventToken.Verified>(await tokens.VerifyAsync(Sign(issuer, Claims(issuer), key), default));
        Assert.Equal("ann@example.com", one.Subject.GetProperty("email").GetString());
        var other = Assert.IsType<SecurityEventToken.Verified>(await tokens.VerifyAsync(Sign(issuer, Claims(issuer, ("aud", new JsonArray("https://other.example.com", TestIssuer.Audience))), key), default));
        Assert.NotEqual(one.Mark, other.Mark);
    }

    [Fact]
    public async Task Verify_WhatIsNotForUs_NotFresh_OrSaysNothing_IsRefusedInItsWord()
    {
        await using var issuer = new TestIssuer();
        var time = new ManualTime(Start);
        using var tokens = Believing(issuer, time);
        (string Error, string Token)[] wrong =
        [
            ("invalid_issuer", Sign(issuer, Claims(issuer, ("iss", issuer.Url + "/")))),
            ("invalid_issuer", Sign(issuer, Claims(issuer, ("iss", null)))),
            ("invalid_audience", Sign(issuer, Claims(issuer, ("aud", "https://other.example.com")))),
            ("invalid_audience", Sign(issuer, Claims(issuer, ("aud", null)))),
            ("invalid_audience", Sign(issuer, Claims(issuer, ("aud", new JsonArray())))),
            ("invalid_request", Sign(issuer, Claims(issuer, ("iat", null)))),
            ("invalid_request", Sign(issuer, Claims(issuer, ("iat", Start.AddMinutes(2).ToUnixTimeSeconds())))),
            ("invalid_request", Sign(issuer, Claims(issuer, ("iat", Start.AddDays(-8).ToUnixTimeSeconds())))),
            ("invalid_request", Sign(issuer, Claims(issuer, ("exp", Start.AddMinutes(-5).ToUnixTimeSeconds())))),
            ("invalid_request", Sign(issuer, Claims(issuer, ("exp", "never")))),
            ("invalid_request", Sign(issuer, Claims(issuer, ("jti", null)))),
            ("invalid_request", Sign(issuer, Claims(issuer, ("jti", "")))),
            ("invalid_request", Sign(issuer, Claims(issuer, ("events", null)))),
            ("invalid_request", Sign(issuer, Claims(issuer, ("events", new JsonObject())))),
            ("invalid_request", Sign(issuer, Claims(issuer, ("events", new JsonObject { ["https://schemas.openid.net/secevent/caep/event-type/session-revoked"] = "yes" })))),
            ("invalid_request", Sign(issuer, Claims(issuer, ("sub_id", "ann")))),
            ("invalid_request", ""),
            ("invalid_request", "a.b"),
            ("invalid_request", Sign(issuer, Claims(issuer, ("padding", new string('x', SecurityEventTokens.Longest))))),
            ("invalid_request", issuer.Sign($$"""{"iss":"{{issuer.Url}}","iss":"{{issuer.Url}}"}""", header: Header)),
        ];
        foreach (var (error, token) in wrong)
        {
            Assert.Equal(error, Assert.IsType<SecurityEventToken.Wrong>(await tokens.VerifyAsync(token, default)).Error);
        }
    }

    [Fact]
    public async Task Verify_WhatAnotherSigned_OrIsAnotherKindOfToken_IsRefused()
    {
        await using var issuer = new TestIssuer();
        await using var stranger = new TestIssuer();
        using var tokens = Believing(issuer);
        var claims = Claims(issuer).ToJsonString();
        var good = Sign(issuer, Claims(issuer));
        var pem = Encoding.ASCII.GetBytes(issuer.Rsa("rsa-1").ExportSubjectPublicKeyInfoPem());
        (string Error, string Token)[] wrong =
        [
            // The types of other tokens of the same issuer, and none.
            ("invalid_request", issuer.Sign(claims)),
            ("invalid_request", issuer.Sign(claims, header: """{"alg":"RS256","kid":"rsa-1"}""")),
            ("invalid_request", issuer.Sign(claims, header: """{"alg":"RS256","typ":"logout+jwt","kid":"rsa-1"}""")),
            ("invalid_request", issuer.Sign(claims, header: """{"alg":"RS256","typ":"secevent+jwt","kid":"rsa-1","crit":["x"],"x":1}""")),

            // No signature, one with the public key as a secret, one of another, one of a key that the token brings along.
            ("invalid_request", TestIssuer.Join("""{"alg":"none","typ":"secevent+jwt"}""", claims, _ => [])),
            ("invalid_key", TestIssuer.Join("""{"alg":"none","typ":"secevent+jwt"}""", claims, _ => [1])),
            ("invalid_key", TestIssuer.Join("""{"alg":"HS256","typ":"secevent+jwt","kid":"rsa-1"}""", claims, text => HMACSHA256.HashData(pem, text))),
            ("invalid_key", stranger.Sign(claims, header: Header)),
            ("invalid_key", stranger.Sign(claims, header: $$"""{"alg":"RS256","typ":"secevent+jwt","kid":"other","jku":"{{stranger.Url}}/keys"}""")),
            ("invalid_key", issuer.Sign(claims, header: """{"alg":"ES256","typ":"secevent+jwt","kid":"rsa-1"}""")),
            ("invalid_key", good[..^8] + new string(good[^1] == 'A' ? 'B' : 'A', 8)),
            ("invalid_key", $"{good[..good.IndexOf('.', StringComparison.Ordinal)]}.{Sign(issuer, Claims(issuer)).Split('.')[1]}.{good.Split('.')[2]}"),
        ];
        foreach (var (error, token) in wrong)
        {
            Assert.Equal(error, Assert.IsType<SecurityEventToken.Wrong>(await tokens.VerifyAsync(token, default)).Error);
        }
    }

    [Fact]
    public async Task Verify_WithoutItsKeys_SaysThatNobodyCanTell()
    {
        await using var issuer = new TestIssuer { Down = true };
        using var tokens = Believing(issuer);
        await Assert.ThrowsAsync<KeysUnknownException>(() => tokens.VerifyAsync(Sign(issuer, Claims(issuer)), default));
    }

    [Fact]
    public void Discovery_OfATransmitter_StandsBeforeItsPath()
    {
        var issuer = new Issuer { Name = "idp", Preset = IssuerPreset.Oidc, Url = "https://tr.example.com/tenant/1/", Audience = "a" };
        Assert.Equal("https://tr.example.com/tenant/1/.well-known/openid-configuration", issuer.Discovery.ToString());
        Assert.Equal("https://tr.example.com/.well-known/ssf-configuration/tenant/1", (issuer with { TellsOfEvents = true }).Discovery.ToString());
    }
}
