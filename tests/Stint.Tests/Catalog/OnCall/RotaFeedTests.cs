using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Server;
using Stint.Server.Catalog;
using Stint.Server.Catalog.OnCall;
using Stint.Server.Store;
using Stint.Tests.Store;
using Xunit;

namespace Stint.Tests.Catalog.OnCall;

/// <summary>Who is on call by what others tell: the last good answer counts, until it is too old.</summary>
public sealed class RotaFeedTests
{
    private static readonly string s_catalog = World.Catalog
        .Replace("ann: {}", "ann: { mail: ann@example.org }", StringComparison.Ordinal)
        .Replace("who: group:developers\n    roles: [orders-db/read-only]", "who: group:developers\n    roles: [orders-db/read-only]\n    when: subject.on_call", StringComparison.Ordinal)
        .Replace("steps: [ { from: group:leads, need: 2 } ]", "steps: [ { from: on-call:pushed } ]", StringComparison.Ordinal)
        + "\non-call:\n  pushed: { webhook: pager, stale: 2h }\n  asked: { calendar: 'http://127.0.0.1:PORT/secret-path.ics', stale: 2h }\n";

    public static TheoryData<string> Kinds => TestStore.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Calendar_IsAskedOnceAMinute_ItsLastGoodAnswerCounts_AndNobodyWhenItIsTooOld(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        using var web = new Calendars();
        await using var world = await World.NewAsync(s_catalog.Replace("PORT", $"{web.Port}", StringComparison.Ordinal), store: test.Store);
        using var fetch = new FetchCalendar(["127.0.0.1"]);
        using var follow = new FollowRotas(world.Store, world.Get<CurrentCatalog>(), fetch, world.Time, NullLogger<FollowRotas>.Instance);
        web.Text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261122T080000Z\nDTEND:20261122T120000Z\nATTENDEE:mailto:ANN@example.org\nATTENDEE:mailto:who@else.org\nEND:VEVENT\nEND:VCALENDAR\n";
        Assert.Empty(On());
        await RoundAsync();
        Assert.Equal(["ann"], On());
        Assert.IsType<Outcome<Server.Requests.RequestView>.Done>(await world.AskAsync());
        Assert.Contains(follow.Problems, problem => problem.Contains("names who is nobody here, or more than one: who@else.org", StringComparison.Ordinal));

        // Not again within the minute; then with what it was known by.
        web.Text = web.Text.Replace("ANN@example.org", "eve", StringComparison.Ordinal);
        await RoundAsync();
        Assert.Equal((1, "ann"), (web.Asked.Count, string.Join(' ', On())));
        web.Same = true;
        world.Time.Advance(FollowRotas.AskEvery);
        await RoundAsync();
        Assert.Contains("If-None-Match: \"1\"", web.Asked[1], StringComparison.Ordinal);
        web.Same = false;
        world.Time.Advance(FollowRotas.AskEvery);
        await RoundAsync();
        Assert.Equal(["eve"], On());

        // Broken off, moved away, or gone: what was known counts, and is said.
        foreach (var broken in new[] { "BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "<html>" })
        {
            web.Text = broken;
            world.Time.Advance(FollowRotas.AskEvery);
            await RoundAsync();
            Assert.Equal(["eve"], On());
        }

        var said = Assert.Single(follow.Problems, problem => problem.StartsWith("The calendar of the rota asked cannot be had", StringComparison.Ordinal));
        Assert.DoesNotContain("secret-path", said, StringComparison.Ordinal);

        // Another node, and this one after a restart, read it from the store.
        var other = world.Second(catalog: s_catalog.Replace("PORT", $"{web.Port}", StringComparison.Ordinal));
        using var elsewhere = new FollowRotas(world.Store, other.Get<CurrentCatalog>(), fetch, world.Time, NullLogger<FollowRotas>.Instance);
        await elsewhere.LookAsync(CancellationToken.None);
        Assert.Equal("eve", other.Get<CurrentCatalog>().Now.Rotas["asked"].On(world.Now).Single().Value);

        world.Time.Advance(TimeSpan.FromHours(2));
        await RoundAsync();
        Assert.Empty(On());
        Assert.Contains(follow.Problems, problem => problem.StartsWith("Nobody is on call in the rota asked: nothing was told of it since 2026-11-22 09:02 UTC", StringComparison.Ordinal));
        Assert.Equal(["+ann -", "+eve -ann", "+ -eve"], (await world.Store.ReadAsync(async reads => await reads.FactsAsync(0, 1_000), CancellationToken.None))
            .Where(fact => fact.Kind == "OnCallChanged").Select(fact => $"+{Names(fact.Body, "added")} -{Names(fact.Body, "removed")}"));

        async Task RoundAsync()
        {
            await follow.AskAsync(CancellationToken.None);
            await follow.LookAsync(CancellationToken.None);
        }

        List<string> On() => [.. world.Get<CurrentCatalog>().Now.Rotas["asked"].On(world.Now).Select(person => person.Value)];
    }

    [Fact]
    public async Task Sender_SaysWhoIsOnCall_AndOnlyOfItsOwnRotas_AndNeverTwiceNorBackwards()
    {
        await using var world = await World.NewAsync(s_catalog.Replace("PORT", "1", StringComparison.Ordinal));
        var digest = 0;
        Task<Outcome<IReadOnlyList<SubjectId>>> TellAsync(string sender, string? rota, string[]? persons, TimeSpan? lasts = null, int? number = null, DateTimeOffset? at = null) => world.Get<TellOnCall>().TellAsync(
            sender, new OnCallTold(rota, persons, lasts is { } span ? world.Now + span : null), at ?? world.Now, SHA256.HashData(BitConverter.GetBytes(number ?? ++digest)), CancellationToken.None);

        Assert.IsType<Outcome<IReadOnlyList<SubjectId>>.NotYours>(await TellAsync("other", "pushed", ["ann"]));
        Assert.IsType<Outcome<IReadOnlyList<SubjectId>>.NotYours>(await TellAsync("pager", "asked", ["ann"]));
        Assert.IsType<Outcome<IReadOnlyList<SubjectId>>.NotYours>(await TellAsync("pager", "none", ["ann"]));
        Assert.Equal(2, Assert.IsType<Outcome<IReadOnlyList<SubjectId>>.Invalid>(await TellAsync("pager", "pushed", ["ann", "nobody"], TimeSpan.FromDays(-1))).Problems.Count);
        Assert.IsType<Outcome<IReadOnlyList<SubjectId>>.Invalid>(await TellAsync("pager", "pushed", null));

        Assert.Equal(["bob", "carol"], Assert.IsType<Outcome<IReadOnlyList<SubjectId>>.Done>(await TellAsync("pager", "pushed", ["bob", "CAROL"], TimeSpan.FromHours(1), 100)).Value.Select(who => who.Value));
        var (asked, other) = (await world.AskedAsync("orders-db/two"), await world.AskedAsync("orders-db/two", World.Eve));
        Assert.IsType<Outcome<IReadOnlyList<SubjectId>>.LostRace>(await TellAsync("pager", "pushed", ["eve"], number: 100));
        world.Time.Advance(TimeSpan.FromMinutes(1));
        Assert.IsType<Outcome<IReadOnlyList<SubjectId>>.LostRace>(await TellAsync("pager", "pushed", ["eve"], at: world.Now.AddMinutes(-3)));

        // A handover takes nothing from whoever is just looking at it, and lets in who comes.
        Assert.Equal(["dave"], Assert.IsType<Outcome<IReadOnlyList<SubjectId>>.Done>(await TellAsync("pager", "pushed", ["dave"])).Value.Select(who => who.Value));
        world.Time.Advance(TimeSpan.FromMinutes(2));
        await world.TickAsync();
        Assert.IsNotType<Outcome<Server.Requests.RequestView>.Done>(await world.ApproveAsync(World.Eve, asked.Request));
        Assert.IsType<Outcome<Server.Requests.RequestView>.Done>(await world.ApproveAsync(World.Dave, asked.Request));
        Assert.IsType<Outcome<Server.Requests.RequestView>.Done>(await world.ApproveAsync(World.Bob, other.Request));
        Assert.Empty(Assert.IsType<Outcome<IReadOnlyList<SubjectId>>.Done>(await TellAsync("pager", "pushed", [])).Value);
        Assert.Equal(3, (await world.FactsAsync()).Count(kind => kind == "OnCallChanged"));
    }

    [Theory]
    [InlineData("1.1.1.1", true)]
    [InlineData("2606:4700::1111", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("172.31.0.1", false)]
    [InlineData("192.168.1.1", false)]
    [InlineData("100.64.0.1", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("::1", false)]
    [InlineData("::", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fd00:ec2::254", false)]
    [InlineData("::ffff:127.0.0.1", false)]
    [InlineData("::ffff:1.1.1.1", true)]
    [InlineData("64:ff9b::7f00:1", false)]
    [InlineData("2002:7f00:1::", false)]
    public void IsPublic_IsWhatItIs(string address, bool expected) => Assert.Equal(expected, Outgoing.IsPublic(IPAddress.Parse(address)));

    [Fact]
    public async Task Fetch_OfWhatIsNotPublic_ConnectsNowhere_RedirectsIncluded()
    {
        using var inside = new Calendars { Text = "BEGIN:VCALENDAR\nEND:VCALENDAR\n" };
        using var fetch = new FetchCalendar([]);
        foreach (var host in new[] { "127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433" })
        {
            var failed = Assert.IsType<Fetched.Failed>(await fetch.GetAsync(new Uri($"http://{host}:{inside.Port}/"), null, CancellationToken.None));
            Assert.Contains("not on the public network", failed.Why, StringComparison.Ordinal);
        }

        // A host that is allowed sends on to one that is not.
        using var outside = new Calendars { Redirect = $"http://localhost:{inside.Port}/" };
        using var some = new FetchCalendar(["127.0.0.1"]);
        Assert.IsType<Fetched.Failed>(await some.GetAsync(new Uri($"http://127.0.0.1:{outside.Port}/"), null, CancellationToken.None));
        Assert.Empty(inside.Asked);

        // Nor to another that is named: it is for who wrote that address. The same host may send on, and not for ever.
        using var both = new FetchCalendar(["127.0.0.1", "localhost"]);
        Assert.Contains("where nobody goes", Assert.IsType<Fetched.Failed>(await both.GetAsync(new Uri($"http://127.0.0.1:{outside.Port}/"), null, CancellationToken.None)).Why, StringComparison.Ordinal);
        Assert.Empty(inside.Asked);
        using var same = new Calendars { Redirect = $"http://127.0.0.1:{inside.Port}/" };
        Assert.IsType<Fetched.Text>(await both.GetAsync(new Uri($"http://127.0.0.1:{same.Port}/"), null, CancellationToken.None));
        Assert.Single(inside.Asked);
        using var round = new Calendars { Redirect = "/again" };
        Assert.Contains("more than 3 times", Assert.IsType<Fetched.Failed>(await both.GetAsync(new Uri($"http://127.0.0.1:{round.Port}/"), null, CancellationToken.None)).Why, StringComparison.Ordinal);
    }

    [Fact]
    public void Catalog_ReadsBothKinds_AndSaysWhatIsWrongWithThem()
    {
        var rotas = World.Load(s_catalog.Replace("PORT", "1", StringComparison.Ordinal)).Rotas;
        Assert.Equal(("webhook:pager", TimeSpan.FromHours(2)), (rotas["pushed"].Feed!.Source, rotas["pushed"].Feed!.Stale));
        Assert.Empty(rotas["asked"].On(TestStore.Now));
        foreach (var (bad, why) in new[]
        {
            ("{ calendar: http://calendar.example.com/x.ics }", "is not an https:// address"),
            ("{ calendar: https://ann:pw@calendar.example.com/x.ics }", "is not an https:// address"),
            ("{ calendar: https://calendar.example.com/x.ics, webhook: pager }", "both tell who is on call"),
            ("{ webhook: pager, people: [ann] }", "people"),
            ("{ webhook: pager, stale: 1m }", "'stale'"),
        })
        {
            var load = CatalogLoader.Load(new CatalogSource([new CatalogFile("all.yaml", World.Catalog + $"\non-call:\n  x: {bad}\n")]), new Dictionary<string, KindShape> { ["postgres"] = Stint.Connectors.Postgres.PostgresSettings.Shape });
            Assert.Contains(load.Errors, error => error.ToString().Contains(why, StringComparison.Ordinal));
        }
    }

    private static string Names(string body, string field) =>
        string.Join(',', Stint.Core.Audit.FactBody.Parse(body).Find(field)!.Value.EnumerateArray().Select(name => name.GetString()));

    /// <summary>A small web server with one calendar.</summary>
    private sealed class Calendars : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private int _version;

        public Calendars()
        {
            _listener.Start();
            _ = ServeAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public List<string> Asked { get; } = [];

        public string Text { get; set; } = "";

        public bool Same { get; set; }

        public string? Redirect { get; init; }

        public void Dispose() => _listener.Dispose();

        private async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    using var client = await _listener.AcceptTcpClientAsync();
                    var buffer = new byte[8_192];
                    var read = await client.GetStream().ReadAsync(buffer);
                    Asked.Add(Encoding.ASCII.GetString(buffer, 0, read));
                    var answer = Redirect is not null ? $"HTTP/1.1 302 Found\r\nLocation: {Redirect}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                        : Same ? "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n"
                        : $"HTTP/1.1 200 OK\r\nETag: \"{++_version}\"\r\nContent-Length: {Encoding.UTF8.GetByteCount(Text)}\r\nConnection: close\r\n\r\n{Text}";
                    await client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(answer));
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException or IOException)
            {
                // The test is over.
            }
        }
    }
}
