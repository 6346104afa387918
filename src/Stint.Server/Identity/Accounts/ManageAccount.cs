using Stint.Core;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;
using Stint.Server.Store.Sealing;

namespace Stint.Server.Identity.Accounts;

/// <summary>What somebody has to sign in with here, for themselves to see: never a secret.</summary>
/// <param name="HasPassword">Whether they have a password.</param>
/// <param name="PasswordAt">Since when it is the same; null for none.</param>
/// <param name="HasTotp">Whether it takes a code of an app as well.</param>
/// <param name="Passkeys">Oldest first.</param>
/// <param name="CodesLeft">Recovery codes that were neither used nor voided.</param>
internal sealed record WaysIn(bool HasPassword, DateTimeOffset? PasswordAt, bool HasTotp, IReadOnlyList<Passkey> Passkeys, int CodesLeft);

/// <summary>Somebody who has just proved who they are changes what lets them in. Whoever calls it looked at the proof.</summary>
internal sealed class ManageAccount(StintStore store, CurrentCatalog catalog, Passwords passwords, Sealer sealer, IdSource ids, TimeProvider clock)
{
    /// <summary>Most passkeys of one person.</summary>
    public const int MostPasskeys = 20;

    private const int LongestName = 60;

    public Task<WaysIn> FindAsync(SubjectId who, CancellationToken cancellation) => store.ReadAsync(
        async reads =>
        {
            var account = await reads.FindAccountAsync(who);
            return new WaysIn(account?.Password is not null, account?.PasswordAt, account?.Totp is not null, await reads.PasskeysAsync(who), await reads.RecoveryCodesLeftAsync(who));
        },
        cancellation);

    /// <summary>Sets their password.</summary>
    public async Task<Outcome<bool>> SetPasswordAsync(SubjectId who, string password, string from, CancellationToken cancellation)
    {
        if (PasswordRules.Against(password, NamesOf(who)) is { } wrong)
        {
            return new Outcome<bool>.Invalid([new Problem("password", wrong)]);
        }

        if (await passwords.HashAsync(password, cancellation) is not { } hash)
        {
            return new Outcome<bool>.Refused("too many passwords are being looked at just now", "Try again in a minute.");
        }

        return await ChangeAsync(
            who,
            from,
            async (work, now) =>
            {
                await work.SetPasswordAsync(who, hash, now);
                work.Append(Facts.PasswordSet(who, now));
                return new Outcome<bool>.Done(true);
            },
            cancellation);
    }

    /// <summary>Takes their password away, and the code of an app with it.</summary>
    public Task<Outcome<bool>> RemovePasswordAsync(SubjectId who, string from, CancellationToken cancellation) => ChangeAsync(
        who,
        from,
        async (work, now) =>
        {
            if ((await work.FindAccountAsync(who))?.Password is null)
            {
                return new Outcome<bool>.NotFound();
            }

            if ((await work.PasskeysAsync(who)).Count == 0)
            {
                return Last();
            }

            await work.SetPasswordAsync(who, null, now);
            await work.SetTotpAsync(who, null, null, now);
            work.Append(Facts.PasswordRemoved(who, now));
            return new Outcome<bool>.Done(true);
        },
        cancellation);

    /// <summary>Adds a passkey that was made for them.</summary>
    /// <param name="who">Who.</param>
    /// <param name="made">The passkey.</param>
    /// <param name="name">What they call it; empty for a name by the date.</param>
    /// <param name="from">Where they are.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    public Task<Outcome<bool>> AddPasskeyAsync(SubjectId who, NewPasskey made, string? name, string from, CancellationToken cancellation) => ChangeAsync(
        who,
        from,
        async (work, now) =>
        {
            if ((await work.PasskeysAsync(who)).Count >= MostPasskeys)
            {
                return new Outcome<bool>.Refused($"you have {MostPasskeys} passkeys", "Remove one that is not needed.");
            }

            if (!await KeepAsync(work, who, made, name, now))
            {
                return new Outcome<bool>.LostRace("this passkey does not belong to your account; make another one", false);
            }

            return new Outcome<bool>.Done(true);
        },
        cancellation,
        made.Handle);

    /// <summary>Removes a passkey for good.</summary>
    public Task<Outcome<bool>> RemovePasskeyAsync(SubjectId who, byte[] id, string from, CancellationToken cancellation) => ChangeAsync(
        who,
        from,
        async (work, now) =>
        {
            if ((await work.PasskeysAsync(who)).Count == 1 && (await work.FindAccountAsync(who))?.Password is null)
            {
                return Last();
            }

            if (!await work.RemovePasskeyAsync(who, id, now))
            {
                return new Outcome<bool>.NotFound();
            }

            work.Append(Facts.PasskeyRemoved(who, id, now));
            return new Outcome<bool>.Done(true);
        },
        cancellation);

    /// <summary>A new secret for an app, not kept yet.</summary>
    public byte[] NewTotp() => ids.Bytes(Totp.SecretBytes);

    /// <summary>Keeps a secret once the app has shown a code of it.</summary>
    public Task<Outcome<bool>> SetTotpAsync(SubjectId who, byte[] secret, string code, string from, CancellationToken cancellation) => ChangeAsync(
        who,
        from,
        async (work, now) =>
        {
            if ((await work.FindAccountAsync(who))?.Password is null)
            {
                return new Outcome<bool>.Refused("a code of an app goes with a password, and you have none", "Set a password first; a passkey needs no code.");
            }

            if (Totp.StepOf(secret, code, now, null) is not { } step)
            {
                return new Outcome<bool>.Invalid([new Problem("code", "that is not the code that the app shows now; look whether the clocks of both agree")]);
            }

            await work.SetTotpAsync(who, sealer.Seal(secret, TotpPurpose(who)), step, now);
            work.Append(Facts.TotpSet(who, now));
            return new Outcome<bool>.Done(true);
        },
        cancellation);

    public Task<Outcome<bool>> RemoveTotpAsync(SubjectId who, string from, CancellationToken cancellation) => ChangeAsync(
        who,
        from,
        async (work, now) =>
        {
            if ((await work.FindAccountAsync(who))?.Totp is null)
            {
                return new Outcome<bool>.NotFound();
            }

            await work.SetTotpAsync(who, null, null, now);
            work.Append(Facts.TotpRemoved(who, now));
            return new Outcome<bool>.Done(true);
        },
        cancellation);

    /// <summary>Makes new recovery codes, shown this once; those before are void.</summary>
    public async Task<Outcome<IReadOnlyList<string>>> MakeCodesAsync(SubjectId who, string from, CancellationToken cancellation)
    {
        var codes = RecoveryCode.Make(ids);
        var outcome = await ChangeAsync(
            who,
            from,
            async (work, now) =>
            {
                await work.ReplaceRecoveryCodesAsync(who, RecoveryCode.Hashes(who, codes), now);
                work.Append(Facts.RecoveryCodesMade(who, codes.Count, now));
                return new Outcome<bool>.Done(true);
            },
            cancellation);
        return outcome is Outcome<bool>.Done ? new Outcome<IReadOnlyList<string>>.Done(codes) : new Outcome<IReadOnlyList<string>>.NotFound();
    }

    /// <summary>What a secret for an app is sealed for.</summary>
    public static string TotpPurpose(SubjectId who) => $"totp:{who.Value}";

    /// <summary>What nobody's password may be made of.</summary>
    public IEnumerable<string> NamesOf(SubjectId who) =>
        catalog.Now.People.TryGetValue(who.Value, out var person) ? [who.Value, person.Name, person.Mail ?? ""] : [who.Value];

    /// <summary>Keeps a passkey with its fact.</summary>
    /// <returns>False when it was made for another account, or somebody has it.</returns>
    public static async ValueTask<bool> KeepAsync(Work work, SubjectId who, NewPasskey made, string? name, DateTimeOffset now)
    {
        var typed = name?.Trim() ?? "";
        var shown = typed.Length is > 0 and <= LongestName && Core.Catalog.Words.IsShowable(typed, newLines: false) ? typed : $"passkey of {now:yyyy-MM-dd}";
        if ((await work.FindAccountAsync(who))?.Handle != made.Handle || !await work.InsertAsync(new Passkey
        {
            Id = made.Id,
            Person = who,
            Name = shown,
            PublicKey = made.PublicKey,
            SignCount = made.SignCount,
            Transports = made.Transports,
            IsBackupEligible = made.IsBackupEligible,
            IsBackedUp = made.IsBackedUp,
            MadeAt = now,
        }))
        {
            return false;
        }

        work.Append(Facts.PasskeyAdded(who, made.Id, now));
        return true;
    }

    private static Outcome<bool>.Refused Last() => new("it is the last way in that you have here", "Make another one first.");

    private Task<Outcome<bool>> ChangeAsync(SubjectId who, string from, Func<Work, DateTimeOffset, Task<Outcome<bool>>> act, CancellationToken cancellation, string? handle = null) => store.WriteAsync(
        async work =>
        {
            if (!catalog.Now.IsActive(who))
            {
                return new Outcome<bool>.NotFound();
            }

            var now = Stored.Round(clock.Now());
            if (await work.KeepAccountAsync(who, handle ?? ids.NextSecret(), now) is { Made: true })
            {
                work.Append(Facts.AccountMade(who, "self", from, now));
            }

            return await act(work, now);
        },
        cancellation);
}
