using System.Collections.Frozen;
using System.Text.Json.Nodes;

namespace Stint.Server.Identity.Scim;

/// <summary>Types of attributes (RFC 7643, section 2.3).</summary>
internal enum ScimType
{
    String = 1,
    Boolean = 2,
    DateTime = 3,
    Reference = 4,
    Binary = 5,
    Complex = 6,
}

/// <summary>One attribute (RFC 7643, section 7).</summary>
/// <param name="Name">As it is written; compared without regard to capitals.</param>
/// <param name="Type">Its type.</param>
internal sealed record ScimAttribute(string Name, ScimType Type)
{
    public string Description { get; init; } = "";

    public bool Multi { get; init; }

    public bool Required { get; init; }

    public bool CaseExact { get; init; }

    /// <summary><c>readWrite</c>, <c>readOnly</c>, <c>immutable</c> or <c>writeOnly</c>.</summary>
    public string Mutability { get; init; } = "readWrite";

    /// <summary><c>default</c>, <c>always</c> or <c>never</c>.</summary>
    public string Returned { get; init; } = "default";

    /// <summary><c>none</c> or <c>server</c>.</summary>
    public string Uniqueness { get; init; } = "none";

    public IReadOnlyList<ScimAttribute> Sub { get; init; } = [];

    public IReadOnlyList<string> Canonical { get; init; } = [];

    public IReadOnlyList<string> Refers { get; init; } = [];

    public bool IsReadOnly => Mutability == "readOnly";

    /// <summary>A part of it; null when it has none of that name.</summary>
    public ScimAttribute? Part(string name) => Sub.FirstOrDefault(part => part.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    public JsonObject ToNode()
    {
        var node = new JsonObject
        {
            ["name"] = Name,
            ["type"] = Type switch
            {
                ScimType.String => "string",
                ScimType.Boolean => "boolean",
                ScimType.DateTime => "dateTime",
                ScimType.Reference => "reference",
                ScimType.Binary => "binary",
                ScimType.Complex => "complex",
                _ => throw new InvalidOperationException($"{Type} is not a type."),
            },
            ["multiValued"] = Multi,
            ["description"] = Description,
            ["required"] = Required,
        };
        if (Type == ScimType.Complex)
        {
            node["subAttributes"] = new JsonArray([.. Sub.Select(part => part.ToNode())]);
        }
        else
        {
            node["caseExact"] = CaseExact;
            node["uniqueness"] = Uniqueness;
        }

        if (Canonical.Count > 0)
        {
            node["canonicalValues"] = new JsonArray([.. Canonical.Select(value => (JsonNode?)value)]);
        }

        if (Refers.Count > 0)
        {
            node["referenceTypes"] = new JsonArray([.. Refers.Select(value => (JsonNode?)value)]);
        }

        node["mutability"] = Mutability;
        node["returned"] = Returned;
        return node;
    }
}

/// <summary>A schema: the core of a type of resource, or an extension of one.</summary>
internal sealed record ScimSchema(string Id, string Name, string Description, IReadOnlyList<ScimAttribute> Attributes)
{
    public ScimAttribute? Find(string name) => Attributes.FirstOrDefault(attribute => attribute.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    public JsonObject ToNode(string at) => new()
    {
        ["schemas"] = new JsonArray("urn:ietf:params:scim:schemas:core:2.0:Schema"),
        ["id"] = Id,
        ["name"] = Name,
        ["description"] = Description,
        ["attributes"] = new JsonArray([.. Attributes.Where(attribute => !ScimKind.IsCommon(attribute.Name)).Select(attribute => attribute.ToNode())]),
        ["meta"] = new JsonObject { ["resourceType"] = "Schema", ["location"] = $"{at}/Schemas/{Id}" },
    };
}

/// <summary>A type of resource.</summary>
internal sealed class ScimKind
{
    private static readonly FrozenSet<string> Common = new[] { "schemas", "id", "externalId", "meta" }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private ScimKind(string name, string endpoint, ScimSchema core, ScimSchema? extension) => (Name, Endpoint, Core, Extension) = (name, endpoint, core, extension);

    public static ScimKind User { get; } = new("User", "Users", ScimSchemas.User, ScimSchemas.Enterprise);

    public static ScimKind Group { get; } = new("Group", "Groups", ScimSchemas.Group, null);

    public static IReadOnlyList<ScimKind> All { get; } = [User, Group];

    public string Name { get; }

    public string Endpoint { get; }

    public ScimSchema Core { get; }

    public ScimSchema? Extension { get; }

    public static bool IsCommon(string attribute) => Common.Contains(attribute);

    public JsonObject ToNode(string at)
    {
        var node = new JsonObject
        {
            ["schemas"] = new JsonArray("urn:ietf:params:scim:schemas:core:2.0:ResourceType"),
            ["id"] = Name,
            ["name"] = Name,
            ["endpoint"] = "/" + Endpoint,
            ["description"] = Core.Description,
            ["schema"] = Core.Id,
        };
        if (Extension is not null)
        {
            node["schemaExtensions"] = new JsonArray(new JsonObject { ["schema"] = Extension.Id, ["required"] = false });
        }

        node["meta"] = new JsonObject { ["resourceType"] = "ResourceType", ["location"] = $"{at}/ResourceTypes/{Name}" };
        return node;
    }
}

/// <summary>The schemas of RFC 7643, sections 3 and 4.</summary>
internal static class ScimSchemas
{
    public static ScimSchema User { get; } = new(
        "urn:ietf:params:scim:schemas:core:2.0:User",
        "User",
        "A person of the directory",
        [
            .. Common(),
            Text("userName", "The name that policies know the person by") with { Required = true, Uniqueness = "server" },
            Complex("name", "Parts of the name", Text("formatted", "The whole name"), Text("familyName", "Family name"), Text("givenName", "Given name"), Text("middleName", "Middle names"), Text("honorificPrefix", "Title before the name"), Text("honorificSuffix", "Title after the name")),
            Text("displayName", "The name as it is shown"),
            Text("nickName", "The name among friends"),
            new ScimAttribute("profileUrl", ScimType.Reference) { Description = "A page about the person", Refers = ["external"], CaseExact = true },
            Text("title", "What the person is"),
            Text("userType", "How the person belongs to the organization"),
            Text("preferredLanguage", "Languages, as in Accept-Language"),
            Text("locale", "For numbers and dates"),
            Text("timezone", "IANA time zone"),
            new ScimAttribute("active", ScimType.Boolean) { Description = "False: the person can do nothing, and what they hold ends" },
            Text("password", "Taken and forgotten: nobody logs in with it here") with { Mutability = "writeOnly", Returned = "never", CaseExact = true },
            Many("emails", "Addresses", Text("value", "The address"), "work", "home", "other"),
            Many("phoneNumbers", "Telephone numbers", Text("value", "The number"), "work", "home", "mobile", "fax", "pager", "other"),
            Many("ims", "Instant messaging addresses", Text("value", "The address")),
            Many("photos", "Pictures", new ScimAttribute("value", ScimType.Reference) { Description = "Where the picture is", Refers = ["external"], CaseExact = true }, "photo", "thumbnail"),
            Complex("addresses", "Postal addresses", Text("formatted", "The whole address"), Text("streetAddress", "Street"), Text("locality", "Town"), Text("region", "Region"), Text("postalCode", "Postal code"), Text("country", "ISO 3166-1 country"), Text("type", "What it is for") with { Canonical = ["work", "home", "other"] }, new ScimAttribute("primary", ScimType.Boolean) { Description = "The preferred one" }) with { Multi = true },
            Complex(
                "groups",
                "The groups that the person is in; changed at the groups",
                Exact("value", "The group's id") with { Mutability = "readOnly" },
                new ScimAttribute("$ref", ScimType.Reference) { Description = "The group", Refers = ["Group"], Mutability = "readOnly", CaseExact = true },
                Text("display", "The group's name") with { Mutability = "readOnly" },
                Text("type", "How") with { Mutability = "readOnly", Canonical = ["direct", "indirect"] }) with { Multi = true, Mutability = "readOnly" },
            Many("entitlements", "What the person may have elsewhere", Text("value", "Which")),
            Many("roles", "What the person is elsewhere", Text("value", "Which")),
            Many("x509Certificates", "Certificates", new ScimAttribute("value", ScimType.Binary) { Description = "DER in base64", CaseExact = true }),
        ]);

    public static ScimSchema Enterprise { get; } = new(
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        "EnterpriseUser",
        "What an organization knows of a person",
        [
            Text("employeeNumber", "Number in the organization"),
            Text("costCenter", "Cost center"),
            Text("organization", "Organization"),
            Text("division", "Division"),
            Text("department", "Department"),
            Complex(
                "manager",
                "Whose yes a step may ask for",
                Exact("value", "The manager's id"),
                new ScimAttribute("$ref", ScimType.Reference) { Description = "The manager", Refers = ["User"], CaseExact = true },
                Text("displayName", "The manager's name") with { Mutability = "readOnly" }),
        ]);

    public static ScimSchema Group { get; } = new(
        "urn:ietf:params:scim:schemas:core:2.0:Group",
        "Group",
        "A group of the directory",
        [
            .. Common(),
            Text("displayName", "The name that the catalog knows the group by") with { Required = true, Uniqueness = "server" },
            Complex(
                "members",
                "Who is in it",
                Exact("value", "The member's id") with { Mutability = "immutable" },
                new ScimAttribute("$ref", ScimType.Reference) { Description = "The member", Refers = ["User", "Group"], Mutability = "immutable", CaseExact = true },
                Text("display", "The member's name") with { Mutability = "readOnly" },
                Text("type", "What the member is") with { Mutability = "immutable", Canonical = ["User", "Group"] }) with { Multi = true },
        ]);

    public static IReadOnlyList<ScimSchema> All { get; } = [User, Enterprise, Group];

    private static IEnumerable<ScimAttribute> Common() =>
    [
        new ScimAttribute("schemas", ScimType.Reference) { Multi = true, Returned = "always", CaseExact = true, Refers = ["uri"] },
        Exact("id", "Given here") with { Mutability = "readOnly", Returned = "always", Uniqueness = "server" },
        Exact("externalId", "Given by the directory"),
        Complex(
            "meta",
            "About the resource",
            Exact("resourceType", "Which type"),
            new ScimAttribute("created", ScimType.DateTime),
            new ScimAttribute("lastModified", ScimType.DateTime),
            new ScimAttribute("location", ScimType.Reference) { CaseExact = true, Refers = ["uri"] },
            Exact("version", "As its ETag")) with { Mutability = "readOnly" },
    ];

    private static ScimAttribute Text(string name, string description) => new(name, ScimType.String) { Description = description };

    private static ScimAttribute Exact(string name, string description) => Text(name, description) with { CaseExact = true };

    private static ScimAttribute Complex(string name, string description, params ScimAttribute[] parts) => new(name, ScimType.Complex) { Description = description, Sub = parts };

    private static ScimAttribute Many(string name, string description, ScimAttribute value, params string[] types) => Complex(
        name,
        description,
        value,
        Text("display", "As it is shown"),
        Text("type", "What it is for") with { Canonical = types },
        new ScimAttribute("primary", ScimType.Boolean) { Description = "The preferred one" }) with
    { Multi = true };
}
