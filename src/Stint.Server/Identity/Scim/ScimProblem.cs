using System.Text.Json.Nodes;

namespace Stint.Server.Identity.Scim;

/// <summary>What a call is answered with when it cannot be done (RFC 7644, section 3.12).</summary>
internal sealed class ScimProblem : Exception
{
    public const string Schema = "urn:ietf:params:scim:api:messages:2.0:Error";

    private ScimProblem(int status, string? type, string detail)
        : base(detail) => (Status, Type) = (status, type);

    public int Status { get; }

    /// <summary>The detail error keyword; null where the RFC has none.</summary>
    public string? Type { get; }

    public static ScimProblem InvalidFilter(string detail) => new(400, "invalidFilter", detail);

    public static ScimProblem InvalidSyntax(string detail) => new(400, "invalidSyntax", detail);

    public static ScimProblem InvalidPath(string detail) => new(400, "invalidPath", detail);

    public static ScimProblem InvalidValue(string detail) => new(400, "invalidValue", detail);

    public static ScimProblem NoTarget(string detail) => new(400, "noTarget", detail);

    public static ScimProblem Mutability(string detail) => new(400, "mutability", detail);

    public static ScimProblem TooMany(string detail) => new(400, "tooMany", detail);

    public static ScimProblem Uniqueness(string detail) => new(409, "uniqueness", detail);

    public static ScimProblem Of(int status, string detail) => new(status, null, detail);

    public static ScimProblem NotFound(string what) => new(404, null, $"{what} is not here.");

    public JsonObject ToNode()
    {
        var node = new JsonObject { ["schemas"] = new JsonArray(Schema), ["status"] = Status.ToString(System.Globalization.CultureInfo.InvariantCulture) };
        if (Type is not null)
        {
            node["scimType"] = Type;
        }

        node["detail"] = Message;
        return node;
    }
}
