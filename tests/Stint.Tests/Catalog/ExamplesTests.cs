using System.Text.Json.Nodes;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Policies;
using Xunit;

namespace Stint.Tests.Catalog;

/// <summary>Every catalog in <c>examples/</c>, as it is handed to people.</summary>
public class ExamplesTests
{
    private static readonly IReadOnlyDictionary<string, KindShape> Kinds = Stint.Connectors.ConnectorList.All.Shapes.ToDictionary(shape => shape.Kind);

    public static TheoryData<string> Examples => [.. Directory.GetDirectories(Root()).Select(folder => Path.GetFileName(folder)!)];

    [Theory]
    [MemberData(nameof(Examples))]
    public void Example_Catalog_LoadsWithoutErrorOrTokens(string example)
    {
        var load = Load(example);

        Assert.Empty(load.Errors.Select(error => error.ToString()));
        Assert.All(load.Catalog!.People.Values, person => Assert.Empty(person.TokenHashes));
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void Example_Catalog_FitsTheSchema(string example)
    {
        var schema = JsonNode.Parse(CatalogSchema.Json(Kinds))!;
        foreach (var file in Files(example))
        {
            Assert.Empty(CatalogSchemaTests.Check(File.ReadAllText(file), schema));
        }
    }

    [Theory]
    [MemberData(nameof(Examples))]
    public void Example_Tests_PassAndExerciseEveryRule(string example)
    {
        var report = TestRun.Run(Load(example).Catalog!);

        Assert.NotEmpty(report.Results);
        Assert.All(report.Results, result => Assert.Empty(result.Differences));
        Assert.Empty(report.Coverage.SelectMany(policy => policy.Never.Select(never => $"{policy.Policy}: {never}")));
    }

    [Theory]
    [InlineData("ann", "orders-db/read-only", "allow")]
    [InlineData("ann", "orders-db/owner", "needs_approval")]
    [InlineData("bob", "orders-db/owner", "needs_approval")]
    [InlineData("eve", "orders-db/read-only", "allow")]
    [InlineData("eve", "orders-db/owner", "deny")]
    [InlineData("carol", "orders-db/read-only", "deny")]
    public void Shop_Decides_AsTheDemoTells(string who, string role, string verdict)
    {
        var question = new Question(new SubjectId(who), RoleRef.Parse(role)!.Value, null, "counting orders", null, null, new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

        Assert.Equal(verdict, VerdictJson.Name(Decider.Decide(Load("shop").Catalog!, question)));
    }

    private static CatalogLoad Load(string example) =>
        CatalogLoader.Load(
            Files(example).Select(file => KeyValuePair.Create(Path.GetRelativePath(Path.Combine(Root(), example), file), File.ReadAllBytes(file))),
            Kinds);

    private static string[] Files(string example) => Directory.GetFiles(Path.Combine(Root(), example), "*.yaml", SearchOption.AllDirectories);

    private static string Root() => Path.Combine(Checkout(), "examples");

    internal static string Checkout()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Stint.slnx")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("The examples were not found above the test's own folder.");
    }
}
