using System.Data.Common;
using System.Security.Cryptography;
using Stint.Core;

namespace Stint.Server.Store;

/// <summary>What lets a person in here without an identity provider, besides their passkeys and codes.</summary>
internal sealed record LocalAccount
{
    public required SubjectId Person { get; init; }

    /// <summary>What an authenticator keeps in place of a name: it says nothing about anybody.</summary>
    public required string Handle { get; init; }

    public required DateTimeOffset MadeAt { get; init; }

    /// <summary>The hash of the password; null for none.</summary>
    public string? Password { get; init; }

    public DateTimeOffset? PasswordAt { get; init; }

    /// <summary>The sealed secret of the second step; null for none.</summary>
    public string? Totp { get; init; }

    public DateTimeOffset? TotpAt { get; init; }

    /// <summary>The last step of time whose code was used; null with <see cref="Totp"/>.</summary>
    public long? TotpStep { get; init; }
}

/// <summary>A passkey that lets a person in.</summary>
internal sealed record Passkey
{
    /// <summary>As the authenticator chose it.</summary>
    public required byte[] Id { get; init; }

    public required SubjectId Person { get; init; }

    /// <summary>For its holder to tell it from others.</summary>
    public required string Name { get; init; }

    /// <summary>A COSE key.</summary>
    public required byte[] PublicKey { get; init; }

    public required long SignCount { get; init; }

    public required IReadOnlyList<string> Transports { get; init; }

    /// <summary>Whether it may be copied to other devices of its holder.</summary>
    public required bool IsBackupEligible { get; init; }

    public required bool IsBackedUp { get; init; }

    public required DateTimeOffset MadeAt { get; init; }

    public DateTimeOffset? UsedAt { get; init; }
}

internal partial class Reads
{
    private const string AccountColumns = "person, handle, made_at, password, password_at, totp, totp_at, totp_step";
    private const string PasskeyColumns = "id, person, name, public_key, sign_count, transports, backup_eligible, backed_up, made_at, used_at";

    public ValueTask<LocalAccount?> FindAccountAsync(SubjectId person) =>
        Db.OneAsync($"SELECT {AccountColumns} FROM accounts WHERE person = $1{Lock}", ReadAccount, person.Value);

    public ValueTask<LocalAccount?> FindAccountAsync(string handle) =>
        Db.OneAsync($"SELECT {AccountColumns} FROM accounts WHERE handle = $1{Lock}", ReadAccount, handle);

    /// <summary>Those of a person that count, oldest first.</summary>
    public ValueTask<List<Passkey>> PasskeysAsync(SubjectId person) =>
        Db.ListAsync($"SELECT {PasskeyColumns} FROM passkeys WHERE person = $1 AND removed_at IS NULL ORDER BY seq{Lock}", ReadPasskey, person.Value);

    /// <summary>Whether anybody has or had a passkey with that id.</summary>
    public async ValueTask<bool> HasPasskeyAsync(byte[] id) => await Db.NumberAsync("SELECT 1 FROM passkeys WHERE id = $1", id) is not null;

    /// <summary>How many recovery codes a person has left.</summary>
    public async ValueTask<int> RecoveryCodesLeftAsync(SubjectId person) =>
        (int)(await Db.NumberAsync("SELECT COUNT(*) FROM recovery_codes WHERE person = $1 AND used_at IS NULL AND voided_at IS NULL", person.Value) ?? 0);

    /// <summary>Whether a recovery code of the person has that hash and was neither used nor voided.</summary>
    public async ValueTask<bool> HasRecoveryCodeAsync(SubjectId person, byte[] hash) => await Db.OneAsync(
        "SELECT hash FROM recovery_codes WHERE hash = $1 AND person = $2 AND used_at IS NULL AND voided_at IS NULL",
        static row => row.GetFieldValue<byte[]>(0),
        hash,
        person.Value) is { } found && CryptographicOperations.FixedTimeEquals(found, hash);

    /// <summary>Persons who have a password or a passkey.</summary>
    public async ValueTask<HashSet<SubjectId>> PersonsWithAWayInAsync() => [.. await Db.ListAsync(
        "SELECT person FROM accounts WHERE password IS NOT NULL OR EXISTS (SELECT 1 FROM passkeys WHERE passkeys.person = accounts.person AND removed_at IS NULL)",
        static row => new SubjectId(row.GetString(0)))];

    private static LocalAccount ReadAccount(DbDataReader row)
    {
        var c = new Columns(row);
        return new LocalAccount
        {
            Person = new SubjectId(c.Text()),
            Handle = c.Text(),
            MadeAt = c.Time(),
            Password = c.TextOrNull(),
            PasswordAt = c.TimeOrNull(),
            Totp = c.TextOrNull(),
            TotpAt = c.TimeOrNull(),
            TotpStep = c.NumberOrNull(),
        };
    }

    private static Passkey ReadPasskey(DbDataReader row)
    {
        var c = new Columns(row);
        return new Passkey
        {
            Id = c.Bytes(),
            Person = new SubjectId(c.Text()),
            Name = c.Text(),
            PublicKey = c.Bytes(),
            SignCount = c.Number(),
            Transports = c.Text().Split('\n', StringSplitOptions.RemoveEmptyEntries),
            IsBackupEligible = c.Flag(),
            IsBackedUp = c.Flag(),
            MadeAt = c.Time(),
            UsedAt = c.TimeOrNull(),
        };
    }
}

/// <summary>Tries in vain to sign in.</summary>
/// <param name="Count">How many.</param>
/// <param name="At">When the last was.</param>
/// <param name="Until">Until when the next one waits.</param>
internal sealed record SignInTries(int Count, DateTimeOffset At, DateTimeOffset Until);

internal partial class Reads
{
    /// <summary>How often something was tried in vain, when last, and until when it waits; null for never.</summary>
    public ValueTask<SignInTries?> FindTriesAsync(byte[] mark) => Db.OneAsync(
        $"SELECT count, at, until FROM sign_in_tries WHERE mark = $1{Lock}",
        static row =>
        {
            var c = new Columns(row);
            return new SignInTries((int)c.Number(), c.Time(), c.Time());
        },
        mark);
}

internal sealed partial class Work
{
    /// <summary>The person's account; made with the handle when they have none.</summary>
    /// <returns>The account, and whether it was made now.</returns>
    public async ValueTask<(LocalAccount Account, bool Made)> KeepAccountAsync(SubjectId person, string handle, DateTimeOffset now)
    {
        var made = await Db.RunAsync("INSERT INTO accounts (person, handle, made_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", person.Value, handle, now) == 1;
        return ((await FindAccountAsync(person))!, made);
    }

    /// <summary>Sets the password's hash; null takes it away.</summary>
    public async ValueTask SetPasswordAsync(SubjectId person, string? hash, DateTimeOffset now) =>
        await Db.RunAsync("UPDATE accounts SET password = $1, password_at = $2 WHERE person = $3", hash, hash is null ? null : now, person.Value);

    /// <summary>Replaces a hash by one of the same password that costs more; nothing happens when it was changed meanwhile.</summary>
    public async ValueTask RehashAsync(SubjectId person, string before, string after) =>
        await Db.RunAsync("UPDATE accounts SET password = $1 WHERE person = $2 AND password = $3", after, person.Value, before);

    /// <summary>Sets the sealed secret of the second step, with the step that was used to prove it; null takes it away.</summary>
    public async ValueTask SetTotpAsync(SubjectId person, string? secret, long? step, DateTimeOffset now) => await Db.RunAsync(
        "UPDATE accounts SET totp = $1, totp_at = $2, totp_step = $3 WHERE person = $4", secret, secret is null ? null : now, secret is null ? null : step, person.Value);

    /// <summary>Uses a step of time up.</summary>
    /// <returns>False when it, or a later one, was used meanwhile, or the secret is another.</returns>
    public async ValueTask<bool> UseTotpAsync(SubjectId person, string secret, long step) =>
        await Db.RunAsync("UPDATE accounts SET totp_step = $1 WHERE person = $2 AND totp = $3 AND totp_step < $1", step, person.Value, secret) == 1;

    /// <summary>Keeps a new passkey.</summary>
    /// <returns>False when somebody has one with that id.</returns>
    public async ValueTask<bool> InsertAsync(Passkey passkey) => await Db.RunAsync(
        "INSERT INTO passkeys (id, person, name, public_key, sign_count, transports, backup_eligible, backed_up, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        passkey.Id,
        passkey.Person.Value,
        passkey.Name,
        passkey.PublicKey,
        passkey.SignCount,
        string.Join('\n', passkey.Transports),
        passkey.IsBackupEligible,
        passkey.IsBackedUp,
        passkey.MadeAt) == 1;

    /// <summary>Notes that a passkey was used.</summary>
    /// <returns>False when it was removed, or its counter went on meanwhile: two signatures with one count are a copy's.</returns>
    public async ValueTask<bool> UsePasskeyAsync(Passkey before, long signCount, bool backedUp, DateTimeOffset now) => await Db.RunAsync(
        "UPDATE passkeys SET sign_count = $1, backed_up = $2, used_at = $3 WHERE id = $4 AND person = $5 AND removed_at IS NULL AND sign_count = $6",
        signCount,
        backedUp,
        now,
        before.Id,
        before.Person.Value,
        before.SignCount) == 1;

    /// <summary>Removes a passkey for good.</summary>
    /// <returns>False when it counts no longer, or is another's.</returns>
    public async ValueTask<bool> RemovePasskeyAsync(SubjectId person, byte[] id, DateTimeOffset now) =>
        await Db.RunAsync("UPDATE passkeys SET removed_at = $1 WHERE id = $2 AND person = $3 AND removed_at IS NULL", now, id, person.Value) == 1;

    /// <summary>Voids what recovery codes a person has left, and keeps new ones.</summary>
    public async ValueTask ReplaceRecoveryCodesAsync(SubjectId person, IReadOnlyList<byte[]> hashes, DateTimeOffset now)
    {
        await Db.RunAsync("UPDATE recovery_codes SET voided_at = $1 WHERE person = $2 AND used_at IS NULL AND voided_at IS NULL", now, person.Value);
        foreach (var hash in hashes)
        {
            await Db.LaterAsync("INSERT INTO recovery_codes (person, hash, made_at) VALUES ($1, $2, $3)", person.Value, hash, now);
        }
    }

    /// <summary>Uses a recovery code up.</summary>
    /// <returns>False when it was used or voided meanwhile.</returns>
    public async ValueTask<bool> UseRecoveryCodeAsync(SubjectId person, byte[] hash, DateTimeOffset now) => await Db.RunAsync(
        "UPDATE recovery_codes SET used_at = $1 WHERE hash = $2 AND person = $3 AND used_at IS NULL AND voided_at IS NULL", now, hash, person.Value) == 1;

    /// <summary>Counts a try before it is looked at, so that many at once are many, on however many nodes.</summary>
    /// <param name="mark">What is counted by: 32 bytes.</param>
    /// <param name="now">When.</param>
    /// <param name="forgotten">A try of before then counts no longer.</param>
    /// <param name="longest">The longest that anybody waits. What a clock that was set back since makes longer is no wait.</param>
    /// <param name="wait">How long the tries that follow wait, by how many there are.</param>
    /// <returns>False when it has to wait: it must not be looked at, and does not count.</returns>
    public async ValueTask<bool> BeginTryAsync(byte[] mark, DateTimeOffset now, DateTimeOffset forgotten, TimeSpan longest, Func<int, TimeSpan> wait)
    {
        while (true)
        {
            var seen = await FindTriesAsync(mark);
            if (seen is not null && seen.Until > now && seen.Until - now <= longest)
            {
                return false;
            }

            var count = seen is not null && seen.At > forgotten && seen.At <= now ? seen.Count + 1 : 1;
            var put = seen is null
                ? await Db.RunAsync("INSERT INTO sign_in_tries (mark, count, at, until) VALUES ($1, $2, $3, $4) ON CONFLICT (mark) DO NOTHING", mark, count, now, now + wait(count))
                : await Db.RunAsync("UPDATE sign_in_tries SET count = $2, at = $3, until = $4 WHERE mark = $1 AND count = $5 AND at = $6", mark, count, now, now + wait(count), seen.Count, seen.At);
            if (put == 1)
            {
                return true;
            }
        }
    }

    /// <summary>It was right: nothing is held against it any more.</summary>
    public ValueTask<int> ForgetTriesAsync(byte[] mark) => Db.RunAsync("DELETE FROM sign_in_tries WHERE mark = $1", mark);

    /// <summary>Forgets tries of before then.</summary>
    public ValueTask<int> ForgetTriesAsync(DateTimeOffset before) => Db.RunAsync("DELETE FROM sign_in_tries WHERE at < $1", before);
}
