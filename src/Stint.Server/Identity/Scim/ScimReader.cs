using System.Text.Json;
using System.Text.Json.Nodes;
using Stint.Core.Catalog;

namespace Stint.Server.Identity.Scim;

/// <summary>Reads what a client says of a resource: known attributes alone, named as the schema names them, each value of its type.</summary>
internal static class ScimReader
{
    /// <summary>Most values of one attribute, but for members.</summary>
    private const int MostValues = 200;

    private const int MostCharacters = 512;
    private const int MostMembers = 100_000;
    private const int MostCertificate = 32_768;

    /// <summary>Reads a whole resource.</summary>
    /// <param name="kind">Its type.</param>
    /// <param name="body">As it was sent.</param>
    /// <returns>Without what is read-only, unknown, empty or never kept.</returns>
    /// <exception cref="ScimProblem">Something required is missing, or is of another type.</exception>
    public static JsonObject Resource(ScimKind kind, JsonObject body)
    {
        RequireSchema(kind, body);
        var read = new JsonObject();
        var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in body)
        {
            if (!seen.Add(name))
            {
                throw ScimProblem.InvalidSyntax($"'{name}' stands twice.");
            }

            Take(kind, read, name, value);
        }

        foreach (var attribute in kind.Core.Attributes.Where(attribute => attribute.Required && read[attribute.Name] is null))
        {
            throw ScimProblem.InvalidValue($"'{attribute.Name}' is required.");
        }

        return read;
    }

    /// <summary>A value as the schema has it; null for none.</summary>
    public static JsonNode? Value(ScimAttribute attribute, JsonNode? value)
    {
        if (value is null || (value is JsonValue blank && attribute.Type == ScimType.Complex && blank.GetValueKind() == JsonValueKind.String && blank.GetValue<string>().Length == 0))
        {
            return null;
        }

        if (!attribute.Multi)
        {
            return Single(attribute, value);
        }

        var items = value is JsonArray array ? [.. array] : new List<JsonNode?> { value };
        if (items.Count > (attribute.Name == "members" ? MostMembers : MostValues))
        {
            throw ScimProblem.InvalidValue($"'{attribute.Name}' has too many values.");
        }

        var read = new JsonArray([.. items.Where(item => item is not null).Select(item => Single(attribute, item!)).Where(item => item is not null)]);
        if (read.Count(item => item is JsonObject one && ScimValues.Truth(one["primary"]) == true) > 1)
        {
            throw ScimProblem.InvalidValue($"More than one of '{attribute.Name}' is primary.");
        }

        return read.Count == 0 ? null : read;
    }

    /// <summary>One value of an attribute; null for none.</summary>
    public static JsonNode? Single(ScimAttribute attribute, JsonNode value)
    {
        switch (attribute.Type)
        {
            case ScimType.Complex:
                return Complex(attribute, value);
            case ScimType.Boolean:
                return ScimValues.Truth(value) ?? throw ScimProblem.InvalidValue($"'{attribute.Name}' is true or false.");
            default:
                if (value.GetValueKind() != JsonValueKind.String)
                {
                    throw ScimProblem.InvalidValue($"'{attribute.Name}' is a text.");
                }

                var text = value.GetValue<string>();
                if (text.Length > (attribute.Type == ScimType.Binary ? MostCertificate : MostCharacters) || !Words.IsShowable(text, newLines: true))
                {
                    throw ScimProblem.InvalidValue($"'{attribute.Name}' is too long, or holds characters that cannot be shown.");
                }

                if (attribute.Type == ScimType.DateTime && ScimValues.Time(text) is null)
                {
                    throw ScimProblem.InvalidValue($"'{attribute.Name}' is no moment.");
                }

                return attribute.Required && string.IsNullOrWhiteSpace(text) ? throw ScimProblem.InvalidValue($"'{attribute.Name}' is required.") : JsonValue.Create(text);
        }
    }

    private static JsonObject? Complex(ScimAttribute attribute, JsonNode value)
    {
        // The manager as its bare id, and values of many as bare texts, as Entra ID sends them.
        if (value is JsonValue && value.GetValueKind() == JsonValueKind.String && attribute.Part("value") is not null)
        {
            value = new JsonObject { ["value"] = value.DeepClone() };
        }

        if (value is not JsonObject complex)
        {
            throw ScimProblem.InvalidValue($"'{attribute.Name}' has parts: it is an object.");
        }

        var read = new JsonObject();
        foreach (var (name, part) in complex)
        {
            if (attribute.Part(name) is { IsReadOnly: false, Name: not "$ref" } known && part is not null)
            {
                read[known.Name] = Single(known, part);
            }
        }

        return read.Count == 0 ? null : read;
    }

    private static void Take(ScimKind kind, JsonObject read, string name, JsonNode? value)
    {
        if (name.Equals(kind.Extension?.Id, StringComparison.OrdinalIgnoreCase))
        {
            if (value is null)
            {
                return;
            }

            foreach (var (part, inner) in value as JsonObject ?? throw ScimProblem.InvalidValue($"'{name}' is an object."))
            {
                if (kind.Extension!.Find(part) is { } attribute)
                {
                    Put(ScimPatch.Extended(read), attribute, inner);
                }
            }

            if (read[kind.Extension!.Id] is JsonObject { Count: 0 })
            {
                read.Remove(kind.Extension.Id);
            }

            return;
        }

        if (kind.Core.Find(name) is { } own)
        {
            Put(read, own, value);
        }
    }

    private static void Put(JsonObject read, ScimAttribute attribute, JsonNode? value)
    {
        if (attribute.IsReadOnly || attribute.Name == "schemas")
        {
            return;
        }

        if (Value(attribute, value) is { } known && attribute.Mutability != "writeOnly")
        {
            read[attribute.Name] = known;
        }
    }

    private static void RequireSchema(ScimKind kind, JsonObject body)
    {
        var schemas = body.FirstOrDefault(pair => pair.Key.Equals("schemas", StringComparison.OrdinalIgnoreCase)).Value;
        if (schemas is not JsonArray array || !array.Any(one => one?.GetValueKind() == JsonValueKind.String && one.GetValue<string>().Equals(kind.Core.Id, StringComparison.OrdinalIgnoreCase)))
        {
            throw ScimProblem.InvalidSyntax($"'schemas' has to name {kind.Core.Id}.");
        }
    }
}
