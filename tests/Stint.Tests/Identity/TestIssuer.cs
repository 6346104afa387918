using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Stint.Tests.Identity;

/// <summary>An issuer of tokens as platforms run one: its own keys, its discovery document and its key set on a port of loopback.</summary>
internal sealed class TestIssuer : IAsyncDisposable
{
    public const string Audience = "https://stint.example.com";

    // Making one takes longer than most tests; of two issuers that run at once, each has its own.
    private static readonly ConcurrentBag<RSA> s_free = [];

    private readonly HttpListener _listener = new();
    private readonly Task _serving;
    private readonly Dictionary<string, (string Alg, AsymmetricAlgorithm Key)> _keys = [];

    public TestIssuer()
    {
        using (var probe = new TcpListener(IPAddress.Loopback, 0))
        {
            probe.Start();
            Url = $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}";
        }

        _listener.Prefixes.Add(Url + "/");
        _listener.Start();
        _serving = Task.Run(ServeAsync);
        Add("rsa-1", "RS256");
        Add("ec-1", "ES256");
    }

    public string Url { get; }

    /// <summary>How often it was asked for its keys.</summary>
    public int Asked { get; private set; }

    /// <summary>Where its discovery document says that its keys are; null for where they are.</summary>
    public string? KeysAt { get; set; }

    /// <summary>Answers each call for keys with a redirect to there; null for an answer.</summary>
    public string? RedirectTo { get; set; }

    /// <summary>What it answers in place of its keys; null for those.</summary>
    public string? Instead { get; set; }

    /// <summary>Whether it answers nothing but errors.</summary>
    public bool Down { get; set; }

    public void Add(string id, string alg) => _keys[id] = (alg, alg[0] == 'E' ? ECDsa.Create(ECCurve.NamedCurves.nistP256) : s_free.TryTake(out var rsa) ? rsa : RSA.Create(2048));

    public void Remove(string id) => _keys.Remove(id);

    public RSA Rsa(string id) => (RSA)_keys[id].Key;

    /// <summary>The settings of a node that believes it.</summary>
    public (string Name, string Value)[] Settings(params (string Name, string Value)[] more) =>
    [
        ("STINT_IDENTITY__ISSUERS__CI__ISSUER", Url), ("STINT_IDENTITY__ISSUERS__CI__AUDIENCE", Audience), ("STINT_IDENTITY__ISSUERS__CI__LOOPBACK_HTTP", "true"),
        .. more,
    ];

    /// <summary>What a token says that lets in.</summary>
    public JsonObject Claims(DateTimeOffset now, params (string Name, JsonNode? Value)[] other)
    {
        var claims = new JsonObject
        {
            ["iss"] = Url,
            ["aud"] = Audience,
            ["sub"] = "repo:acme/shop:environment:production",
            ["repository"] = "acme/shop",
            ["ref"] = "refs/heads/main",
            ["environment"] = "production",
            ["workflow"] = "deploy",
            ["run_id"] = "4711",
            ["jti"] = Guid.CreateVersion7().ToString(),
            ["iat"] = now.ToUnixTimeSeconds(),
            ["nbf"] = now.ToUnixTimeSeconds(),
            ["exp"] = now.AddMinutes(5).ToUnixTimeSeconds(),
        };
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

    public string Token(DateTimeOffset now, params (string Name, JsonNode? Value)[] other) => Sign(Claims(now, other).ToJsonString());

    /// <summary>Signs whatever is given with one of its keys.</summary>
    public string Sign(string payload, string id = "rsa-1", string? header = null)
    {
        var (alg, key) = _keys[id];
        return Join(header ?? $$"""{"alg":"{{alg}}","typ":"JWT","kid":"{{id}}"}""", payload, text => key is ECDsa ec
            ? ec.SignData(text, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation)
            : ((RSA)key).SignData(text, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }

    public static string Join(string header, string payload, Func<byte[], byte[]> sign)
    {
        var text = $"{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header))}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload))}";
        return $"{text}.{Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(text)))}";
    }

    public string KeySet()
    {
        var keys = new JsonArray();
        foreach (var (id, (alg, key)) in _keys)
        {
            if (key is ECDsa ec)
            {
                var point = ec.ExportParameters(false).Q;
                keys.Add(new JsonObject { ["kty"] = "EC", ["kid"] = id, ["use"] = "sig", ["alg"] = alg, ["crv"] = "P-256", ["x"] = Base64Url.EncodeToString(point.X), ["y"] = Base64Url.EncodeToString(point.Y) });
            }
            else
            {
                var numbers = ((RSA)key).ExportParameters(false);
                keys.Add(new JsonObject { ["kty"] = "RSA", ["kid"] = id, ["use"] = "sig", ["alg"] = alg, ["n"] = Base64Url.EncodeToString(numbers.Modulus), ["e"] = Base64Url.EncodeToString(numbers.Exponent) });
            }
        }

        return new JsonObject { ["keys"] = keys }.ToJsonString();
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _serving;
        foreach (var (_, key) in _keys.Values)
        {
            if (key is RSA rsa)
            {
                s_free.Add(rsa);
            }
        }
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

            var keys = call.Request.Url!.AbsolutePath == "/keys";
            Asked += keys ? 1 : 0;
            if (Down)
            {
                call.Response.StatusCode = 500;
            }
            else if (keys && RedirectTo is { } to)
            {
                call.Response.StatusCode = 302;
                call.Response.RedirectLocation = to;
            }
            else
            {
                var text = keys ? Instead ?? KeySet() : JsonSerializer.Serialize(new Dictionary<string, string> { ["issuer"] = Url, ["jwks_uri"] = KeysAt ?? Url + "/keys" });
                await call.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(text));
            }

            call.Response.Close();
        }
    }
}
