using System.Diagnostics;

namespace Stint.Bench;

/// <summary>H1 and H2: how soon a server with 100,000 grants answers, what it takes while idle, and what a command costs.</summary>
internal sealed class Starting : Question
{
    private const int Grants = 100_000;

    public override string Name => "start";

    public override string Asks => "How soon does the server answer, how large is it idle, and what does a command cost?";

    public override async Task<IReadOnlyList<Row>> AnswerAsync(int rounds)
    {
        await using var stage = await Stage.SetAsync(new StageOptions { Database = false, Serve = false });
        await Filling.FillAsync(Path.Combine(stage.Folder, "data", "stint.db"), Grants, DateTimeOffset.FromUnixTimeSeconds(4_000_000_000));
        var options = new StageOptions { Database = false, Catalog = Filling.Catalog(stage.AnnHash) };
        await stage.ServeAsync(options);
        var measured = new Rounds(rounds);
        for (var round = 0; round < rounds; round++)
        {
            await stage.StopServingAsync();
            measured.Note("answer", (await stage.ServeAsync(options)).TotalMilliseconds);
            var took = new List<double>();
            for (var time = 0; time < 9; time++)
            {
                var began = Stopwatch.GetTimestamp();
                await stage.StintAsync("status");
                took.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            }

            measured.Note("status", took.Order().ElementAt(4));
            var version = Stopwatch.GetTimestamp();
            await Stage.RunAsync("dotnet", ["--version"]);
            measured.Note("dotnet --version", Stopwatch.GetElapsedTime(version).TotalMilliseconds);
            await Task.Delay(TimeSpan.FromSeconds(4));
            measured.Note("idle", Stage.Resident(stage.Server) / 1e6);
        }

        var what = Stage.Stint.Words.Length == 0 ? "published file" : "as built, not compiled ahead";
        var status = measured.Compare($"stint status ({what})", "ms", "status", "dotnet --version", "≤ 150 ms", null);
        return
        [
            measured.Alone($"serve to first answer ({what})", "ms", "answer", "≤ 500", took => took <= 500),
            measured.Alone("idle, control and gateway", "MB", "idle", "≤ 110", size => size <= 110),
            status with { Met = status.Ours <= 150 },
        ];
    }
}
