using System.Globalization;
using System.Net.Sockets;

namespace Stint.Bench;

/// <summary>D1 and D2: how long after its end a client hears that its access is over.</summary>
internal sealed class Ending : Question
{
    public override string Name => "end";

    public override string Asks => "How late do idle sessions hear that their access is over: 200 and 2,000 at their deadline, 1,000 when their grant is revoked?";

    public override async Task<IReadOnlyList<Row>> AnswerAsync(int rounds)
    {
        await using var stage = await Stage.SetAsync(new StageOptions { Connections = 2_100 });
        var measured = new Rounds(rounds);
        for (var round = 0; round < rounds; round++)
        {
            await DeadlineAsync(stage, 200, "10s", measured);
            await RevokeAsync(stage, 1_000, measured);
            if (round % 2 == 0)
            {
                await DeadlineAsync(stage, 2_000, "40s", measured);
            }
        }

        return
        [
            measured.Alone("deadline to last words, p50 of 200", "ms", "p50 200", "≤ 2", late => late <= 2),
            measured.Alone("deadline to last words, p99 of 200", "ms", "p99 200", "≤ 15", late => late <= 15),
            measured.Alone("deadline to last words, p50 of 2,000", "ms", "p50 2000", "", null),
            measured.Alone("deadline to last words, p99 of 2,000", "ms", "p99 2000", "≤ 50", late => late <= 50),
            measured.Alone("revoke asked to last of 1,000", "ms", "revoke", "≤ 150", late => late <= 150),
        ];
    }

    private static async Task DeadlineAsync(Stage stage, int count, string length, Rounds measured)
    {
        var door = await stage.OpenAsync("db/write", length);
        var end = DateTimeOffset.Parse((string)door["not_after"]!, CultureInfo.InvariantCulture);
        var sockets = await RawClient.LoginAsync(door, count);
        try
        {
            if (TimeProvider.System.GetUtcNow() > end.AddSeconds(-1))
            {
                throw new InvalidOperationException($"{count} sessions could not be opened within {length}: this machine is too busy to say how late they end.");
            }

            var late = (await RawClient.WatchAsync(sockets, end)).Order().ToList();
            measured.Note($"p50 {count}", late[late.Count / 2]);
            measured.Note($"p99 {count}", late[(int)(late.Count * 0.99)]);
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }

        await stage.GoneAsync();
    }

    private static async Task RevokeAsync(Stage stage, int count, Rounds measured)
    {
        var door = await stage.OpenAsync("db/write");
        var sockets = await RawClient.LoginAsync(door, count);
        try
        {
            using var http = stage.Http();
            var grant = await stage.GrantAsync(http);
            var asked = TimeProvider.System.GetUtcNow();
            var watching = RawClient.WatchAsync(sockets, asked);
            await stage.RevokeAsync(http, grant);
            measured.Note("revoke", (await watching).Max());
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }

        await stage.GoneAsync();
    }
}

/// <summary>D3: how long what a session executes goes on at the target after its grant was revoked.</summary>
internal sealed class Stopping : Question
{
    private const int Each = 10;

    private static readonly (string Name, string Sql)[] Works =
    [
        ("executing", "select pg_sleep(600)"),
        ("DO", "do $$ begin loop perform 1; end loop; end $$"),
        ("COPY", "copy (select repeat('x', 1000) from generate_series(1, 100000000)) to stdout"),
        ("planning", $"select count(*) from {string.Join(", ", Enumerable.Range(0, 13).Select(i => $"pgbench_branches t{i}"))} where {string.Join(" and ", Enumerable.Range(0, 12).Select(i => $"t{i}.bid = t{i + 1}.bid"))}"),
        ("in a transaction", "begin"),
    ];

    public override string Name => "stop";

    public override string Asks => "How long after a revoke is the connection still at the target, whatever it executes?";

    public override async Task<IReadOnlyList<Row>> AnswerAsync(int rounds)
    {
        await using var stage = await Stage.SetAsync();
        using var http = stage.Http();

        // What runs for the first time is being compiled; a server is revoked at for days.
        foreach (var (_, sql) in Works)
        {
            await OneAsync(stage, http, sql);
        }

        var all = new List<double>();
        var measured = new Rounds(rounds);
        for (var round = 0; round < rounds; round++)
        {
            foreach (var (name, sql) in Works)
            {
                for (var i = 0; i < Each; i++)
                {
                    var late = await OneAsync(stage, http, sql);
                    measured.Note(name, late);
                    all.Add(late);
                }
            }
        }

        all.Sort();
        return
        [
            .. Works.Select(work => measured.Alone($"revoked to gone, {work.Name}, p50", "ms", work.Name, "", null)),
            new Row($"revoked to gone, p99 of {all.Count}", "ms", all[(int)(all.Count * 0.99)], double.NaN, "", double.NaN, "≤ 250", all[(int)(all.Count * 0.99)] <= 250),
            new Row($"revoked to gone, last of {all.Count}", "ms", all[^1], double.NaN, "", double.NaN, "", null),
        ];
    }

    private static async Task<double> OneAsync(Stage stage, HttpClient http, string sql)
    {
        var door = await stage.OpenAsync(http);
        using var socket = await RawClient.LoginAsync(door);
        await socket.SendAsync(Gateway.Postgres.PostgresMessages.Frame((byte)'Q', Gateway.Postgres.PostgresMessages.Text(sql)));
        using var stop = new CancellationTokenSource();
        var reading = RawClient.DrainAsync(socket, stop.Token);
        await Task.Delay(TimeSpan.FromMilliseconds(20 + Random.Shared.Next(30)));
        var asked = TimeProvider.System.GetTimestamp();
        await stage.RevokeAsync(http, (string)door["grant"]!);
        while (await stage.BackendsAsync() > 0)
        {
            if (TimeProvider.System.GetElapsedTime(asked) > TimeSpan.FromSeconds(30))
            {
                throw new InvalidOperationException($"A connection that executes `{sql[..Math.Min(40, sql.Length)]}` was still there 30 s after its grant was revoked.");
            }
        }

        var late = TimeProvider.System.GetElapsedTime(asked).TotalMilliseconds;
        await stop.CancelAsync();
        await reading;
        await stage.GoneAsync();
        return late;
    }
}

/// <summary>D4: revoked at one node, cut at the other; and a gateway whose control plane is gone.</summary>
internal sealed class EndingElsewhere : Question
{
    private const int Each = 20;

    /// <summary>Not counted: what runs for the first time is being compiled.</summary>
    private const int First = 5;

    public override string Name => "elsewhere";

    public override string Asks => "How long after a revoke at another node is a session cut, and how long does a gateway go on without its control plane?";

    public override async Task<IReadOnlyList<Row>> AnswerAsync(int rounds)
    {
        var late = new List<double>();
        await using (var stage = await Stage.SetAsync(new StageOptions { Nodes = 2 }))
        {
            using var other = stage.Http(node: 1);
            using var here = stage.Http();
            for (var i = -First; i < rounds * Each; i++)
            {
                var door = await stage.OpenAsync(here);
                using var socket = await RawClient.LoginAsync(door);
                var asked = TimeProvider.System.GetUtcNow();
                var watching = RawClient.WatchAsync([socket], asked);
                await stage.RevokeAsync(other, (string)door["grant"]!);
                var took = (await watching)[0];
                if (i >= 0)
                {
                    late.Add(took);
                }

                await stage.GoneAsync();
            }
        }

        late.Sort();
        var linked = new List<double>();
        double cutOff;
        long resident;
        await using (var stage = await Stage.SetAsync(new StageOptions { GatewayAlone = true }))
        {
            using var http = stage.Http();
            for (var i = -First; i < rounds * Each; i++)
            {
                var door = await stage.OpenAsync(http);
                using var socket = await RawClient.LoginAsync(door);
                var asked = TimeProvider.System.GetUtcNow();
                var watching = RawClient.WatchAsync([socket], asked);
                await stage.RevokeAsync(http, (string)door["grant"]!);
                var took = (await watching)[0];
                if (i >= 0)
                {
                    linked.Add(took);
                }

                await stage.GoneAsync();
            }

            var last = await stage.OpenAsync(http);
            using var alone = await RawClient.LoginAsync(last);
            resident = Stage.Resident(stage.Gateway);
            var killed = TimeProvider.System.GetUtcNow();
            stage.KillServer();
            cutOff = (await RawClient.WatchAsync([alone], killed))[0];
        }

        linked.Sort();
        var (p99, linkedP99) = (late[(int)(late.Count * 0.99)], linked[(int)(linked.Count * 0.99)]);
        return
        [
            new Row("another node, one store, p50", "ms", late[late.Count / 2], double.NaN, "", double.NaN, "", null),
            new Row($"another node, one store, p99 of {late.Count}", "ms", p99, double.NaN, "", double.NaN, "≤ 250", p99 <= 250),
            new Row("gateway node, p50", "ms", linked[linked.Count / 2], double.NaN, "", double.NaN, "", null),
            new Row($"gateway node, p99 of {linked.Count}", "ms", linkedP99, double.NaN, "", double.NaN, "≤ 250", linkedP99 <= 250),
            new Row("control plane killed to cut", "ms", cutOff, double.NaN, "", double.NaN, "≤ 11,000", cutOff <= 11_000),
            new Row("gateway alone, resident", "MB", resident / 1e6, double.NaN, "", double.NaN, "≤ 50", resident <= 50_000_000),
        ];
    }
}
