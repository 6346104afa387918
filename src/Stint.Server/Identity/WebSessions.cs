using System.Net;
using Microsoft.AspNetCore.Http;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Identity;

/// <summary>That somebody proved who they are.</summary>
/// <param name="Person">Who.</param>
/// <param name="By">How: <c>passkey</c>, <c>password</c>, <c>password+totp</c>, <c>recovery</c>, <c>oidc:NAME</c>, <c>github:NAME</c>.</param>
/// <param name="At">When they did; a provider may have asked them a while ago.</param>
/// <param name="Provider">Name of the provider that proved it; null for none.</param>
/// <param name="ProviderSubject">What it calls them.</param>
/// <param name="ProviderSession">What it calls its own session.</param>
/// <param name="Acr">What it calls the strength of it.</param>
internal sealed record SignIn(SubjectId Person, string By, DateTimeOffset At, string? Provider = null, string? ProviderSubject = null, string? ProviderSession = null, string? Acr = null);

/// <summary>How long a signed-in browser counts.</summary>
/// <param name="Idle">Unused.</param>
/// <param name="Lasts">However much it is used.</param>
internal sealed record WebSessionLimits(TimeSpan Idle, TimeSpan Lasts);

/// <summary>The browsers in which people are signed in.</summary>
internal sealed class WebSessions(StintStore store, CurrentCatalog catalog, IdSource ids, WebSessionLimits limits, TimeProvider clock)
{
    /// <summary>The cookie. NB. With this prefix a browser takes it from this host alone, over TLS, for every path, and from no other host's hand.</summary>
    public const string Cookie = "__Host-stint";

    /// <summary>What the secret begins with, so that whoever looks for secrets finds them.</summary>
    public const string Prefix = "stint_b_";

    /// <summary>How coarse the last use is told: one write in that time, whatever the calls.</summary>
    private static readonly TimeSpan UseToldEvery = TimeSpan.FromMinutes(1);

    private const int LongestAgent = 300;
    private const int LongestKept = 500;

    /// <summary>Most browsers of one person; the one that was signed in first makes room.</summary>
    private const int Most = 50;

    /// <summary>Signs a browser in, under a new secret: what it held before counts no longer.</summary>
    public async Task<WebSession> StartAsync(HttpContext context, SignIn how, CancellationToken cancellation)
    {
        var secret = Prefix + ids.NextSecret();
        var now = Stored.Round(clock.Now());
        var session = new WebSession
        {
            Id = ids.NextSignIn(),
            Hash = Secrets.HashOf(secret),
            Csrf = ids.NextSecret(),
            Person = how.Person,
            ProvedBy = how.By,
            ProvedAt = Stored.Round(how.At < now ? how.At : now),
            Acr = Cut(how.Acr, LongestKept),
            Provider = how.Provider,
            ProviderSubject = Cut(how.ProviderSubject, LongestKept),
            ProviderSession = Cut(how.ProviderSession, LongestKept),
            Address = AddressOf(context),
            Agent = Shown(context.Request.Headers.UserAgent.ToString()),
            MadeAt = now,
            UsedAt = now,
            ExpiresAt = now + limits.Lasts,
        };
        var before = SecretOf(context);
        await store.WriteAsync(
            async work =>
            {
                if (before is not null && await work.FindWebSessionAsync(Secrets.HashOf(before)) is { } old && await work.EndWebSessionAsync(old.Id, "signed_in_anew", now))
                {
                    work.Append(Facts.PersonSignedOut(old, "signed_in_anew", now));
                }

                var others = await work.WebSessionsAsync(how.Person, now);
                foreach (var oldest in others.Skip(Most - 1))
                {
                    if (await work.EndWebSessionAsync(oldest.Id, "too_many", now))
                    {
                        work.Append(Facts.PersonSignedOut(oldest, "too_many", now));
                    }
                }

                await work.InsertAsync(session);
                work.Append(Facts.PersonSignedIn(session));
            },
            cancellation);
        context.Response.Cookies.Append(Cookie, secret, new CookieOptions { Secure = true, HttpOnly = true, SameSite = SameSiteMode.Lax, Path = "/", IsEssential = true, MaxAge = limits.Lasts });
        return session;
    }

    /// <summary>Who is signed in where a browser shows this; null when nobody is, or no longer, or their person is disabled or gone.</summary>
    public async Task<(Person Person, WebSession Session)?> FindAsync(string secret, CancellationToken cancellation)
    {
        if (!Secrets.MayBe(secret, Prefix))
        {
            return null;
        }

        var hash = Secrets.HashOf(secret);
        var now = clock.Now();
        if (await store.ReadAsync(async reads => await reads.FindWebSessionAsync(hash), cancellation) is not { EndedAt: null } session
            || session.ExpiresAt <= now
            || now - session.UsedAt >= limits.Idle
            || !catalog.Now.People.TryGetValue(session.Person.Value, out var person) || person.Disabled)
        {
            return null;
        }

        if (now - session.UsedAt >= UseToldEvery)
        {
            await store.WriteAsync(work => work.TouchWebSessionAsync(session.Id, now).AsTask(), cancellation);
        }

        return (person, session);
    }

    /// <summary>Whether a signed-in browser counts still. Asking is no use of it.</summary>
    public async Task<bool> CountsAsync(WebSession session, CancellationToken cancellation)
    {
        var now = clock.Now();
        return await store.ReadAsync(async reads => await reads.FindWebSessionAsync(session.Id), cancellation) is { EndedAt: null } found
            && found.ExpiresAt > now
            && now - found.UsedAt < limits.Idle
            && catalog.Now.People.TryGetValue(found.Person.Value, out var person) && !person.Disabled;
    }

    /// <summary>Somebody's signed-in browsers that count, newest first.</summary>
    public async Task<IReadOnlyList<WebSession>> ListAsync(SubjectId person, CancellationToken cancellation)
    {
        var now = clock.Now();
        var all = await store.ReadAsync(async reads => await reads.WebSessionsAsync(person, now), cancellation);
        return [.. all.Where(session => now - session.UsedAt < limits.Idle)];
    }

    /// <summary>When it stops to count if it is not used.</summary>
    public DateTimeOffset EndsUnused(WebSession session) => session.UsedAt + limits.Idle < session.ExpiresAt ? session.UsedAt + limits.Idle : session.ExpiresAt;

    /// <summary>Ends one: one's own, or an admin anybody's.</summary>
    public Task<Outcome<WebSession>> EndAsync(SubjectId who, string id, CancellationToken cancellation) => store.WriteAsync<Outcome<WebSession>>(
        async work =>
        {
            var now = Stored.Round(clock.Now());
            if (await work.FindWebSessionAsync(id) is not { } session || !(session.Person == who || catalog.Now.IsAdmin(who)))
            {
                return new Outcome<WebSession>.NotFound();
            }

            if (session.ExpiresAt <= now || !await work.EndWebSessionAsync(id, "signed_out", now))
            {
                return new Outcome<WebSession>.Refused("it is over already", null);
            }

            work.Append(Facts.PersonSignedOut(session, "signed_out", now, who));
            return new Outcome<WebSession>.Done(session with { EndedAt = now });
        },
        cancellation);

    /// <summary>Ends all of somebody's, and the command lines that they logged in from there.</summary>
    /// <param name="person">Whose.</param>
    /// <param name="reason">A word for the log.</param>
    /// <param name="except">The name of one that stays; null for none.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    /// <returns>How many.</returns>
    public Task<int> EndAllAsync(SubjectId person, string reason, string? except, CancellationToken cancellation) =>
        store.WriteAsync(work => EndAllAsync(work, person, reason, except, Stored.Round(clock.Now())), cancellation);

    /// <summary>The same inside a write.</summary>
    public static async Task<int> EndAllAsync(Work work, SubjectId person, string reason, string? except, DateTimeOffset now) =>
        await CliLogins.EndAllAsync(work, person, reason, now) + await EndAsync(work, [.. (await work.WebSessionsAsync(person, now)).Where(session => session.Id != except)], reason, now);

    /// <summary>Ends what a provider let in, and the command lines that were let in from there: of one of its subjects, of one of its sessions, or of both; never of neither.</summary>
    /// <returns>How many.</returns>
    public Task<int> EndOfProviderAsync(string provider, string? subject, string? session, CancellationToken cancellation)
    {
        if (string.IsNullOrEmpty(subject) && string.IsNullOrEmpty(session))
        {
            throw new ArgumentException("Whose is to be ended must be said.", nameof(subject));
        }

        var now = Stored.Round(clock.Now());
        return store.WriteAsync(
            async work =>
            {
                await CliLogins.EndOfProviderAsync(work, provider, Cut(subject, LongestKept), Cut(session, LongestKept), now);
                return await EndAsync(work, await work.WebSessionsAsync(provider, Cut(subject, LongestKept), Cut(session, LongestKept), now), "provider", now);
            },
            cancellation);
    }

    /// <summary>Notes that who is signed in there proved it anew.</summary>
    /// <returns>How it stands now; null when it is over meanwhile, or when somebody else proved themselves.</returns>
    public async Task<WebSession?> ProvedAgainAsync(WebSession session, SignIn how, CancellationToken cancellation)
    {
        if (how.Person != session.Person)
        {
            return null;
        }

        var now = Stored.Round(clock.Now());
        var at = Stored.Round(how.At < now ? how.At : now);
        return await store.WriteAsync(
            async work =>
            {
                // NB. What was proved later already is not made older.
                if (at < session.ProvedAt || !await work.ProveWebSessionAsync(session.Id, how.By, at, Cut(how.Acr, LongestKept)))
                {
                    return null;
                }

                var proved = session with { ProvedBy = how.By, ProvedAt = at, Acr = how.Acr };
                work.Append(Facts.PersonProved(proved, now));
                return proved;
            },
            cancellation);
    }

    /// <summary>What a browser shows; null for nothing.</summary>
    public static string? SecretOf(HttpContext context) => context.Request.Cookies.TryGetValue(Cookie, out var secret) && Secrets.MayBe(secret, Prefix) ? secret : null;

    /// <summary>Has the browser forget it.</summary>
    public static void Forget(HttpContext context) => context.Response.Cookies.Delete(Cookie, new CookieOptions { Secure = true, HttpOnly = true, SameSite = SameSiteMode.Lax, Path = "/" });

    private static async Task<int> EndAsync(Work work, IReadOnlyList<WebSession> sessions, string reason, DateTimeOffset now)
    {
        var ended = 0;
        foreach (var session in sessions)
        {
            if (await work.EndWebSessionAsync(session.Id, reason, now))
            {
                work.Append(Facts.PersonSignedOut(session, reason, now));
                ended++;
            }
        }

        return ended;
    }

    private static string AddressOf(HttpContext context) => (context.Connection.RemoteIpAddress is { IsIPv4MappedToIPv6: true } mapped ? mapped.MapToIPv4() : context.Connection.RemoteIpAddress ?? IPAddress.None).ToString();

    private static string? Cut(string? text, int most) => text?.Length > most ? text[..most] : text;

    private static string Shown(string agent) => Cut(new string([.. agent.Where(letter => letter is >= ' ' and <= '~')]), LongestAgent)!;
}
