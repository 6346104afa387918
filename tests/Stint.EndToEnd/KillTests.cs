using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Npgsql;
using Stint.EndToEnd.Harness;
using Xunit;

namespace Stint.EndToEnd;

/// <summary>The real process killed again and again while people ask, work and hand back; its store is SQLite.</summary>
public sealed class KillTests(RealServers servers) : KillsUnderLoad(servers)
{
    [Fact]
    public Task Kill_TwentyFiveTimesUnderLoad_LosesNothingAcknowledgedAndLetsNobodyStay() => KillAsync(shop => Task.FromResult<IReadOnlyDictionary<string, object>>(new Dictionary<string, object>()));
}

/// <summary>The same over a PostgreSQL store. A class of its own, so that both run side by side.</summary>
public sealed class KillOverPostgresTests(RealServers servers) : KillsUnderLoad(servers)
{
    [Fact]
    public Task Kill_TwentyFiveTimesUnderLoad_LosesNothingAcknowledgedAndLetsNobodyStay() => KillAsync(PostgresStore.OfAsync);
}

/// <summary>What both stores have to stand.</summary>
public abstract class KillsUnderLoad(RealServers servers)
{
    private const int Kills = 25;

    /// <summary>What a restart may add to an access: ending it is the first thing a started server does.</summary>
    private static readonly TimeSpan s_overdue = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private protected async Task KillAsync(Func<Shop, Task<IReadOnlyDictionary<string, object>>> store)
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var shop = await Shop.OpenAsync(await servers.PostgresAsync());
        await using var stint = shop.Behind(new Dictionary<string, object>(await store(shop))
        {
            ["limits"] = new Dictionary<string, object> { ["requests_per_minute"] = 1_000_000 },
        });
        await stint.StartAsync();
        var carol = shop.Seat(stint, "carol");
        var told = new Told();
        using var over = new CancellationTokenSource();
        var load = ((string[])["ann", "bob", "ann", "bob"]).Select(who => LoadAsync(shop.Seat(stint, who), told, over.Token)).ToList();

        for (var kill = 0; kill < Kills; kill++)
        {
            // A random moment, counted in what the people have got done: on a slow machine a moment of the clock would
            // always fall into the start. Four people at once tell eight things each until they have handed back.
            var moment = told.Count + random.Next(0, 24);
            var waited = Stopwatch.StartNew();
            while (told.Count < moment && waited.Elapsed < s_patience)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, 30)));
            }

            await stint.KillAsync();
            await stint.StartAsync();
            var ready = TimeProvider.System.GetUtcNow();
            // NB. Asked of the server that has just said it is ready: it ends what is overdue first, and only then answers.
            await NobodyOverdueAsync(carol, ready);
        }

        await over.CancelAsync();
        await Task.WhenAll(load);
        await CheckAsync(carol, told, seed);
        (await carol.StintAsync("audit", "verify")).Good();
        // What nobody could hand back, because the server was killed under them, would stand until its deadline.
        foreach (var grant in await AllAsync(carol, "grants?state=ready,opening,open"))
        {
            using var answer = await carol.TryPostAsync($"grants/{grant.GetProperty("id").GetString()}/revoke", new { comment = "the load is over" });
        }

        await Until.TrueAsync($"no account is left (seed {seed})", TimeSpan.FromSeconds(60), async () => await shop.AccountsAsync() == 0);
    }

    /// <summary>Asks, works and hands back until told to stop; every answer is noted, every broken call is tried anew.</summary>
    private static async Task LoadAsync(Seat seat, Told told, CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            try
            {
                // Short ones expire while the server is down; long ones are handed back.
                var seconds = Random.Shared.Next(2) == 0 ? 2 : 120;
                var request = await seat.PostAsync("requests", new { role = "orders-db/writer", for_seconds = seconds, reason = "load", wait = true });
                var grant = request.GetProperty("grant").GetProperty("id").GetString()!;
                told.Asked[request.GetProperty("id").GetString()!] = grant;
                await seat.OpenedAsync(grant);
                told.Opened[grant] = true;
                await WorkAsync(seat, grant, told);
                if (seconds > 2)
                {
                    await seat.PostAsync($"grants/{grant}/end", new { });
                    told.Returned[grant] = true;
                }
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException or InvalidOperationException or NpgsqlException or TimeoutException or JsonException)
            {
                // The server was killed under it. What was not answered may have happened or not; both are right.
                await Task.Delay(TimeSpan.FromMilliseconds(50), CancellationToken.None);
            }
        }
    }

    private static async Task WorkAsync(Seat seat, string grant, Told told)
    {
        var login = await seat.LoginAsync(grant);
        await using var connection = new NpgsqlConnection(login.Npgsql.ConnectionString);
        await connection.OpenAsync();
        for (var n = 0; n < 5; n++)
        {
            var mark = $"mark-{RunFolder.Next()}-";
            await using var command = new NpgsqlCommand($"select count(*) from orders where mod(id, 7) = 1 /* {mark} */", connection) { CommandTimeout = 10 };
            await command.ExecuteScalarAsync();
            told.Executed[mark] = grant;
        }
    }

    private static async Task NobodyOverdueAsync(Seat carol, DateTimeOffset ready)
    {
        foreach (var grant in await AllAsync(carol, "grants?state=open"))
        {
            var end = grant.GetProperty("not_after").GetDateTimeOffset();
            Assert.True(end > ready - s_overdue, $"{grant} is open after its end, at {ready:O}");
        }
    }

    /// <summary>Every answer that was given still holds, and nothing stands twice.</summary>
    private static async Task CheckAsync(Seat carol, Told told, int seed)
    {
        Assert.True(told.Executed.Count > Kills && !told.Returned.IsEmpty, $"the load did too little: {told} (seed {seed})");
        var requests = (await AllAsync(carol, "requests")).ToDictionary(request => request.GetProperty("id").GetString()!);
        var grants = (await AllAsync(carol, "grants")).ToDictionary(grant => grant.GetProperty("id").GetString()!);
        foreach (var (request, grant) in told.Asked)
        {
            Assert.True(requests.TryGetValue(request, out var kept), $"{request} was acknowledged and is gone (seed {seed})");
            Assert.Equal("approved", kept.GetProperty("state").GetString());
            Assert.Equal(request, grants[grant].GetProperty("request").GetString());
        }

        foreach (var grant in told.Opened.Keys)
        {
            Assert.DoesNotContain(grants[grant].GetProperty("state").GetString(), (string[])["ready", "opening"]);
        }

        foreach (var grant in told.Returned.Keys)
        {
            Assert.Contains(grants[grant].GetProperty("state").GetString(), (string[])["closing", "closed"]);
            Assert.Equal("returned", grants[grant].GetProperty("end_reason").GetString());
        }

        Assert.Equal(grants.Count, grants.Values.Select(grant => grant.GetProperty("request").GetString()).Distinct().Count());
        await ExecutedAreRecordedAsync(carol, told, seed);
    }

    /// <summary>Each statement whose result a client has seen stands in a recording.</summary>
    private static async Task ExecutedAreRecordedAsync(Seat carol, Told told, int seed)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var statement in await AllAsync(carol, "statements?text=mark-"))
        {
            var text = statement.GetRawText();
            var at = text.IndexOf("mark-", StringComparison.Ordinal);
            found.Add(text[at..(text.IndexOf('-', at + "mark-".Length) + 1)]);
        }

        var lost = told.Executed.Keys.Where(mark => !found.Contains(mark)).ToList();
        Assert.True(lost.Count == 0, $"{lost.Count} of {told.Executed.Count} executed statements are in no recording, such as {lost.FirstOrDefault()} (seed {seed})");
    }

    private static async Task<List<JsonElement>> AllAsync(Seat seat, string path)
    {
        var all = new List<JsonElement>();
        var cursor = "";
        for (var page = 0; page < 1000; page++)
        {
            var joint = path.Contains('?', StringComparison.Ordinal) ? '&' : '?';
            var answer = await seat.GetAsync($"{path}{joint}limit=200{cursor}");
            all.AddRange(answer.GetProperty("items").EnumerateArray());
            if (!answer.TryGetProperty("next", out var next) || next.ValueKind != JsonValueKind.String)
            {
                return all;
            }

            cursor = "&cursor=" + Uri.EscapeDataString(next.GetString()!);
        }

        throw new InvalidOperationException($"{path} has no end");
    }

    /// <summary>What the server has told its people so far.</summary>
    private sealed class Told
    {
        /// <summary>Request to its grant.</summary>
        public ConcurrentDictionary<string, string> Asked { get; } = new();

        public ConcurrentDictionary<string, bool> Opened { get; } = new();

        public ConcurrentDictionary<string, bool> Returned { get; } = new();

        /// <summary>Mark of a statement whose result was seen, to its grant.</summary>
        public ConcurrentDictionary<string, string> Executed { get; } = new();

        /// <summary>All that was told.</summary>
        public int Count => Asked.Count + Opened.Count + Returned.Count + Executed.Count;

        public override string ToString() => $"{Asked.Count} asked, {Opened.Count} opened, {Returned.Count} returned, {Executed.Count} executed";
    }
}
