using System.Globalization;
using System.Text.Json.Nodes;

namespace Stint.Server.Identity.Scim;

/// <summary>Many changes in one call (RFC 7644, section 3.7), in their order, each a transaction of its own.</summary>
internal sealed class ScimBulk(ScimUsers users, ScimGroups groups)
{
    public const string RequestSchema = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

    public const string ResponseSchema = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";

    /// <summary>Most operations of one call.</summary>
    public const int MostOperations = 1_000;

    /// <summary>Largest body of any call, in bytes.</summary>
    public const int MostBytes = 8 << 20;

    private const string Reference = "bulkId:";

    /// <param name="body">The call.</param>
    /// <param name="at">Address of the service.</param>
    /// <param name="cancellation">The caller left: what was not begun is not.</param>
    public async Task<JsonObject> RunAsync(JsonObject body, string at, CancellationToken cancellation)
    {
        if (Named(body, "schemas") is not JsonArray schemas || !schemas.Any(one => one?.ToString().Equals(RequestSchema, StringComparison.OrdinalIgnoreCase) == true))
        {
            throw ScimProblem.InvalidSyntax($"'schemas' has to name {RequestSchema}.");
        }

        if (Named(body, "Operations") is not JsonArray { Count: > 0 } operations)
        {
            throw ScimProblem.InvalidSyntax("'Operations' is a list.");
        }

        if (operations.Count > MostOperations)
        {
            throw ScimProblem.Of(413, $"One call takes at most {MostOperations} operations.");
        }

        var most = Named(body, "failOnErrors") is JsonValue limit && limit.TryGetValue(out int errors) && errors > 0 ? errors : int.MaxValue;
        var list = operations.Select(one => one as JsonObject ?? throw ScimProblem.InvalidSyntax("An operation is an object.")).ToList();
        var ids = new Dictionary<string, string>(StringComparer.Ordinal);
        var failed = 0;
        var answers = new List<JsonObject>();
        foreach (var operation in Ordered(list))
        {
            if (failed >= most)
            {
                break;
            }

            cancellation.ThrowIfCancellationRequested();
            var answer = await OneAsync(operation, ids, at, cancellation);
            failed += answer["response"] is null ? 0 : 1;
            answers.Add(answer);
        }

        return new JsonObject { ["schemas"] = new JsonArray(ResponseSchema), ["Operations"] = new JsonArray([.. answers]) };
    }

    /// <summary>Those that others refer to come before these; otherwise as they were sent.</summary>
    private static List<JsonObject> Ordered(List<JsonObject> operations)
    {
        var byId = operations.Where(one => Text(one, "bulkId") is not null).GroupBy(one => Text(one, "bulkId")!, StringComparer.Ordinal).ToDictionary(group => group.Key, group => group.First(), StringComparer.Ordinal);
        var done = new HashSet<JsonObject>();
        var ordered = new List<JsonObject>();
        foreach (var first in operations)
        {
            // No recursion: a chain may be as long as the call. A circle is left as it came, and its reference fails.
            var open = new Stack<(JsonObject One, bool Entered)>([(first, false)]);
            while (open.TryPop(out var at))
            {
                if (at.Entered)
                {
                    ordered.Add(at.One);
                }
                else if (done.Add(at.One))
                {
                    open.Push((at.One, true));
                    foreach (var needed in References(at.One).Select(id => byId.GetValueOrDefault(id)).OfType<JsonObject>().Where(needed => !done.Contains(needed)))
                    {
                        open.Push((needed, false));
                    }
                }
            }
        }

        return ordered;
    }

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject complex => complex.SelectMany(pair => References(pair.Value)),
        JsonArray array => array.SelectMany(References),
        JsonValue value when value.TryGetValue(out string? text) => Found(text),
        _ => [],
    };

    private static IEnumerable<string> Found(string text)
    {
        if (text.StartsWith(Reference, StringComparison.Ordinal))
        {
            yield return text[Reference.Length..];
        }
        else if (text.StartsWith("/Users/" + Reference, StringComparison.Ordinal) || text.StartsWith("/Groups/" + Reference, StringComparison.Ordinal))
        {
            yield return text[(text.IndexOf(Reference, StringComparison.Ordinal) + Reference.Length)..];
        }
    }

    private async Task<JsonObject> OneAsync(JsonObject operation, Dictionary<string, string> ids, string at, CancellationToken cancellation)
    {
        var (method, bulkId) = (Text(operation, "method")?.ToUpperInvariant() ?? "", Text(operation, "bulkId"));
        var answer = new JsonObject { ["method"] = method };
        if (bulkId is not null)
        {
            answer["bulkId"] = bulkId;
        }

        try
        {
            var path = Resolve(Text(operation, "path") ?? "", ids).Split('/', StringSplitOptions.RemoveEmptyEntries);
            var isUser = path is [var endpoint, ..] && endpoint.Equals("Users", StringComparison.OrdinalIgnoreCase);
            if (!isUser && !(path is [var other, ..] && other.Equals("Groups", StringComparison.OrdinalIgnoreCase)))
            {
                throw ScimProblem.Of(404, $"There is nothing at '{Text(operation, "path")}'.");
            }

            if (method == "POST" && bulkId is null)
            {
                throw ScimProblem.InvalidSyntax("A POST has a 'bulkId'.");
            }

            var id = path.Length > 1 ? path[1] : null;
            if (id is not null)
            {
                answer["location"] = $"{at}/{(isUser ? "Users" : "Groups")}/{id}";
            }

            var data = Named(operation, "data") is JsonObject given ? (JsonObject)Resolved(given, ids)! : null;
            var (status, madeId, version) = await DoAsync(method, isUser, path.Length, id, data, Text(operation, "version"), cancellation);
            if (bulkId is not null && madeId is not null)
            {
                ids[bulkId] = madeId;
            }

            if (madeId is not null)
            {
                answer["location"] = $"{at}/{(isUser ? "Users" : "Groups")}/{madeId}";
            }

            if (version is { } known)
            {
                answer["version"] = ScimWriter.ETag(known);
            }

            answer["status"] = status.ToString(CultureInfo.InvariantCulture);
        }
        catch (ScimProblem problem)
        {
            answer["status"] = problem.Status.ToString(CultureInfo.InvariantCulture);
            answer["response"] = problem.ToNode();
        }

        return answer;
    }

    private async Task<(int Status, string? Id, long? Version)> DoAsync(string method, bool isUser, int parts, string? id, JsonObject? data, string? version, CancellationToken cancellation)
    {
        switch (method)
        {
            case "POST" when parts == 1 && data is not null:
                if (isUser)
                {
                    var user = await users.CreateAsync(data, cancellation);
                    return (201, user.Id, user.Version);
                }

                var group = await groups.CreateAsync(data, cancellation);
                return (201, group.Id, group.Version);
            case "PUT" when parts == 2 && data is not null:
                return (200, id, isUser ? (await users.ReplaceAsync(id!, data, version, cancellation)).Version : (await groups.ReplaceAsync(id!, data, version, cancellation)).Version);
            case "PATCH" when parts == 2 && data is not null:
                return (200, id, isUser ? (await users.PatchAsync(id!, data, version, cancellation)).Version : (await groups.PatchAsync(id!, data, version, cancellation)).Version);
            case "DELETE" when parts == 2:
                await (isUser ? users.DeleteAsync(id!, version, cancellation) : groups.DeleteAsync(id!, version, cancellation));
                return (204, null, null);
            default:
                throw ScimProblem.InvalidSyntax("An operation is a POST to an endpoint, or a PUT, PATCH or DELETE of a resource; all but the last with 'data'.");
        }
    }

    private static JsonNode? Resolved(JsonNode? node, Dictionary<string, string> ids) => node switch
    {
        JsonObject complex => new JsonObject(complex.Select(pair => KeyValuePair.Create(pair.Key, Resolved(pair.Value, ids)))),
        JsonArray array => new JsonArray([.. array.Select(item => Resolved(item, ids))]),
        JsonValue value when value.TryGetValue(out string? text) && text.StartsWith(Reference, StringComparison.Ordinal) => Resolve(text, ids),
        _ => node?.DeepClone(),
    };

    private static string Resolve(string text, Dictionary<string, string> ids)
    {
        var at = text.IndexOf(Reference, StringComparison.Ordinal);
        return at < 0 ? text
            : ids.TryGetValue(text[(at + Reference.Length)..], out var id) ? text[..at] + id
            : throw ScimProblem.InvalidValue($"Nothing was made under the reference '{text[at..]}'.");
    }

    private static JsonNode? Named(JsonObject body, string name) => body.FirstOrDefault(pair => pair.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;

    private static string? Text(JsonObject body, string name) => Named(body, name) is JsonValue value && value.TryGetValue(out string? text) ? text : null;
}
