namespace Stint.Bench;

/// <summary>A5: a connection for every transaction. Each is a session: let in, recorded, and put on record twice.</summary>
internal sealed class Logins : Question
{
    public override string Name => "login";

    public override string Asks => "What does a connection for every transaction cost through the gateway?";

    public override async Task<IReadOnlyList<Row>> AnswerAsync(int rounds)
    {
        await using var stage = await Stage.SetAsync();
        var ours = Peers.Gateway(await stage.OpenAsync("db/write", "3h"));
        var (haproxy, port) = await Peers.HaProxyAsync(stage);
        await Stage.RunAsync("pgbench", ["-n", "-S", "-C", "-c", "4", "-t", "50"], ours);
        var rows = new List<Row>();
        foreach (var clients in (int[])[1, 8])
        {
            var name = $"{clients} clients";
            if (!IsAsked(name))
            {
                continue;
            }

            string[] words = ["-S", "-C", "-c", $"{clients}", "-t", $"{480 / clients}"];
            var measured = new Rounds(rounds);
            await measured.RunAsync(
            [
                ("direct", () => PgBench.RunAsync(measured, "direct", 0, Stage.Peer(stage.DatabasePort), words)),
                ("haproxy", () => PgBench.RunAsync(measured, "haproxy", haproxy, Stage.Peer(port), words)),
                ("stint", () => PgBench.RunAsync(measured, "stint", stage.Server, ours, words)),
            ]);
            rows.Add(measured.Compare(name, "logins/s", "stint", "direct", "≥ 0.8", ratio => ratio >= 0.8));
            rows.Add(measured.Compare(name, "logins/s", "haproxy", "direct", "", null));
            rows.Add(measured.Compare(name, "µs CPU", "stint cpu", "haproxy cpu", "", null));
        }

        return rows;
    }
}
