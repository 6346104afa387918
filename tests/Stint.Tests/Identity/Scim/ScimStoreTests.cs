using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Server;
using Stint.Server.Catalog;
using Stint.Server.Identity;
using Stint.Server.Identity.Scim;
using Stint.Server.Store;
using Stint.Tests.Store;
using Xunit;

namespace Stint.Tests.Identity.Scim;

/// <summary>The directory in a store of each kind: what columns find is what a look at each finds, nodes follow each other, and the database itself refuses what must not be.</summary>
public sealed class ScimStoreTests
{
    private const string Text = """
        people: { ann: {}, root: {} }
        groups:
          dba: { directory: DBA }
          all: { members: [group:dba, root] }
        admins: [root, group:dba]
        resources:
          db:
            kind: postgres
            owners: [group:dba]
            settings: { host: h, database: d, username: u, password: { env: P } }
            roles: { read: { member_of: [pg_read_all_data] } }
        policies:
          read: { who: group:all, roles: [db/read], approve: { steps: [{ from: owners }] } }
        """;

    public static TheoryData<string> Kinds => TestStore.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Filters_ByColumns_FindWhatALookAtEachFinds(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        using var one = new Side(test.Store);
        string[] names = ["ann", "Änne", "b%n", "b_n", "be\\n", "ＣＯＲＡ", "dan", "eve.o'hara"];
        var ids = new List<string>();
        for (var i = 0; i < names.Length; i++)
        {
            var user = new JsonObject { ["schemas"] = new JsonArray(ScimNode.UserSchema), ["userName"] = names[i], ["active"] = i % 3 != 0 };
            if (i % 2 == 0)
            {
                user["externalId"] = $"X{i}";
                user["title"] = names[(i + 1) % names.Length];
                user["emails"] = new JsonArray(new JsonObject { ["value"] = $"{names[i]}@Example.org", ["type"] = i == 2 ? "home" : "work" }, new JsonObject { ["value"] = $"second{i}@example.org" });
                user["name"] = new JsonObject { ["familyName"] = names[i].ToUpperInvariant() };
                user["nickName"] = names[(i + 3) % names.Length];
                user["phoneNumbers"] = new JsonArray(new JsonObject { ["value"] = $"+{i}", ["type"] = "work" }, new JsonObject { ["value"] = $"+{i + 4}", ["type"] = i < 4 ? "home" : "Work", ["primary"] = true });
                user["profileUrl"] = $"https://Example.org/{i}";
                user[ScimNode.Enterprise] = new JsonObject { ["department"] = "D" + (i / 4), ["employeeNumber"] = $"{i}" };
            }

            ids.Add((await one.Users.CreateAsync(user, CancellationToken.None)).Id);
        }

        string[] attributes = ["userName", "externalId", "title", "displayName", "name.familyName", "emails", "emails.value", "id", $"{ScimNode.Enterprise}:department", $"{ScimNode.Enterprise}:employeeNumber", "nickName"];
        string[] operators = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"];
        string[] values = ["ann", "ÄN", "n", "%", "_", "\\", "x0", "X0", "second", "@example.org", "d1", "o'h", "ｃ", "", ids[3]];
        List<string> filters =
        [
            .. from attribute in attributes from how in operators from value in values select $"{attribute} {how} {JsonValue.Create(value).ToJsonString()}",
            .. attributes.SelectMany(attribute => new[] { $"{attribute} pr", $"{attribute} eq null", $"not ({attribute} pr)" }),
            "active eq true", "active ne true", "not (active eq true)", "not (active ne \"False\")", "active eq null",
            "emails[type eq \"work\"]", "emails[type eq \"work\" and value co \"n\"]", "emails[not (type eq \"work\")]", "emails[type eq null]", "emails[type ne \"home\" and value sw \"second\"]", "emails[display pr or type pr]", "emails[value eq \"x\"]",
            "emails.type eq \"WORK\"", "emails.type ne \"work\"", "emails.type eq null", "emails pr", "phoneNumbers pr", "name pr", "name.formatted pr", "phoneNumbers eq \"+4\"", "phoneNumbers.primary eq true", "phoneNumbers.primary ne true",
            "phoneNumbers[primary eq true and type eq \"home\"]", "phoneNumbers[primary ne true]", "phoneNumbers[not (primary eq true) and value ge \"+2\"]", "profileUrl sw \"https://E\"", "profileUrl sw \"https://e\"", "addresses pr",
            $"{ScimNode.Enterprise}:costCenter pr", $"{ScimNode.Enterprise}:costCenter ne \"x\"", $"{ScimNode.Enterprise} pr", "meta.version eq \"W/\\\"1\\\"\"", "groups pr", "groups.display eq \"dba\"", "groups.display co \"x\"", "groups.display ne \"dba\"", "groups[type eq \"direct\"]", "groups.value pr",
        ];
        _ = await one.GroupAsync("DBA", ids[0], ids[3]);
        _ = await one.GroupAsync("X", ids[3]);
        var random = new Random(7_643);
        filters.AddRange(Enumerable.Range(0, 250).Select(_ => $"{Not(filters[random.Next(filters.Count)])} {(random.Next(2) == 0 ? "and" : "or")} {Not(filters[random.Next(filters.Count)])}").ToList());
        var everybody = (await one.Query.ListAsync([ScimKind.User], new ScimSearch(), "at", CancellationToken.None))["Resources"]!.AsArray().Select(user => user!.AsObject()).ToList();
        foreach (var filter in filters)
        {
            var parsed = ScimFilter.Parse(ScimKind.User, filter);
            var expected = string.Join(' ', everybody.Where(parsed.Holds).Select(user => (string)user["userName"]!));
            var page = await one.Query.ListAsync([ScimKind.User], new ScimSearch { Filter = filter, Count = 3 }, "at", CancellationToken.None);
            var all = await one.Query.ListAsync([ScimKind.User], new ScimSearch { Filter = filter }, "at", CancellationToken.None);
            Assert.True(expected == string.Join(' ', all["Resources"]!.AsArray().Select(user => (string)user!["userName"]!)), $"{filter}: {expected}, by columns {all["Resources"]!.ToJsonString()}");
            Assert.Equal(all["totalResults"]!.ToString(), page["totalResults"]!.ToString());
            Assert.Equal(Math.Min(3, all["Resources"]!.AsArray().Count), page["Resources"]!.AsArray().Count);
        }

        foreach (var sort in new[] { "userName", "title", "nickName", "phoneNumbers", "phoneNumbers.type", "active", "meta.version", $"{ScimNode.Enterprise}:manager" })
        {
            foreach (var descending in new[] { false, true })
            {
                var ways = new List<string>();
                foreach (var (filter, count) in new[] { ("id pr", 100), ("id pr and not (groups.type pr and title eq \"\\u0001\")", 3) })
                {
                    var sorted = new List<string>();
                    for (var start = 1; start <= names.Length; start += count)
                    {
                        var part = await one.Query.ListAsync([ScimKind.User], new ScimSearch { Filter = filter, SortBy = sort, Descending = descending, Start = start, Count = count }, "at", CancellationToken.None);
                        sorted.AddRange(part["Resources"]!.AsArray().Select(user => (string)user!["userName"]!));
                    }

                    // The second cannot be told from values: each is looked at and sorted here.
                    ways.Add(string.Join(' ', sorted));
                }

                Assert.True(ways[0] == ways[1], $"{sort}, {descending}: {ways[0]}, and looked at each {ways[1]}");
            }
        }

        // Who came before values were kept is found by a look at each, until they are.
        await test.WriteAsync(async work => await work.Db.RunAsync("DELETE FROM directory_values"));
        await test.WriteAsync(async work => await work.Db.RunAsync("UPDATE directory_bodies SET valued = 0"));
        Assert.Equal(3, await CountAsync());
        Assert.False(await one.Follow.ValueAsync(CancellationToken.None));
        Assert.True(await one.Follow.ValueAsync(CancellationToken.None));
        Assert.Equal(3, await CountAsync());
        Assert.Equal(names.Length / 2, await test.Store.ReadAsync(async reads => await reads.Db.NumberAsync("SELECT COUNT(*) FROM directory_values WHERE path = 'nickName'"), CancellationToken.None));

        async Task<long> CountAsync() => (long)(await one.Query.ListAsync([ScimKind.User], new ScimSearch { Filter = "phoneNumbers[type eq \"work\" and value ge \"+2\"]" }, "at", CancellationToken.None))["totalResults"]!;

        string Not(string filter) => random.Next(4) == 0 ? $"not ({filter})" : filter;
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task AnotherNode_FollowsLineByLine_AndSeesWhatOneThatReadsAllAnewSees(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        await using var second = kind == "postgres" ? await TestStore.NodeAsync(test.Place) : null;
        using var one = new Side(test.Store);
        using var other = new Side(second ?? test.Store);
        await other.Follow.LookAsync(CancellationToken.None);
        var ann = await one.UserAsync("Ann");
        var ben = await one.UserAsync("ben", $$$"""{"{{{ScimNode.Enterprise}}}":{"manager":{"value":"{{{ann}}}"},"department":"Ops"}}""");
        var outer = await one.GroupAsync("dba");
        var inner = await one.GroupAsync("inner", ben);
        await SameAsync();
        Assert.Equal("ann", other.Now.People["ben"].Manager?.Value);
        Assert.Equal("Ops", other.Now.People["ben"].Attributes["department"]);

        await one.PatchAsync(outer, $$"""{"op":"add","path":"members","value":[{"value":"{{inner}}"},{"value":"{{ann}}"}]}""");
        await SameAsync();
        Assert.Equal("ann ben", Members("dba"));
        Assert.Equal("ann ben root", Members("all"));
        Assert.Contains("ben", other.Now.Admins.Select(who => who.Value));
        Assert.Contains("ben", other.Now.Resources["db"].Owners.Select(who => who.Value));
        Assert.Equal(["all", "dba"], other.Now.GroupsOf(new SubjectId("ben")));
        Assert.Equal(World.Load(Text).Version, other.Now.Version);

        // A circle of groups is one group of all.
        await one.PatchAsync(inner, $$"""{"op":"add","path":"members","value":[{"value":"{{outer}}"}]}""");
        await SameAsync();
        Assert.Equal("ann ben", Members("dba"));

        // Two who change names with each other, one after the other.
        await one.Users.PatchAsync(ann, Operations("""{"op":"replace","path":"userName","value":"x"}"""), null, CancellationToken.None);
        await one.Users.PatchAsync(ben, Operations("""{"op":"replace","path":"userName","value":"ann"}"""), null, CancellationToken.None);
        await one.Users.PatchAsync(ann, Operations("""{"op":"replace","path":"userName","value":"ben"}"""), null, CancellationToken.None);
        await SameAsync();
        Assert.Equal("ben", other.Now.People["ann"].Manager?.Value);
        Assert.False(other.Now.People["ann"].Disabled);

        await one.Users.DeleteAsync(ben, null, CancellationToken.None);
        await one.Groups.DeleteAsync(inner, null, CancellationToken.None);
        await SameAsync();
        Assert.True(other.Now.People["ann"].Disabled);
        Assert.Equal("ben", Members("dba"));
        await one.UserAsync("ann");
        await SameAsync();
        Assert.False(other.Now.People["ann"].Disabled);
        Assert.Equal("ben", Members("dba"));

        string Members(string group) => string.Join(' ', other.Now.Groups[group].Select(member => member.Value).Order(StringComparer.Ordinal));

        async Task SameAsync()
        {
            await one.Follow.LookAsync(CancellationToken.None);
            await other.Follow.LookAsync(CancellationToken.None);
            using var anew = new Side(test.Store);
            await anew.Follow.LookAsync(CancellationToken.None);
            foreach (var side in new[] { one, other })
            {
                Assert.Equal(Told(anew.Now), Told(side.Now));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Taken_ACrashBeforeItsConsequences_IsFoundAtTheNextStart(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        using var one = new Side(test.Store);
        var ann = await one.UserAsync("ann");
        await one.GroupAsync("dba", ann);
        await one.Follow.LookAsync(CancellationToken.None);
        var waiting = await test.WriteAsync(async work => await work.InsertAsync(test.Asking("ann", approvers: "root") with { Role = new RoleRef("db", "read") }));
        await test.WriteAsync(async work => await work.RemoveMemberAsync((await work.DirectoryGroupIdAsync("dba"))!, ann));
        Assert.Equal(Stint.Core.Requests.RequestState.Pending, (await test.ReadAsync(async reads => await reads.FindRequestAsync(waiting.Id)))!.State);

        using var next = new Side(test.Store);
        await next.Follow.LookAsync(CancellationToken.None);
        Assert.Equal(Stint.Core.Requests.RequestState.Cancelled, (await test.ReadAsync(async reads => await reads.FindRequestAsync(waiting.Id)))!.State);
        Assert.Empty(await test.ReadAsync(async reads => await reads.OpenDirectoryChangesAsync()));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Database_RefusesWhatMustNotBe(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        using var one = new Side(test.Store);
        var ann = await one.UserAsync("ann");
        var group = await one.GroupAsync("dba", ann);
        await test.WriteAsync(async work => await work.RemoveMemberAsync(group, ann));
        foreach (var sql in new[]
        {
            $"UPDATE directory_users SET active = 0 WHERE id = '{ann}'",
            $"UPDATE directory_users SET version = version + 2 WHERE id = '{ann}'",
            $"UPDATE directory_users SET version = version + 1, id = 'x' WHERE id = '{ann}'",
            $"UPDATE directory_users SET version = version + 1, created_at = 0 WHERE id = '{ann}'",
            $"UPDATE directory_users SET version = version + 1, active = 2 WHERE id = '{ann}'",
            $"UPDATE directory_groups SET display_name = 'x' WHERE id = '{group}'",
            $"INSERT INTO directory_members (group_id, member_id, kind) VALUES ('{group}', '{group}', 'group')",
            $"INSERT INTO directory_members (group_id, member_id, kind) VALUES ('nobody', '{ann}', 'user')",
            "DELETE FROM directory_log",
            "UPDATE directory_log SET takes = 0 WHERE takes = 1",
            "INSERT INTO offboarded (name, person, reason, at, by_person) VALUES ('a', 'a', '', 1, 'b')",
        })
        {
            await Assert.ThrowsAsync<StoreRefusedException>(() => test.AttackAsync(sql));
        }

        await Assert.ThrowsAsync<StoreConflictException>(() => test.AttackAsync("INSERT INTO directory_groups (id, display_name, display_key, version, created_at, changed_at) VALUES ('x', 'DBA', 'dba', 1, 1, 1)"));
    }

    /// <summary>All that is decided by, in words.</summary>
    private static string Told(LoadedCatalog catalog) => string.Join('\n',
    [
        .. catalog.People.Values.OrderBy(person => person.Id.Value, StringComparer.Ordinal)
            .Select(person => $"{person.Id} {person.Name} {person.Mail} {person.Manager} {person.Disabled} {string.Join(',', person.Attributes.OrderBy(pair => pair.Key, StringComparer.Ordinal))} {string.Join(',', catalog.GroupsOf(person.Id))}"),
        .. catalog.Policies.Select(policy => $"{policy.Name} {string.Join(' ', policy.Who.Select(who => who.Value).Order(StringComparer.Ordinal))}"),
        string.Join(' ', catalog.Admins.Select(who => who.Value).Order(StringComparer.Ordinal)),
    ]);

    private static JsonObject Operations(string operations) => JsonNode.Parse($$"""{"schemas":["{{ScimNode.PatchSchema}}"],"Operations":[{{operations}}]}""")!.AsObject();

    /// <summary>One node's part of it.</summary>
    private sealed class Side : IDisposable
    {
        private readonly CurrentCatalog _current = new(World.Load(Text), TimeProvider.System);

        public Side(StintStore store)
        {
            var ids = new IdSource(RandomNumberGenerator.Fill);
            Follow = new FollowDirectory(store, _current, new EndLeavers(store, _current, TimeProvider.System), new DirectorySource(Stint.Core.Audit.Actor.Directory), TimeProvider.System);
            Users = new ScimUsers(store, Follow, ids, TimeProvider.System);
            Groups = new ScimGroups(store, Follow, ids, TimeProvider.System);
            Query = new ScimQuery(store);
        }

        public FollowDirectory Follow { get; }

        public ScimUsers Users { get; }

        public ScimGroups Groups { get; }

        public ScimQuery Query { get; }

        public LoadedCatalog Now => _current.Now;

        public async Task<string> UserAsync(string name, string more = "{}")
        {
            var body = JsonNode.Parse(more)!.AsObject();
            body["schemas"] = new JsonArray(ScimNode.UserSchema);
            body["userName"] = name;
            return (await Users.CreateAsync(body, CancellationToken.None)).Id;
        }

        public async Task<string> GroupAsync(string name, params string[] members) => (await Groups.CreateAsync(
            new JsonObject { ["schemas"] = new JsonArray(ScimNode.GroupSchema), ["displayName"] = name, ["members"] = new JsonArray([.. members.Select(member => new JsonObject { ["value"] = member })]) },
            CancellationToken.None)).Id;

        public Task PatchAsync(string group, string operations) => Groups.PatchAsync(group, Operations(operations), null, CancellationToken.None);

        public void Dispose() => Follow.Dispose();
    }
}
