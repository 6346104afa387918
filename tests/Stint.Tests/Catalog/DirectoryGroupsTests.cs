using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Policies;
using Xunit;

namespace Stint.Tests.Catalog;

/// <summary>Groups whose members the directory says, and what the catalog's checks make of them.</summary>
public sealed class DirectoryGroupsTests
{
    private const string Text = """
        people: { bob: { name: Bob }, zoe: { disabled: true }, lea: { manager: bob, attributes: { department: Own } } }
        groups:
          dba: { directory: Database Administrators }
          both: { description: x, members: [bob], directory: ' Both ' }
        resources:
          db:
            kind: postgres
            owners: [group:dba]
            settings: { host: h, database: d, username: u, password: { env: P } }
            roles: { read: { member_of: [pg_read_all_data] } }
        policies:
          read: { who: group:dba, roles: [db/read], approve: { steps: [{ from: owners, need: 2 }] } }
        """;

    [Fact]
    public void Load_GroupsOfTheDirectory_AreNamesLikeOthers_AndNobodyIsMissed()
    {
        var load = Load(Text);
        Assert.Empty(load.Errors);
        Assert.Empty(load.Warnings);
        Assert.Equal("Both", load.Catalog!.FromDirectory["both"]);
        Assert.Contains("'dbaa'", Assert.Single(Load(Text.Replace("who: group:dba", "who: group:dbaa", StringComparison.Ordinal)).Errors).What, StringComparison.Ordinal);
        Assert.Contains(Load(Text.Replace("{ directory: Database Administrators }", "{ description: x }", StringComparison.Ordinal)).Errors, error => error.WayOut?.Contains("directory: NAME", StringComparison.Ordinal) == true);
        Assert.NotEmpty(Load(Text.Replace("directory: Database Administrators", "directory: [x]", StringComparison.Ordinal)).Errors);
    }

    [Fact]
    public void Load_ApproversWhomTheDirectoryDoesNotChange_AreStillMissed()
    {
        var wrong = Text.Replace("from: owners, need: 2", "from: group:few, need: 2", StringComparison.Ordinal).Replace("  both:", "  few: [bob, zoe]\n  both:", StringComparison.Ordinal);
        Assert.Contains("disabled", Assert.Single(Load(wrong).Warnings).What, StringComparison.Ordinal);
        Assert.Contains("nobody could satisfy", Assert.Single(Load(wrong.Replace("few: [bob, zoe]", "few: [bob]", StringComparison.Ordinal)).Errors).What, StringComparison.Ordinal);
    }

    [Fact]
    public void With_ThePeopleOfTheDirectory_IsACatalogOfItsOwn_AndTheTextStays()
    {
        var text = Load(Text).Catalog!;
        Person Named(string name, string? manager = null, bool disabled = false) => new() { Id = new SubjectId(name), Name = "There " + name, Manager = manager is null ? null : new SubjectId(manager), TokenHashes = [], Disabled = disabled };
        var people = new[] { Named("bob"), Named("ann@x.org", "bob"), Named("gone", null, true), Named("lea", "ann@x.org"), Named("no name at all") };
        var directory = new DirectoryPeople
        {
            People = people.ToDictionary(person => person.Id.Value, StringComparer.Ordinal),
            Groups = new Dictionary<string, IReadOnlyCollection<SubjectId>>
            {
                ["database administrators"] = [new("ann@x.org"), new("bob"), new("no name at all")],
                ["both"] = [new("ann@x.org")],
                ["admins"] = [new("ann@x.org")],
            },
            Left = new HashSet<string> { "zoe" },
        };
        var laid = text.With(directory);
        Assert.Same(text, laid.Text);
        Assert.Same(text, laid.With(directory).Text);
        Assert.Equal(text.Version, laid.Version);
        Assert.Equal(["ann@x.org", "bob"], laid.Groups["dba"].Select(who => who.Value).Order(StringComparer.Ordinal));
        Assert.Equal(["ann@x.org", "bob"], laid.Groups["both"].Select(who => who.Value).Order(StringComparer.Ordinal));
        Assert.Equal("Bob", laid.People["bob"].Name);
        Assert.Equal("bob", laid.People["ann@x.org"].Manager?.Value);
        Assert.Equal("bob", laid.People["lea"].Manager?.Value);
        Assert.True(laid.People["gone"].Disabled);
        Assert.False(laid.People.ContainsKey("no name at all"));
        Assert.Empty(laid.Admins);
        var question = new Question(new SubjectId("ann@x.org"), new RoleRef("db", "read"), null, "x", null, null, DateTimeOffset.UnixEpoch) { Held = [] };
        Assert.IsType<Verdict.Deny>(Decider.Decide(text, question));

        // Two are needed and besides the asker there is one: known at the asking, not before.
        Assert.IsType<Verdict.Deny>(Decider.Decide(laid, question));
        Assert.Same(text, laid.With(DirectoryPeople.Nobody));
    }

    private static CatalogLoad Load(string text) => CatalogLoader.Load(
        new CatalogSource([new CatalogFile("all.yaml", text)]), new Dictionary<string, KindShape> { ["postgres"] = Stint.Connectors.Postgres.PostgresSettings.Shape });
}
