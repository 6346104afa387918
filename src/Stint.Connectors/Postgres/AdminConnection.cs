using System.Data;
using System.Security.Cryptography;
using Npgsql;

namespace Stint.Connectors.Postgres;

/// <summary>One connection of Stint's own login to one database of a target.</summary>
/// <remarks>
/// Made for one verb and closed after it: thousands of targets must not hold thousands of idle connections, and a
/// verb must never begin on a socket that died since the last one.
/// </remarks>
internal sealed class AdminConnection : IAsyncDisposable
{
    public const int OldestVersion = 140000;

    /// <summary>PostgreSQL 16 gave every membership options of its own, and made CREATEROLE count only with ADMIN OPTION.</summary>
    private const int MembershipOptions = 160000;

    private readonly NpgsqlDataSource _source;
    private readonly NpgsqlConnection _connection;
    private readonly List<string> _withheld = [];

    private AdminConnection(NpgsqlDataSource source, PostgresSettings target, string database)
    {
        _source = source;
        _connection = source.CreateConnection();
        Target = target;
        Database = database;
        _connection.Notice += (_, notice) =>
        {
            if (notice.Notice.SqlState == SqlStates.PrivilegeNotGranted)
            {
                _withheld.Add(notice.Notice.MessageText);
            }
        };
    }

    public PostgresSettings Target { get; }

    public string Database { get; }

    /// <summary>The role that the statements run as.</summary>
    public string Login { get; private set; } = "";

    /// <summary>As <c>server_version_num</c> writes it.</summary>
    public int Version { get; private set; }

    public bool Superuser { get; private set; }

    public bool CreateRole { get; private set; }

    /// <summary>Whether memberships give their power by themselves (role attribute INHERIT).</summary>
    public bool Inherits { get; private set; }

    /// <summary>Whether it may end anybody's backend but a superuser's.</summary>
    public bool SignalsBackends { get; private set; }

    public bool Standby { get; private set; }

    public bool HasMembershipOptions => Version >= MembershipOptions;

    /// <summary>Connects, and makes the session one in which nobody else's objects are met by accident.</summary>
    /// <exception cref="TroubleException">It does not answer, or says no.</exception>
    public static async Task<AdminConnection> OpenAsync(PostgresSettings target, string database, string password, CancellationToken cancellation)
    {
        if (target.RootCertificate is { } file && !File.Exists(file))
        {
            throw TroubleException.Refused($"The file {file} that `tls_root_cert` names is not there or cannot be read by the server.", "Correct `tls_root_cert` in the catalog, or put the PEM file there.");
        }

        AdminConnection? made = null;
        try
        {
            var builder = new NpgsqlDataSourceBuilder(Describe(target, database, password));

            // Only built-in types are used here, and asking for the others would run under the search path of the database.
            builder.ConfigureTypeLoading(types => types.EnableTypeLoading(false));
            made = new AdminConnection(builder.Build(), target, database);
            await made._connection.OpenAsync(cancellation);
            await made.PrepareAsync(cancellation);
            return made;
        }
        catch (Exception failure)
        {
            if (made is not null)
            {
                await made.DisposeAsync();
            }

            if (failure is OperationCanceledException or TroubleException || !IsExpected(failure))
            {
                throw;
            }

            throw Trouble.OfConnecting(failure, target, database);
        }
    }

    /// <summary>Runs one statement.</summary>
    /// <param name="sql">The statement.</param>
    /// <param name="doing">What it is for, as the end of "While …".</param>
    /// <param name="remedy">What helps when a privilege lacks; null for nothing particular.</param>
    /// <param name="cancellation">Ends the trying.</param>
    public Task RunAsync(string sql, string doing, string? remedy, CancellationToken cancellation) =>
        GuardAsync(
            async () =>
            {
                await using var command = Command(sql);
                await command.ExecuteNonQueryAsync(cancellation);
                return true;
            },
            doing,
            remedy);

    /// <summary>Asks, and reads every row.</summary>
    public Task<List<T>> AskAsync<T>(string sql, Func<NpgsqlDataReader, T> read, string doing, string? remedy, CancellationToken cancellation, params object[] parameters) =>
        GuardAsync(
            async () =>
            {
                await using var command = Command(sql);
                foreach (var parameter in parameters)
                {
                    command.Parameters.Add(new NpgsqlParameter { Value = parameter });
                }

                var rows = new List<T>();
                await using var reader = await command.ExecuteReaderAsync(cancellation);
                while (await reader.ReadAsync(cancellation))
                {
                    rows.Add(read(reader));
                }

                return rows;
            },
            doing,
            remedy);

    /// <summary>Runs the steps in one transaction: all of them hold, or none.</summary>
    public async Task<T> TogetherAsync<T>(Func<Task<T>> steps, CancellationToken cancellation, bool keep = true)
    {
        await RunAsync("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", "beginning a transaction", null, cancellation);
        T result;
        try
        {
            result = await steps();
        }
        catch (TroubleException)
        {
            await UndoAsync(cancellation);
            throw;
        }

        await RunAsync(keep ? "COMMIT" : "ROLLBACK", "ending a transaction", null, cancellation);
        return result;
    }

    /// <summary>Runs a role's statement; a grant that the server skips with no more than a warning is a refusal too.</summary>
    public async Task RunStatementAsync(string sql, string doing, string remedy, CancellationToken cancellation)
    {
        _withheld.Clear();
        await RunAsync(sql, doing, remedy, cancellation);
        if (_withheld.Count > 0)
        {
            throw TroubleException.Refused($"While {doing}: {_withheld[0]}", remedy);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        await _source.DisposeAsync();
    }

    private static bool IsExpected(Exception failure) => failure is NpgsqlException or TimeoutException or IOException or System.Net.Sockets.SocketException or CryptographicException;

    private static async Task<T> GuardAsync<T>(Func<Task<T>> act, string doing, string? remedy)
    {
        try
        {
            return await act();
        }
        catch (Exception failure) when (IsExpected(failure))
        {
            throw Trouble.Of(failure, doing, remedy);
        }
    }

    private static string Describe(PostgresSettings target, string database, string password)
    {
        var weak = target.Tls is "disable" or "allow" or "prefer";
        var text = new NpgsqlConnectionStringBuilder
        {
            Host = target.Host,
            Port = target.Port,
            Database = database,
            Username = target.Username,
            Password = password,
            SslMode = target.Tls switch
            {
                "disable" => SslMode.Disable,
                "allow" => SslMode.Allow,
                "prefer" => SslMode.Prefer,
                "require" => target.RootCertificate is null ? SslMode.Require : SslMode.VerifyCA,
                "verify-ca" => SslMode.VerifyCA,
                _ => SslMode.VerifyFull,
            },
            RootCertificate = weak ? null : target.RootCertificate,
            GssEncryptionMode = GssEncryptionMode.Disable,
            ApplicationName = "stint",
            Pooling = false,
            Enlist = false,
            IncludeErrorDetail = true,
            LogParameters = false,
            PersistSecurityInfo = false,
            Timeout = Seconds(target.ConnectTimeout),
            CommandTimeout = Seconds(target.StatementTimeout) + 5,
            CancellationTimeout = 2000,
        };
        if (weak)
        {
            // NB. Where anybody may stand in between, a server that asks for the password itself does not get it.
            text.RequireAuth = "!Password";
        }

        return text.ConnectionString;
    }

    private static int Seconds(TimeSpan time) => (int)Math.Clamp(Math.Ceiling(time.TotalSeconds), 1, 600);

    private NpgsqlCommand Command(string sql)
    {
        var command = _connection.CreateCommand();
        command.CommandText = sql;
        return command;
    }

    private async Task PrepareAsync(CancellationToken cancellation)
    {
        var wait = (long)Target.StatementTimeout.TotalMilliseconds;
        await RunAsync(
            $"""
            SET search_path = pg_catalog;
            SET standard_conforming_strings = on;
            SET synchronous_commit = on;
            SET statement_timeout = {wait};
            SET lock_timeout = {Math.Clamp(wait / 4, 500, 5000)};
            SET idle_in_transaction_session_timeout = '60s';
            """,
            "preparing the session",
            null,
            cancellation);
        var facts = await AskAsync(
            """
            SELECT current_user::text, pg_catalog.current_setting('server_version_num')::int, r.rolsuper, r.rolcreaterole, r.rolinherit,
                   pg_catalog.pg_has_role(current_user, 'pg_signal_backend', 'USAGE'), pg_catalog.pg_is_in_recovery(), pg_catalog.pg_backend_pid()
            FROM pg_catalog.pg_roles r WHERE r.rolname = current_user
            """,
            row =>
            {
                Login = row.GetString(0);
                Version = row.GetInt32(1);
                Superuser = row.GetBoolean(2);
                CreateRole = row.GetBoolean(3);
                Inherits = row.GetBoolean(4);
                SignalsBackends = row.GetBoolean(2) || row.GetBoolean(5);
                Standby = row.GetBoolean(6);
                return row.GetInt32(7);
            },
            "asking the server about itself",
            null,
            cancellation);
        if (Version < OldestVersion)
        {
            throw TroubleException.Refused($"{Target.Host}:{Target.Port} is PostgreSQL {Version / 10000}; Stint needs 14 or later.", "Upgrade the server.");
        }

        if (facts[0] != _connection.ProcessID)
        {
            throw TroubleException.Refused(
                $"Something between Stint and {Target.Host}:{Target.Port} pools connections: the server names the session {facts[0]}, the connection says {_connection.ProcessID}.",
                "Name the PostgreSQL server itself as `host` and `port`: through a pooler Stint cannot see that a session is gone.");
        }
    }

    private async Task UndoAsync(CancellationToken cancellation)
    {
        if (_connection.State != ConnectionState.Open)
        {
            // The driver gives a connection up after some errors; the server then undoes by itself.
            return;
        }

        try
        {
            await RunAsync("ROLLBACK", "undoing a transaction", null, cancellation);
        }
        catch (TroubleException)
        {
            // The connection is gone, and with it the transaction. The first failure is the one to tell.
        }
    }
}
