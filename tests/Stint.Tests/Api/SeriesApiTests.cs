using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Xunit;

namespace Stint.Tests.Api;

/// <summary>What opens again and again, as a client meets it.</summary>
public sealed class SeriesApiTests : IAsyncLifetime
{
    private TestNode _node = null!;

    public async ValueTask InitializeAsync() => _node = await TestNode.StartAsync();

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    private static string Tomorrow => (TimeProvider.System.GetUtcNow() + TimeSpan.FromDays(1)).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private Task<JsonObject> AskAsync(object recurrence, HttpStatusCode status = HttpStatusCode.Created, string path = "/api/v1/requests") =>
        _node.PostAsync("ann", path, new { role = "orders-db/owner", for_seconds = 1800, reason = "weekly import", recurrence }, status);

    [Fact]
    public async Task Series_AskedShownApprovedAndEnded()
    {
        var asked = await AskAsync(new { rule = "FREQ=DAILY", start = $"{Tomorrow}T09:00", zone = "Europe/Berlin", count = 7 });
        var series = asked["recurrence"]!.AsObject();
        Assert.Equal(("pending", "waiting", "every day, 7 times, at 09:00 (Europe/Berlin)"), ((string?)asked["state"], (string?)series["state"], (string?)series["said"]));
        Assert.Equal(("FREQ=DAILY;COUNT=7", $"{Tomorrow}T09:00", "Europe/Berlin"), ((string?)series["rule"], (string?)series["start"], (string?)series["zone"]));
        Assert.Equal(5, series["next"]!.AsArray().Count);

        // The approver sees the same, and says yes to that.
        var bobs = await _node.GetAsync("bob", $"/api/v1/requests/{asked["id"]}");
        Assert.True(JsonNode.DeepEquals(series, bobs["recurrence"]));
        await _node.PostAsync("bob", $"/api/v1/requests/{asked["id"]}/approve", new { saw_digest = (string?)asked["digest"] });
        var running = await _node.GetAsync("ann", $"/api/v1/requests/{asked["id"]}");
        Assert.Equal(("approved", "running"), ((string?)running["state"], (string?)running["recurrence"]!["state"]));
        Assert.False(running.ContainsKey("grant") && running["grant"] is not null);

        await _node.PostAsync("bob", $"/api/v1/requests/{asked["id"]}/cancel", new { }, HttpStatusCode.UnprocessableEntity);
        var ended = await _node.PostAsync("bob", $"/api/v1/requests/{asked["id"]}/cancel", new { comment = "no longer needed", open = true });
        Assert.Equal(("ended", "revoked", "bob: no longer needed"), ((string?)ended["recurrence"]!["state"], (string?)ended["recurrence"]!["end_reason"], (string?)ended["recurrence"]!["end_note"]));
        Assert.Empty(ended["recurrence"]!["next"]!.AsArray());
        await _node.PostAsync("ann", $"/api/v1/requests/{asked["id"]}/cancel", new { }, HttpStatusCode.Conflict);
    }

    [Fact]
    public async Task Series_ThatIsWrong_IsToldAtEachField()
    {
        var wrong = await AskAsync(new { rule = "FREQ=HOURLY", start = "soon", zone = "Mars/Olympus", until = "never" }, HttpStatusCode.UnprocessableEntity);
        Assert.Equal(["recurrence.rule", "recurrence.zone", "recurrence.start", "recurrence.until"], wrong["errors"]!.AsArray().Select(error => (string?)error!["field"]));
        var endless = await AskAsync(new { rule = "FREQ=DAILY", start = $"{Tomorrow}T09:00", zone = "UTC" }, HttpStatusCode.UnprocessableEntity);
        Assert.Contains("has to end", endless["errors"]![0]!.ToJsonString(), StringComparison.Ordinal);
        var preview = await AskAsync(new { rule = "FREQ=DAILY", start = $"{Tomorrow}T09:00", zone = "UTC", count = 3 }, HttpStatusCode.OK, "/api/v1/requests/preview");
        Assert.Equal("needs_approval", (string?)preview["verdict"]!["outcome"]);
    }

    [Fact]
    public async Task Series_CountedUpToItsBound_IsAnsweredSoon()
    {
        var watch = System.Diagnostics.Stopwatch.StartNew();
        foreach (var rule in (string[])["FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=366"])
        {
            await AskAsync(new { rule, start = $"{Tomorrow}T09:00", zone = "UTC", count = 366 }, HttpStatusCode.UnprocessableEntity);
        }

        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10));
    }
}
