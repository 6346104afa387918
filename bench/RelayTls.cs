namespace Stint.Bench;

/// <summary>A4: what TLS on the client's side costs the gateway, beside a pooler that speaks it too.</summary>
internal sealed class RelayTls : Question
{
    public override string Name => "tls";

    public override string Asks => "What does a query cost the gateway when the client encrypts?";

    public override async Task<IReadOnlyList<Row>> AnswerAsync(int rounds)
    {
        await using var stage = await Stage.SetAsync(new StageOptions { Tls = "required" });
        var ours = Peers.Gateway(await stage.OpenAsync("db/write", "3h"), "require");
        var (pgbouncer, port) = await Peers.PgBouncerAsync(stage, tls: true);
        var theirs = Stage.Peer(port).Select(word => word.Item1 == "PGSSLMODE" ? ("PGSSLMODE", "require") : word).ToArray();
        await PgBench.WarmAsync(stage, ours, "-S", "-M", "simple", "-c", "8");
        var rows = new List<Row>();
        foreach (var clients in (int[])[1, 8, 64])
        {
            var name = $"simple, {clients} clients";
            if (!IsAsked(name))
            {
                continue;
            }

            string[] words = ["-S", "-M", "simple", "-c", $"{clients}"];
            var measured = new Rounds(rounds);
            await measured.RunAsync(
            [
                ("pgbouncer", () => PgBench.SteadyAsync(measured, "pgbouncer", pgbouncer, theirs, words)),
                ("stint", () => PgBench.SteadyAsync(measured, "stint", stage.Server, ours, words)),
            ]);
            rows.Add(measured.Compare(name, "µs CPU/tx", "stint cpu", "pgbouncer cpu", "≤ 1.2", ratio => ratio <= 1.2));
            rows.Add(measured.Compare(name, "tx/s", "stint", "pgbouncer", "", null));
        }

        return rows;
    }
}
