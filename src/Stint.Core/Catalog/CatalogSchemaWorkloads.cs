using System.Text.Json.Nodes;

namespace Stint.Core.Catalog;

/// <summary>The part of the catalog's schema that says what a workload takes.</summary>
internal static class CatalogSchemaWorkloads
{
    public static JsonObject Workload() => CatalogSchema.Object(
        "A machine that may ask.",
        [],
        new JsonObject
        {
            ["description"] = CatalogSchema.Text("What it does."),
            ["issuer"] = CatalogSchema.Text("Whose tokens prove it: the name of an issuer in the server's configuration."),
            ["claims"] = CatalogSchema.Named(
                CatalogSchema.Name,
                CatalogSchema.Pattern("^[^*]", "A text; * stands for characters but /, ** for any, neither at the beginning."),
                "What such a token has to say, all of it: repository, ref, environment."),
            ["owners"] = CatalogSchema.Texts("Who may make static tokens for it: group:NAME or person:NAME."),
            ["budget"] = CatalogSchema.Object(
                "How much it may have in a day.",
                [],
                new JsonObject
                {
                    ["grants"] = new JsonObject { ["type"] = "integer", ["minimum"] = 1, ["maximum"] = 100_000, ["description"] = "How many grants." },
                    ["time"] = CatalogSchema.Pattern(CatalogSchema.Duration, "How long, all of them together."),
                    ["zone"] = CatalogSchema.Text("IANA name of the zone whose midnight begins a day. Default: UTC."),
                }),
            ["disabled"] = new JsonObject { ["type"] = "boolean", ["description"] = "Can do nothing; what it holds ends." },
        });
}
