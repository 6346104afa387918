using System.Text.Json.Nodes;

namespace Stint.Server.Identity.Scim;

/// <summary>One step of changing who is in a group, in its order among the others.</summary>
internal abstract record MemberStep
{
    private MemberStep()
    {
    }

    /// <summary>These come in, those who are in already stay.</summary>
    public sealed record Add(IReadOnlyList<string> Ids) : MemberStep;

    /// <summary>These go out.</summary>
    public sealed record Remove(IReadOnlyList<string> Ids) : MemberStep;

    /// <summary>These are in and nobody else.</summary>
    public sealed record Set(IReadOnlyList<string> Ids) : MemberStep;

    /// <summary>Those go out who fulfil a filter.</summary>
    public sealed record RemoveWhere(ScimFilter Filter) : MemberStep;
}

/// <summary>Changes a resource step by step (RFC 7644, section 3.5.2), in the forms that Entra ID and Okta send as well.</summary>
internal sealed class ScimPatch(ScimKind kind, JsonObject resource)
{
    public const string Schema = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

    /// <summary>Most operations of one call.</summary>
    private const int MostOperations = 1_000;

    /// <summary>What the operations say of a group's members: they stand in a table of their own.</summary>
    public List<MemberStep> Members { get; } = [];

    /// <summary>Applies a whole body.</summary>
    /// <returns>The resource as it is afterwards.</returns>
    /// <exception cref="ScimProblem">One of the operations cannot be done; nothing is kept then.</exception>
    public static (JsonObject Resource, IReadOnlyList<MemberStep> Members) Apply(ScimKind kind, JsonObject before, JsonObject body)
    {
        var schemas = Named(body, "schemas");
        if (schemas is not null && (schemas is not JsonArray named || !named.Any(one => one?.ToString().Equals(Schema, StringComparison.OrdinalIgnoreCase) == true)))
        {
            throw ScimProblem.InvalidSyntax($"'schemas' has to name {Schema}.");
        }

        if (Named(body, "Operations") is not JsonArray { Count: > 0 and <= MostOperations } operations)
        {
            throw ScimProblem.InvalidSyntax($"'Operations' is a list of 1 to {MostOperations}.");
        }

        var patch = new ScimPatch(kind, (JsonObject)before.DeepClone());
        foreach (var operation in operations)
        {
            patch.Do(operation as JsonObject ?? throw ScimProblem.InvalidSyntax("An operation is an object."));
        }

        return (patch.Whole(), patch.Members);
    }

    /// <summary>The extension's part of a resource, made when it is not there.</summary>
    public static JsonObject Extended(JsonObject resource)
    {
        if (resource[ScimSchemas.Enterprise.Id] is not JsonObject extension)
        {
            resource[ScimSchemas.Enterprise.Id] = extension = [];
        }

        return extension;
    }

    private static JsonNode? Named(JsonObject body, string name) => body.FirstOrDefault(pair => pair.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    private JsonObject Whole()
    {
        foreach (var attribute in kind.Core.Attributes.Where(attribute => attribute.Required && resource[attribute.Name] is null))
        {
            throw ScimProblem.Mutability($"'{attribute.Name}' is required and cannot be taken away.");
        }

        if (resource[ScimSchemas.Enterprise.Id] is JsonObject { Count: 0 })
        {
            resource.Remove(ScimSchemas.Enterprise.Id);
        }

        return resource;
    }

    private void Do(JsonObject operation)
    {
        var op = Named(operation, "op")?.ToString().ToLowerInvariant();
        if (op is not ("add" or "replace" or "remove"))
        {
            throw ScimProblem.InvalidSyntax("'op' is add, replace or remove.");
        }

        var value = Named(operation, "value");
        if (Named(operation, "path") is { } path && path.ToString() is { Length: > 0 } text)
        {
            At(op, text, value, strict: true);
            return;
        }

        if (op == "remove")
        {
            throw ScimProblem.NoTarget("A removal names what to remove by its 'path'.");
        }

        foreach (var (name, part) in value as JsonObject ?? throw ScimProblem.InvalidValue("Without 'path', 'value' is an object of attributes."))
        {
            if (name.Equals(kind.Extension?.Id, StringComparison.OrdinalIgnoreCase) && part is JsonObject extension)
            {
                foreach (var (inner, each) in extension)
                {
                    At(op, $"{kind.Extension!.Id}:{inner}", each, strict: false);
                }
            }
            else
            {
                At(op, name, part, strict: false);
            }
        }
    }

    /// <param name="op">What to do.</param>
    /// <param name="text">Where.</param>
    /// <param name="value">With what; null for nothing.</param>
    /// <param name="strict">Whether a target that is unknown or read-only is a problem: clients send whole resources where a path would be.</param>
    private void At(string op, string text, JsonNode? value, bool strict)
    {
        if (!strict && ScimPath.Find(kind, text) is null && !text.Contains('[', StringComparison.Ordinal))
        {
            return;
        }

        var (path, filter, part) = ScimFilterParser.Path(kind, text);
        if (path.Attribute is not { } attribute)
        {
            Extension(op, value);
            return;
        }

        if (attribute.IsReadOnly || part is { IsReadOnly: true } || attribute.Name == "schemas")
        {
            if (strict && attribute.Name != "schemas")
            {
                throw ScimProblem.Mutability($"'{text}' is read-only.");
            }

            return;
        }

        if (kind == ScimKind.Group && attribute.Name == "members")
        {
            OfMembers(op, filter, part, value);
            return;
        }

        if (op != "remove" && value is null && strict)
        {
            // NB. Entra ID clears an attribute by replacing it with nothing.
            op = op == "replace" ? "remove" : throw ScimProblem.InvalidValue("'value' is missing.");
        }

        var container = path.Extension ? Extended(resource) : resource;
        if (attribute.Multi)
        {
            Many(op, container, attribute, filter, part, value);
        }
        else
        {
            One(op, container, attribute, part, value);
        }

        if (container[attribute.Name] is JsonArray { Count: 0 } or JsonObject { Count: 0 })
        {
            container.Remove(attribute.Name);
        }
    }

    private void Extension(string op, JsonNode? value)
    {
        if (op == "remove")
        {
            resource.Remove(ScimSchemas.Enterprise.Id);
            return;
        }

        foreach (var (name, each) in value as JsonObject ?? throw ScimProblem.InvalidValue("An extension is an object."))
        {
            At(op, $"{ScimSchemas.Enterprise.Id}:{name}", each, strict: false);
        }
    }

    private static void One(string op, JsonObject container, ScimAttribute attribute, ScimAttribute? part, JsonNode? value)
    {
        if (part is null)
        {
            var read = op == "remove" ? null : ScimReader.Value(attribute, value);
            if (read is null || attribute.Mutability == "writeOnly")
            {
                container.Remove(attribute.Name);
            }
            else if (read is JsonObject complex && container[attribute.Name] is JsonObject there && attribute.Part("value") is null)
            {
                Merge(there, complex);
            }
            else
            {
                container[attribute.Name] = read;
            }

            return;
        }

        if (container[attribute.Name] is not JsonObject parts)
        {
            if (op == "remove")
            {
                return;
            }

            container[attribute.Name] = parts = [];
        }

        Put(parts, part, op == "remove" ? null : value);
    }

    private static void Many(string op, JsonObject container, ScimAttribute attribute, ScimFilter? filter, ScimAttribute? part, JsonNode? value)
    {
        var items = container[attribute.Name] as JsonArray;
        if (filter is null && part is null)
        {
            Whole(op, container, attribute, items, value);
            return;
        }

        var chosen = items?.OfType<JsonObject>().Where(item => filter?.Holds(item) != false).ToList() ?? [];
        if (op == "remove")
        {
            foreach (var item in chosen)
            {
                if (part is not null)
                {
                    item.Remove(part.Name);
                }

                if (part is null || item.Count == 0)
                {
                    items!.Remove(item);
                }
            }

            return;
        }

        if (chosen.Count == 0)
        {
            // What an addition looks for and does not find it makes, with what its filter says of it.
            var made = filter is null ? [] : Said(filter);
            if (op == "replace" || made is null)
            {
                throw ScimProblem.NoTarget($"No value of '{attribute.Name}' is chosen by the filter.");
            }

            if (items is null)
            {
                container[attribute.Name] = items = [];
            }

            items.Add(made);
            chosen.Add(made);
        }

        foreach (var item in chosen)
        {
            if (part is not null)
            {
                Put(item, part, value);
            }
            else if (value is not null && ScimReader.Single(attribute, value) is JsonObject complex)
            {
                Merge(item, complex);
            }

            OnePrimary(items!, item);
        }
    }

    private static void Whole(string op, JsonObject container, ScimAttribute attribute, JsonArray? items, JsonNode? value)
    {
        var given = value is null ? null : ScimReader.Value(attribute, value) as JsonArray;
        if (op == "remove" && given is not null)
        {
            foreach (var gone in given)
            {
                items?.OfType<JsonNode>().Where(item => Same(item, gone)).ToList().ForEach(item => items.Remove(item));
            }
        }
        else if (op != "add" || items is null)
        {
            container[attribute.Name] = op == "remove" ? null : given;
            if (container[attribute.Name] is null)
            {
                container.Remove(attribute.Name);
            }
        }
        else
        {
            foreach (var item in given?.Select(item => item!.DeepClone()).ToList() ?? [])
            {
                if (items.FirstOrDefault(there => Same(there, item)) is JsonObject known && item is JsonObject more)
                {
                    Merge(known, more);
                    OnePrimary(items, known);
                }
                else
                {
                    items.Add(item);
                    OnePrimary(items, item);
                }
            }
        }
    }

    /// <summary>What a filter says that something is, by its equalities alone; null when it says more.</summary>
    private static JsonObject? Said(ScimFilter filter)
    {
        var made = new JsonObject();
        bool Take(ScimFilter one) => one switch
        {
            ScimFilter.And and => Take(and.One) && Take(and.Other),
            ScimFilter.Compare { Operator: ScimOperator.Eq, Value: { } value, Path: { Attribute: { } attribute, Part: null } } => Set(attribute, value),
            _ => false,
        };
        bool Set(ScimAttribute attribute, JsonValue value)
        {
            made[attribute.Name] = ScimReader.Single(attribute, value.DeepClone());
            return true;
        }

        return Take(filter) ? made : null;
    }

    private void OfMembers(string op, ScimFilter? filter, ScimAttribute? part, JsonNode? value)
    {
        if (part is not null)
        {
            throw ScimProblem.Mutability("A member does not change: remove it, and add another.");
        }

        if (filter is not null)
        {
            Members.Add(op == "remove" ? (filter is ScimFilter.Compare { Operator: ScimOperator.Eq, Value: { } id, Path.Attribute.Name: "value" } ? new MemberStep.Remove([id.ToString()]) : new MemberStep.RemoveWhere(filter))
                : throw ScimProblem.Mutability("A member does not change: remove it, and add another."));
            return;
        }

        var ids = MemberIds(value);
        Members.Add(op switch
        {
            "add" => new MemberStep.Add(ids),
            "replace" => new MemberStep.Set(ids),
            _ => value is null ? new MemberStep.Set([]) : new MemberStep.Remove(ids),
        });
    }

    /// <summary>The ids in a list of members.</summary>
    public static IReadOnlyList<string> MemberIds(JsonNode? value) =>
        value is null || ScimReader.Value(ScimKind.Group.Core.Find("members")!, value) is not JsonArray members ? []
        : [.. members.Select(member => member!["value"]?.ToString() ?? throw ScimProblem.InvalidValue("A member lacks its 'value'.")).Distinct(StringComparer.Ordinal)];

    private static void Put(JsonObject parts, ScimAttribute part, JsonNode? value)
    {
        if (value is not null && ScimReader.Single(part, value) is { } read)
        {
            parts[part.Name] = read;
        }
        else
        {
            parts.Remove(part.Name);
        }
    }

    private static void Merge(JsonObject there, JsonObject more)
    {
        foreach (var (name, value) in more)
        {
            there[name] = value?.DeepClone();
        }
    }

    /// <summary>Whether two are the same value: alike in all, or in <c>value</c> and <c>type</c> where they have one.</summary>
    private static bool Same(JsonNode? one, JsonNode? other) => JsonNode.DeepEquals(one, other)
        || (one is JsonObject a && other is JsonObject b && a["value"] is { } value && b["value"] is { } same && JsonNode.DeepEquals(value, same)
            && (b["type"] is null || string.Equals(a["type"]?.ToString(), b["type"]?.ToString(), StringComparison.OrdinalIgnoreCase)));

    private static void OnePrimary(JsonArray items, JsonNode newest)
    {
        if (newest is JsonObject one && ScimValues.Truth(one["primary"]) == true)
        {
            foreach (var other in items.OfType<JsonObject>().Where(item => item != newest && ScimValues.Truth(item["primary"]) == true))
            {
                other["primary"] = false;
            }
        }
    }
}
