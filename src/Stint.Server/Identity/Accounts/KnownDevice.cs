using System.Globalization;
using Microsoft.AspNetCore.Http;
using Stint.Core;
using Stint.Server.Store.Sealing;

namespace Stint.Server.Identity.Accounts;

/// <summary>Remembers of a browser that somebody signed in with it: whoever floods their name from elsewhere does not make them wait here. It lets nobody in.</summary>
internal sealed class KnownDevice(Sealer sealer, IdSource ids, TimeProvider clock)
{
    /// <summary>The cookie; the prefix binds it to this host and to TLS.</summary>
    public const string Cookie = "__Host-stint-device";

    /// <summary>How long a browser is known after its last sign-in.</summary>
    public static readonly TimeSpan Lasts = TimeSpan.FromDays(180);

    private const string Purpose = "known device";
    private const int Longest = 600;

    /// <summary>The id of the browser as one that a person signed in with; null when it is none of theirs.</summary>
    public string? Of(HttpContext context, SubjectId person)
    {
        if (context.Request.Cookies[Cookie] is not { Length: <= Longest } text || !Sealer.IsSealed(text))
        {
            return null;
        }

        try
        {
            return sealer.Open(text, Purpose).Split('\n') is [var id, var whose, var until]
                && whose == person.Value
                && long.TryParse(until, CultureInfo.InvariantCulture, out var seconds) && DateTimeOffset.FromUnixTimeSeconds(seconds) > clock.Now()
                ? id
                : null;
        }
        catch (SealException)
        {
            return null;
        }
    }

    /// <summary>Knows the browser from now on.</summary>
    public void Remember(HttpContext context, SubjectId person)
    {
        var id = Of(context, person) ?? ids.NextSecret();
        var until = (clock.Now() + Lasts).ToUnixTimeSeconds();
        context.Response.Cookies.Append(Cookie, sealer.Seal($"{id}\n{person.Value}\n{until.ToString(CultureInfo.InvariantCulture)}", Purpose), new CookieOptions
        {
            Secure = true,
            HttpOnly = true,
            SameSite = SameSiteMode.Strict,
            Path = "/",
            MaxAge = Lasts,
            IsEssential = true,
        });
    }
}
