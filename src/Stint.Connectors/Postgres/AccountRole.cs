using System.Globalization;
using Stint.Core.Grants;

namespace Stint.Connectors.Postgres;

/// <summary>An account as the server has it, and the claim on it that keeps two workers apart.</summary>
/// <param name="Id">Its object identifier.</param>
/// <param name="Mark">Whose it is; null for an unmarked role.</param>
internal sealed record AccountRole(uint Id, Mark? Mark)
{
    /// <summary>The role of that name; null when there is none.</summary>
    public static async Task<AccountRole?> FindAsync(AdminConnection admin, string name, CancellationToken cancellation)
    {
        var found = await admin.AskAsync(
            "SELECT oid, pg_catalog.shobj_description(oid, 'pg_authid') FROM pg_catalog.pg_roles WHERE rolname = $1",
            row => new AccountRole(row.GetFieldValue<uint>(0), Mark.Read(row.IsDBNull(1) ? null : row.GetString(1))),
            "looking for the account",
            null,
            cancellation,
            name);
        return found.Count == 0 ? null : found[0];
    }

    /// <summary>Refuses to touch what is not this assignment's, and steps back from a newer lease.</summary>
    public void Guard(string installation, Account account)
    {
        if (Mark is null || Mark.Installation != installation || Mark.Assignment != account.Assignment.Value)
        {
            throw TroubleException.Refused(
                $"A role {account.Name} stands at the server that Stint did not make for assignment {account.Assignment}{(Mark is null ? "" : $" (its comment names installation {Mark.Installation}, assignment {Mark.Assignment})")}.",
                $"Find out whose it is. If nobody needs it: DROP ROLE {Sql.Name(account.Name)};");
        }

        if (Mark.Fence > account.Fence)
        {
            throw TroubleException.Fenced();
        }
    }

    /// <summary>Takes the role's row until the transaction ends, then looks at its mark: of two workers the older one sees that it is late.</summary>
    /// <param name="admin">Inside a transaction.</param>
    /// <param name="installation">This installation.</param>
    /// <param name="account">The account.</param>
    /// <param name="change">The change that takes the row, as it follows ALTER ROLE NAME.</param>
    /// <param name="cancellation">Ends the trying.</param>
    /// <remarks>
    /// NB. Not an advisory lock: everybody who can connect can take one and keep it, the account's holder first of all.
    /// The row can be taken only by who may alter the role, and by the account itself (its own password);
    /// closing throws the latter out.
    /// </remarks>
    public static async Task<AccountRole> ClaimAsync(AdminConnection admin, string installation, Account account, string change, CancellationToken cancellation)
    {
        try
        {
            await admin.RunAsync($"ALTER ROLE {Sql.Name(account.Name)} {change}", $"changing the role {account.Name}", Backends.JoinRemedy(admin, account.Name), cancellation);
        }
        catch (TroubleException gone) when (gone.SqlState == SqlStates.UndefinedObject)
        {
            throw new TroubleException(new VerbOutcome.Unreachable($"The role {account.Name} vanished meanwhile."), SqlStates.InternalError);
        }

        var role = await FindAsync(admin, account.Name, cancellation)
            ?? throw new TroubleException(new VerbOutcome.Unreachable($"The role {account.Name} vanished meanwhile."), SqlStates.InternalError);
        role.Guard(installation, account);
        return role;
    }

    /// <summary>Writes the mark.</summary>
    public static Task WriteMarkAsync(AdminConnection admin, Account account, Mark mark, CancellationToken cancellation) =>
        admin.RunAsync(
            $"COMMENT ON ROLE {Sql.Name(account.Name)} IS {Sql.Text(mark.ToString())}",
            $"marking the role {account.Name}",
            Backends.JoinRemedy(admin, account.Name),
            cancellation);

    /// <summary>A moment as a literal, in UTC, cut to the microseconds that the server keeps: never later than meant.</summary>
    public static string Moment(DateTimeOffset moment) =>
        Sql.Text(moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture));
}
