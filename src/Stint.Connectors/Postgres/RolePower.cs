namespace Stint.Connectors.Postgres;

/// <summary>Gives an account what its role says: memberships, session defaults, the statements.</summary>
internal static class RolePower
{
    /// <summary>Makes the account a member of exactly the roles that its role names.</summary>
    public static async Task JoinAsync(AdminConnection admin, string account, uint id, PostgresRole role, CancellationToken cancellation)
    {
        var has = await admin.AskAsync(
            $"SELECT DISTINCT r.rolname::text FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles r ON r.oid = m.roleid WHERE m.member = {id}",
            row => row.GetString(0),
            "looking for the account's memberships",
            null,
            cancellation);
        foreach (var wanted in role.MemberOf.Except(has, StringComparer.Ordinal))
        {
            await GrantAsync(admin, account, wanted, cancellation);
        }

        foreach (var stranger in has.Except(role.MemberOf, StringComparer.Ordinal))
        {
            await admin.RunAsync($"REVOKE {Sql.Name(stranger)} FROM {Sql.Name(account)}", $"taking {stranger} from the account", MemberRemedy(admin, stranger), cancellation);
        }
    }

    /// <summary>Sets the account's session defaults, and no others.</summary>
    public static async Task SetParametersAsync(AdminConnection admin, string account, PostgresRole role, CancellationToken cancellation)
    {
        await admin.RunAsync($"ALTER ROLE {Sql.Name(account)} RESET ALL", "clearing the account's session defaults", null, cancellation);
        foreach (var (name, value) in role.Parameters)
        {
            // Only search_path and its like take several values; each is quoted by itself or they become one odd name.
            var values = string.Join(", ", value.Split(',', StringSplitOptions.TrimEntries).Select(Sql.Text));
            var parameter = string.Join('.', name.Split('.').Select(Sql.Name));
            await admin.RunAsync(
                $"ALTER ROLE {Sql.Name(account)} SET {parameter} TO {values}",
                $"setting {name} for the account",
                $"Correct `set` in the catalog; for a parameter that only superusers set: GRANT SET ON PARAMETER {name} TO {Sql.Name(admin.Login)}; (PostgreSQL 15 and later).",
                cancellation);
        }
    }

    /// <summary>Runs the role's statements in the database of this connection, inside its transaction.</summary>
    public static async Task RunStatementsAsync(AdminConnection admin, string account, PostgresRole role, CancellationToken cancellation)
    {
        if (role.Statements.Count == 0)
        {
            return;
        }

        // The people who wrote the statements mean the search path that the login has there.
        await admin.RunAsync("SET LOCAL search_path TO DEFAULT", "preparing for the role's statements", null, cancellation);
        foreach (var template in role.Statements)
        {
            await admin.RunStatementAsync(
                Sql.Fill(template, account, admin.Database),
                $"running the role's statement \"{template}\" in {admin.Database}",
                StatementRemedy(admin, template),
                cancellation);
        }

        await admin.RunAsync("SET LOCAL search_path TO pg_catalog", "returning from the role's statements", null, cancellation);
    }

    /// <summary>The very GRANT to run when a membership cannot be given.</summary>
    public static string MemberRemedy(AdminConnection admin, string role) => admin.HasMembershipOptions
        ? $"GRANT {Sql.Name(role)} TO {Sql.Name(admin.Login)} WITH ADMIN OPTION;"
        : $"ALTER ROLE {Sql.Name(admin.Login)} CREATEROLE; and choose a role that is not a superuser.";

    private static async Task GrantAsync(AdminConnection admin, string account, string wanted, CancellationToken cancellation)
    {
        var known = await admin.AskAsync("SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = $1", row => row.GetInt32(0), "looking for a role", null, cancellation, wanted);
        if (known.Count == 0)
        {
            throw TroubleException.Refused($"The server has no role {wanted}.", $"CREATE ROLE {Sql.Name(wanted)}; or correct `member_of` in the catalog.");
        }

        await admin.RunAsync(
            $"GRANT {Sql.Name(wanted)} TO {Sql.Name(account)}" + (admin.HasMembershipOptions ? " WITH INHERIT TRUE, SET TRUE" : ""),
            $"making the account a member of {wanted}",
            MemberRemedy(admin, wanted),
            cancellation);
    }

    private static string StatementRemedy(AdminConnection admin, string template)
    {
        var statement = template.Trim().TrimEnd(';');
        return statement.StartsWith("GRANT ", StringComparison.OrdinalIgnoreCase) && statement.EndsWith(" TO {role}", StringComparison.OrdinalIgnoreCase)
            ? $"As the owner, in the database {admin.Database}: {Sql.Fill(statement, admin.Login, admin.Database)} WITH GRANT OPTION;"
            : $"Give {Sql.Name(admin.Login)} the right to run it in the database {admin.Database}, or correct `sql` in the catalog.";
    }
}
