using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Stint.Connectors;
using Stint.Core.Catalog;
using Stint.Server;
using Stint.Server.Catalog;
using Stint.Server.Identity;
using Stint.Server.Identity.Scim;
using Stint.Server.Store;

namespace Stint.Bench;

/// <summary>What a directory of a large company costs: pages of its users, and how long somebody who left is still somebody.</summary>
internal sealed class Directories : Question
{
    private const int Users = 100_000;
    private const int Groups = 10_000;
    private const int Batch = 1_000;

    private static readonly string[] Departments = [.. Enumerable.Range(0, 50).Select(i => $"Department {i}")];

    public override string Name => "directory";

    public override string Asks => $"What do {Users:N0} users and {Groups:N0} groups of the directory cost?";

    /// <summary>Asked once, whatever the rounds: filling takes most of a minute.</summary>
    public override async Task<IReadOnlyList<Row>> AnswerAsync(int rounds)
    {
        var folder = Directory.CreateTempSubdirectory("stint-bench-").FullName;
        try
        {
            await using var store = new SqliteStore(new SqliteOptions(Path.Combine(folder, "stint.db")));
            await store.OpenAsync(CancellationToken.None);
            var ids = await FillAsync(store);
            var measured = new Rounds(1);
            var rows = new List<Row>();
            var query = new ScimQuery(store);
            var member = ids[7];
            foreach (var (name, kind, search, goal) in new (string, ScimKind, ScimSearch, bool)[]
            {
                ("userName eq", ScimKind.User, new() { Filter = "userName eq \"user-4711@example.com\"" }, true),
                ("userName sw, 11,111 found", ScimKind.User, new() { Filter = "userName sw \"user-1\"" }, true),
                ("userName co, 271 found", ScimKind.User, new() { Filter = "userName co \"471\"" }, true),
                ("emails[type eq and value eq]", ScimKind.User, new() { Filter = "emails[type eq \"work\" and value eq \"user-4711@example.com\"]" }, true),
                ("emails.value co, all found", ScimKind.User, new() { Filter = "emails.value co \"example\"" }, true),
                ("name.familyName co and active eq", ScimKind.User, new() { Filter = "name.familyName co \"ly 12\" and active eq true" }, true),
                ("department eq", ScimKind.User, new() { Filter = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq \"Department 7\"" }, true),
                ("not (active eq true) or title pr", ScimKind.User, new() { Filter = "not (active eq true) or title pr" }, true),
                ("meta.lastModified gt", ScimKind.User, new() { Filter = "meta.lastModified gt \"2020-01-01T00:00:00Z\"" }, true),
                ("no filter, startIndex 90,001", ScimKind.User, new() { Start = 90_001 }, true),
                ("sorted by displayName, startIndex 50,001", ScimKind.User, new() { SortBy = "displayName", Start = 50_001 }, true),
                ("groups: displayName co", ScimKind.Group, new() { Filter = "displayName co \"99\"", Choice = new([], ["members"]) }, true),
                ("groups: members eq", ScimKind.Group, new() { Filter = $"members eq \"{member}\"", Choice = new([], ["members"]) }, true),
                ("without a column: nickName eq", ScimKind.User, new() { Filter = "nickName eq \"nick 4711\"" }, true),
                ("without a column: nickName ew, all looked at", ScimKind.User, new() { Filter = "nickName ew \"11\"" }, true),
                ("without a column: nickName ne, all but one", ScimKind.User, new() { Filter = "nickName ne \"nick 4711\"" }, true),
                ("without a column: name.formatted pr or nickName sw", ScimKind.User, new() { Filter = "name.formatted pr or nickName sw \"nick 9\"" }, true),
                ("phoneNumbers[type eq and value ew]", ScimKind.User, new() { Filter = "phoneNumbers[type eq \"work\" and value ew \"11\"]" }, true),
                ("emails[not (type eq)]", ScimKind.User, new() { Filter = "emails[not (type eq \"home\")]" }, true),
                ("sorted by nickName, active eq, startIndex 50,001", ScimKind.User, new() { Filter = "active eq true", SortBy = "nickName", Start = 50_001 }, true),
                ("groups.display eq", ScimKind.User, new() { Filter = "groups.display eq \"Group 99\"" }, true),
                ("groups: members pr", ScimKind.Group, new() { Filter = "members pr", Choice = new([], ["members"]) }, true),
                ("members.display co: each group is looked at", ScimKind.Group, new() { Filter = "members.display co \"Family 12\"", Choice = new([], ["members"]) }, false),
                ("meta.version eq: each user is looked at", ScimKind.User, new() { Filter = "meta.version eq \"W/\\\"2\\\"\"" }, false),
            })
            {
                var took = new List<double>();
                for (var i = 0; i < (goal ? 15 : 3); i++)
                {
                    var began = Stopwatch.GetTimestamp();
                    _ = (await query.ListAsync([kind], search, "https://stint", CancellationToken.None)).ToJsonString();
                    took.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
                }

                measured.Note(name, took.Order().ElementAt(took.Count / 2));
                rows.Add(measured.Alone("page of 100: " + name, "ms", name, goal ? "≤ 50" : "", goal ? ms => ms <= 50 : null));
            }

            await FollowAsync(store, ids, measured);
            rows.Add(measured.Alone("read at the start and laid over the catalog", "ms", "start", "≤ 10,000", ms => ms <= 10_000));
            rows.Add(measured.Alone("one deactivated: gone when the call is answered", "ms", "gone", "≤ 1,000", ms => ms <= 1_000));
            rows.Add(measured.Alone("one out of a group of 50,000: gone when the call is answered", "ms", "out", "≤ 1,000", ms => ms <= 1_000));
            rows.Add(measured.Alone("one who joined: counts once looked at", "ms", "joined", "≤ 1,000", ms => ms <= 1_000));
            return rows;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task FollowAsync(StintStore store, List<string> ids, Rounds measured)
    {
        var current = new CurrentCatalog(CatalogLoader.Load(
            new CatalogSource([new CatalogFile("all.yaml", """
                groups:
                  everybody: { directory: Everybody }
                  some: { directory: Group 1 }
                people: { admin: {} }
                admins: [admin]
                resources:
                  db:
                    kind: postgres
                    owners: [person:admin]
                    settings: { host: db, database: db, username: stint, password: { env: DB } }
                    roles: { read: { member_of: [pg_read_all_data] } }
                policies:
                  read: { who: group:everybody, roles: [db/read], approve: { steps: [{ from: owners }] } }
                  more: { who: group:some, roles: [db/read], approve: { auto: true } }
                """)]),
            ConnectorList.All.Shapes.ToDictionary(shape => shape.Kind, StringComparer.Ordinal)).Catalog!, TimeProvider.System);
        using var follow = new FollowDirectory(store, current, new EndLeavers(store, current, TimeProvider.System), new DirectorySource(Stint.Core.Audit.Actor.Directory), TimeProvider.System);
        measured.Note("start", await TimeAsync(() => follow.LookAsync(CancellationToken.None)));
        var ids4 = new IdSource(System.Security.Cryptography.RandomNumberGenerator.Fill);
        var users = new ScimUsers(store, follow, ids4, TimeProvider.System);
        var groups = new ScimGroups(store, follow, ids4, TimeProvider.System);
        var everybody = (await store.ReadAsync(async reads => await reads.DirectoryGroupIdAsync("everybody"), CancellationToken.None))!;
        for (var i = 0; i < 5; i++)
        {
            // The first of each warms up and is left out.
            var gone = await TimeAsync(() => users.PatchAsync(ids[i], Patch("""{"op":"replace","value":{"active":false}}"""), null, CancellationToken.None));
            var out_ = await TimeAsync(() => groups.PatchAsync(everybody, Patch($$"""{"op":"remove","path":"members[value eq \"{{ids[100 + i]}}\"]"}"""), null, CancellationToken.None));
            await groups.PatchAsync(everybody, Patch($$$"""{"op":"add","path":"members","value":[{"value":"{{{ids[60_000 + i]}}}"}]}"""), null, CancellationToken.None);
            var joined = await TimeAsync(() => follow.LookAsync(CancellationToken.None));
            if (i > 0)
            {
                measured.Note("gone", gone);
                measured.Note("out", out_);
                measured.Note("joined", joined);
            }
        }
    }

    private static JsonObject Patch(string operation) => JsonNode.Parse($$"""{"schemas":["{{ScimPatch.Schema}}"],"Operations":[{{operation}}]}""")!.AsObject();

    private static async Task<double> TimeAsync(Func<Task> act)
    {
        var began = Stopwatch.GetTimestamp();
        await act();
        return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
    }

    /// <returns>Ids of the users.</returns>
    private static async Task<List<string>> FillAsync(StintStore store)
    {
        var ids = new List<string>(Users);
        var at = DateTimeOffset.FromUnixTimeSeconds(1_750_000_000);
        for (var from = 0; from < Users; from += Batch)
        {
            var start = from;
            await store.WriteAsync(
                async work =>
                {
                    for (var i = start; i < start + Batch; i++)
                    {
                        var body = Body(i);
                        var id = Id('a', i);
                        ids.Add(id);
                        await work.InsertAsync(new DirectoryUser { Id = id, Body = body.ToJsonString(), Version = 1, CreatedAt = at.AddSeconds(i), ChangedAt = at.AddSeconds(i) }, ScimKeys.Of(body));
                    }
                },
                CancellationToken.None);
        }

        for (var from = 0; from < Groups; from += Batch)
        {
            var start = from;
            await store.WriteAsync(
                async work =>
                {
                    for (var i = start; i < start + Batch; i++)
                    {
                        var id = Id('b', i);
                        await work.InsertAsync(new DirectoryGroup { Id = id, DisplayName = i == 0 ? "Everybody" : $"Group {i}", Version = 1, CreatedAt = at, ChangedAt = at });
                        for (var member = 0; member < (i == 0 ? Users / 2 : 20); member++)
                        {
                            await work.AddMemberAsync(id, ids[i == 0 ? member : ((i * 37) + (member * 1_009)) % Users], false);
                        }
                    }
                },
                CancellationToken.None);
        }

        // What filling took away is nobody's.
        await store.WriteAsync(async work => await work.DirectoryDoneAsync(long.MaxValue), CancellationToken.None);
        return ids;
    }

    private static string Id(char first, int number) => string.Create(CultureInfo.InvariantCulture, $"{first}{number:x7}-0000-4000-8000-000000000000");

    private static JsonObject Body(int i)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"user-{i}@example.com");
        return new JsonObject
        {
            ["userName"] = name,
            ["externalId"] = Id('e', i),
            ["displayName"] = $"Given {i} Family {i % 1_000}",
            ["nickName"] = $"nick {i}",
            ["active"] = i % 20 != 0,
            ["name"] = new JsonObject { ["givenName"] = $"Given {i}", ["familyName"] = $"Family {i % 1_000}" },
            ["emails"] = new JsonArray(new JsonObject { ["value"] = name, ["type"] = "work", ["primary"] = true }, new JsonObject { ["value"] = $"home-{i}@example.org", ["type"] = "home" }),
            ["phoneNumbers"] = new JsonArray(new JsonObject { ["value"] = $"+41 31 {i:D6}", ["type"] = "work" }),
            [ScimSchemas.Enterprise.Id] = new JsonObject { ["department"] = Departments[i % Departments.Length], ["employeeNumber"] = $"{i}", ["manager"] = new JsonObject { ["value"] = Id('a', i / 10) } },
        };
    }
}
