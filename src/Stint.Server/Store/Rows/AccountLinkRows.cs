using System.Data.Common;
using System.Security.Cryptography;
using Stint.Core;

namespace Stint.Server.Store;

/// <summary>What a one-time link is for.</summary>
internal enum AccountLinkKind
{
    /// <summary>The first administrator's: whoever has it says which of the catalog's they are.</summary>
    SetUp = 1,

    /// <summary>For a person who has no way in yet.</summary>
    Invite = 2,

    /// <summary>For a person who lost every way in; those they had are void.</summary>
    Reset = 3,
}

/// <summary>A one-time link. Its code is nowhere.</summary>
/// <param name="Hash">SHA-256 of the code.</param>
/// <param name="Kind">What it is for.</param>
/// <param name="Person">Whose it is; null for the first administrator's.</param>
/// <param name="MadeBy">The admin who made it; null for the first administrator's, which the server makes.</param>
/// <param name="MadeAt">When.</param>
/// <param name="ExpiresAt">Until before when it works.</param>
internal sealed record AccountLink(byte[] Hash, AccountLinkKind Kind, SubjectId? Person, SubjectId? MadeBy, DateTimeOffset MadeAt, DateTimeOffset ExpiresAt);

internal partial class Reads
{
    /// <summary>The link with that hash, if it was neither used nor voided; it may be over.</summary>
    public async ValueTask<AccountLink?> FindLinkAsync(byte[] hash) => await Db.OneAsync(
        $"SELECT hash, kind, person, made_by, made_at, expires_at FROM account_links WHERE hash = $1 AND used_at IS NULL AND voided_at IS NULL{Lock}",
        ReadLink,
        hash) is { } found && CryptographicOperations.FixedTimeEquals(found.Hash, hash) ? found : null;

    private static AccountLink ReadLink(DbDataReader row)
    {
        var c = new Columns(row);
        return new AccountLink(
            c.Bytes(),
            c.Text() switch { "set_up" => AccountLinkKind.SetUp, "invite" => AccountLinkKind.Invite, "reset" => AccountLinkKind.Reset, _ => throw new InvalidOperationException("A link of an unknown kind.") },
            c.TextOrNull() is { } person ? new SubjectId(person) : null,
            c.TextOrNull() is { } by ? new SubjectId(by) : null,
            c.Time(),
            c.Time());
    }
}

internal sealed partial class Work
{
    /// <summary>Keeps a link; the person's others, or the other offer to set up, are void from now on.</summary>
    public async ValueTask InsertAsync(AccountLink link)
    {
        await VoidLinksAsync(link.Person, link.MadeAt);
        await Db.RunAsync(
            "INSERT INTO account_links (hash, kind, person, made_by, made_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)",
            link.Hash,
            link.Kind switch { AccountLinkKind.SetUp => "set_up", AccountLinkKind.Invite => "invite", AccountLinkKind.Reset => "reset", _ => throw new InvalidOperationException("A link of an unknown kind.") },
            link.Person?.Value,
            link.MadeBy?.Value,
            link.MadeAt,
            link.ExpiresAt);
    }

    /// <summary>Voids the links of a person that were not used; of nobody, the offers to set up.</summary>
    public async ValueTask VoidLinksAsync(SubjectId? person, DateTimeOffset now)
    {
        if (person is { } somebody)
        {
            await Db.RunAsync("UPDATE account_links SET voided_at = $1 WHERE person = $2 AND used_at IS NULL AND voided_at IS NULL", now, somebody.Value);
        }
        else
        {
            await Db.RunAsync("UPDATE account_links SET voided_at = $1 WHERE kind = 'set_up' AND used_at IS NULL AND voided_at IS NULL", now);
        }
    }

    /// <summary>Uses a link up.</summary>
    /// <returns>False when it was used or voided meanwhile.</returns>
    public async ValueTask<bool> UseLinkAsync(byte[] hash, SubjectId by, DateTimeOffset now) =>
        await Db.RunAsync("UPDATE account_links SET used_at = $1, used_by = $2 WHERE hash = $3 AND used_at IS NULL AND voided_at IS NULL", now, by.Value, hash) == 1;
}
