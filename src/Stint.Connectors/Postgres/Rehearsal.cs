using System.Security.Cryptography;
using Stint.Core.Catalog;
using Stint.Core.Grants;

namespace Stint.Connectors.Postgres;

/// <summary>Finds out what Stint's login may not do, by doing it and rolling it back.</summary>
internal static class Rehearsal
{
    /// <summary>What is missing for the resource's roles; empty when nothing is.</summary>
    public static async Task<List<VerbOutcome.Refused>> FindTroublesAsync(Resource resource, AdminConnection admin, Func<string, Task<AdminConnection>> connect, CancellationToken cancellation)
    {
        if (Power(admin) is { } lacks)
        {
            return [lacks];
        }

        var troubles = new List<VerbOutcome.Refused>();
        foreach (var (name, definition) in resource.Roles.OrderBy(role => role.Key, StringComparer.Ordinal))
        {
            var role = PostgresRole.Of(definition.Settings, admin.Target);
            foreach (var database in role.Databases.DefaultIfEmpty(admin.Target.Database))
            {
                try
                {
                    await using var there = await connect(database);
                    await RehearseAsync(there, role, cancellation);
                }
                catch (TroubleException trouble) when (trouble.Outcome is VerbOutcome.Refused refused)
                {
                    var named = refused with { Why = $"Role {name}: {refused.Why}" };
                    if (!troubles.Exists(known => known.Remedy == named.Remedy))
                    {
                        troubles.Add(named);
                    }
                }
            }
        }

        return troubles;
    }

    private static VerbOutcome.Refused? Power(AdminConnection admin)
    {
        var login = Sql.Name(admin.Login);
        if (admin.Standby)
        {
            return new VerbOutcome.Refused($"{admin.Target.Host}:{admin.Target.Port} is a standby: nothing can be changed there.", "Name the primary as `host`.");
        }

        if (!admin.Superuser && !admin.CreateRole)
        {
            return new VerbOutcome.Refused($"The login {admin.Login} may not make roles.", $"ALTER ROLE {login} CREATEROLE;");
        }

        // From 16 on a membership carries INHERIT by itself; before, it was the member's own attribute.
        return !admin.Superuser && !admin.Inherits && !admin.HasMembershipOptions
            ? new VerbOutcome.Refused($"The login {admin.Login} is NOINHERIT: it could not end an account's sessions nor clear up behind it.", $"ALTER ROLE {login} INHERIT;")
            : null;
    }

    private static Task<bool> RehearseAsync(AdminConnection there, PostgresRole role, CancellationToken cancellation)
    {
        var name = $"stint_check_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}";
        return there.TogetherAsync(
            async () =>
            {
                await there.RunAsync($"CREATE ROLE {Sql.Name(name)} NOLOGIN", "making a role", $"ALTER ROLE {Sql.Name(there.Login)} CREATEROLE;", cancellation);
                var made = await AccountRole.FindAsync(there, name, cancellation)
                    ?? throw new InvalidOperationException("A role just made is not there.");
                await RolePower.JoinAsync(there, name, made.Id, role, cancellation);
                await RolePower.SetParametersAsync(there, name, role, cancellation);
                await RolePower.RunStatementsAsync(there, name, role, cancellation);
                await Leftovers.ClearAsync(there, name, role, cancellation);
                await there.RunAsync($"DROP ROLE {Sql.Name(name)}", "dropping a role", Backends.JoinRemedy(there, name), cancellation);
                return true;
            },
            cancellation,
            keep: false);
    }
}
