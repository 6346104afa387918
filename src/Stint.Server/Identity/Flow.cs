using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Stint.Server.Store.Sealing;

namespace Stint.Server.Identity;

/// <summary>What is remembered of one browser between two of its requests, before anybody is signed in there: sealed, in a cookie of its own, for minutes, and read once.</summary>
/// <remarks>
/// NB. Once means that the browser is told to forget it: a thief of the cookie could show it again. What must happen once
/// at the server has a row of its own.
/// </remarks>
internal sealed class Flow(Sealer sealer, TimeProvider clock)
{
    private const int Longest = 3_500;

    /// <summary>Keeps a value for one browser.</summary>
    /// <param name="context">The request of the browser.</param>
    /// <param name="name">What it is for, in small letters; another name cannot read it.</param>
    /// <param name="value">The value.</param>
    /// <param name="type">How it is written.</param>
    /// <param name="lasts">For how long.</param>
    public void Keep<T>(HttpContext context, string name, T value, JsonTypeInfo<T> type, TimeSpan lasts)
    {
        var until = clock.GetUtcNow() + lasts;
        var text = $"{until.ToUnixTimeMilliseconds()}\n{JsonSerializer.Serialize(value, type)}";
        var cookie = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(sealer.Seal(text, Purpose(name))));
        if (cookie.Length > Longest)
        {
            throw new InvalidOperationException($"A browser does not keep {cookie.Length} characters.");
        }

        context.Response.Cookies.Append(CookieOf(name), cookie, Options(lasts));
    }

    /// <summary>Reads it, and has the browser forget it; null when there is none, when it was changed, was kept for something else, or is over.</summary>
    public T? Take<T>(HttpContext context, string name, JsonTypeInfo<T> type)
        where T : class
    {
        if (!context.Request.Cookies.TryGetValue(CookieOf(name), out var cookie) || cookie.Length > Longest)
        {
            return null;
        }

        context.Response.Cookies.Delete(CookieOf(name), Options(null));
        try
        {
            var text = sealer.Open(Encoding.UTF8.GetString(Base64Url.DecodeFromChars(cookie)), Purpose(name));
            var end = text.IndexOf('\n', StringComparison.Ordinal);
            return long.Parse(text.AsSpan(0, end), System.Globalization.CultureInfo.InvariantCulture) > clock.GetUtcNow().ToUnixTimeMilliseconds()
                ? JsonSerializer.Deserialize(text.AsSpan(end + 1), type)
                : null;
        }
        catch (Exception e) when (e is SealException or FormatException or JsonException)
        {
            return null;
        }
    }

    private static string CookieOf(string name) => $"{WebSessions.Cookie}-{name}";

    private static string Purpose(string name) => $"browser:{name}";

    private static CookieOptions Options(TimeSpan? lasts) => new() { Secure = true, HttpOnly = true, SameSite = SameSiteMode.Lax, Path = "/", IsEssential = true, MaxAge = lasts };
}
