using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Stint.Server.Identity.Providers;

/// <summary>What a provider gives for a code.</summary>
/// <param name="AccessToken">What it is asked with about the person; null for none.</param>
/// <param name="IdToken">Its signed word on who they are; null for none.</param>
internal sealed record ProviderAnswer(string? AccessToken, string? IdToken);

/// <summary>The way to one provider: where it is asked, with which keys it signs, and the asking itself.</summary>
/// <remarks>
/// Every call is bounded in time and size and follows no redirect, and what it carries goes over TLS or stays on this
/// machine. Where its places are is asked again every hour; keys have their own rhythm (<see cref="IssuerKeys"/>).
/// </remarks>
internal sealed class ProviderLink : IDisposable
{
    /// <summary>How long its places count without being asked for again.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromHours(1);

    /// <summary>How long it is not asked again after it did not answer.</summary>
    public static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private const int LongestToken = 16 << 10;

    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly BoundedHttp _http;
    private readonly SemaphoreSlim _one = new(1);
    private ProviderPlaces? _places;
    private IssuerKeys? _keys;
    private DateTimeOffset _readAt = DateTimeOffset.MinValue;
    private DateTimeOffset _failedAt = DateTimeOffset.MinValue;

    public ProviderLink(Provider provider, TimeProvider time, ILogger log)
    {
        (Provider, _time, _log) = (provider, time, log);
        _http = new BoundedHttp(provider.Authority);
        if (provider.Preset == ProviderPreset.GitHub)
        {
            _places = ProviderPlaces.OfGitHub(provider.Issuer);
        }
    }

    public Provider Provider { get; }

    /// <summary>Where it is asked for what.</summary>
    /// <exception cref="ProviderAwayException">It does not say.</exception>
    public async Task<ProviderPlaces> PlacesAsync(CancellationToken cancellation)
    {
        if (_places is { } known && (Provider.Preset == ProviderPreset.GitHub || _time.GetUtcNow() - _readAt < FreshFor))
        {
            return known;
        }

        await _one.WaitAsync(cancellation);
        try
        {
            var now = _time.GetUtcNow();
            if (_places is { } meanwhile && now - _readAt < FreshFor)
            {
                return meanwhile;
            }

            // NB. Whoever clicks again and again does not make us ask each time.
            if (now - _failedAt >= Pause)
            {
                await ReadAsync(now);
            }

            // What it said before counts while it is away: its keys and its answers are looked at anyway.
            return _places ?? throw new ProviderAwayException();
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>The keys that it signs with.</summary>
    /// <exception cref="ProviderAwayException">It does not say where they are.</exception>
    public async Task<IssuerKeys> KeysAsync(CancellationToken cancellation)
    {
        await PlacesAsync(cancellation);
        return _keys ?? throw new ProviderAwayException();
    }

    /// <summary>Changes a code for what it stands for (RFC 6749, section 4.1.3).</summary>
    /// <returns>What it gave; null when it refused the code.</returns>
    /// <exception cref="ProviderAwayException">It does not answer, or not as the protocol has it.</exception>
    public async Task<ProviderAnswer?> ExchangeAsync(string code, string verifier, string redirect, CancellationToken cancellation)
    {
        var places = await PlacesAsync(cancellation);
        var form = new List<KeyValuePair<string, string>>
        {
            new("grant_type", "authorization_code"),
            new("code", code),
            new("redirect_uri", redirect),
            new("code_verifier", verifier),
        };
        using var message = new HttpRequestMessage(HttpMethod.Post, places.Token);
        if (places.SecretInForm)
        {
            form.Add(new("client_id", Provider.ClientId));
            form.Add(new("client_secret", Provider.ClientSecret));
        }
        else
        {
            // NB. Both are form-encoded before they are joined (RFC 6749, section 2.3.1): a colon in a name would else cut it.
            message.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.ASCII.GetBytes($"{Encoded(Provider.ClientId)}:{Encoded(Provider.ClientSecret)}")));
        }

        message.Content = new FormUrlEncodedContent(form);
        message.Headers.Accept.ParseAdd("application/json");
        var (status, body) = await SendAsync(message);
        using var document = Parse(body);
        var root = document?.RootElement ?? default;

        // GitHub says 200 to a code that it refuses.
        if (status is 400 or 401 or 403 || (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("error", out _)))
        {
            _log.CodeRefused(Provider.Name, status, Word(root.ValueKind == JsonValueKind.Object ? SignedJwt.Text(root, "error") : null));
            return null;
        }

        if (status != 200 || root.ValueKind != JsonValueKind.Object || !string.Equals(SignedJwt.Text(root, "token_type"), "Bearer", StringComparison.OrdinalIgnoreCase))
        {
            throw Away($"its token endpoint answered {status} with something else than a bearer token");
        }

        return new ProviderAnswer(Header(SignedJwt.Text(root, "access_token")), SignedJwt.Text(root, "id_token"));
    }

    /// <summary>Asks something about the person.</summary>
    /// <param name="place">What.</param>
    /// <param name="accessToken">Who for.</param>
    /// <returns>What it says; null when it says no (403 and 404).</returns>
    /// <exception cref="ProviderAwayException">It does not answer, or not as the protocol has it.</exception>
    public async Task<JsonDocument?> AskAsync(Uri place, string accessToken)
    {
        using var message = new HttpRequestMessage(HttpMethod.Get, place);
        message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", accessToken);
        message.Headers.Accept.ParseAdd("application/json");

        // GitHub answers nobody who does not say what they are.
        message.Headers.UserAgent.ParseAdd("stint");
        var (status, body) = await SendAsync(message);
        if (status is 403 or 404)
        {
            return null;
        }

        return status == 200 && Parse(body) is { } document ? document : throw Away($"{place.AbsolutePath} answered {status} or something else than JSON");
    }

    public void Dispose()
    {
        _keys?.Dispose();
        _http.Dispose();
        _one.Dispose();
    }

    // Not on the caller's token: the answer is for everybody who comes after as well.
    private async Task ReadAsync(DateTimeOffset now)
    {
        try
        {
            using var message = new HttpRequestMessage(HttpMethod.Get, new Uri($"{Provider.Issuer.TrimEnd('/')}/.well-known/openid-configuration"));
            message.Headers.Accept.ParseAdd("application/json");
            var (status, body) = await _http.SendAsync(message);
            using var document = status == 200 ? JsonDocument.Parse(body, BoundedHttp.Strict) : throw new InvalidDataException($"its discovery document answered {status}");
            var places = ProviderPlaces.Read(document.RootElement, Provider);
            if (_keys is null || places.Keys != _places?.Keys)
            {
                // The old ones are left to whoever looks at a token with them just now.
                _keys = new IssuerKeys(new Issuer { Name = Provider.Name, Preset = IssuerPreset.Oidc, Url = Provider.Issuer, Audience = Provider.ClientId, KeysUrl = places.Keys, Authority = Provider.Authority }, _time, _log);
            }

            (_places, _readAt) = (places, now);
        }
        catch (Exception e) when (BoundedHttp.IsTrouble(e) || e is JsonException or InvalidDataException)
        {
            _failedAt = now;
            _log.ProviderAway(Provider.Name, e.Message);
        }
    }

    private async Task<(int Status, byte[] Body)> SendAsync(HttpRequestMessage message)
    {
        try
        {
            return await _http.SendAsync(message);
        }
        catch (Exception e) when (BoundedHttp.IsTrouble(e))
        {
            throw Away(e.Message);
        }
    }

    private ProviderAwayException Away(string why)
    {
        _log.ProviderAway(Provider.Name, why);
        return new ProviderAwayException();
    }

    private static JsonDocument? Parse(byte[] body)
    {
        try
        {
            return JsonDocument.Parse(body, BoundedHttp.Strict);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Encoded(string text) => Uri.EscapeDataString(text).Replace("%20", "+", StringComparison.Ordinal);

    // What no header can carry is no bearer token (RFC 6750, section 2.1).
    private static string? Header(string? token) => token is { Length: > 0 and <= LongestToken } && token.All(letter => letter is >= '!' and <= '~') ? token : null;

    /// <summary>A word of the protocol, for the log; what else somebody sends does not get into it.</summary>
    public static string Word(string? error) => error is { Length: > 0 and <= 60 } && error.All(letter => char.IsAsciiLetterLower(letter) || letter is '_' or '-') ? error : "no readable error";
}

/// <summary>A provider cannot be asked now.</summary>
internal sealed class ProviderAwayException() : Exception("The provider cannot be asked now.");
