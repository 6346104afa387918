using System.Text.Json.Nodes;
using Stint.Server.Store;

namespace Stint.Server.Identity.Scim;

/// <summary>What of a user is kept value by value, because no column holds it.</summary>
internal static class ScimKept
{
    /// <summary>Where the extension as a whole is kept.</summary>
    private const string Extension = "extension";

    /// <summary>Whether the values of an attribute or a part are kept; what is derived, huge or in a column of its own is not.</summary>
    public static bool Holds(ScimKind kind, ScimPath path) => kind == ScimKind.User
        && (path.Attribute is null || (path.Attribute.Name is not ("schemas" or "meta" or "groups") && IsText(path.Leaf) && ScimSql.Sort(kind, path) is null));

    /// <summary>What it is kept as: of something with parts each part, and the whole as what says that it is there.</summary>
    public static string Path(ScimPath path, bool whole) => path.Attribute is null ? Extension
        : whole || path.Leaf is null || path.Leaf == path.Attribute ? ScimSql.Name(path)
        : $"{path.Attribute.Name}.{path.Leaf.Name}";

    /// <summary>What a text or truth is kept as.</summary>
    public static string Key(ScimAttribute attribute, JsonValue value) =>
        attribute.Type == ScimType.Boolean ? ScimValues.Truth(value) == true ? "true" : "false"
        : attribute.CaseExact ? value.GetValue<string>() : value.GetValue<string>().ToLowerInvariant();

    public static IEnumerable<DirectoryValue> Of(JsonObject body)
    {
        var extension = body[ScimSchemas.Enterprise.Id] as JsonObject;
        if (extension?.Any(pair => pair.Value is not null) == true)
        {
            yield return new DirectoryValue(Extension, "1", 0, true);
        }

        foreach (var (from, schema) in new[] { (body, ScimSchemas.User), (extension, ScimSchemas.Enterprise) })
        {
            foreach (var attribute in schema.Attributes.Where(attribute => from?[attribute.Name] is not null))
            {
                var path = new ScimPath(schema == ScimSchemas.Enterprise, attribute, null);
                List<JsonNode> items = from![attribute.Name] is JsonArray array ? [.. array.OfType<JsonNode>()] : [from[attribute.Name]!];
                var chosen = Math.Max(0, items.FindIndex(item => item is JsonObject one && ScimValues.Truth(one["primary"]) == true));
                for (var i = 0; i < items.Count; i++)
                {
                    foreach (var (at, node) in attribute.Type == ScimType.Complex ? Parts(path, items[i]) : [(path, items[i])])
                    {
                        // NB. The reader lets nothing in that is of another type; what were there all the same is not kept, and found by nothing.
                        if (Holds(ScimKind.User, at) && node is JsonValue value && (at.Leaf!.Type == ScimType.Boolean ? ScimValues.Truth(value) is not null : value.TryGetValue<string>(out _)))
                        {
                            yield return new DirectoryValue(Path(at, whole: false), Key(at.Leaf!, value), i, i == chosen);
                        }
                    }

                    if (attribute.Type == ScimType.Complex && items[i] is JsonObject)
                    {
                        yield return new DirectoryValue(attribute.Name, ScimValues.IsPresent(items[i]) ? "1" : "", i, i == chosen);
                    }
                }
            }
        }
    }

    private static bool IsText(ScimAttribute? leaf) => leaf is null or { Type: ScimType.String or ScimType.Boolean or ScimType.Reference, Name: not "$ref" };

    private static IEnumerable<(ScimPath Path, JsonNode Value)> Parts(ScimPath path, JsonNode item) => item is not JsonObject complex ? []
        : path.Attribute!.Sub.Where(part => complex[part.Name] is not null).Select(part => (path with { Part = part }, complex[part.Name]!));
}
