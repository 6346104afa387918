namespace Stint.Connectors.Postgres;

/// <summary>What an account owns or was given, in every database of the cluster.</summary>
internal static class Leftovers
{
    /// <summary>Databases in which something depends on the role, the shared catalog aside.</summary>
    /// <remarks>Source: PostgreSQL documentation, "pg_shdepend": it is shared, and says for each dependency in which database it lies.</remarks>
    public static Task<List<Place>> FindAsync(AdminConnection admin, uint id, CancellationToken cancellation) =>
        admin.AskAsync(
            $"""
            SELECT DISTINCT d.datname::text, d.datallowconn FROM pg_catalog.pg_shdepend s JOIN pg_catalog.pg_database d ON d.oid = s.dbid
            WHERE s.refclassid = 'pg_catalog.pg_authid'::regclass AND s.refobjid = {id} ORDER BY 1
            """,
            row => new Place(row.GetString(0), row.GetBoolean(1)),
            "looking for what the account left",
            null,
            cancellation);

    /// <summary>Hands over or drops all of it in one database, and takes back what the account was given there.</summary>
    /// <param name="there">A connection to that database, inside a transaction that holds the claim on the account.</param>
    /// <param name="account">The account's name.</param>
    /// <param name="role">What to do with what it owns.</param>
    /// <param name="cancellation">Ends the trying.</param>
    public static async Task ClearAsync(AdminConnection there, string account, PostgresRole role, CancellationToken cancellation)
    {
        var name = Sql.Name(account);
        var heir = role.ReassignTo ?? there.Login;
        var borrowed = false;
        if (!there.Superuser)
        {
            await there.RunAsync(Backends.JoinAccount(there, account), "becoming a member of the account", Backends.JoinRemedy(there, account), cancellation);
            borrowed = !role.Drop && await BorrowAsync(there, heir, cancellation);
        }

        var by = $"Run as a superuser in the database {there.Database}: ";
        if (!role.Drop)
        {
            await there.RunAsync(
                $"REASSIGN OWNED BY {name} TO {Sql.Name(heir)}",
                $"handing over what {account} owns in {there.Database} to {heir}",
                $"{by}REASSIGN OWNED BY {name} TO {Sql.Name(heir)};",
                cancellation);
        }

        // Also after a handing over: that leaves privileges, default privileges and user mappings behind.
        await there.RunAsync(
            $"DROP OWNED BY {name}",
            $"{(role.Drop ? "dropping what" : "taking back what was given to")} {account} {(role.Drop ? "owns " : "")}in {there.Database}",
            role.Drop
                ? $"{by}DROP OWNED BY {name} CASCADE; to drop what depends on it as well, or REASSIGN OWNED BY {name} TO …; to keep it."
                : $"{by}DROP OWNED BY {name};",
            cancellation);
        if (role.Drop)
        {
            // Databases and tablespaces are never dropped by the statement above: nobody means to lose one with an account.
            await there.RunAsync(
                $"REASSIGN OWNED BY {name} TO {Sql.Name(there.Login)}",
                $"handing over the databases that {account} owns",
                $"{by}REASSIGN OWNED BY {name} TO {Sql.Name(there.Login)};",
                cancellation);
        }

        if (borrowed)
        {
            await there.RunAsync(GiveBack(there, heir), $"giving back the membership in {heir}", null, cancellation);
        }

        if (!there.Superuser)
        {
            await there.RunAsync(GiveBack(there, account), "giving back the membership in the account", null, cancellation);
        }
    }

    /// <summary>What to run so that Stint's login may hand things over to a role.</summary>
    public static string HeirRemedy(AdminConnection admin, string heir) =>
        $"GRANT {Sql.Name(heir)} TO {Sql.Name(admin.Login)}" + (admin.HasMembershipOptions ? " WITH INHERIT TRUE, SET TRUE;" : ";");

    private static string GiveBack(AdminConnection there, string role) =>
        $"REVOKE {Sql.Name(role)} FROM {Sql.Name(there.Login)}" + (there.HasMembershipOptions ? $" GRANTED BY {Sql.Name(there.Login)}" : "");

    /// <summary>Joins the heir for this transaction when the login is not yet a member with all its power.</summary>
    private static async Task<bool> BorrowAsync(AdminConnection there, string heir, CancellationToken cancellation)
    {
        var has = await there.AskAsync(
            "SELECT r.rolname = current_user OR pg_catalog.pg_has_role(current_user, r.oid, 'USAGE') FROM pg_catalog.pg_roles r WHERE r.rolname = $1",
            row => row.GetBoolean(0),
            "looking for the role that gets what is left",
            null,
            cancellation,
            heir);
        if (has.Count == 0)
        {
            throw TroubleException.Refused($"There is no role {heir} to hand things over to.", $"CREATE ROLE {Sql.Name(heir)}; or correct `reassign_to` in the catalog.");
        }

        if (has[0])
        {
            return false;
        }

        await there.RunAsync(
            $"GRANT {Sql.Name(heir)} TO {Sql.Name(there.Login)}" + (there.HasMembershipOptions ? " WITH INHERIT TRUE, SET TRUE" : ""),
            $"becoming a member of {heir}",
            HeirRemedy(there, heir),
            cancellation);
        return true;
    }

    /// <summary>A database in which something is left.</summary>
    internal sealed record Place(string Database, bool AllowsConnections);
}
