using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.WebUtilities;
using Stint.Server.Identity.Providers;
using Xunit;

namespace Stint.Tests.Identity;

/// <summary>A provider as OpenID Connect has it, on a port of loopback: it holds every code against what was asked for, and lies only where a test has it lie.</summary>
internal sealed class TestProvider : IAsyncDisposable
{
    public const string ClientId = "stint:test";
    public const string ClientSecret = "a secret of a client, & more +";

    private readonly HttpListener _listener = new();
    private readonly Task _serving;
    private readonly TimeProvider _time;
    private readonly Dictionary<string, Asked> _codes = [];
    private readonly List<(string Name, JsonNode? Value)> _claims = [];

    public TestProvider(TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            Url = $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}";
        }

        _listener.Prefixes.Add(Url + "/");
        _listener.Start();
        _serving = Task.Run(ServeAsync);
    }

    private sealed record Asked(string Challenge, string Redirect, string? Nonce);

    public string Url { get; }

    /// <summary>What it signs with, and where its keys are.</summary>
    public TestIssuer Keys { get; } = new();

    /// <summary>How often each of its addresses was asked.</summary>
    public Dictionary<string, int> Calls { get; } = [];

    /// <summary>What its discovery document says otherwise; null leaves it out.</summary>
    public Dictionary<string, JsonNode?> Says { get; } = [];

    /// <summary>What it answers at an address in place of what it would: a status and a body.</summary>
    public Dictionary<string, (int Status, string Body)> Instead { get; } = [];

    /// <summary>Makes the ID token of its claims; null for as it should be.</summary>
    public Func<JsonObject, string>? Sign { get; set; }

    /// <summary>The access token that it gives.</summary>
    public string AccessToken { get; } = "at_" + Convert.ToHexString(RandomNumberGenerator.GetBytes(16));

    /// <summary>Whether it is GitHub, which gives no ID token and says 200 to everything.</summary>
    public bool GitHub { get; set; }

    /// <summary>Whether it sends the ID token's <c>at_hash</c> for another access token.</summary>
    public bool OtherHash { get; set; }

    /// <summary>What its ID tokens say otherwise; null leaves a claim out.</summary>
    public TestProvider Claiming(params (string Name, JsonNode? Value)[] claims)
    {
        _claims.RemoveAll(one => claims.Any(other => other.Name == one.Name));
        _claims.AddRange(claims);
        return this;
    }

    /// <summary>Says of a claim what it should again.</summary>
    public void Forget(string name) => _claims.RemoveAll(one => one.Name == name);

    /// <summary>How a node knows it.</summary>
    public Provider Provider(string name = "acme", ProviderPreset preset = ProviderPreset.Oidc) => new()
    {
        Name = name,
        Label = "Acme",
        Preset = preset,
        Issuer = Url,
        ClientId = ClientId,
        ClientSecret = ClientSecret,
        Scopes = ["openid", "profile", "email"],
        Person = "preferred_username",
        LoopbackHttp = true,
    };

    /// <summary>The settings of a node that knows it.</summary>
    public (string Name, string Value)[] Settings(string name = "acme", params (string Name, string Value)[] more) =>
    [
        .. new (string, string)[] { ("ISSUER", Url), ("LABEL", $"The {name}"), ("CLIENT_ID", ClientId), ("CLIENT_SECRET_ENV", "ACME_SECRET"), ("LOOPBACK_HTTP", "true") }.Concat(more)
            .Select(one => ($"STINT_IDENTITY__PROVIDERS__{name.ToUpperInvariant()}__{one.Item1}", one.Item2)),
        ("ACME_SECRET", ClientSecret),
    ];

    /// <summary>Somebody goes where they were sent, and says yes.</summary>
    /// <returns>What their browser brings back.</returns>
    public Dictionary<string, string> Agree(string to)
    {
        Assert.StartsWith($"{Url}{(GitHub ? "/login/oauth" : "")}/authorize?", to, StringComparison.Ordinal);
        var query = QueryHelpers.ParseQuery(new Uri(to).Query);
        Assert.Equal(("code", ClientId, "S256"), (query["response_type"].ToString(), query["client_id"].ToString(), query["code_challenge_method"].ToString()));
        var code = "code_" + Convert.ToHexString(RandomNumberGenerator.GetBytes(8));
        _codes[code] = new Asked(query["code_challenge"].ToString(), query["redirect_uri"].ToString(), query.TryGetValue("nonce", out var nonce) ? nonce.ToString() : null);
        var back = new Dictionary<string, string> { ["code"] = code, ["state"] = query["state"].ToString() };
        if (Says.GetValueOrDefault("authorization_response_iss_parameter_supported")?.GetValue<bool>() == true)
        {
            back["iss"] = Url;
        }

        return back;
    }

    /// <summary>A logout token, as the protocol has it unless told otherwise.</summary>
    public string LogoutToken(string? header = null, params (string Name, JsonNode? Value)[] other) => Keys.Sign(
        With(
            new JsonObject
            {
                ["iss"] = Url,
                ["aud"] = ClientId,
                ["iat"] = _time.GetUtcNow().ToUnixTimeSeconds(),
                ["exp"] = _time.GetUtcNow().AddMinutes(2).ToUnixTimeSeconds(),
                ["jti"] = Guid.CreateVersion7().ToString(),
                ["sub"] = "u-1",
                ["events"] = new JsonObject { ["http://schemas.openid.net/event/backchannel-logout"] = new JsonObject() },
            },
            other).ToJsonString(),
        header: header ?? """{"alg":"RS256","typ":"logout+jwt","kid":"rsa-1"}""");

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _serving;
        await Keys.DisposeAsync();
    }

    private static JsonObject With(JsonObject claims, IEnumerable<(string Name, JsonNode? Value)> other)
    {
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

    private async Task ServeAsync()
    {
        while (true)
        {
            HttpListenerContext call;
            try
            {
                call = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            var path = call.Request.Url!.AbsolutePath;
            Calls[path] = Calls.GetValueOrDefault(path) + 1;
            using var reader = new StreamReader(call.Request.InputStream);
            var form = QueryHelpers.ParseQuery(await reader.ReadToEndAsync()).ToDictionary(one => one.Key, one => one.Value.ToString());
            var (status, body) = Instead.TryGetValue(path, out var instead) ? instead : path switch
            {
                "/.well-known/openid-configuration" => (200, Discovery()),
                "/token" => Token(form, call.Request.Headers["Authorization"]),
                "/login/oauth/access_token" => (200, Token(form, call.Request.Headers["Authorization"]).Body),
                _ => (404, "{}"),
            };
            try
            {
                if (status is 302)
                {
                    call.Response.RedirectLocation = body;
                }

                call.Response.StatusCode = status;
                await call.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(body));
                call.Response.Close();
            }
            catch (Exception e) when (e is HttpListenerException or IOException or ObjectDisposedException)
            {
                // Whoever does not want to hear all of it hangs up.
            }
        }
    }

    private string Discovery() => With(
        new JsonObject
        {
            ["issuer"] = Url,
            ["authorization_endpoint"] = Url + "/authorize",
            ["token_endpoint"] = Url + "/token",
            ["jwks_uri"] = Keys.Url + "/keys",
            ["userinfo_endpoint"] = Url + "/userinfo",
            ["end_session_endpoint"] = Url + "/end",
        },
        Says.Select(one => (one.Key, one.Value))).ToJsonString();

    private (int Status, string Body) Token(Dictionary<string, string> form, string? authorization)
    {
        var basic = "Basic " + Convert.ToBase64String(Encoding.ASCII.GetBytes("stint%3Atest:a+secret+of+a+client%2C+%26+more+%2B"));
        if (form.TryGetValue("client_secret", out var secret) ? form["client_id"] != ClientId || secret != ClientSecret || authorization is not null : authorization != basic)
        {
            return (401, """{"error":"invalid_client"}""");
        }

        if (!_codes.Remove(form.GetValueOrDefault("code") ?? "", out var asked) || asked.Redirect != form["redirect_uri"] || form["grant_type"] != "authorization_code"
            || asked.Challenge != Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"]))))
        {
            return (400, """{"error":"invalid_grant"}""");
        }

        if (GitHub)
        {
            return (200, JsonSerializer.Serialize(new { access_token = AccessToken, token_type = "bearer", scope = "read:user" }));
        }

        var now = _time.GetUtcNow();
        var claims = With(
            new JsonObject
            {
                ["iss"] = Url,
                ["aud"] = ClientId,
                ["sub"] = "u-1",
                ["sid"] = "s-1",
                ["nonce"] = asked.Nonce,
                ["iat"] = now.ToUnixTimeSeconds(),
                ["exp"] = now.AddMinutes(5).ToUnixTimeSeconds(),
                ["auth_time"] = now.AddMinutes(-20).ToUnixTimeSeconds(),
                ["acr"] = "urn:acme:mfa",
                ["preferred_username"] = "ann",
                ["email"] = "ann@example.com",
                ["email_verified"] = true,
                ["at_hash"] = IdToken.HashOf(OtherHash ? "other" : AccessToken, "RS256"),
            },
            _claims);
        return (200, JsonSerializer.Serialize(new { access_token = AccessToken, token_type = "bearer", expires_in = 300, id_token = Sign is { } sign ? sign(claims) : Keys.Sign(claims.ToJsonString()) }));
    }
}
