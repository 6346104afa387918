using Stint.Core;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Identity;

/// <summary>The command lines that people are logged in with.</summary>
internal sealed class CliLogins(StintStore store, CurrentCatalog catalog, CliLimits limits, TimeProvider clock)
{
    /// <summary>Most of one person; the oldest makes room.</summary>
    public const int Most = 50;

    private const int MostListed = 1_000;

    /// <summary>Those that count, newest first.</summary>
    /// <param name="who">Who asks.</param>
    /// <param name="all">Everybody's, for admins and auditors; else their own.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    public async Task<Outcome<IReadOnlyList<CliLogin>>> ListAsync(SubjectId who, bool all, CancellationToken cancellation)
    {
        if (all && !catalog.Now.MayReadAll(who))
        {
            return new Outcome<IReadOnlyList<CliLogin>>.NotYours("only admins and auditors see everybody's", []);
        }

        var now = clock.Now();
        var found = await store.ReadAsync(async reads => await reads.CliLoginsAsync(all ? null : who, now, MostListed), cancellation);
        return new Outcome<IReadOnlyList<CliLogin>>.Done([.. found.Where(login => EndsUnused(login) > now)]);
    }

    /// <summary>When it stops to count if it is not used.</summary>
    public DateTimeOffset EndsUnused(CliLogin login) => login.UsedAt + limits.Idle < login.ExpiresAt ? login.UsedAt + limits.Idle : login.ExpiresAt;

    /// <summary>Ends one, for good: one's own, or an admin anybody's.</summary>
    public Task<Outcome<CliLogin>> EndAsync(SubjectId who, string id, CancellationToken cancellation) => store.WriteAsync<Outcome<CliLogin>>(
        async work =>
        {
            if (await work.FindCliLoginAsync(id) is not { } login || !(login.Person == who || catalog.Now.IsAdmin(who)))
            {
                return new Outcome<CliLogin>.NotFound();
            }

            var now = Stored.Round(clock.Now());
            return await EndAsync(work, login, login.Person == who ? "logged_out" : "ended_by_admin", now, who)
                ? new Outcome<CliLogin>.Done(login with { EndedAt = now })
                : new Outcome<CliLogin>.Refused("it is over already", null);
        },
        cancellation);

    /// <summary>Ends one inside a write.</summary>
    /// <param name="work">The write.</param>
    /// <param name="login">Which.</param>
    /// <param name="reason">A word for the log.</param>
    /// <param name="now">When.</param>
    /// <param name="by">Who ends it; null for the server itself.</param>
    /// <returns>False when it was over already.</returns>
    public static async Task<bool> EndAsync(Work work, CliLogin login, string reason, DateTimeOffset now, SubjectId? by)
    {
        if (login.ExpiresAt <= now || !await work.EndCliLoginAsync(login.Id, reason, now))
        {
            return false;
        }

        work.Append(Facts.CliLoggedOut(login, reason, now, by));
        return true;
    }

    /// <summary>Ends all of somebody's inside a write.</summary>
    /// <returns>How many.</returns>
    public static async Task<int> EndAllAsync(Work work, SubjectId person, string reason, DateTimeOffset now) =>
        await EndAsync(work, await work.CliLoginsAsync(person, now, MostListed), reason, now);

    /// <summary>Ends inside a write what was let in from browsers that a provider let in, as it ends those.</summary>
    /// <remarks>NB. Who is logged out at the company stays in nowhere ("OpenID Connect Back-Channel Logout 1.0", section 2.7, says the same of refresh tokens).</remarks>
    /// <returns>How many.</returns>
    public static async Task<int> EndOfProviderAsync(Work work, string provider, string? subject, string? session, DateTimeOffset now) =>
        await EndAsync(work, await work.CliLoginsAsync(provider, subject, session, now), "provider", now);

    private static async Task<int> EndAsync(Work work, IReadOnlyList<CliLogin> logins, string reason, DateTimeOffset now)
    {
        var ended = 0;
        foreach (var login in logins)
        {
            ended += await EndAsync(work, login, reason, now, by: null) ? 1 : 0;
        }

        return ended;
    }

    /// <summary>Lets the oldest give way to one more.</summary>
    public static async Task MakeRoomAsync(Work work, SubjectId person, DateTimeOffset now)
    {
        foreach (var oldest in (await work.CliLoginsAsync(person, now, MostListed)).Skip(Most - 1))
        {
            await EndAsync(work, oldest, "too_many", now, by: null);
        }
    }
}
