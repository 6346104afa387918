using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Stint.Server.Store;
using Xunit;

namespace Stint.Simulation;

/// <summary>Years of access in seconds. STINT_SIM_SEED=N replays one seed; STINT_SIM_RUNS=N runs more of them.</summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private const int StepsEach = 300;

    [Fact]
    public async Task Runs_WithCrashesAnywhereAndTargetsThatFail_NeverBreakAnInvariant()
    {
        var only = Environment.GetEnvironmentVariable("STINT_SIM_SEED");
        var runs = int.Parse(Environment.GetEnvironmentVariable("STINT_SIM_RUNS") ?? "70", CultureInfo.InvariantCulture);
        var seeds = only is null ? Enumerable.Range(1, runs).Select(seed => (ulong)seed).ToList() : [ulong.Parse(only, CultureInfo.InvariantCulture)];
        var folder = Folder();
        var template = await TemplateAsync(folder);
        var watch = Stopwatch.StartNew();
        var broken = new ConcurrentQueue<string>();
        long steps = 0, crashes = 0, places = 0, verbs = 0, days = 0;
        var where = new ConcurrentDictionary<string, long>(StringComparer.Ordinal);
        try
        {
            await Parallel.ForEachAsync(seeds, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, async (seed, _) =>
            {
                if (broken.Count >= 3)
                {
                    return;
                }

                await using var world = World.Start(seed, folder, template);
                try
                {
                    world.Live(StepsEach);
                }
                catch (Exception e)
                {
                    broken.Enqueue($"seed {seed}, step {world.Steps}: {e.GetType().Name}: {e.Message}\n{e.StackTrace}\nReplay: STINT_SIM_SEED={seed}");
                }

                Interlocked.Add(ref steps, world.Steps);
                Interlocked.Add(ref crashes, world.Faults.Crashes);
                Interlocked.Add(ref places, world.Faults.Passed);
                Interlocked.Add(ref verbs, world.Targets.Verbs);
                Interlocked.Add(ref days, (long)(world.Time.GetUtcNow() - world.Time.Start).TotalDays);
                foreach (var (name, count) in world.Faults.Places)
                {
                    where.AddOrUpdate(name, count, (_, before) => before + count);
                }
            });
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        output.WriteLine($"{seeds.Count} runs, {steps} steps, {days / 365} years, {verbs} verbs, {crashes} crashes at {places} places, {watch.Elapsed.TotalSeconds:0} s");
        foreach (var (name, count) in where.OrderByDescending(pair => pair.Value))
        {
            output.WriteLine($"  {count,6} crashes: {name}");
        }

        Assert.True(broken.IsEmpty, string.Join("\n\n", broken));
        if (only is null)
        {
            // A run in which nothing goes wrong proves nothing.
            Assert.True(crashes > runs, "There were too few crashes.");
            Assert.Contains("store, before a commit", where.Keys);
            Assert.Contains("store, after a commit", where.Keys);
            Assert.Contains("open, after its effect", where.Keys);
            Assert.Contains("close, after its effect", where.Keys);
        }
    }

    [Fact]
    public async Task Run_TheSameSeedTwice_IsTheSameRun()
    {
        var folder = Folder();
        var template = await TemplateAsync(folder);
        try
        {
            var traces = new List<string>();
            for (var i = 0; i < 2; i++)
            {
                await using var world = World.Start(4711, folder, template);
                world.Live(StepsEach);
                traces.Add(world.Trace);
            }

            Assert.Equal(traces[0], traces[1]);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Folder() =>
        Directory.CreateDirectory(Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"stint-sim-{Environment.ProcessId}-{Path.GetRandomFileName()}")).FullName;

    /// <summary>An empty store, migrated once and copied for each run.</summary>
    private static async Task<string> TemplateAsync(string folder)
    {
        var path = Path.Combine(folder, "template.db");
        await using (var store = new SqliteStore(new SqliteOptions(path) { Durable = false }))
        {
            await store.OpenAsync(CancellationToken.None);
        }

        return path;
    }
}
