using System.Net;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Requests;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;
using Stint.Server.Store.Sealing;

namespace Stint.Server.Identity.Accounts;

/// <summary>What came of trying to sign in.</summary>
internal abstract record Try
{
    private Try()
    {
    }

    /// <summary>It was right.</summary>
    /// <param name="Person">Who.</param>
    /// <param name="By">With what: <c>password</c>, <c>password+totp</c>, <c>recovery</c>, <c>passkey</c>.</param>
    public sealed record LetIn(SubjectId Person, string By) : Try;

    /// <summary>The password was right, and a code is asked for.</summary>
    /// <param name="Person">Who.</param>
    public sealed record NeedsCode(SubjectId Person) : Try;

    /// <summary>The one answer to whatever is wrong: the name, the password, the code, or that one has to wait.</summary>
    public sealed record Refused : Try;

    /// <summary>Too many tries come from there, or at once.</summary>
    /// <param name="Wait">How long to wait.</param>
    public sealed record TooMany(TimeSpan Wait) : Try;
}

/// <summary>Lets somebody in by a name and a password or a recovery code, and by the code of an app where they have one.</summary>
/// <remarks>
/// NB. Whatever is wrong, the same work is done and the same is answered: an account and a recovery code are looked for under the
/// name, and one hash is made. Who waits because of too many tries gets that answer as well. The waiting of a name is counted in
/// the store, alike for every node; it is bounded, and does not count for a browser that its person signed in with before. That
/// of an address is counted by this node.
/// </remarks>
internal sealed class SignInByPassword(StintStore store, CurrentCatalog catalog, Passwords passwords, Sealer sealer, TimeProvider clock)
{
    /// <summary>Tries of one address in a minute.</summary>
    public const int TriesPerAddress = 20;

    /// <summary>Tries in vain that cost no waiting: of one name, of one browser that is known, and of one address.</summary>
    public const int FreePerPerson = 5;

    /// <inheritdoc cref="FreePerPerson"/>
    public const int FreePerAddress = 20;

    private const int LongestName = 256;
    private const string Purpose = "tries to sign in";
    private static readonly TimeSpan BusyWait = TimeSpan.FromSeconds(5);

    private readonly RateLimit<IPAddress> _addresses = new(TriesPerAddress, clock);
    private readonly Holdoff<IPAddress> _failing = new(FreePerAddress, clock);

    /// <summary>The person that a typed name means: as the catalog writes it, or in small letters.</summary>
    public SubjectId Meant(string name)
    {
        var typed = name.Length > LongestName ? name[..LongestName].Trim() : name.Trim();
        return new SubjectId(catalog.Now.People.ContainsKey(typed) ? typed : DirectoryPeople.Key(typed) is { Length: > 0 } key ? key : "-");
    }

    /// <summary>Tries a name with a password, or with a recovery code.</summary>
    /// <param name="who">Whom they say they are.</param>
    /// <param name="typed">What they typed.</param>
    /// <param name="address">Where they come from, as one counts addresses.</param>
    /// <param name="device">The browser, when the person signed in with it before; null for another.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    public async Task<Try> TryAsync(SubjectId who, string typed, IPAddress address, string? device, CancellationToken cancellation)
    {
        if (_addresses.Take(address) is { } wait)
        {
            return new Try.TooMany(wait);
        }

        // NB. A known browser waits for its own mistakes alone: who floods a name from elsewhere must not shut its owner out.
        var key = device is null ? $"name {DirectoryPeople.Key(who.Value)}" : $"browser {device}";
        var mark = sealer.Mark(key, Purpose);
        var hash = RecoveryCode.Hash(who, BreakGlassCode.Read(typed) ?? "");
        var (account, isCode, tries) = await store.ReadAsync(async reads => (await reads.FindAccountAsync(who), await reads.HasRecoveryCodeAsync(who, hash), await reads.FindTriesAsync(mark)), cancellation);
        var mayTry = !Waiting(tries) && (device is not null || _failing.Begin(address)) && await BeginAsync(mark, cancellation);
        var check = await passwords.CheckAsync(mayTry ? account?.Password : null, typed, cancellation);
        if (check == PasswordCheck.Busy)
        {
            return new Try.TooMany(BusyWait);
        }

        if (!mayTry || account is null || !catalog.Now.IsActive(who))
        {
            return new Try.Refused();
        }

        if (isCode && await UseCodeAsync(who, hash, address, cancellation))
        {
            await ForgetAsync(mark, cancellation);
            return new Try.LetIn(who, "recovery");
        }

        if (check is not (PasswordCheck.Right or PasswordCheck.RightAndOld))
        {
            return new Try.Refused();
        }

        if (check == PasswordCheck.RightAndOld && await passwords.HashAsync(typed, cancellation) is { } renewed)
        {
            await store.WriteAsync(async work => await work.RehashAsync(who, account.Password!, renewed), cancellation);
        }

        await ForgetAsync(mark, cancellation);
        return account.Totp is null ? new Try.LetIn(who, "password") : new Try.NeedsCode(who);
    }

    /// <summary>Tries the code of an app, or a recovery code, of somebody whose password was right.</summary>
    public async Task<Try> TryCodeAsync(SubjectId who, string typed, IPAddress address, CancellationToken cancellation)
    {
        if (_addresses.Take(address) is { } wait)
        {
            return new Try.TooMany(wait);
        }

        var mark = sealer.Mark($"code {DirectoryPeople.Key(who.Value)}", Purpose);
        if (Waiting(await store.ReadAsync(async reads => await reads.FindTriesAsync(mark), cancellation)) || !await BeginAsync(mark, cancellation) || !catalog.Now.IsActive(who))
        {
            return new Try.Refused();
        }

        var account = await store.ReadAsync(async reads => await reads.FindAccountAsync(who), cancellation);
        if (account?.Totp is { } secret)
        {
            // NB. Two who type the same code at once: one of them moves the step, the other finds it used.
            if (Totp.StepOf(sealer.OpenBytes(secret, ManageAccount.TotpPurpose(who)), typed, clock.Now(), account.TotpStep) is { } step
                && await store.WriteAsync(async work => await work.UseTotpAsync(who, secret, step), cancellation))
            {
                await ForgetAsync(mark, cancellation);
                return new Try.LetIn(who, "password+totp");
            }

            if (BreakGlassCode.Read(typed) is { } code && await UseCodeAsync(who, RecoveryCode.Hash(who, code), address, cancellation))
            {
                await ForgetAsync(mark, cancellation);
                return new Try.LetIn(who, "recovery");
            }
        }

        return new Try.Refused();
    }

    private bool Waiting(SignInTries? tries) => clock.Now() is var now && tries is { } known && known.Until > now && known.Until - now <= Waits.Longest;

    private Task<bool> BeginAsync(byte[] mark, CancellationToken cancellation) => store.WriteAsync(
        async work =>
        {
            var now = Stored.Round(clock.Now());
            return await work.BeginTryAsync(mark, now, now - Waits.Remembered, Waits.Longest, count => Waits.After(count, FreePerPerson));
        },
        cancellation);

    private Task<int> ForgetAsync(byte[] mark, CancellationToken cancellation) => store.WriteAsync(async work => await work.ForgetTriesAsync(mark), cancellation);

    private Task<bool> UseCodeAsync(SubjectId who, byte[] hash, IPAddress address, CancellationToken cancellation) => store.WriteAsync(
        async work =>
        {
            var now = Stored.Round(clock.Now());
            if (!await work.UseRecoveryCodeAsync(who, hash, now))
            {
                return false;
            }

            work.Append(Facts.RecoveryCodeUsed(who, address.ToString(), await work.RecoveryCodesLeftAsync(who), now));
            return true;
        },
        cancellation);
}
