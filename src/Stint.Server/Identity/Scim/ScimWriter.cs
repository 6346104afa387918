using System.Globalization;
using System.Text.Json.Nodes;
using Stint.Server.Store;

namespace Stint.Server.Identity.Scim;

/// <summary>Which attributes an answer has (RFC 7644, section 3.9).</summary>
/// <param name="Only">Those asked for; empty for all.</param>
/// <param name="Without">Those not wanted.</param>
internal sealed record ScimChoice(IReadOnlyList<string> Only, IReadOnlyList<string> Without)
{
    public static ScimChoice All { get; } = new([], []);

    /// <summary>Whether any of them needs an attribute: what nobody wants is not even read.</summary>
    public bool Wants(string attribute) => Only.Count > 0
        ? Only.Any(name => Bare(name).Equals(attribute, StringComparison.OrdinalIgnoreCase) || Bare(name).StartsWith(attribute + ".", StringComparison.OrdinalIgnoreCase))
        : !Without.Any(name => Bare(name).Equals(attribute, StringComparison.OrdinalIgnoreCase));

    private static string Bare(string name) => name.StartsWith("urn:", StringComparison.OrdinalIgnoreCase) ? name[(name.LastIndexOf(':') + 1)..] : name;

    /// <summary>What is left of a resource.</summary>
    public JsonObject Of(ScimKind kind, JsonObject resource)
    {
        if (Only.Count > 0)
        {
            var chosen = new JsonObject();
            foreach (var (name, value) in resource.Where(pair => kind.Core.Find(pair.Key) is { Returned: "always" }))
            {
                chosen[name] = value!.DeepClone();
            }

            foreach (var path in Only.Select(name => ScimPath.Find(kind, name)).OfType<ScimPath>())
            {
                Copy(path, resource, chosen);
            }

            return chosen;
        }

        foreach (var path in Without.Select(name => ScimPath.Find(kind, name)).OfType<ScimPath>().Where(path => path.Attribute?.Returned != "always"))
        {
            Remove(path, resource);
        }

        return resource;
    }

    private static void Copy(ScimPath path, JsonObject from, JsonObject to)
    {
        if (path.Extension)
        {
            if (from[ScimSchemas.Enterprise.Id] is not JsonObject extension)
            {
                return;
            }

            (from, to) = (extension, ScimPatch.Extended(to));
        }

        if (path.Attribute is null)
        {
            foreach (var (name, value) in from)
            {
                to[name] = value?.DeepClone();
            }

            return;
        }

        var whole = from[path.Attribute.Name];
        if (path.Part is null || whole is null)
        {
            if (whole is not null)
            {
                to[path.Attribute.Name] = whole.DeepClone();
            }

            return;
        }

        if (whole is JsonArray items)
        {
            var there = to[path.Attribute.Name] as JsonArray;
            if (there is null)
            {
                to[path.Attribute.Name] = there = new JsonArray([.. items.Select(_ => (JsonNode)new JsonObject())]);
            }

            for (var i = 0; i < items.Count && i < there.Count; i++)
            {
                if (items[i]?[path.Part.Name] is { } value)
                {
                    there[i]![path.Part.Name] = value.DeepClone();
                }
            }
        }
        else if (whole[path.Part.Name] is { } part)
        {
            if (to[path.Attribute.Name] is not JsonObject there)
            {
                to[path.Attribute.Name] = there = [];
            }

            there[path.Part.Name] = part.DeepClone();
        }
    }

    private static void Remove(ScimPath path, JsonObject from)
    {
        if (path.Attribute is null)
        {
            from.Remove(ScimSchemas.Enterprise.Id);
            return;
        }

        if ((path.Extension ? from[ScimSchemas.Enterprise.Id] as JsonObject : from) is not { } container)
        {
            return;
        }

        if (path.Part is null)
        {
            container.Remove(path.Attribute.Name);
            return;
        }

        foreach (var item in container[path.Attribute.Name] is JsonArray items ? items.OfType<JsonObject>() : container[path.Attribute.Name] is JsonObject one ? [one] : [])
        {
            item.Remove(path.Part.Name);
        }
    }
}

/// <summary>Writes resources as clients get them.</summary>
internal static class ScimWriter
{
    public static string ETag(long version) => string.Create(CultureInfo.InvariantCulture, $"W/\"{version}\"");

    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    /// <param name="user">The user.</param>
    /// <param name="groups">The groups that they are in; null when nobody wants them.</param>
    /// <param name="at">Address of the service, without a slash at its end.</param>
    public static JsonObject User(DirectoryUser user, IEnumerable<DirectoryMember>? groups, string at)
    {
        var body = JsonNode.Parse(user.Body)!.AsObject();
        var node = new JsonObject { ["schemas"] = new JsonArray(ScimSchemas.User.Id), ["id"] = user.Id };
        if (body[ScimSchemas.Enterprise.Id] is JsonObject extension)
        {
            node["schemas"]!.AsArray().Add(ScimSchemas.Enterprise.Id);
            if (extension["manager"] is JsonObject manager)
            {
                manager["$ref"] = $"{at}/Users/{manager["value"]}";
            }
        }

        foreach (var (name, value) in body.ToList())
        {
            body.Remove(name);
            node[name] = value;
        }

        if (groups?.ToList() is { Count: > 0 } own)
        {
            node["groups"] = new JsonArray([.. own.Select(group => new JsonObject { ["value"] = group.Group, ["$ref"] = $"{at}/Groups/{group.Group}", ["display"] = group.Display, ["type"] = "direct" })]);
        }

        node["meta"] = Meta("User", user.CreatedAt, user.ChangedAt, $"{at}/Users/{user.Id}", user.Version);
        return node;
    }

    /// <param name="group">The group.</param>
    /// <param name="members">Who is in it; null when nobody wants them.</param>
    /// <param name="at">Address of the service, without a slash at its end.</param>
    public static JsonObject Group(DirectoryGroup group, IEnumerable<DirectoryMember>? members, string at)
    {
        var node = new JsonObject { ["schemas"] = new JsonArray(ScimSchemas.Group.Id), ["id"] = group.Id };
        if (group.ExternalId is not null)
        {
            node["externalId"] = group.ExternalId;
        }

        node["displayName"] = group.DisplayName;
        if (members?.ToList() is { } all)
        {
            node["members"] = new JsonArray([.. all.Select(member => new JsonObject
            {
                ["value"] = member.Id,
                ["$ref"] = $"{at}/{(member.IsGroup ? "Groups" : "Users")}/{member.Id}",
                ["display"] = member.Display,
                ["type"] = member.IsGroup ? "Group" : "User",
            })]);
        }

        node["meta"] = Meta("Group", group.CreatedAt, group.ChangedAt, $"{at}/Groups/{group.Id}", group.Version);
        return node;
    }

    private static JsonObject Meta(string type, DateTimeOffset created, DateTimeOffset changed, string location, long version) => new()
    {
        ["resourceType"] = type,
        ["created"] = Time(created),
        ["lastModified"] = Time(changed),
        ["location"] = location,
        ["version"] = ETag(version),
    };
}

/// <summary>What of a user is looked up by, and what policies see.</summary>
internal static class ScimKeys
{
    /// <summary>Most characters of all addresses together: an index holds them.</summary>
    private const int MostMail = 600;

    /// <summary>What conditions see of a person, by the name that they see it by.</summary>
    private static readonly string[] Own = ["title", "userType"], Extended = ["department", "division", "organization", "costCenter", "employeeNumber"];

    public static DirectoryKeys Of(JsonObject body)
    {
        var name = body["name"] as JsonObject;
        var extension = body[ScimSchemas.Enterprise.Id] as JsonObject;
        var mails = (body["emails"] as JsonArray)?.OfType<JsonObject>().Where(mail => mail["value"] is not null).ToList() ?? [];
        var keys = mails.Count == 0 ? null : $"\n{string.Join('\n', mails.Select(mail => Key(mail["value"])))}\n";
        if (keys is { Length: > MostMail } || mails.Exists(mail => Text(mail["value"])!.Contains('\n', StringComparison.Ordinal)))
        {
            throw ScimProblem.InvalidValue($"'emails' hold more than {MostMail} characters, or a new line.");
        }

        var attributes = new JsonObject();
        foreach (var (from, names) in new[] { (body, Own), (extension, Extended) })
        {
            foreach (var one in names)
            {
                if (Text(from?[one]) is { Length: > 0 } value)
                {
                    attributes[one] = value;
                }
            }
        }

        return new DirectoryKeys(
            Text(body["userName"])!,
            Text(body["externalId"]),
            ScimValues.Truth(body["active"]) ?? true,
            Key(body["displayName"]),
            Key(name?["givenName"]),
            Key(name?["familyName"]),
            keys,
            Key(body["title"]),
            Key(extension?["department"]),
            Key(extension?["employeeNumber"]),
            Key(body["userType"]),
            Text(extension?["manager"]?["value"]),
            Text(body["displayName"]) ?? Text(name?["formatted"]) ?? string.Join(' ', new[] { Text(name?["givenName"]), Text(name?["familyName"]) }.OfType<string>()),
            Text((mails.Find(mail => ScimValues.Truth(mail["primary"]) == true) ?? mails.FirstOrDefault())?["value"]),
            attributes.ToJsonString(),
            [.. ScimKept.Of(body)]);
    }

    private static string? Text(JsonNode? node) => node?.GetValue<string>();

    private static string? Key(JsonNode? node) => Text(node)?.ToLowerInvariant();
}
