using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Grants;

namespace Stint.Connectors.Postgres;

/// <summary>Accounts at a PostgreSQL server: a login role for each assignment, gone with all that it left when it ends.</summary>
internal sealed partial class PostgresConnector : IConnector
{
    /// <summary>Workers that collide on one row go on one after another; more than these at once is not what the keeper does.</summary>
    private const int Collisions = 6;

    /// <summary>How often clearing up begins anew because something was left meanwhile.</summary>
    private const int ClearingRounds = 3;

    /// <summary>A connection that was let in just before the door closed shows up within this time.</summary>
    private static readonly TimeSpan LateComers = TimeSpan.FromMilliseconds(100);

    public string Kind => PostgresSettings.Kind;

    public Guarantee Guarantee => Guarantee.Native;

    public KindShape Shape => PostgresSettings.Shape;

    public Task<VerbOutcome> CheckAsync(Target target, CancellationToken cancellation) => TryAsync(target, null, async way =>
    {
        await using var admin = await way.ConnectAsync(way.Settings.AdminDatabase, cancellation);
        var troubles = await Rehearsal.FindTroublesAsync(target.Resource, admin, database => way.ConnectAsync(database, cancellation), cancellation);
        return troubles.Count == 0
            ? new VerbOutcome.Done()
            : new VerbOutcome.Refused(string.Join(' ', troubles.Select(one => one.Why)), string.Join(' ', troubles.Select(one => one.Remedy)));
    }, cancellation);

    public Task<VerbOutcome> OpenAsync(Target target, Account account, CancellationToken cancellation) => TryAsync(target, account, async way =>
    {
        var role = PostgresRole.Of(account.Role.Settings, way.Settings);
        var verifier = ScramVerifier.Make(account.Secret ?? throw new ArgumentException("An account to open has a secret.", nameof(account)));
        var limit = Math.Min(account.ConnectionLimit, role.ConnectionLimit ?? account.ConnectionLimit);
        var statements = Mark.NameOf(role.Statements.Concat(role.Databases));
        await using var admin = await way.ConnectAsync(way.Settings.AdminDatabase, cancellation);

        var elsewhere = role.Statements.Count == 0 ? [] : role.Databases.Where(database => database != admin.Database).ToList();
        if (elsewhere.Count > 0)
        {
            await OpenElsewhereAsync(way, admin, account, role, statements, elsewhere, cancellation);
        }

        // All the rest in one transaction: the account stands with its power, its deadline and its mark, or not at all.
        await admin.TogetherAsync(
            async () =>
            {
                var stands = await MakeAsync(target, admin, account, cancellation);
                await RolePower.JoinAsync(admin, account.Name, stands.Id, role, cancellation);
                await RolePower.SetParametersAsync(admin, account.Name, role, cancellation);
                if (stands.Mark!.Statements != statements && role.Databases.Contains(admin.Database, StringComparer.Ordinal))
                {
                    await RolePower.RunStatementsAsync(admin, account.Name, role, cancellation);
                }

                await admin.RunAsync(
                    string.Create(CultureInfo.InvariantCulture, $"ALTER ROLE {Sql.Name(account.Name)} LOGIN INHERIT PASSWORD {Sql.Text(verifier)} VALID UNTIL {AccountRole.Moment(account.NotAfter)} CONNECTION LIMIT {limit}"),
                    $"opening the role {account.Name}",
                    Backends.JoinRemedy(admin, account.Name),
                    cancellation);
                await AccountRole.WriteMarkAsync(admin, account, Mark.Of(target.Installation, account, statements), cancellation);
                return true;
            },
            cancellation);
        return new VerbOutcome.Done();
    }, cancellation);

    public Task<VerbOutcome> CloseAsync(Target target, Account account, CancellationToken cancellation) => TryAsync(target, account, async way =>
    {
        var role = PostgresRole.Of(account.Role.Settings, way.Settings);
        await using var admin = await way.ConnectAsync(way.Settings.AdminDatabase, cancellation);
        if (await AccountRole.FindAsync(admin, account.Name, cancellation) is not { } stands)
        {
            return new VerbOutcome.Done();
        }

        stands.Guard(target.Installation, account);
        await LockOutAsync(way, admin, account, stands.Id, cancellation);
        var lockedOut = Stopwatch.GetTimestamp();
        await EndAllAsync(way, admin, account.Name, stands.Id, cancellation);

        for (var round = 1; ; round++)
        {
            await ClearAsync(way, admin, account, role, stands.Id, cancellation);
            var early = LateComers - Stopwatch.GetElapsedTime(lockedOut);
            if (early > TimeSpan.Zero)
            {
                await Task.Delay(early, cancellation);
            }

            await EndAllAsync(way, admin, account.Name, stands.Id, cancellation);
            try
            {
                await admin.TogetherAsync(
                    async () =>
                    {
                        await AccountRole.ClaimAsync(admin, target.Installation, account, "CONNECTION LIMIT 0", cancellation);
                        await admin.RunAsync($"DROP ROLE {Sql.Name(account.Name)}", $"dropping the role {account.Name}", $"Run as a superuser, in each database named: DROP OWNED BY {Sql.Name(account.Name)};", cancellation);
                        return true;
                    },
                    cancellation);
                return new VerbOutcome.Done();
            }
            catch (TroubleException left) when (left.SqlState == SqlStates.DependentObjectsStillExist && round < ClearingRounds)
            {
                // Something was given to it while it was being cleared.
            }
        }
    }, cancellation);

    public Task<VerbOutcome> CutAsync(Target target, Account account, string? backend, CancellationToken cancellation) => TryAsync(target, account, async way =>
    {
        int? process = null;
        if (backend is not null)
        {
            process = int.TryParse(backend, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                ? id
                : throw new ArgumentException("A PostgreSQL backend is named by its process id.", nameof(backend));
        }

        await using var admin = await way.ConnectAsync(way.Settings.AdminDatabase, cancellation);

        // Not fenced: ending a connection takes nothing from a newer lease, and leaving one would be access without a grant.
        if (await AccountRole.FindAsync(admin, account.Name, cancellation) is { } stands)
        {
            (stands with { Mark = stands.Mark is null ? null : stands.Mark with { Fence = 0 } }).Guard(target.Installation, account);
            await Backends.EndAsync(admin, account.Name, stands.Id, process, cancellation);
        }

        return new VerbOutcome.Done();
    }, cancellation);

    public async Task<Listing> ListAsync(Target target, CancellationToken cancellation)
    {
        List<StandingAccount> accounts = [];
        var outcome = await TryAsync(target, null, async way =>
        {
            await using var admin = await way.ConnectAsync(way.Settings.AdminDatabase, cancellation);
            var rows = await admin.AskAsync(
                """
                SELECT rolname::text, pg_catalog.shobj_description(oid, 'pg_authid'),
                       CASE WHEN rolvaliduntil < 'infinity' THEN GREATEST(rolvaliduntil, 'epoch') END
                FROM pg_catalog.pg_roles WHERE pg_catalog.shobj_description(oid, 'pg_authid') LIKE 'stint/%' ORDER BY 1
                """,
                row => (Name: row.GetString(0), Comment: row.GetString(1), Until: row.IsDBNull(2) ? (DateTimeOffset?)null : new DateTimeOffset(row.GetDateTime(2), TimeSpan.Zero)),
                "listing accounts",
                null,
                cancellation);
            accounts = [.. from row in rows
                           let mark = Mark.Read(row.Comment)
                           where mark is not null && mark.Installation == target.Installation
                           select new StandingAccount(row.Name, string.IsNullOrEmpty(mark.Assignment) ? null : new AssignmentId(mark.Assignment), row.Until)];
            return new VerbOutcome.Done();
        }, cancellation);
        return outcome switch
        {
            VerbOutcome.Done => new Listing.Standing(accounts),
            VerbOutcome.Refused refused => new Listing.Failed(refused.Why, refused.Remedy),
            VerbOutcome.Unreachable unreachable => new Listing.Failed(unreachable.Why, null),
            _ => throw new InvalidOperationException("A listing is never fenced."),
        };
    }

    /// <summary>The account's role, made or claimed, inside the transaction.</summary>
    private static async Task<AccountRole> MakeAsync(Target target, AdminConnection admin, Account account, CancellationToken cancellation)
    {
        if (await AccountRole.FindAsync(admin, account.Name, cancellation) is { } stands)
        {
            stands.Guard(target.Installation, account);
            return await AccountRole.ClaimAsync(admin, target.Installation, account, "INHERIT", cancellation);
        }

        await admin.RunAsync($"CREATE ROLE {Sql.Name(account.Name)} NOLOGIN", $"making the role {account.Name}", $"ALTER ROLE {Sql.Name(admin.Login)} CREATEROLE;", cancellation);
        await AccountRole.WriteMarkAsync(admin, account, Mark.Of(target.Installation, account, ""), cancellation);
        return await AccountRole.FindAsync(admin, account.Name, cancellation)
            ?? throw new InvalidOperationException("A role just made is not there.");
    }

    /// <summary>Runs the role's statements in databases other than the one where accounts are made. The account cannot log in yet.</summary>
    private static async Task OpenElsewhereAsync(Way way, AdminConnection admin, Account account, PostgresRole role, string statements, List<string> databases, CancellationToken cancellation)
    {
        var stands = await admin.TogetherAsync(() => MakeAsync(way.Target, admin, account, cancellation), cancellation);
        if (stands.Mark!.Statements == statements)
        {
            return;
        }

        foreach (var database in databases)
        {
            await using var there = await way.ConnectAsync(database, cancellation);
            await there.TogetherAsync(
                async () =>
                {
                    await AccountRole.ClaimAsync(there, way.Target.Installation, account, "INHERIT", cancellation);
                    await RolePower.RunStatementsAsync(there, account.Name, role, cancellation);
                    return true;
                },
                cancellation);
        }
    }

    /// <summary>Closes the door: no new connection of the account from here on.</summary>
    private static async Task LockOutAsync(Way way, AdminConnection admin, Account account, uint id, CancellationToken cancellation)
    {
        var begun = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                await admin.TogetherAsync(
                    async () =>
                    {
                        await admin.RunAsync("SET LOCAL lock_timeout = 250", "preparing to close", null, cancellation);
                        await AccountRole.ClaimAsync(admin, way.Target.Installation, account, "NOLOGIN PASSWORD NULL CONNECTION LIMIT 0 VALID UNTIL '1970-01-01 00:00:00Z'", cancellation);
                        await AccountRole.WriteMarkAsync(admin, account, Mark.Of(way.Target.Installation, account, ""), cancellation);
                        return true;
                    },
                    cancellation);
                return;
            }
            catch (TroubleException held) when (held.SqlState == SqlStates.LockNotAvailable && Stopwatch.GetElapsedTime(begun) < Backends.Patience)
            {
                // NB. The account may change its own password, and a transaction that did so and never ends keeps its row.
                await EndAllAsync(way, admin, account.Name, id, cancellation);
            }
        }
    }

    private static async Task EndAllAsync(Way way, AdminConnection admin, string account, uint id, CancellationToken cancellation)
    {
        await Backends.EndAsync(admin, account, id, null, cancellation);
        await Backends.RollBackPreparedAsync(admin, database => way.ConnectAsync(database, cancellation), account, cancellation);
    }

    private static async Task ClearAsync(Way way, AdminConnection admin, Account account, PostgresRole role, uint id, CancellationToken cancellation)
    {
        var places = await Leftovers.FindAsync(admin, id, cancellation);
        if (places.Find(place => !place.AllowsConnections) is { } shut)
        {
            throw TroubleException.Refused(
                $"{account.Name} left something in the database {shut.Database}, which allows no connections. The account itself can no longer log in.",
                $"ALTER DATABASE {Sql.Name(shut.Database)} ALLOW_CONNECTIONS true;");
        }

        // The first database always: what the account was given of the shared catalog is taken back from any of them.
        foreach (var database in places.Select(place => place.Database).Where(name => name != admin.Database).Prepend(admin.Database))
        {
            if (database == admin.Database)
            {
                await ClearOneAsync(way, admin, account, role, cancellation);
                continue;
            }

            AdminConnection there;
            try
            {
                there = await way.ConnectAsync(database, cancellation);
            }
            catch (TroubleException dropped) when (dropped.SqlState == SqlStates.InvalidDatabaseName)
            {
                continue;
            }

            await using (there)
            {
                await ClearOneAsync(way, there, account, role, cancellation);
            }
        }
    }

    private static Task<bool> ClearOneAsync(Way way, AdminConnection there, Account account, PostgresRole role, CancellationToken cancellation) => there.TogetherAsync(
        async () =>
        {
            await AccountRole.ClaimAsync(there, way.Target.Installation, account, "CONNECTION LIMIT 0", cancellation);
            await Leftovers.ClearAsync(there, account.Name, role, cancellation);
            return true;
        },
        cancellation);

    /// <summary>Runs a verb; says its expected troubles as data, and no secret in any of them.</summary>
    private static async Task<VerbOutcome> TryAsync(Target target, Account? account, Func<Way, Task<VerbOutcome>> verb, CancellationToken cancellation)
    {
        if (account is not null && !AccountName().IsMatch(account.Name))
        {
            throw new ArgumentException("An account's name is made of a-z, 0-9 and _, at most 63 of them.", nameof(account));
        }

        var settings = PostgresSettings.Of(target.Resource.Settings);
        string password;
        try
        {
            password = settings.Password is { } reference ? target.Secrets.Reveal(reference) : "";
        }
        catch (SecretUnavailableException gone)
        {
            return new VerbOutcome.Refused(gone.Message, $"Make the secret that `password` of {target.Resource.Name} names readable for the server.");
        }

        var way = new Way(target, settings, password);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return Hide(await verb(way), password, account?.Secret);
            }
            catch (TroubleException collision) when (collision.IsCollision && attempt < Collisions)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(10 << attempt), cancellation);
            }
            catch (TroubleException trouble)
            {
                return Hide(trouble.Outcome, password, account?.Secret);
            }
        }
    }

    // The server quotes what it was sent in some of its answers; a secret is never sent in a statement, but this costs nothing.
    private static VerbOutcome Hide(VerbOutcome outcome, params string?[] secrets)
    {
        string Clean(string text) => secrets.Where(secret => !string.IsNullOrEmpty(secret)).Aggregate(text, (now, secret) => now.Replace(secret!, "(secret)", StringComparison.Ordinal));
        return outcome switch
        {
            VerbOutcome.Refused refused => new VerbOutcome.Refused(Clean(refused.Why), Clean(refused.Remedy)),
            VerbOutcome.Unreachable unreachable => new VerbOutcome.Unreachable(Clean(unreachable.Why)),
            _ => outcome,
        };
    }

    [GeneratedRegex(@"^[a-z0-9_]{1,63}\z", RegexOptions.CultureInvariant)]
    private static partial Regex AccountName();

    /// <summary>The way to a target, with the secret that opens it.</summary>
    private sealed class Way(Target target, PostgresSettings settings, string password)
    {
        public Target Target { get; } = target;

        public PostgresSettings Settings { get; } = settings;

        public Task<AdminConnection> ConnectAsync(string database, CancellationToken cancellation) =>
            AdminConnection.OpenAsync(Settings, database, password, cancellation);
    }
}
