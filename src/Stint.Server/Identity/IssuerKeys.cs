using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;

namespace Stint.Server.Identity;

/// <summary>The keys with which an issuer signs, as it publishes them.</summary>
/// <remarks>
/// They are asked for at the configured address alone, whatever a token says (<c>jku</c>, <c>x5u</c>, <c>jwk</c> count for
/// nothing), follow no redirect, and are bounded in size and time. A key that is gone from the set counts no longer once the
/// set was read again.
/// </remarks>
internal sealed class IssuerKeys : IDisposable
{
    /// <summary>How long a set counts without being asked for again.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromMinutes(10);

    /// <summary>How long a set counts at most, when it cannot be asked for.</summary>
    public static readonly TimeSpan StaleFor = TimeSpan.FromHours(1);

    /// <summary>How long nothing is asked for again because of a key that is not in the set.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);

    private const int MostBytes = 256 << 10;
    private const int MostKeys = 64;
    private const int LeastRsaBits = 2048;

    private readonly Issuer _issuer;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly BoundedHttp _http;
    private readonly SemaphoreSlim _one = new(1);
    private Set? _set;
    private DateTimeOffset _askedAt = DateTimeOffset.MinValue;

    public IssuerKeys(Issuer issuer, TimeProvider time, ILogger log)
    {
        (_issuer, _time, _log) = (issuer, time, log);
        _http = new BoundedHttp(issuer.Authority);
    }

    /// <summary>The key of that name; without a name the only one there is. Null when there is none.</summary>
    /// <exception cref="KeysUnknownException">The keys cannot be had.</exception>
    public async Task<JsonWebKey?> FindAsync(string? id, CancellationToken cancellation)
    {
        var now = _time.GetUtcNow();
        if (_set is { } set && now - set.At < FreshFor && set.Find(id) is { } known)
        {
            return known;
        }

        await _one.WaitAsync(cancellation);
        try
        {
            set = _set;
            if (set is not null && now - set.At < FreshFor && set.Find(id) is { } meanwhile)
            {
                return meanwhile;
            }

            // NB. Whoever shows tokens with keys that nobody has does not make us ask the issuer each time.
            if (now - _askedAt >= Pause)
            {
                _askedAt = now;
                await RefreshAsync(now);
            }

            return _set is { } current && now - current.At < StaleFor ? current.Find(id) : throw new KeysUnknownException();
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        _one.Dispose();
    }

    // Not on the caller's token: the answer is for everybody who comes after as well.
    private async Task RefreshAsync(DateTimeOffset now)
    {
        try
        {
            _set = new Set(now, Read(_issuer.KeysFile is { } file ? await FileAsync(file) : await GetAsync(_issuer.KeysUrl ?? await DiscoverAsync())));
        }
        catch (Exception e) when (e is HttpRequestException or IOException or UnauthorizedAccessException or OperationCanceledException or JsonException or InvalidDataException or ArgumentException)
        {
            _log.KeysFailed(_issuer.Name, e.Message);
        }
    }

    private static async Task<byte[]> FileAsync(string file)
    {
        await using var stream = File.OpenRead(file);
        return stream.Length <= MostBytes ? await File.ReadAllBytesAsync(file) : throw new InvalidDataException("the file of its keys is too large");
    }

    /// <summary>Where the keys are, as the issuer's own document says (OpenID Connect Discovery 1.0, section 4; Shared Signals Framework 1.0, section 7).</summary>
    private async Task<Uri> DiscoverAsync()
    {
        var issuer = _issuer.Url!;
        using var document = JsonDocument.Parse(await GetAsync(_issuer.Discovery), BoundedHttp.Strict);
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object || Text(root, "issuer") != issuer)
        {
            throw new InvalidDataException("its discovery document is another issuer's");
        }

        // NB. The document is the issuer's, and what it points at is not followed anywhere else.
        return Uri.TryCreate(Text(root, "jwks_uri"), UriKind.Absolute, out var keys) && new Uri(issuer) is var home
            && keys.Scheme == home.Scheme && keys.Authority.Equals(home.Authority, StringComparison.OrdinalIgnoreCase) && keys.UserInfo.Length == 0
            ? keys
            : throw new InvalidDataException("its discovery document names keys at another address; give that address as jwks_url if it is meant");
    }

    private async Task<byte[]> GetAsync(Uri address)
    {
        using var message = new HttpRequestMessage(HttpMethod.Get, address);
        message.Headers.Accept.ParseAdd("application/json");
        var (status, body) = await _http.SendAsync(message);
        return status == 200 ? body : throw new InvalidDataException($"{address.Authority} answered {status}");
    }

    /// <summary>Those of a JWK set (RFC 7517) that can have signed what is taken: public, strong enough, for signing.</summary>
    private List<JsonWebKey> Read(byte[] bytes)
    {
        using var document = JsonDocument.Parse(bytes, BoundedHttp.Strict);
        if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("keys", out var listed) || listed.ValueKind != JsonValueKind.Array || listed.GetArrayLength() > MostKeys)
        {
            throw new InvalidDataException("what it publishes is not a set of keys");
        }

        var keys = new List<JsonWebKey>();
        foreach (var one in listed.EnumerateArray())
        {
            var use = one.ValueKind == JsonValueKind.Object ? Text(one, "use") : "none";

            // NB. A symmetric key in a public document signs for everybody.
            if (Text(one, "kty") is not ("RSA" or "EC") || use is not (null or "sig") && !(use == "jwt-svid" && _issuer.Preset == IssuerPreset.Spiffe))
            {
                continue;
            }

            var key = new JsonWebKey { Kty = Text(one, "kty"), Kid = Text(one, "kid"), Alg = Text(one, "alg"), N = Text(one, "n"), E = Text(one, "e"), Crv = Text(one, "crv"), X = Text(one, "x"), Y = Text(one, "y") };
            if (key.Kty == "RSA" ? key is { N: not null, E: not null } && key.KeySize >= LeastRsaBits : key is { Crv: "P-256" or "P-384" or "P-521", X: not null, Y: not null })
            {
                keys.Add(key);
            }
        }

        return keys.Count > 0 ? keys : throw new InvalidDataException("what it publishes holds no key that could have signed a token");
    }

    private static string? Text(JsonElement element, string name) => element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private sealed record Set(DateTimeOffset At, IReadOnlyList<JsonWebKey> Keys)
    {
        public JsonWebKey? Find(string? id) => id is null ? (Keys.Count == 1 ? Keys[0] : null) : Keys.Where(key => key.Kid == id).ToList() is [var only] ? only : null;
    }
}

/// <summary>What an issuer signs with cannot be had now.</summary>
internal sealed class KeysUnknownException() : Exception("The keys of the issuer cannot be had.");
