using System.Globalization;
using System.Text.RegularExpressions;

namespace Stint.Bench;

/// <summary>A1 to A3: what the gateway adds to a query, recording on, beside a blind TCP proxy and a connection pooler.</summary>
internal sealed partial class Relay : Question
{
    /// <summary>Of all clients together. A count and not a time: connecting is no part of what is asked here.</summary>
    private const int Transactions = 32_000;

    public override string Name => "relay";

    public override string Asks => "What does the gateway add to a query, while it records?";

    public override async Task<IReadOnlyList<Row>> AnswerAsync(int rounds)
    {
        await using var stage = await Stage.SetAsync();
        var door = await stage.OpenAsync("db/write", "3h");
        var (haproxy, haproxyPort) = await HaProxyAsync(stage);
        var (pgbouncer, pgbouncerPort) = await PgBouncerAsync(stage);
        (string, string)[] ours =
        [
            ("PGHOST", (string)door["host"]!), ("PGPORT", door["port"]!.ToString()), ("PGUSER", (string)door["login"]!),
            ("PGPASSWORD", (string)door["secret"]!), ("PGDATABASE", "shop"), ("PGSSLMODE", "disable"),
        ];
        var rows = new List<Row>();

        // What is compiled on first use is compiled before the first round.
        await Stage.RunAsync("pgbench", ["-n", "-S", "-M", "simple", "-c", "8", "-t", "2000"], ours);
        await Stage.RunAsync("pgbench", ["-n", "-S", "-M", "extended", "-c", "8", "-t", "2000"], ours);
        foreach (var protocol in (string[])["simple", "extended", "prepared"])
        {
            foreach (var clients in (int[])[1, 8, 64])
            {
                var measured = new Rounds(rounds);
                await measured.RunAsync(
                [
                    ("direct", () => BenchAsync(measured, "direct", 0, protocol, clients, Stage.Peer(stage.DatabasePort))),
                    ("haproxy", () => BenchAsync(measured, "haproxy", haproxy, protocol, clients, Stage.Peer(haproxyPort))),
                    ("pgbouncer", () => BenchAsync(measured, "pgbouncer", pgbouncer, protocol, clients, Stage.Peer(pgbouncerPort))),
                    ("stint", () => BenchAsync(measured, "stint", stage.Server, protocol, clients, ours)),
                ]);
                var name = $"{protocol}, {clients} clients";
                var floor = clients == 1 ? 0.80 : 0.75;
                var ceiling = clients == 64 ? 1.2 : 1.0;
                rows.Add(measured.Compare(name, "tx/s", "stint", "direct", $"≥ {floor.ToString("0.00", CultureInfo.InvariantCulture)}", ratio => ratio >= floor));
                rows.Add(measured.Compare(name, "tx/s", "stint", "haproxy", "≥ 1", ratio => ratio >= 1));
                rows.Add(measured.Compare(name, "µs CPU/tx", "stint cpu", "haproxy cpu", $"≤ {ceiling.ToString("0.0", CultureInfo.InvariantCulture)}", ratio => ratio <= ceiling));
                rows.Add(measured.Compare(name, "µs CPU/tx", "stint cpu", "pgbouncer cpu", "", null));
            }
        }

        return rows;
    }

    private static async Task<double> BenchAsync(Rounds rounds, string name, int process, string protocol, int clients, (string, string)[] environment)
    {
        var before = process == 0 ? 0 : Stage.Cpu(process);
        var output = await Stage.RunAsync("pgbench", ["-n", "-S", "-M", protocol, "-c", $"{clients}", "-t", $"{(clients == 1 ? Transactions / 2 : Transactions / clients)}"], environment);
        var after = process == 0 ? 0 : Stage.Cpu(process);
        var done = Read(Processed(), output);
        rounds.Note(name + " cpu", (after - before) * 1e6 / done);
        return Read(Speed(), output);
    }

    private static double Read(Regex figure, string output) => figure.Match(output) is { Success: true } found
        ? double.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture)
        : throw new InvalidOperationException($"pgbench said no figure, but: {output}");

    private static async Task<(int Process, int Port)> HaProxyAsync(Stage stage)
    {
        var port = await Stage.FreePortAsync();
        var file = Path.Combine(stage.Folder, "haproxy.cfg");
        await File.WriteAllTextAsync(file, $"""
            global
              maxconn 1000
              nbthread 1
            defaults
              mode tcp
              timeout connect 5s
              timeout client 1h
              timeout server 1h
            listen pg
              bind 127.0.0.1:{port}
              server db 127.0.0.1:{stage.DatabasePort}

            """);
        var process = stage.Start("haproxy", "-db", "-f", file);
        await Stage.ListeningAsync(port, process, stage);
        return (process.Id, port);
    }

    private static async Task<(int Process, int Port)> PgBouncerAsync(Stage stage)
    {
        var port = await Stage.FreePortAsync();
        var users = Path.Combine(stage.Folder, "users.txt");
        var file = Path.Combine(stage.Folder, "pgbouncer.ini");
        await File.WriteAllTextAsync(users, "\"peer\" \"bench-peer\"\n");
        await File.WriteAllTextAsync(file, $"""
            [databases]
            shop = host=127.0.0.1 port={stage.DatabasePort} dbname=shop user=peer password=bench-peer
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = scram-sha-256
            auth_file = {users}
            pool_mode = session
            max_client_conn = 500
            default_pool_size = 200
            ignore_startup_parameters = extra_float_digits

            """);
        var process = stage.Start("setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups", "pgbouncer", file);
        await Stage.ListeningAsync(port, process, stage);
        return (process.Id, port);
    }

    [GeneratedRegex(@"tps = ([0-9.]+)")]
    private static partial Regex Speed();

    [GeneratedRegex(@"actually processed: ([0-9]+)")]
    private static partial Regex Processed();
}
