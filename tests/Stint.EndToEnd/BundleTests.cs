using System.Text.Json;
using Stint.EndToEnd.Harness;
using Xunit;

namespace Stint.EndToEnd;

/// <summary>Asking for many roles at once, and asking again, as its people live it.</summary>
public sealed class BundleTests(OpenShop open) : IClassFixture<OpenShop>
{
    [Fact]
    public async Task Bundle_AskedAnsweredOnceAndUsed_ThenRepeatedUnderAName()
    {
        Assert.Contains("first-week", (await open.Ann.StintAsync("ls")).Good(), StringComparison.Ordinal);
        Assert.Contains("orders-db/owner: with approval, for 1 h", (await open.Ann.StintAsync("request", "first-week", "--reason", "first week", "--dry-run")).Good(), StringComparison.Ordinal);

        var asked = await open.Ann.StintJsonAsync("request", "first-week", "--reason", "first week", "--save", "week");
        var id = asked.GetProperty("id").GetString()!;
        Assert.StartsWith("bu-", id, StringComparison.Ordinal);
        Assert.Equal(["approved", "pending"], States(asked));
        var mine = (await open.Ann.StintAsync("status")).Good();
        Assert.Contains("orders-db/owner for 1 h: waits for a yes", mine, StringComparison.Ordinal);

        var bobs = (await open.Bob.StintAsync("status")).Good();
        Assert.Equal(1, bobs.Split("Waits for your answer:").Length - 1);
        Assert.Contains($"stint approve {id}", bobs, StringComparison.Ordinal);
        Assert.Equal(3, (await open.Ann.StintAsync("approve", id)).ExitCode);
        Assert.Contains("state     approved", (await open.Bob.StintAsync("approve", id, "--comment", "welcome")).Good(), StringComparison.Ordinal);

        var read = await open.Ann.StintAsync("connect", "orders-db/read-only", "--", "psql", "-Atc", "select count(*) from orders");
        Assert.Equal("6000", read.Good().Trim());
        (await open.Ann.StintAsync("connect", "orders-db/owner", "--", "psql", "-c", "create table week (a int)")).Good();
        Assert.Equal(["approved", "approved"], States(await open.Ann.StintJsonAsync("status", id)));

        // Again, under the name: the same asking, a new answer.
        Assert.Contains("first-week", (await open.Ann.StintAsync("request", "--saved")).Good(), StringComparison.Ordinal);
        var again = await open.Ann.StintJsonAsync("request", "--again", "week", "--for", "5m");
        Assert.Equal(("first week", 300), (again.GetProperty("reason").GetString(), again.GetProperty("for_seconds").GetInt32()));
        (await open.Ann.StintAsync("cancel", again.GetProperty("id").GetString()!)).Good();
        var last = await open.Ann.StintJsonAsync("request", "orders-db/read-only", "--again");
        Assert.Equal("orders-db/read-only", last.GetProperty("role").GetString());
        (await open.Ann.StintAsync("request", "--forget", "week")).Good();
        Assert.Equal(4, (await open.Ann.StintAsync("request", "--again", "week")).ExitCode);

        // What a doubter of one part is shown holds the whole that Bob answered.
        var folder = RunFolder.Make("evidence");
        var part = asked.GetProperty("roles")[1].GetProperty("request").GetString()!;
        var file = Path.Combine(folder, "part.json");
        (await open.Carol.StintAsync("audit", "evidence", part, "--output", file)).Good();
        Assert.Contains("The request is a part of the bundle in fact", (await open.Carol.StintAsync("audit", "verify", file)).Good(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bundle_HalfDenied_SaysWhichHalf()
    {
        var asked = await open.Eve.StintAsync("request", "first-week", "--reason", "first week");
        Assert.Equal(0, asked.ExitCode);
        Assert.Contains("partial: 1 of 2 roles approved", asked.Out, StringComparison.Ordinal);
        Assert.Contains("contractors-never-own", asked.Out, StringComparison.Ordinal);
        Assert.Equal(4, (await open.Carol.StintAsync("request", "first-week", "--reason", "x")).ExitCode);
    }

    private static List<string> States(JsonElement asked) => [.. asked.GetProperty("roles").EnumerateArray().Select(role => role.GetProperty("state").GetString()!)];
}
