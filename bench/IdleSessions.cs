using System.Globalization;
using Npgsql;

namespace Stint.Bench;

/// <summary>A6: what ten thousand people who say nothing cost in memory.</summary>
internal sealed class IdleSessions : Question
{
    /// <summary>Held at once; a descriptor for each side of each, and a backend of the database, bound it.</summary>
    private const int Sessions = 1000;

    private const int AtATime = 16;

    public override string Name => "idle";

    public override string Asks => "What does a session hold in memory that says nothing?";

    public override async Task<IReadOnlyList<Row>> AnswerAsync(int rounds)
    {
        await using var stage = await Stage.SetAsync(new StageOptions { Connections = Sessions + 10, Settings = ["shared_buffers=16MB"] });
        var door = await stage.OpenAsync("db/write", "3h");
        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = (string)door["host"]!,
            Port = int.Parse(door["port"]!.ToString(), CultureInfo.InvariantCulture),
            Username = (string)door["login"]!,
            Password = (string)door["secret"]!,
            Database = "shop",
            SslMode = SslMode.Disable,
            Pooling = false,
            Timeout = 60,
        };
        var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString);
        builder.ConfigureTypeLoading(loading => loading.EnableTypeLoading(false));
        await using var source = builder.Build();
        var open = new List<NpgsqlConnection>();
        try
        {
            // Before it is counted: what is compiled and pooled for the first of them is not the memory of each.
            await OpenAsync(source, Sessions / 4, open);
            await Task.Delay(TimeSpan.FromSeconds(7));
            var before = Stage.Resident(stage.Server);
            await OpenAsync(source, Sessions - open.Count, open);
            await Task.Delay(TimeSpan.FromSeconds(7));
            var after = Stage.Resident(stage.Server);
            var each = (after - before) / (double)(Sessions - (Sessions / 4));
            var measured = new Rounds(1);
            measured.Note("all", after / 1e6);
            measured.Note("each", each / 1e3);
            measured.Note("ten thousand", (after + (each * (10_000 - Sessions))) / 1e6);
            return
            [
                measured.Alone($"{Sessions} idle sessions, all of the server", "MB", "all", "", null),
                measured.Alone("each", "kB", "each", "", null),
                measured.Alone("10,000 at that, reckoned", "MB", "ten thousand", "≤ 250", total => total <= 250),
            ];
        }
        finally
        {
            foreach (var connection in open)
            {
                await connection.DisposeAsync();
            }
        }
    }

    private static async Task OpenAsync(NpgsqlDataSource source, int count, List<NpgsqlConnection> open)
    {
        for (var at = 0; at < count; at += AtATime)
        {
            var some = Enumerable.Range(0, Math.Min(AtATime, count - at)).Select(_ => source.OpenConnectionAsync().AsTask()).ToList();
            open.AddRange(await Task.WhenAll(some));
        }
    }
}
