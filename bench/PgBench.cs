using System.Globalization;
using System.Text.RegularExpressions;

namespace Stint.Bench;

/// <summary>Runs pgbench and reads what it says.</summary>
internal static partial class PgBench
{
    private const int Seconds = 4;

    /// <summary>One measurement: transactions a second, and under "NAME cpu" the µs of a process per transaction.</summary>
    /// <param name="process">Whose processor time is noted; 0 for nobody's.</param>
    public static async Task<double> RunAsync(Rounds rounds, string name, int process, (string, string)[] environment, params string[] words)
    {
        var before = process == 0 ? 0 : Stage.Cpu(process);
        var output = await Stage.RunAsync("pgbench", ["-n", .. words], environment);
        var after = process == 0 ? 0 : Stage.Cpu(process);
        if (process != 0)
        {
            rounds.Note(name + " cpu", (after - before) * 1e6 / Read(Processed(), output));
        }

        return Read(Speed(), output);
    }

    /// <summary>
    /// Has the gateway carry until a transaction costs it no less than a moment ago: what is compiled on first use, and
    /// again in the background when it proved hot, is no part of what is asked.
    /// </summary>
    public static async Task WarmAsync(Stage stage, (string, string)[] environment, params string[] words)
    {
        const int Most = 12;
        var before = double.MaxValue;
        for (var times = 0; times < Most; times++)
        {
            var measured = new Rounds(1);
            await SteadyAsync(measured, "stint", stage.Server, environment, words);
            var now = measured.Median("stint cpu");
            if (now > before * 0.95)
            {
                return;
            }

            before = now;
        }
    }

    /// <summary>
    /// One measurement of some seconds, without those in which the clients log in and the kernel finds its pace:
    /// transactions a second, and under "NAME cpu" the µs of a process per transaction.
    /// </summary>
    public static async Task<double> SteadyAsync(Rounds rounds, string name, int process, (string, string)[] environment, params string[] words)
    {
        var (first, last) = ((double?)null, 0.0);
        var done = 0.0;
        var seconds = 0.0;
        var at = 0.0;
        await Stage.RunAsync(
            "pgbench",
            ["-n", "-T", $"{Seconds}", "-P", "1", .. words],
            line =>
            {
                if (Progress().Match(line) is { Success: true } found)
                {
                    var now = double.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture);
                    last = process == 0 ? 0 : Stage.Cpu(process);
                    if (first is null)
                    {
                        first = last;
                    }
                    else
                    {
                        done += (now - at) * double.Parse(found.Groups[2].Value, CultureInfo.InvariantCulture);
                        seconds += now - at;
                    }

                    at = now;
                }
            },
            environment);
        if (seconds == 0)
        {
            throw new InvalidOperationException("pgbench told of no progress.");
        }

        if (process != 0)
        {
            rounds.Note(name + " cpu", (last - first!.Value) * 1e6 / done);
        }

        return done / seconds;
    }

    /// <summary>The 99th percentile of the time that a transaction of one client takes, in µs.</summary>
    public static async Task<double> P99Async(Stage stage, (string, string)[] environment, params string[] words)
    {
        var folder = Directory.CreateDirectory(Path.Combine(stage.Folder, "log")).FullName;
        var prefix = Path.Combine(folder, "pgbench");
        await Stage.RunAsync("pgbench", ["-n", "-l", "--log-prefix", prefix, .. words], environment);

        // pgbench, "Per-Transaction Logging": client, transaction, µs, …
        var times = Directory.GetFiles(folder)
            .SelectMany(File.ReadLines)
            .Select(line => double.Parse(line.Split(' ')[2], CultureInfo.InvariantCulture))
            .Order()
            .ToList();
        Directory.Delete(folder, recursive: true);
        return times[(int)(times.Count * 0.99)];
    }

    private static double Read(Regex figure, string output) => figure.Match(output) is { Success: true } found
        ? double.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture)
        : throw new InvalidOperationException($"pgbench said no figure, but: {output}");

    [GeneratedRegex(@"^progress: ([0-9.]+) s, ([0-9.]+) tps")]
    private static partial Regex Progress();

    [GeneratedRegex(@"tps = ([0-9.]+)")]
    private static partial Regex Speed();

    [GeneratedRegex(@"actually processed: ([0-9]+)")]
    private static partial Regex Processed();
}
