namespace Stint.Bench;

/// <summary>A9: recording outside the database beside auditing inside of it, on the same server.</summary>
internal sealed class Auditing : Question
{
    public override string Name => "audit";

    public override string Asks => "What is lost of a database's own speed: through the recording gateway, and with pgaudit inside?";

    public override async Task<IReadOnlyList<Row>> AnswerAsync(int rounds)
    {
        await using var stage = await Stage.SetAsync(new StageOptions { Settings = ["shared_preload_libraries=pg_stat_statements,pgaudit"] });
        await Stage.RunAsync("psql", ["-qc", "CREATE ROLE audited LOGIN SUPERUSER PASSWORD 'bench-peer'; ALTER ROLE audited SET pgaudit.log = 'all'", "shop"], Stage.Peer(stage.DatabasePort));
        var audited = Stage.Peer(stage.DatabasePort).Select(word => word.Item1 == "PGUSER" ? ("PGUSER", "audited") : word).ToArray();
        var ours = Peers.Gateway(await stage.OpenAsync("db/write", "3h"));
        var rows = new List<Row>();
        foreach (var protocol in (string[])["simple", "prepared"])
        {
            var name = $"{protocol}, 8 clients";
            if (!IsAsked(name))
            {
                continue;
            }

            string[] words = ["-S", "-M", protocol, "-c", "8"];
            await PgBench.WarmAsync(stage, ours, words);
            var measured = new Rounds(rounds);
            await measured.RunAsync(
            [
                ("direct", () => PgBench.SteadyAsync(measured, "direct", 0, Stage.Peer(stage.DatabasePort), words)),
                ("pgaudit", () => PgBench.SteadyAsync(measured, "pgaudit", 0, audited, words)),
                ("stint", () => PgBench.SteadyAsync(measured, "stint", stage.Server, ours, words)),
            ]);
            rows.Add(measured.Compare(name, "tx/s", "stint", "pgaudit", "> 1", ratio => ratio > 1));
            rows.Add(measured.Compare(name, "tx/s", "stint", "direct", "", null));
            rows.Add(measured.Compare(name, "tx/s", "pgaudit", "direct", "", null));
        }

        return rows;
    }
}
