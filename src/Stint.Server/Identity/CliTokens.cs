using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Stint.Core.Catalog;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Identity;

/// <summary>How long a command line stays logged in.</summary>
/// <param name="Idle">Unused.</param>
/// <param name="Lasts">However much it is used.</param>
internal sealed record CliLimits(TimeSpan Idle, TimeSpan Lasts);

/// <summary>What came of showing a code or a token for new tokens.</summary>
internal abstract record CliGrant
{
    private CliGrant()
    {
    }

    /// <summary>Two tokens, shown this once.</summary>
    /// <param name="Login">What was let in.</param>
    /// <param name="Access">The token that lets in.</param>
    /// <param name="AccessLasts">For how long.</param>
    /// <param name="Refresh">The one that fetches the next two, once.</param>
    public sealed record LetIn(CliLogin Login, string Access, TimeSpan AccessLasts, string Refresh) : CliGrant;

    /// <summary>No tokens.</summary>
    /// <param name="Error">A word of RFC 6749, section 5.2, or of RFC 8628, section 3.5.</param>
    /// <param name="Why">In a sentence with its full stop.</param>
    /// <param name="Wrong">Whether it counts as a try in vain.</param>
    public sealed record Refused(string Error, string Why, bool Wrong = false) : CliGrant;
}

/// <summary>Gives command lines their tokens, and says whose a token is.</summary>
internal sealed class CliTokens(StintStore store, CurrentCatalog catalog, IdSource ids, CliLimits limits, TimeProvider clock)
{
    /// <summary>What a token begins with that lets in.</summary>
    public const string Prefix = "stint_u_";

    /// <summary>What a token begins with that fetches the next two.</summary>
    public const string RefreshPrefix = "stint_r_";

    /// <summary>How long a token lets in.</summary>
    public static readonly TimeSpan AccessLasts = TimeSpan.FromMinutes(15);

    /// <summary>How long after it was used a token may be shown again, because the answer to it was lost.</summary>
    /// <remarks>
    /// NB. What was given before is void with it, so that one pair counts at any time: of a thief and an owner one is shut out at once, and whose pair is void ends the
    /// login with their next step. Once what was fetched with a token has itself fetched tokens, it is no lost answer any more.
    /// </remarks>
    public static readonly TimeSpan LostWithin = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan LongestPoll = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Slower = TimeSpan.FromSeconds(5);

    private readonly RefusalCount _refused = new(store, clock, Facts.CliRefused);

    /// <summary>A command line asks whether its person has answered (RFC 8628, section 3.4).</summary>
    /// <param name="code">The code that it polls with.</param>
    /// <param name="address">Where it calls from, as one counts addresses.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    public Task<CliGrant> PollAsync(string code, IPAddress address, CancellationToken cancellation) => TakeAsync(
        code,
        CliAskings.DevicePrefix,
        address,
        async (work, asking, now) =>
        {
            if (asking.UserCode is null)
            {
                return Unknown();
            }

            if (asking.ExpiresAt <= now)
            {
                return new CliGrant.Refused("expired_token", "Nobody answered in time.");
            }

            switch (asking.State)
            {
                case CliAskingState.Denied:
                    return new CliGrant.Refused("access_denied", "It was denied in the browser.");
                case CliAskingState.Allowed:
                    return null;
                default:
                    var slowly = asking.PolledAt is { } before && now - before < asking.PollEvery;
                    var every = slowly && asking.PollEvery + Slower is var slower ? slower < LongestPoll ? slower : LongestPoll : asking.PollEvery;
                    await work.PolledAsync(asking, now, every);
                    return slowly
                        ? new CliGrant.Refused("slow_down", $"Poll every {every.TotalSeconds:0} s.")
                        : new CliGrant.Refused("authorization_pending", "Nobody has answered in the browser yet.");
            }
        },
        cancellation);

    /// <summary>A command line shows the code that a browser brought it (RFC 6749, section 4.1.3; RFC 7636, section 4.5).</summary>
    /// <param name="code">The code.</param>
    /// <param name="redirect">Where it was brought.</param>
    /// <param name="verifier">What its challenge was made of.</param>
    /// <param name="address">Where it calls from, as one counts addresses.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    public Task<CliGrant> RedeemAsync(string code, string redirect, string verifier, IPAddress address, CancellationToken cancellation) => TakeAsync(
        code,
        CliAskings.CodePrefix,
        address,
        async (work, asking, now) =>
        {
            if (asking.Challenge is not { } challenge)
            {
                return Unknown();
            }

            var right = asking.ExpiresAt > now && asking.Redirect == redirect && IsVerifier(verifier)
                && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(challenge), Encoding.ASCII.GetBytes(ChallengeOf(verifier)));
            if (right)
            {
                return null;
            }

            // NB. A code is shown once, rightly or not: nobody tries verifiers.
            await work.UseAsync(asking, login: null);
            return Unknown();
        },
        cancellation);

    /// <summary>Gives the next two tokens (RFC 6749, section 6). Each works once; one that is shown again, too late to be a lost answer, ends the login.</summary>
    public async Task<CliGrant> RefreshAsync(string refresh, IPAddress address, CancellationToken cancellation)
    {
        var hash = Secrets.HashOf(refresh);
        var came = !Secrets.MayBe(refresh, RefreshPrefix) ? Unknown() : await store.WriteAsync<CliGrant>(
            async work =>
            {
                // NB. The login is held first: of several who show tokens of it at once, each sees what the one before did.
                if (await work.FindByRefreshAsync(hash) is not { } known || await work.FindCliLoginAsync(known.Login) is not { } login || await work.FindByRefreshAsync(hash) is not { } shown)
                {
                    return Unknown();
                }

                var now = Stored.Round(clock.Now());
                if (login.EndedAt is not null || login.ExpiresAt <= now)
                {
                    return new CliGrant.Refused("invalid_grant", "This login is over.");
                }

                if (!catalog.Now.IsActive(login.Person))
                {
                    return new CliGrant.Refused("invalid_grant", "Whose login it is is disabled.");
                }

                var live = await work.FindLivePairAsync(login.Id);
                var lost = shown is { State: CliPairState.Replaced, ReplacedAt: { } at } && now - at <= LostWithin && live?.ComesOf is { } of && of.AsSpan().SequenceEqual(shown.Refresh);
                if (shown.State != CliPairState.Live && !lost)
                {
                    await CliLogins.EndAsync(work, login, "reused", now, by: null);
                    return new CliGrant.Refused("invalid_grant", "This token was used before; the login is ended, for somebody else may have it.", Wrong: true);
                }

                if (shown.RefreshUntil <= now)
                {
                    return new CliGrant.Refused("invalid_grant", "This login was not used for too long.");
                }

                await work.ReplaceAsync(lost ? live! : shown, lost ? CliPairState.Void : CliPairState.Replaced, now);
                await work.TouchCliLoginAsync(login.Id, now);
                return await GiveAsync(work, login with { UsedAt = now }, shown.Refresh, now);
            },
            cancellation);
        return await CountedAsync(came, address, cancellation);
    }

    /// <summary>Ends the login that a token is of (RFC 7009). An unknown one is no trouble.</summary>
    /// <returns>Whether it ended now.</returns>
    public Task<bool> RevokeAsync(string token, CancellationToken cancellation)
    {
        var hash = Secrets.HashOf(token);
        return !Secrets.MayBe(token, Prefix) && !Secrets.MayBe(token, RefreshPrefix) ? Task.FromResult(false) : store.WriteAsync(
            async work =>
            {
                var pair = token.StartsWith(Prefix, StringComparison.Ordinal) ? await work.FindByAccessAsync(hash) : await work.FindByRefreshAsync(hash);
                return pair is not null && await work.FindCliLoginAsync(pair.Login) is { } login && await CliLogins.EndAsync(work, login, "logged_out", Stored.Round(clock.Now()), login.Person);
            },
            cancellation);
    }

    /// <summary>Whose token it is; null when it is nobody's, is over, or its person is disabled or gone.</summary>
    public async Task<(Person Person, CliLogin Login)?> FindAsync(string token, CancellationToken cancellation)
    {
        if (!Secrets.MayBe(token, Prefix))
        {
            return null;
        }

        var hash = Secrets.HashOf(token);
        var now = clock.Now();
        var login = await store.ReadAsync(
            async reads => await reads.FindByAccessAsync(hash) is { } pair && pair.AccessUntil > now ? await reads.FindCliLoginAsync(pair.Login) : null,
            cancellation);
        return login is { EndedAt: null } && login.ExpiresAt > now && catalog.Now.People.TryGetValue(login.Person.Value, out var person) && !person.Disabled ? (person, login) : null;
    }

    /// <summary>What a verifier hashes to (RFC 7636, section 4.2, <c>S256</c>).</summary>
    public static string ChallengeOf(string verifier) => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier)));

    /// <summary>Whether a text can be a verifier (RFC 7636, section 4.1).</summary>
    public static bool IsVerifier(string text) => text.Length is >= 43 and <= 128 && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '.' or '_' or '~');

    /// <summary>Lets in the command line that shows a code.</summary>
    /// <param name="code">The code.</param>
    /// <param name="prefix">What it begins with.</param>
    /// <param name="address">Where it calls from.</param>
    /// <param name="look">Says why not; null when nothing is against it.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    private async Task<CliGrant> TakeAsync(string code, string prefix, IPAddress address, Func<Work, CliAsking, DateTimeOffset, Task<CliGrant?>> look, CancellationToken cancellation)
    {
        var hash = Secrets.HashOf(code);
        var came = !Secrets.MayBe(code, prefix) ? Unknown() : await store.WriteAsync<CliGrant>(
            async work =>
            {
                var now = Stored.Round(clock.Now());
                if (await work.FindCliAskingAsync(hash) is not { } asking)
                {
                    return Unknown();
                }

                if (asking.State == CliAskingState.Used)
                {
                    // NB. Two have the code, and nobody knows which of them has the tokens (RFC 6749, section 4.1.2).
                    if (asking.Login is { } given && await work.FindCliLoginAsync(given) is { } other)
                    {
                        await CliLogins.EndAsync(work, other, "code_reused", now, by: null);
                    }

                    return Unknown();
                }

                if (await look(work, asking, now) is { } no)
                {
                    return no;
                }

                if (asking.Proof is not { } proof || !catalog.Now.IsActive(proof.Person))
                {
                    return new CliGrant.Refused("access_denied", "Whoever allowed it is disabled.");
                }

                var login = new CliLogin
                {
                    Id = ids.NextCliLogin(),
                    Kind = asking.Kind,
                    Proof = proof,
                    Self = asking.Self,
                    MadeAt = now,
                    UsedAt = now,
                    ExpiresAt = Stored.Round(now + limits.Lasts),
                };
                if (!await work.UseAsync(asking, login.Id))
                {
                    return Unknown();
                }

                await CliLogins.MakeRoomAsync(work, proof.Person, now);
                await work.InsertAsync(login);
                work.Append(Facts.CliLoggedIn(login));
                return await GiveAsync(work, login, comesOf: null, now);
            },
            cancellation);
        return await CountedAsync(came, address, cancellation);
    }

    private async ValueTask<CliGrant> GiveAsync(Work work, CliLogin login, byte[]? comesOf, DateTimeOffset now)
    {
        var (access, refresh) = (Prefix + ids.NextSecret(), RefreshPrefix + ids.NextSecret());
        var accessUntil = Earlier(now + AccessLasts, login.ExpiresAt);
        await work.InsertAsync(new CliPair(
            login.Id, Secrets.HashOf(access), Secrets.HashOf(refresh), comesOf, now, accessUntil, Earlier(Stored.Round(now + limits.Idle), login.ExpiresAt), CliPairState.Live, null));
        return new CliGrant.LetIn(login, access, accessUntil - now, refresh);
    }

    private async Task<CliGrant> CountedAsync(CliGrant came, IPAddress address, CancellationToken cancellation)
    {
        if (came is CliGrant.Refused { Wrong: true })
        {
            await _refused.AddAsync(address, cancellation);
        }

        return came;
    }

    // The one answer to what was never given, is used up, or is another's.
    private static CliGrant.Refused Unknown() => new("invalid_grant", "It is unknown, used or over. Log in anew: stint login.", Wrong: true);

    private static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;
}
