using Npgsql;

namespace Stint.Server.Store;

/// <summary>Where the PostgreSQL store is.</summary>
/// <param name="Url">Npgsql's connection string (<c>Host=…;Database=…;Username=…;Password=…</c>).</param>
internal sealed record PostgresOptions(string Url)
{
    /// <summary>Longest that one statement may take.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Schema of the database that holds the tables, and channel on which its nodes hear of one another; made when absent.</summary>
    public string Schema { get; init; } = "stint";
}

/// <summary>The store in a PostgreSQL database, for one or several nodes.</summary>
internal sealed class PostgresStore : StintStore
{
    // PostgreSQL takes notifications of fewer than 8,000 bytes.
    private const int MostNotified = 7000;

    private static readonly TimeSpan s_listenAtMost = TimeSpan.FromSeconds(2);

    private readonly PostgresOptions _options;
    private readonly NpgsqlDataSource _source;
    private readonly string _sender = Convert.ToHexStringLower(System.Security.Cryptography.RandomNumberGenerator.GetBytes(8));
    private readonly CancellationTokenSource _closing = new();
    private PostgresDb? _writer;
    private Task _listening = Task.CompletedTask;

    /// <exception cref="StoreSetupException">The connection string cannot be read.</exception>
    public PostgresStore(PostgresOptions options, StoreFaults? faults = null)
        : base(faults)
    {
        _options = options;
        try
        {
            var url = new NpgsqlConnectionStringBuilder(options.Url)
            {
                ApplicationName = options.Schema == "stint" ? "stint" : "stint " + options.Schema,
                MaxAutoPrepare = 200,
                AutoPrepareMinUsages = 2,
                SearchPath = options.Schema,
                CommandTimeout = (int)options.Timeout.TotalSeconds + 5,
                NoResetOnClose = true,
            };
            url.Options = $"{url.Options} -c statement_timeout={(long)options.Timeout.TotalMilliseconds} -c lock_timeout={(long)options.Timeout.TotalMilliseconds}".Trim();
            _source = NpgsqlDataSource.Create(url);
        }
        catch (ArgumentException problem)
        {
            throw new StoreSetupException("The store's connection string cannot be read: " + problem.Message, problem);
        }
    }

    public override string Kind => "postgres";

    private protected override bool SharesLog => true;

    internal NpgsqlDataSource Source => _source;

    /// <inheritdoc/>
    public override async Task OpenAsync(CancellationToken cancellation)
    {
        var quoted = new NpgsqlCommandBuilder().QuoteIdentifier(_options.Schema);
        try
        {
            await using (var connection = await _source.OpenConnectionAsync(cancellation))
            {
                if (connection.PostgreSqlVersion.Major < 14)
                {
                    throw new StoreSetupException($"The store's database is PostgreSQL {connection.PostgreSqlVersion}; Stint needs 14 or newer.");
                }

                await using var command = new NpgsqlCommand($"CREATE SCHEMA IF NOT EXISTS {quoted}", connection);
                await command.ExecuteNonQueryAsync(cancellation);
                await Migrations.RunAsync(new PostgresDb(connection), "postgres", cancellation);
            }
        }
        catch (Exception problem) when (problem is NpgsqlException or IOException or System.Net.Sockets.SocketException or TimeoutException)
        {
            throw new StoreUnavailableException("The store's database cannot be opened: " + problem.Message, problem);
        }

        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _listening = Task.Run(() => ListenAsync(ready), CancellationToken.None);
        await ready.Task.WaitAsync(cancellation);
    }

    /// <inheritdoc/>
    public override async Task<T> ReadAsync<T>(Func<Reads, Task<T>> act, CancellationToken cancellation)
    {
        PostgresDb? db = null;
        try
        {
            db = new PostgresDb(await _source.OpenConnectionAsync(cancellation));
            await db.BeginAsync(write: false);
            var result = await act(new Reads(db));
            await db.CommitAsync();
            return result;
        }
        catch (Exception problem) when (problem is NpgsqlException or IOException or System.Net.Sockets.SocketException or TimeoutException)
        {
            throw db?.Explain(problem) ?? new StoreUnavailableException("The store's database does not answer: " + problem.Message, problem);
        }
        finally
        {
            if (db is not null)
            {
                await db.RollbackAsync();
                await db.DisposeAsync();
            }
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (_closing.IsCancellationRequested)
        {
            return;
        }

        await StopWritingAsync();
        await _closing.CancelAsync();
        await _listening;
        if (_writer is not null)
        {
            await _writer.DisposeAsync();
        }

        await _source.DisposeAsync();
        _closing.Dispose();
    }

    private protected override async ValueTask<Db> WriterAsync()
    {
        if (_writer is { Usable: true })
        {
            return _writer;
        }

        if (_writer is not null)
        {
            await _writer.DisposeAsync();
            _writer = null;
        }

        try
        {
            return _writer = new PostgresDb(await _source.OpenConnectionAsync());
        }
        catch (Exception problem) when (problem is NpgsqlException or IOException or System.Net.Sockets.SocketException or TimeoutException)
        {
            throw new StoreUnavailableException("The store's database does not answer: " + problem.Message, problem);
        }
    }

    private protected override async ValueTask TellOthersAsync(Db db, IReadOnlyCollection<string> wakes)
    {
        var text = new System.Text.StringBuilder(_sender);
        foreach (var name in wakes)
        {
            if (text.Length + name.Length > MostNotified)
            {
                await db.LaterAsync("SELECT pg_notify($1, $2)", _options.Schema, text.ToString());
                text.Length = _sender.Length;
            }

            text.Append('\n').Append(name);
        }

        await db.LaterAsync("SELECT pg_notify($1, $2)", _options.Schema, text.ToString());
    }

    /// <summary>Hears what other nodes committed. A lost connection is made anew, and everybody is woken, for nobody knows what was missed.</summary>
    private async Task ListenAsync(TaskCompletionSource ready)
    {
        for (var pause = 50; !_closing.IsCancellationRequested; pause = Math.Min(pause * 2, 5000))
        {
            try
            {
                await using var connection = await _source.OpenConnectionAsync(_closing.Token);
                connection.Notification += (_, heard) => Hear(heard.Payload);
                await using (var command = new NpgsqlCommand($"LISTEN {new NpgsqlCommandBuilder().QuoteIdentifier(_options.Schema)}", connection))
                {
                    await command.ExecuteNonQueryAsync(_closing.Token);
                }

                if (!ready.TrySetResult())
                {
                    Wakes.WakeAll();
                }

                pause = 50;
                while (!_closing.IsCancellationRequested)
                {
                    // NB. A cancellation that comes as it begins to wait is not heard: whoever closes would wait for ever.
                    await connection.WaitAsync(s_listenAtMost, _closing.Token);
                }
            }
            catch (OperationCanceledException)
            {
                ready.TrySetCanceled();
                return;
            }
            catch (Exception problem) when (problem is NpgsqlException or IOException or System.Net.Sockets.SocketException or TimeoutException)
            {
                ready.TrySetException(new StoreUnavailableException("The store's database cannot be listened to: " + problem.Message, problem));
                await Task.Delay(pause, CancellationToken.None);
            }
        }
    }

    private void Hear(string payload)
    {
        var names = payload.Split('\n');
        if (names[0] != _sender)
        {
            foreach (var name in names.AsSpan(1))
            {
                Wakes.Wake(name);
            }
        }
    }
}
