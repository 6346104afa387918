using System.Diagnostics;

namespace Stint.Bench;

/// <summary>A7: a gigabyte out of the database, through the gateway and through a blind proxy.</summary>
internal sealed class CopyOut : Question
{
    private const double Megabytes = 1000;

    public override string Name => "copy";

    public override string Asks => "How fast does a gigabyte of COPY come out, and does memory grow with it?";

    public override async Task<IReadOnlyList<Row>> AnswerAsync(int rounds)
    {
        await using var stage = await Stage.SetAsync();
        var ours = Peers.Gateway(await stage.OpenAsync("db/write", "3h"));
        var (haproxy, port) = await Peers.HaProxyAsync(stage);

        // A row of 100 bytes as COPY writes it.
        const string Copy = "COPY (SELECT repeat('x', 99) FROM generate_series(1, 10000000)) TO STDOUT";
        const string Little = "COPY (SELECT repeat('x', 99) FROM generate_series(1, 1000000)) TO STDOUT";
        await CopyAsync(Little, ours);
        var before = Stage.Resident(stage.Server);
        var measured = new Rounds(rounds);
        await measured.RunAsync(
        [
            ("direct", () => CopyAsync(Copy, Stage.Peer(stage.DatabasePort))),
            ("haproxy", () => CpuAsync(measured, "haproxy", haproxy, () => CopyAsync(Copy, Stage.Peer(port)))),
            ("stint", () => CpuAsync(measured, "stint", stage.Server, () => CopyAsync(Copy, ours))),
        ]);
        measured.Note("growth", (Stage.Resident(stage.Server) - before) / 1e6);
        return
        [
            measured.Compare("COPY out, 1 GB", "MB/s", "stint", "haproxy", "≥ 0.95", ratio => ratio >= 0.95),
            measured.Compare("COPY out, 1 GB", "MB/s", "stint", "direct", "", null),
            measured.Compare("COPY out, 1 GB", "s CPU/GB", "stint cpu", "haproxy cpu", "", null),
            measured.Alone("resident, more than before", "MB", "growth", "≤ 8", more => more <= 8),
        ];
    }

    private static async Task<double> CpuAsync(Rounds rounds, string name, int process, Func<Task<double>> measure)
    {
        var before = Stage.Cpu(process);
        var speed = await measure();
        rounds.Note(name + " cpu", Stage.Cpu(process) - before);
        return speed;
    }

    private static async Task<double> CopyAsync(string copy, (string, string)[] environment)
    {
        var watch = Stopwatch.StartNew();
        await Stage.RunAsync("psql", ["-qXo", "/dev/null", "-c", copy], environment);
        return Megabytes / watch.Elapsed.TotalSeconds;
    }
}
