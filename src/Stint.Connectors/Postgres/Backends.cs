using System.Diagnostics;
using System.Globalization;
using Stint.Core.Grants;

namespace Stint.Connectors.Postgres;

/// <summary>Ends what an account is doing, and sees it gone.</summary>
internal static class Backends
{
    /// <summary>A backend looks for a termination at least this often, unless the machine itself hangs.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(100);

    /// <summary>Terminates until none is left.</summary>
    /// <param name="admin">Any database of the cluster.</param>
    /// <param name="account">The account's name.</param>
    /// <param name="id">Its object identifier: sessions are known by it even when the name is gone.</param>
    /// <param name="backend">Process id of the one to end; null for all.</param>
    /// <param name="cancellation">Ends the trying.</param>
    /// <exception cref="TroubleException">It may not, or one would not go.</exception>
    public static async Task EndAsync(AdminConnection admin, string account, uint id, int? backend, CancellationToken cancellation)
    {
        var begun = Stopwatch.GetTimestamp();
        var pause = FirstPause;
        var seen = await StandingAsync(admin, id, backend, cancellation);

        // NB. Only those seen first when one was named: a process id is given anew, and its next owner may be innocent.
        var named = backend is null ? null : seen.ToHashSet();
        while (seen.Count > 0)
        {
            await TerminateAsync(admin, account, seen, cancellation);
            if (Stopwatch.GetElapsedTime(begun) > Patience)
            {
                var who = string.Join(", ", seen.Select(one => one.Process));
                throw new TroubleException(new VerbOutcome.Unreachable($"Backend {who} of {account} was told to end and is still there after {Patience.TotalSeconds:0} s."));
            }

            await Task.Delay(pause, cancellation);
            pause = pause * 2 > LongestPause ? LongestPause : pause * 2;
            seen = await StandingAsync(admin, id, backend, cancellation);
            seen.RemoveAll(one => named is not null && !named.Contains(one));
        }
    }

    /// <summary>Rolls back what the account prepared for two-phase commit: its locks outlive every session.</summary>
    public static async Task RollBackPreparedAsync(AdminConnection admin, Func<string, Task<AdminConnection>> connect, string account, CancellationToken cancellation)
    {
        var prepared = await admin.AskAsync(
            "SELECT gid, database::text FROM pg_catalog.pg_prepared_xacts WHERE owner = $1",
            row => (Name: row.GetString(0), Database: row.GetString(1)),
            "looking for prepared transactions",
            null,
            cancellation,
            account);
        if (prepared.Count == 0)
        {
            return;
        }

        if (!admin.Superuser)
        {
            await admin.RunAsync(JoinAccount(admin, account), "becoming a member of the account", JoinRemedy(admin, account), cancellation);
        }

        foreach (var inDatabase in prepared.GroupBy(one => one.Database, StringComparer.Ordinal))
        {
            await using var there = await connect(inDatabase.Key);
            if (!there.Superuser)
            {
                await there.RunAsync($"SET ROLE {Sql.Name(account)}", "acting for the account", JoinRemedy(admin, account), cancellation);
            }

            foreach (var (name, _) in inDatabase)
            {
                await there.RunAsync($"ROLLBACK PREPARED {Sql.Text(name)}", "rolling back a prepared transaction", $"ROLLBACK PREPARED {Sql.Text(name)};", cancellation);
            }
        }
    }

    /// <summary>The statement that gives Stint's login the account's power, from PostgreSQL 16 on with all that it needs spelled out.</summary>
    public static string JoinAccount(AdminConnection admin, string account) =>
        $"GRANT {Sql.Name(account)} TO {Sql.Name(admin.Login)}" + (admin.HasMembershipOptions ? " WITH INHERIT TRUE, SET TRUE" : "");

    /// <summary>What to run when the login has no power over an account.</summary>
    public static string JoinRemedy(AdminConnection admin, string account) => admin.HasMembershipOptions
        ? $"GRANT {Sql.Name(account)} TO {Sql.Name(admin.Login)} WITH ADMIN OPTION;"
        : $"ALTER ROLE {Sql.Name(admin.Login)} CREATEROLE INHERIT;";

    private static Task<List<Standing>> StandingAsync(AdminConnection admin, uint id, int? backend, CancellationToken cancellation) =>
        admin.AskAsync(
            $"""
            SELECT pid, backend_start::text FROM pg_catalog.pg_stat_activity
            WHERE usesysid = {id} AND pid <> pg_catalog.pg_backend_pid()
            """ + (backend is { } one ? string.Create(CultureInfo.InvariantCulture, $" AND pid = {one}") : ""),
            row => new Standing(row.GetInt32(0), row.IsDBNull(1) ? "" : row.GetString(1)),
            "looking for the account's sessions",
            null,
            cancellation);

    private static async Task TerminateAsync(AdminConnection admin, string account, List<Standing> seen, CancellationToken cancellation)
    {
        var processes = string.Join(',', seen.Select(one => one.Process));
        var terminate = $"SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE pid IN ({processes}) AND usesysid IS NOT NULL";
        const string doing = "ending the account's sessions";
        var remedy = $"GRANT pg_signal_backend TO {Sql.Name(admin.Login)};";
        if (admin.SignalsBackends)
        {
            await admin.RunAsync(terminate, doing, remedy, cancellation);
            return;
        }

        // Membership in the account is what allows it. Taken for this one statement and rolled back: nothing of it lasts.
        await admin.TogetherAsync(
            async () =>
            {
                await admin.RunAsync(JoinAccount(admin, account), "becoming a member of the account", JoinRemedy(admin, account), cancellation);
                await admin.RunAsync(terminate, doing, remedy, cancellation);
                return true;
            },
            cancellation,
            keep: false);
    }

    private sealed record Standing(int Process, string Since);
}
