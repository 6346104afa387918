using System.Text;
using Stint.Core.Catalog;
using Stint.Core.Grants;
using Xunit;

namespace Stint.Tests.Catalog;

/// <summary>Catalogs for tests: a kind with one field of each type, and a small whole catalog to change.</summary>
internal static class Yaml
{
    public static readonly KindShape Database = new(
        "database",
        "A database for tests.",
        Guarantee.Native,
        [
            new Field("host", FieldType.Text, "Where it is.") { Required = true },
            new Field("port", FieldType.Number, "Its port.") { Min = 1, Max = 65_535 },
            new Field("tls", FieldType.Text, "Whether it is encrypted.") { OneOf = ["off", "on"] },
            new Field("verbose", FieldType.Flag, "Whether it says much."),
            new Field("timeout", FieldType.Duration, "How long to wait."),
            new Field("password", FieldType.Secret, "The password."),
        ],
        [
            new Field("member_of", FieldType.TextList, "Groups.") { Check = text => text.Contains(';', StringComparison.Ordinal) ? "a group has no semicolon" : null },
        ]);

    public static readonly IReadOnlyDictionary<string, KindShape> Kinds = new Dictionary<string, KindShape> { ["database"] = Database };

    public const string People = """
        people:
          ann: { name: Ann, manager: bob }
          bob: { name: Bob }
          carol: {}
          eve: {}
        groups:
          developers: [ann, eve]
          contractors: [eve]
          leads: [bob]
        """;

    public const string Resources = """
        resources:
          orders-db:
            kind: database
            owners: [group:leads]
            settings: { host: db }
            roles:
              read-only: { member_of: [readers] }
              owner: { risk: high }
        """;

    public const string Policies = """
        policies:
          read:
            who: group:developers
            roles: ['*/read-only']
            for: { default: 30m, max: 4h }
            approve: { auto: true }
          own:
            who: group:developers
            roles: [orders-db/owner]
            approve: { steps: [ { from: owners } ] }
        """;

    public static string Whole(string? policies = null, string? people = null, string? resources = null) =>
        string.Join('\n', people ?? People, resources ?? Resources, policies ?? Policies);

    public static CatalogLoad Load(string text) => CatalogLoader.Load(new CatalogSource([new CatalogFile("all.yaml", text)]), Kinds);

    public static LoadedCatalog Good(string text)
    {
        var load = Load(text);
        Assert.Empty(load.Errors.Select(error => error.ToString()));
        return load.Catalog!;
    }

    /// <summary>The one error that a text has.</summary>
    public static CatalogProblem Bad(string text)
    {
        var load = Load(text);
        Assert.Null(load.Catalog);
        return Assert.Single(load.Errors);
    }

    public static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
