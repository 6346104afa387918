using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Stint.Server;
using Stint.Server.Grants;
using Stint.Server.Store;

namespace Stint.Bench;

/// <summary>E1 and E2: what a million open grants cost, and how long a hundred thousand ends take that are due at once.</summary>
internal sealed class Holding : Question
{
    private const int Open = 1_000_000;
    private const int Due = 100_000;

    public override string Name => "hold";

    public override string Asks => $"What do {Open:N0} open grants cost, and {Due:N0} that end at once?";

    /// <summary>Asked once, whatever the rounds: each takes most of a minute.</summary>
    public override async Task<IReadOnlyList<Row>> AnswerAsync(int rounds)
    {
        await using var stage = await Stage.SetAsync(new StageOptions { Database = false, Serve = false });
        var measured = new Rounds(1);
        var file = Path.Combine(stage.Folder, "data", "stint.db");
        await Filling.FillAsync(file, Open, DateTimeOffset.FromUnixTimeSeconds(4_000_000_000));
        await using (var store = new SqliteStore(new SqliteOptions(file)))
        {
            await store.OpenAsync(CancellationToken.None);
            var keeper = KeeperOf(store);
            measured.Note("tick", (await TimesAsync(200, async () =>
            {
                await keeper.SweepAsync(CancellationToken.None);
                await keeper.LeaseAsync(32, CancellationToken.None);
            }))[100]);
        }

        // The first start signs the log and applies the catalog; the second is the restart that is asked about.
        var options = new StageOptions { Database = false, Catalog = Filling.Catalog(stage.AnnHash) };
        await stage.ServeAsync(options);
        await stage.StopServingAsync();
        measured.Note("restart", (await stage.ServeAsync(options)).TotalMilliseconds);
        await Task.Delay(TimeSpan.FromSeconds(5));
        measured.Note("resident", Stage.Resident(stage.Server) / 1e6);
        await stage.StopServingAsync();
        Directory.Delete(Path.Combine(stage.Folder, "data"), recursive: true);

        await Filling.FillAsync(file, Due, DateTimeOffset.FromUnixTimeSeconds(1_000_000_000));
        await using (var store = new SqliteStore(new SqliteOptions(file)))
        {
            await store.OpenAsync(CancellationToken.None);
            var watch = Stopwatch.StartNew();
            var ended = await KeeperOf(store).SweepAsync(CancellationToken.None);
            measured.Note("ends", watch.Elapsed.TotalMilliseconds);
            if (ended != Due)
            {
                throw new InvalidOperationException($"{ended} of {Due} grants ended.");
            }
        }

        return
        [
            measured.Alone("a million open: resident", "MB", "resident", "≤ 250", size => size <= 250),
            measured.Alone("a tick with nothing due", "ms", "tick", "≤ 1", took => took <= 1),
            measured.Alone("restart to the first answer", "ms", "restart", "≤ 3,000", took => took <= 3000),
            measured.Alone("100,000 due at once: ended", "ms", "ends", "≤ 5,000", took => took <= 5000),
        ];
    }

    // Nothing is due at targets here: the half of the keeper that speaks to them is not needed.
    private static Keeper KeeperOf(StintStore store)
    {
        var options = new KeeperOptions();
        var installation = new Installation("bench", "bench", "control", "0", ".", ".");
        return new Keeper(store, new Sweeps(store, null!, null!, new SeriesSweep(null!, null!), TimeProvider.System, options, NullLogger<Sweeps>.Instance), null!, installation, TimeProvider.System, options, NullLogger<Keeper>.Instance);
    }

    private static async Task<List<double>> TimesAsync(int times, Func<Task> act)
    {
        var took = new List<double>();
        for (var i = 0; i < times; i++)
        {
            var began = Stopwatch.GetTimestamp();
            await act();
            took.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }

        return [.. took.Order()];
    }
}
