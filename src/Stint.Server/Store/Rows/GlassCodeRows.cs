using System.Security.Cryptography;
using Stint.Core;

namespace Stint.Server.Store;

/// <summary>What a one-time code was changed for: a way in for a short time. Its secret is nowhere.</summary>
/// <param name="Hash">SHA-256 of the secret.</param>
/// <param name="Person">Whose it is.</param>
/// <param name="MadeAt">When.</param>
/// <param name="ExpiresAt">Until before when it lets in.</param>
internal sealed record GlassPass(byte[] Hash, SubjectId Person, DateTimeOffset MadeAt, DateTimeOffset ExpiresAt);

internal partial class Reads
{
    /// <summary>Whether a code of the person has that hash and was neither used nor voided.</summary>
    /// <remarks>NB. Finding by the hash tells an observer of time at most something about a hash, which they cannot choose without the code; the whole of it is then compared in constant time.</remarks>
    public async ValueTask<bool> HasCodeAsync(SubjectId person, byte[] hash) => await Db.OneAsync(
        "SELECT hash FROM glass_codes WHERE hash = $1 AND person = $2 AND used_at IS NULL AND voided_at IS NULL",
        static row => row.GetFieldValue<byte[]>(0),
        hash,
        person.Value) is { } found && CryptographicOperations.FixedTimeEquals(found, hash);

    /// <summary>How many codes a person has left.</summary>
    public async ValueTask<int> CodesLeftAsync(SubjectId person) =>
        (int)(await Db.NumberAsync("SELECT COUNT(*) FROM glass_codes WHERE person = $1 AND used_at IS NULL AND voided_at IS NULL", person.Value) ?? 0);

    /// <summary>The pass with that hash, over or not; null when there is none.</summary>
    /// <remarks>NB. Whoever makes new codes because the old ones were seen means what was opened with one of them as well.</remarks>
    public async ValueTask<GlassPass?> FindPassAsync(byte[] hash) => await Db.OneAsync(
        "SELECT hash, person, made_at, expires_at FROM glass_passes WHERE hash = $1 "
        + "AND NOT EXISTS (SELECT 1 FROM glass_codes WHERE glass_codes.person = glass_passes.person AND glass_codes.made_at > glass_passes.made_at)",
        static row =>
        {
            var c = new Columns(row);
            return new GlassPass(c.Bytes(), new SubjectId(c.Text()), c.Time(), c.Time());
        },
        hash) is { } found && CryptographicOperations.FixedTimeEquals(found.Hash, hash) ? found : null;
}

internal sealed partial class Work
{
    /// <summary>Voids what codes a person has left, and keeps new ones.</summary>
    /// <returns>How many were voided.</returns>
    public async ValueTask<int> ReplaceCodesAsync(SubjectId person, IReadOnlyList<byte[]> hashes, DateTimeOffset now)
    {
        var voided = await Db.RunAsync("UPDATE glass_codes SET voided_at = $1 WHERE person = $2 AND used_at IS NULL AND voided_at IS NULL", now, person.Value);
        foreach (var hash in hashes)
        {
            await Db.LaterAsync("INSERT INTO glass_codes (person, hash, made_at) VALUES ($1, $2, $3)", person.Value, hash, now);
        }

        return voided;
    }

    /// <summary>Uses a code up and keeps the pass that it was changed for.</summary>
    /// <returns>False when the code was used or voided meanwhile.</returns>
    public async ValueTask<bool> UseCodeAsync(byte[] code, GlassPass pass)
    {
        if (await Db.RunAsync(
            "UPDATE glass_codes SET used_at = $1 WHERE hash = $2 AND person = $3 AND used_at IS NULL AND voided_at IS NULL", pass.MadeAt, code, pass.Person.Value) != 1)
        {
            return false;
        }

        await Db.RunAsync(
            "INSERT INTO glass_passes (hash, person, code, made_at, expires_at) VALUES ($1, $2, $3, $4, $5)", pass.Hash, pass.Person.Value, code, pass.MadeAt, pass.ExpiresAt);
        return true;
    }
}
