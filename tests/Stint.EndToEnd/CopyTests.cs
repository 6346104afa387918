using Stint.EndToEnd.Harness;
using Xunit;

namespace Stint.EndToEnd;

/// <summary>A gigabyte in each direction, and the memory that the gateway takes for it.</summary>
public sealed class CopyTests(OpenShop open) : IClassFixture<OpenShop>
{
    private const int Lines = 1024 * 1024;
    private const long Mebibyte = 1024 * 1024;

    /// <summary>More than noise of the runtime, and far less than any part of the gigabyte that would be held.</summary>
    private const long MostGrowth = 32 * Mebibyte;

    private static readonly TimeSpan s_within = TimeSpan.FromMinutes(10);

    [Fact]
    public async Task CopyOut_OneGibibyte_TakesNoMemory()
    {
        var login = await open.Ann.LoginAsync(await open.Ann.OpenAsync("orders-db/writer", 1800));
        await CopyOutAsync(login, 64 * 1024);
        var before = open.Stint.Resident();

        var (output, most) = await WatchedAsync(CopyOutAsync(login, Lines));

        Assert.Equal($"COPY {Lines}", output.Trim());
        Assert.InRange(most - before, long.MinValue, MostGrowth);
        await RecordedAsync("bytes_to_client", Lines * 1024L);
    }

    [Fact]
    public async Task CopyIn_OneGibibyte_TakesNoMemoryAndArrivesWhole()
    {
        var login = await open.Ann.LoginAsync(await open.Ann.OpenAsync("orders-db/writer", 1800));
        await open.Shop.Server.RunAsync(
            $"create unlogged table bulk (line text); alter table bulk owner to {open.Shop.Owner}; alter table bulk alter line set storage plain",
            open.Shop.Database);
        await CopyInAsync(login, 64 * 1024);
        await open.Shop.Server.RunAsync("truncate bulk", open.Shop.Database);
        var before = open.Stint.Resident();

        var (output, most) = await WatchedAsync(CopyInAsync(login, Lines));

        Assert.Equal($"COPY {Lines}", output.Trim());
        Assert.InRange(most - before, long.MinValue, MostGrowth);
        var bytes = await open.Shop.Server.AskAsync<long>("select sum(length(line) + 1) from bulk", open.Shop.Database);
        Assert.Equal(Lines * 1024L, bytes);
        await RecordedAsync("bytes_from_client", Lines * 1024L);
        await open.Shop.Server.RunAsync("drop table bulk", open.Shop.Database);
    }

    private static async Task<string> CopyOutAsync(Login login, int lines) => (await Tool.RunAsync(
        "psql",
        ["-X", "-c", $@"\copy (select repeat('x', 1023) from generate_series(1, {lines})) to '/dev/null'"],
        login.Environment,
        within: s_within)).Good();

    private static async Task<string> CopyInAsync(Login login, int lines) => (await Tool.RunAsync(
        "psql",
        ["-X", "-c", $@"\copy bulk from program 'yes {new string('x', 1023)} | head -n {lines}'"],
        login.Environment,
        within: s_within)).Good();

    /// <summary>What the work gave, and the most memory that Stint held while it went on.</summary>
    private async Task<(string Output, long Most)> WatchedAsync(Task<string> work)
    {
        var most = open.Stint.Resident();
        while (!work.IsCompleted)
        {
            await Task.WhenAny(work, Task.Delay(TimeSpan.FromMilliseconds(25)));
            most = Math.Max(most, open.Stint.Resident());
        }

        return (await work, most);
    }

    /// <summary>The volume of the largest session stands in what is known of it.</summary>
    private async Task RecordedAsync(string field, long atLeast)
    {
        await Until.TrueAsync($"{field} of the copy", TimeSpan.FromSeconds(10), async () =>
        {
            var sessions = (await open.Carol.GetAsync("sessions?limit=200")).GetProperty("items").EnumerateArray();
            return sessions.Any(session => session.GetProperty("state").GetString() == "ended" && session.GetProperty(field).GetInt64() >= atLeast);
        });
    }
}
