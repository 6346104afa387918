using System.Text;
using Stint.Core.Catalog;
using Xunit;

namespace Stint.Tests.Catalog;

/// <summary>Every recipe of the guide, as somebody would copy it into a catalog.</summary>
public sealed class RecipesTests
{
    // The names that the recipes are about; a policy for roles that no recipe of its own reaches.
    private const string Around = """
        people:
          ann: { manager: boss, attributes: { team: shop } }
          bob: { manager: boss, attributes: { team: shop } }
          cleo: { manager: boss }
          dan: {}
          eve: {}
          fay: {}
          boss: {}
        groups:
          engineers: [ann, bob, cleo]
          reviewers: [dan, eve]
          security: [fay, boss]
          contractors: [cleo]
        resources:
          orders-db: { kind: postgres, labels: { env: prod, data: pii, team: shop }, owners: [ann, bob, dan], settings: { host: h, database: d, username: u, password: { env: P } }, roles: { read-only: { member_of: [r] }, owner: { member_of: [o] } } }
          staging-db: { kind: postgres, labels: { env: staging, data: none, team: shop }, owners: [ann, dan], settings: { host: h, database: d, username: u, password: { env: P } }, roles: { read-only: { member_of: [r] }, owner: { member_of: [o] } } }
          pay-db: { kind: postgres, labels: { env: prod, data: cards, team: shop }, owners: [dan], settings: { host: h, database: d, username: u, password: { env: P } }, roles: { prepare: { member_of: [p] }, release: { member_of: [q] } } }
        policies:
          the-rest: { who: group:reviewers, roles: ['*/*'], for: 1h, approve: { steps: [{ from: group:security }] } }
        """;

    public static TheoryData<string, string> Recipes
    {
        get
        {
            var data = new TheoryData<string, string>();
            var title = "";
            StringBuilder? block = null;
            foreach (var line in File.ReadLines(Path.Combine(ExamplesTests.Checkout(), "docs", "guide", "recipes.md")))
            {
                title = line.StartsWith("## ", StringComparison.Ordinal) ? line[3..] : title;
                if (line.StartsWith("```", StringComparison.Ordinal))
                {
                    if (block is not null)
                    {
                        data.Add(title, block.ToString());
                    }

                    block = line == "```yaml" ? new StringBuilder() : null;
                }
                else
                {
                    block?.Append(line).Append('\n');
                }
            }

            return data;
        }
    }

    [Fact]
    public void Guide_HasRecipes() => Assert.True(Recipes.Count >= 10);

    [Theory]
    [MemberData(nameof(Recipes))]
    public void Recipe_Loads(string title, string yaml)
    {
        var load = CatalogLoader.Load(
            [new("around.yaml", Encoding.UTF8.GetBytes(Around)), new("recipe.yaml", Encoding.UTF8.GetBytes(yaml))],
            Stint.Connectors.ConnectorList.All.Shapes.ToDictionary(shape => shape.Kind));

        Assert.True(load.Catalog is not null, $"{title}:\n{string.Join('\n', load.Errors)}");
    }
}
