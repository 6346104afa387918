using System.Globalization;

namespace Stint.Bench;

/// <summary>A1 to A3: what the gateway adds to a query, recording on, beside a blind TCP proxy and a connection pooler.</summary>
internal sealed class Relay : Question
{
    public override string Name => "relay";

    public override string Asks => "What does the gateway add to a query, while it records?";

    public override async Task<IReadOnlyList<Row>> AnswerAsync(int rounds)
    {
        await using var stage = await Stage.SetAsync();
        var ours = Peers.Gateway(await stage.OpenAsync("db/write", "3h"));
        var (haproxy, haproxyPort) = await Peers.HaProxyAsync(stage);
        var (pgbouncer, pgbouncerPort) = await Peers.PgBouncerAsync(stage);
        var rows = new List<Row>();

        foreach (var protocol in ((string[])["simple", "extended", "prepared"]).Where(protocol => Only.Count == 0 || Only.Contains(protocol)))
        {
            await PgBench.WarmAsync(stage, ours, "-S", "-M", protocol, "-c", "8");
        }

        foreach (var protocol in (string[])["simple", "extended", "prepared"])
        {
            foreach (var clients in (int[])[1, 8, 64])
            {
                var name = $"{protocol}, {clients} clients";
                if (!IsAsked(name))
                {
                    continue;
                }

                string[] words = ["-S", "-M", protocol, "-c", $"{clients}"];
                var measured = new Rounds(rounds);
                await measured.RunAsync(
                [
                    ("direct", () => PgBench.SteadyAsync(measured, "direct", 0, Stage.Peer(stage.DatabasePort), words)),
                    ("haproxy", () => PgBench.SteadyAsync(measured, "haproxy", haproxy, Stage.Peer(haproxyPort), words)),
                    ("pgbouncer", () => PgBench.SteadyAsync(measured, "pgbouncer", pgbouncer, Stage.Peer(pgbouncerPort), words)),
                    ("stint", () => PgBench.SteadyAsync(measured, "stint", stage.Server, ours, words)),
                ]);
                var floor = clients == 1 ? 0.80 : 0.75;
                var ceiling = clients == 64 ? 1.2 : 1.0;
                rows.Add(measured.Compare(name, "tx/s", "stint", "direct", $"≥ {floor.ToString("0.00", CultureInfo.InvariantCulture)}", ratio => ratio >= floor));
                rows.Add(measured.Compare(name, "tx/s", "haproxy", "direct", "", null));
                rows.Add(measured.Compare(name, "tx/s", "stint", "haproxy", "≥ 1", ratio => ratio >= 1));
                rows.Add(measured.Compare(name, "µs CPU/tx", "stint cpu", "haproxy cpu", $"≤ {ceiling.ToString("0.0", CultureInfo.InvariantCulture)}", ratio => ratio <= ceiling));
                rows.Add(measured.Compare(name, "µs CPU/tx", "stint cpu", "pgbouncer cpu", "", null));
            }
        }

        if (IsAsked("added p99, 1 clients"))
        {
            rows.AddRange(await LatencyAsync(rounds, stage, ours, haproxyPort));
        }

        return rows;
    }

    private static async Task<IReadOnlyList<Row>> LatencyAsync(int rounds, Stage stage, (string, string)[] ours, int haproxyPort)
    {
        string[] words = ["-S", "-M", "simple", "-c", "1", "-t", "10000"];
        var measured = new Rounds(rounds);
        await measured.RunAsync(
        [
            ("direct", () => PgBench.P99Async(stage, Stage.Peer(stage.DatabasePort), words)),
            ("haproxy", () => PgBench.P99Async(stage, Stage.Peer(haproxyPort), words)),
            ("stint", () => PgBench.P99Async(stage, ours, words)),
        ]);
        return
        [
            measured.Added("added p99, 1 clients", "µs", "stint", "direct", "≤ 100", more => more <= 100),
            measured.Added("added p99, 1 clients", "µs", "haproxy", "direct", "", null),
        ];
    }
}
