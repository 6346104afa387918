using System.Security.Cryptography;
using System.Text;
using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Catalog;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Identity.Accounts;

/// <summary>A one-time link, as it is shown this once.</summary>
/// <param name="Code">256 random bits; it stands behind the <c>#</c> of the page, which a browser sends nowhere.</param>
/// <param name="Person">Whose.</param>
/// <param name="ExpiresAt">Until before when it works.</param>
internal sealed record MadeLink(string Code, SubjectId Person, DateTimeOffset ExpiresAt);

/// <summary>What a link opens.</summary>
/// <param name="Kind">What it is for.</param>
/// <param name="Persons">Who may use it: one; for the first set-up the catalog's active admins, and none where it names none.</param>
internal sealed record OpenLink(AccountLinkKind Kind, IReadOnlyList<SubjectId> Persons)
{
    /// <summary>Whether whoever uses it says who they are: the catalog names nobody who could.</summary>
    public bool TakesAName => Persons.Count == 0;
}

/// <summary>What somebody gave to be let in with from now on.</summary>
/// <param name="Password">The hash of a password that was found good; null for a passkey.</param>
/// <param name="Made">A passkey; null for a password.</param>
/// <param name="Name">What they call the passkey.</param>
internal sealed record FirstWay(string? Password, NewPasskey? Made, string? Name);

/// <summary>One-time links: the first administrator's, invitations, and new beginnings for who lost everything.</summary>
/// <remarks>
/// The first is offered while no active admin of the catalog has a token there, or a password or a passkey here, and no identity
/// provider is configured; that is asked again when it is used. A start makes a new one, and the one before is void. Where the
/// catalog names no active admin, whoever uses it is kept as a person of this installation and administers for a day.
/// </remarks>
internal sealed class AccountLinks(StintStore store, CurrentCatalog catalog, SignInWays ways, GiveFirstRight first, FollowDirectory directory, Installation installation, IdSource ids, TimeProvider clock)
{
    /// <summary>How long a link works.</summary>
    public static readonly TimeSpan Lasts = TimeSpan.FromHours(24);

    /// <summary>How long somebody administers whom the catalog does not name.</summary>
    public static readonly TimeSpan FirstRightLasts = TimeSpan.FromHours(24);

    private const int LongestCode = 128;

    /// <summary>Offers to make the first administrator.</summary>
    /// <returns>The code; null when somebody can sign in.</returns>
    public async Task<string?> OfferSetUpAsync(CancellationToken cancellation)
    {
        var code = ids.NextSecret();
        return await store.WriteAsync(
            async work =>
            {
                var now = Stored.Round(clock.Now());
                if (!await IsNeededAsync(work))
                {
                    await work.VoidLinksAsync(null, now);
                    return null;
                }

                var link = new AccountLink(HashOf(code), AccountLinkKind.SetUp, null, null, now, Stored.Round(now + Lasts));
                await work.InsertAsync(link);
                work.Append(Facts.SetUpOffered(link.ExpiresAt, installation.Node, now));
                return code;
            },
            cancellation);
    }

    /// <summary>Makes a link for a person who has no way in here; or voids what they have and makes one.</summary>
    /// <param name="who">An admin.</param>
    /// <param name="name">Name of the person.</param>
    /// <param name="reset">Whether to void what they have.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    /// <param name="within">Runs in the write that keeps it; null for nothing.</param>
    public async Task<Outcome<MadeLink>> MakeAsync(SubjectId who, string name, bool reset, CancellationToken cancellation, Func<Work, ValueTask>? within = null)
    {
        var code = ids.NextSecret();
        return await store.WriteAsync<Outcome<MadeLink>>(
            async work =>
            {
                if (!catalog.Now.People.TryGetValue(name, out var person))
                {
                    return new Outcome<MadeLink>.NotFound();
                }

                if (person.Disabled)
                {
                    return new Outcome<MadeLink>.Refused($"{person.Id} is disabled, and a link would let nobody in", null);
                }

                var account = await work.FindAccountAsync(person.Id);
                var passkeys = await work.PasskeysAsync(person.Id);
                var has = account?.Password is not null || passkeys.Count > 0;
                if (reset && account is null)
                {
                    return new Outcome<MadeLink>.Refused($"{person.Id} has no account here", $"Make one: stint invite {person.Id}");
                }

                if (!reset && has)
                {
                    return new Outcome<MadeLink>.Refused($"{person.Id} has a way in here", $"If they lost it: stint account reset {person.Id}");
                }

                var now = Stored.Round(clock.Now());
                if (reset)
                {
                    await VoidAsync(work, person.Id, passkeys, now);
                }

                var link = new AccountLink(HashOf(code), reset ? AccountLinkKind.Reset : AccountLinkKind.Invite, person.Id, who, now, Stored.Round(now + Lasts));
                await work.InsertAsync(link);
                work.Append(reset ? Facts.AccountReset(person.Id, who, link.ExpiresAt, now) : Facts.InviteMade(person.Id, who, link.ExpiresAt, now));
                if (within is not null)
                {
                    await within(work);
                }

                return new Outcome<MadeLink>.Done(new MadeLink(code, person.Id, link.ExpiresAt));
            },
            cancellation);
    }

    /// <summary>What a code opens; null when it opens nothing (any more).</summary>
    public Task<OpenLink?> LookAsync(string code, CancellationToken cancellation) => code.Length > LongestCode
        ? Task.FromResult<OpenLink?>(null)
        : store.ReadAsync(async reads => await OpenAsync(reads, HashOf(code)), cancellation);

    /// <summary>What is wrong with a person as the one who uses a link; null for nothing.</summary>
    public string? Against(OpenLink open, SubjectId person)
    {
        if (!open.TakesAName)
        {
            return open.Persons.Contains(person) ? null : "this link is not for them";
        }

        // NB. Who is called like somebody in the catalog is that person, capitals or not.
        return !Core.Catalog.Words.IsPersonName(person.Value) || person.Value != DirectoryPeople.Key(person.Value) ? "a name has small letters and digits, and . _ - @ between them, and at most 63 of them"
            : !catalog.Now.IsActive(person) && catalog.Now.People.Keys.Any(name => DirectoryPeople.Key(name) == person.Value) ? "somebody of that name is known here already"
            : null;
    }

    /// <summary>Uses a link: the person has a way in and recovery codes, all of it or nothing.</summary>
    /// <param name="code">The link's code.</param>
    /// <param name="person">Who says that it is theirs.</param>
    /// <param name="way">What lets them in.</param>
    /// <param name="from">Where they are.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    /// <returns>The recovery codes, shown this once.</returns>
    public async Task<Outcome<IReadOnlyList<string>>> UseAsync(string code, SubjectId person, FirstWay way, string from, CancellationToken cancellation)
    {
        if (code.Length > LongestCode)
        {
            return new Outcome<IReadOnlyList<string>>.NotFound();
        }

        var hash = HashOf(code);
        var codes = RecoveryCode.Make(ids);
        var outcome = await store.WriteAsync<Outcome<IReadOnlyList<string>>>(
            async work =>
            {
                var now = Stored.Round(clock.Now());
                if (await OpenAsync(work, hash) is not { } open || Against(open, person) is not null || (open.TakesAName && !await BeginAsync(work, person, now)) || !await work.UseLinkAsync(hash, person, now))
                {
                    return new Outcome<IReadOnlyList<string>>.NotFound();
                }

                await work.KeepAccountAsync(person, way.Made?.Handle ?? ids.NextSecret(), now);
                work.Append(Facts.AccountMade(person, open.Kind switch { AccountLinkKind.SetUp => "set_up", AccountLinkKind.Invite => "invite", _ => "reset" }, from, now));
                if (way.Password is { } password)
                {
                    await work.SetPasswordAsync(person, password, now);
                    work.Append(Facts.PasswordSet(person, now));
                }
                else if (!await ManageAccount.KeepAsync(work, person, way.Made!, way.Name, now))
                {
                    // NB. Thrown, so that the link is not used up by it.
                    throw new PasskeyNotTheirsException();
                }

                await work.ReplaceRecoveryCodesAsync(person, RecoveryCode.Hashes(person, codes), now);
                work.Append(Facts.RecoveryCodesMade(person, codes.Count, now));
                return new Outcome<IReadOnlyList<string>>.Done(codes);
            },
            cancellation);

        // Whoever was made just now is known here before their browser is let in.
        await directory.LookAsync(CancellationToken.None);
        return outcome;
    }

    /// <summary>Keeps somebody whom the catalog does not know, and lets them administer for a day.</summary>
    private async ValueTask<bool> BeginAsync(Work work, SubjectId person, DateTimeOffset now)
    {
        if ((await work.LeftNamesAsync()).Contains(person.Value) || await first.GiveAsync(work, person, FirstRightLasts, "set-up", Actor.Person(person.Value)) is not FirstRight.Given)
        {
            return false;
        }

        if (!catalog.Now.IsActive(person))
        {
            await work.InsertLocalPersonAsync(person.Value, now);
        }

        return true;
    }

    /// <summary>The catalog's active admins, in the order of their names.</summary>
    private List<SubjectId> Admins() => [.. catalog.Now.Admins.Where(catalog.Now.IsActive).OrderBy(admin => admin.Value, StringComparer.Ordinal)];

    private async ValueTask<bool> IsNeededAsync(Reads reads)
    {
        if (ways.All.Count > 0)
        {
            return false;
        }

        // NB. Also who administers for a time alone, and is in no list of the catalog's.
        var now = catalog.Now;
        var can = await reads.PersonsWithAWayInAsync();
        return !can.Any(now.IsAdmin) && !now.People.Values.Any(person => person.TokenHashes.Count > 0 && now.IsAdmin(person.Id));
    }

    private async ValueTask<OpenLink?> OpenAsync(Reads reads, byte[] hash)
    {
        if (await reads.FindLinkAsync(hash) is not { } link || link.ExpiresAt <= clock.Now())
        {
            return null;
        }

        if (link.Person is { } person)
        {
            // NB. Who found another way in meanwhile needs none, and a link that lies about would be one for somebody else.
            var has = (await reads.FindAccountAsync(person))?.Password is not null || (await reads.PasskeysAsync(person)).Count > 0;
            return catalog.Now.IsActive(person) && !has ? new OpenLink(link.Kind, [person]) : null;
        }

        return await IsNeededAsync(reads) ? new OpenLink(link.Kind, Admins()) : null;
    }

    private static async ValueTask VoidAsync(Work work, SubjectId person, IReadOnlyList<Passkey> passkeys, DateTimeOffset now)
    {
        await WebSessions.EndAllAsync(work, person, "reset", null, now);
        await work.SetPasswordAsync(person, null, now);
        await work.SetTotpAsync(person, null, null, now);
        await work.ReplaceRecoveryCodesAsync(person, [], now);
        foreach (var passkey in passkeys)
        {
            await work.RemovePasskeyAsync(person, passkey.Id, now);
            work.Append(Facts.PasskeyRemoved(person, passkey.Id, now));
        }
    }

    private static byte[] HashOf(string code) => SHA256.HashData(Encoding.UTF8.GetBytes($"stint account link\n{code}"));
}

/// <summary>A passkey that was made for one account was shown for another.</summary>
internal sealed class PasskeyNotTheirsException : Exception;
