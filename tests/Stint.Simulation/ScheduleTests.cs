using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Stint.Core.Audit;
using Stint.Server.Store;
using Xunit;

namespace Stint.Simulation;

/// <summary>
/// Short runs in which everything happens to the same few people, each of them once for every place at which its process can
/// die. STINT_SIM_SCHEDULES=N runs so many; STINT_SIM_SCHEDULE=SEED:PLACE replays one.
/// </summary>
public sealed class ScheduleTests(ITestOutputHelper output)
{
    private const int StepsEach = 20;
    private const int Everyday = 400;

    /// <summary>Where schedules must have died for their number to mean anything.</summary>
    private static readonly string[] s_places = ["store, before a commit", "store, after a commit", "open, after its effect", "close, after its effect"];

    [Fact]
    public async Task FourHundredSchedules_EachDyingAtEveryPlaceInTurn_NeverBreakAnInvariant()
    {
        var goal = int.Parse(Environment.GetEnvironmentVariable("STINT_SIM_SCHEDULES") ?? Everyday.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
        var only = Environment.GetEnvironmentVariable("STINT_SIM_SCHEDULE")?.Split(':');
        var folder = Folder();
        var watch = Stopwatch.StartNew();
        var broken = new ConcurrentQueue<string>();
        var where = new ConcurrentDictionary<string, long>(StringComparer.Ordinal);
        long done = 0, verbs = 0, nextSeed = 0;
        try
        {
            var template = await TemplateAsync(folder);
            if (only is not null)
            {
                await RunAsync(ulong.Parse(only[0], CultureInfo.InvariantCulture), int.Parse(only[1], CultureInfo.InvariantCulture));
            }

            await Task.WhenAll(Enumerable.Range(0, Environment.ProcessorCount).Select(_ => Task.Run(async () =>
            {
                // Few schedules come to an end at a target: those that it takes until one has died there are run, too.
                while (only is null && broken.Count < 3 && (Interlocked.Read(ref done) < goal || (Interlocked.Read(ref done) < 3 * goal && !s_places.All(where.ContainsKey))))
                {
                    var seed = (ulong)Interlocked.Increment(ref nextSeed);
                    var places = await RunAsync(seed, -1);
                    for (var place = 0; place < places && broken.Count < 3; place++)
                    {
                        await RunAsync(seed, place);
                    }
                }
            })));

            async Task<int> RunAsync(ulong seed, int place)
            {
                await using var world = World.Schedule(seed, place, folder, template);
                try
                {
                    world.Live(StepsEach);
                }
                catch (Exception e)
                {
                    broken.Enqueue($"{seed}:{place}, step {world.Steps}: {e.GetType().Name}: {e.Message}\n{e.StackTrace}\nReplay: STINT_SIM_SCHEDULE={seed}:{place}");
                }

                Interlocked.Increment(ref done);
                Interlocked.Add(ref verbs, world.Targets.Verbs);
                foreach (var (name, count) in world.Faults.Places)
                {
                    where.AddOrUpdate(name, count, (_, before) => before + count);
                }

                return world.Places;
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        output.WriteLine($"{done} schedules of {StepsEach} steps, {nextSeed} seeds, {verbs} verbs, {watch.Elapsed.TotalSeconds:0.0} s, {watch.Elapsed.TotalMilliseconds * Environment.ProcessorCount / Math.Max(1, done):0.0} ms of a processor each");
        foreach (var (name, count) in where.OrderByDescending(pair => pair.Value))
        {
            output.WriteLine($"  {count,6} crashes: {name}");
        }

        Assert.True(broken.IsEmpty, string.Join("\n\n", broken));
        if (only is null)
        {
            Assert.True(done >= goal);
            Assert.True(where.Values.Sum() > goal / 2, "Hardly any schedule died.");
            Assert.All(s_places, place => Assert.Contains(place, where.Keys));
        }
    }

    [Fact]
    public async Task Schedule_TheSameSeedAndPlaceTwice_IsTheSameRun()
    {
        var folder = Folder();
        try
        {
            var template = await TemplateAsync(folder);
            for (var seed = 1UL; seed <= 10; seed++)
            {
                var traces = new List<string>();
                for (var i = 0; i < 2; i++)
                {
                    await using var world = World.Schedule(seed, 7, folder, template);
                    world.Live(StepsEach);
                    traces.Add(world.Trace);
                }

                Assert.Equal(traces[0], traces[1]);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Folder() =>
        Directory.CreateDirectory(Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"stint-sched-{Environment.ProcessId}-{Path.GetRandomFileName()}")).FullName;

    /// <summary>A store, migrated and with the catalog applied once, copied for each schedule.</summary>
    private static async Task<string> TemplateAsync(string folder)
    {
        var path = Path.Combine(folder, "template.db");
        await using (var store = new SqliteStore(new SqliteOptions(path) { Durable = false }))
        {
            await store.OpenAsync(CancellationToken.None);
            var time = new SimulatedTime(World.Beginning);
            var catalog = Town.Small.Catalogs[0];
            var current = new Server.Catalog.CurrentCatalog(catalog, time);
            await new Server.Catalog.ApplyCatalog(store, current, new Server.Catalog.EndLeavers(store, current, time), time).ApplyAsync(catalog, Actor.Operator, CancellationToken.None);
        }

        return path;
    }
}
