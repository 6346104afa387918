using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Stint.Server.Hosting;
using Stint.Server.Store;

namespace Stint.Server.Identity.Scim;

/// <summary>What the company's directory speaks with: SCIM 2.0 (RFC 7643 and 7644). Only its own token opens it.</summary>
internal static class ScimEndpoints
{
    public const string Path = "/scim/v2";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var scim = routes.MapGroup(Path).WithMetadata(Closed.Instance).ExcludeFromDescription();
        MapUsers(scim);
        MapGroups(scim);
        On(scim, "GET", "/ServiceProviderConfig", call => call.TellAsync(ScimDiscovery.Config(call.At)));
        On(scim, "GET", "/Schemas", call => call.ListAsync(ScimSchemas.All.Select(schema => schema.ToNode(call.At))));
        On(scim, "GET", "/Schemas/{id}", call => call.TellAsync(ScimSchemas.All.FirstOrDefault(schema => schema.Id.Equals(call.Id, StringComparison.OrdinalIgnoreCase))?.ToNode(call.At) ?? throw ScimProblem.NotFound($"Schema {call.Id}")));
        On(scim, "GET", "/ResourceTypes", call => call.ListAsync(ScimKind.All.Select(kind => kind.ToNode(call.At))));
        On(scim, "GET", "/ResourceTypes/{id}", call => call.TellAsync(ScimKind.All.FirstOrDefault(kind => kind.Name.Equals(call.Id, StringComparison.OrdinalIgnoreCase))?.ToNode(call.At) ?? throw ScimProblem.NotFound($"ResourceType {call.Id}")));
        On(scim, "GET", "/", async call => await call.TellAsync(await call.Get<ScimQuery>().ListAsync(ScimKind.All, call.Search, call.At, call.Cancellation)));
        On(scim, "POST", "/.search", async call => await call.TellAsync(await call.Get<ScimQuery>().ListAsync(ScimKind.All, await call.SearchBodyAsync(), call.At, call.Cancellation)));
        On(scim, "POST", "/Bulk", async call => await call.TellAsync(await call.Get<ScimBulk>().RunAsync(await call.BodyAsync(), call.At, call.Cancellation)));
        scim.Map("/Me", context => HandleAsync(context, _ => throw ScimProblem.Of(501, "The directory's program is nobody who could ask for themselves.")));
        scim.Map("/{**rest}", context => HandleAsync(context, _ => throw ScimProblem.Of(IsKnown(context) ? 405 : 404, IsKnown(context) ? "This cannot be done here." : "There is nothing at this address.")));
    }

    private static void MapUsers(RouteGroupBuilder scim)
    {
        On(scim, "GET", "/Users", async call => await call.TellAsync(await call.Get<ScimQuery>().ListAsync([ScimKind.User], call.Search, call.At, call.Cancellation)));
        On(scim, "POST", "/Users/.search", async call => await call.TellAsync(await call.Get<ScimQuery>().ListAsync([ScimKind.User], await call.SearchBodyAsync(), call.At, call.Cancellation)));
        On(scim, "POST", "/Users", async call => await UserAsync(call, (await call.Get<ScimUsers>().CreateAsync(await call.BodyAsync(), call.Cancellation)).Id, 201));
        On(scim, "GET", "/Users/{id}", call => UserAsync(call, call.Id, 200));
        On(scim, "PUT", "/Users/{id}", async call => await UserAsync(call, (await call.Get<ScimUsers>().ReplaceAsync(call.Id, await call.BodyAsync(), call.IfMatch, call.Cancellation)).Id, 200));
        On(scim, "PATCH", "/Users/{id}", async call => await UserAsync(call, (await call.Get<ScimUsers>().PatchAsync(call.Id, await call.BodyAsync(), call.IfMatch, call.Cancellation)).Id, 200));
        On(scim, "DELETE", "/Users/{id}", async call =>
        {
            await call.Get<ScimUsers>().DeleteAsync(call.Id, call.IfMatch, call.Cancellation);
            call.Context.Response.StatusCode = 204;
        });
    }

    private static void MapGroups(RouteGroupBuilder scim)
    {
        On(scim, "GET", "/Groups", async call => await call.TellAsync(await call.Get<ScimQuery>().ListAsync([ScimKind.Group], call.Search, call.At, call.Cancellation)));
        On(scim, "POST", "/Groups/.search", async call => await call.TellAsync(await call.Get<ScimQuery>().ListAsync([ScimKind.Group], await call.SearchBodyAsync(), call.At, call.Cancellation)));
        On(scim, "POST", "/Groups", async call => await GroupAsync(call, (await call.Get<ScimGroups>().CreateAsync(await call.BodyAsync(), call.Cancellation)).Id, 201));
        On(scim, "GET", "/Groups/{id}", call => GroupAsync(call, call.Id, 200));
        On(scim, "PUT", "/Groups/{id}", async call => await GroupAsync(call, (await call.Get<ScimGroups>().ReplaceAsync(call.Id, await call.BodyAsync(), call.IfMatch, call.Cancellation)).Id, 200));
        On(scim, "PATCH", "/Groups/{id}", async call =>
        {
            var group = await call.Get<ScimGroups>().PatchAsync(call.Id, await call.BodyAsync(), call.IfMatch, call.Cancellation);

            // NB. A group of fifty thousand is not told whole for one who came in; who wants it asks for attributes.
            if (call.Choice.Only.Count + call.Choice.Without.Count > 0)
            {
                await GroupAsync(call, group.Id, 200);
            }
            else
            {
                call.Context.Response.Headers.ETag = ScimWriter.ETag(group.Version);
                call.Context.Response.StatusCode = 204;
            }
        });
        On(scim, "DELETE", "/Groups/{id}", async call =>
        {
            await call.Get<ScimGroups>().DeleteAsync(call.Id, call.IfMatch, call.Cancellation);
            call.Context.Response.StatusCode = 204;
        });
    }

    private static async Task UserAsync(ScimCall call, string id, int status)
    {
        var (node, version) = await call.Get<ScimQuery>().UserAsync(id, call.At, call.Cancellation);
        await call.TellAsync(ScimKind.User, node, version, status);
    }

    private static async Task GroupAsync(ScimCall call, string id, int status)
    {
        var (node, version) = await call.Get<ScimQuery>().GroupAsync(id, call.At, call.Choice.Wants("members"), call.Cancellation);
        await call.TellAsync(ScimKind.Group, node, version, status);
    }

    private static void On(RouteGroupBuilder scim, string method, string path, Func<ScimCall, Task> act) => scim.MapMethods(path, [method], context => HandleAsync(context, act));

    private static bool IsKnown(HttpContext context) => context.Request.Path.StartsWithSegments(Path, out var rest)
        && rest.Value?.Split('/', StringSplitOptions.RemoveEmptyEntries) is [var first, ..] and { Length: <= 2 } && first is "Users" or "Groups" or "Schemas" or "ResourceTypes" or "ServiceProviderConfig" or "Bulk" or ".search";

    private static async Task HandleAsync(HttpContext context, Func<ScimCall, Task> act)
    {
        try
        {
            if (context.RequestServices.GetRequiredService<ScimDoor>().Wait(context) is { } wait)
            {
                context.Response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(System.Globalization.CultureInfo.InvariantCulture);
                throw ScimProblem.Of(429, "Too many calls.");
            }

            await act(new ScimCall(context));
        }
        catch (ScimProblem problem)
        {
            await ScimCall.WriteAsync(context, problem.Status, problem.ToNode());
        }
        catch (StoreConflictException)
        {
            // Somebody else was first between the look and the commit.
            await ScimCall.WriteAsync(context, 409, ScimProblem.Uniqueness("Another of this name is there.").ToNode());
        }
        catch (StoreUnavailableException e)
        {
            context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Stint.Server.Identity").StoreUnusable(e, context.TraceIdentifier);
            await ScimCall.WriteAsync(context, 503, ScimProblem.Of(503, "The store cannot be used right now; try again.").ToNode());
        }
    }
}

/// <summary>One call.</summary>
internal sealed class ScimCall(HttpContext context)
{
    private static readonly JsonDocumentOptions Reading = new() { MaxDepth = 32 };

    public HttpContext Context => context;

    public CancellationToken Cancellation => context.RequestAborted;

    public string Id => (string)context.Request.RouteValues["id"]!;

    public string? IfMatch => context.Request.Headers.IfMatch is { Count: > 0 } header ? header.ToString() : null;

    public ScimSearch Search => ScimSearch.Read(Parameter);

    public ScimChoice Choice => ScimSearch.ReadChoice(Parameter);

    /// <summary>Address of the service, without a slash at its end.</summary>
    public string At => (Get<ServerOptions>().Web.PublicUrl?.ToString().TrimEnd('/') ?? $"{context.Request.Scheme}://{context.Request.Host}") + ScimEndpoints.Path;

    public T Get<T>()
        where T : notnull => context.RequestServices.GetRequiredService<T>();

    /// <summary>The body.</summary>
    /// <exception cref="ScimProblem">It is no JSON object, or too large.</exception>
    public async Task<JsonObject> BodyAsync()
    {
        if (context.Request.ContentType is { } type && !type.StartsWith("application/scim+json", StringComparison.OrdinalIgnoreCase) && !type.StartsWith("application/json", StringComparison.OrdinalIgnoreCase))
        {
            throw ScimProblem.Of(415, "Bodies are application/scim+json.");
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } bound)
        {
            bound.MaxRequestBodySize = ScimBulk.MostBytes;
        }

        try
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            return JsonNode.Parse(body.GetBuffer().AsSpan(0, (int)body.Length), documentOptions: Reading) as JsonObject ?? throw ScimProblem.InvalidSyntax("The body is a JSON object.");
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw ScimProblem.InvalidSyntax("The body is no JSON.");
        }
        catch (BadHttpRequestException e)
        {
            throw ScimProblem.Of(e.StatusCode, e.StatusCode == 413 ? $"A body has at most {ScimBulk.MostBytes} bytes." : "The body cannot be read.");
        }
    }

    /// <summary>What a search in a body looks for.</summary>
    public async Task<ScimSearch> SearchBodyAsync()
    {
        var body = await BodyAsync();
        JsonNode? Named(string name) => body.FirstOrDefault(pair => pair.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;
        if (Named("schemas") is not JsonArray schemas || !schemas.Any(one => one?.ToString().Equals(ScimSearch.Schema, StringComparison.OrdinalIgnoreCase) == true))
        {
            throw ScimProblem.InvalidSyntax($"'schemas' has to name {ScimSearch.Schema}.");
        }

        return ScimSearch.Read(name => Named(name) switch
        {
            null => null,
            JsonArray list => string.Join(',', list.Select(one => one?.ToString())),
            JsonValue value => value.ToString(),
            _ => throw ScimProblem.InvalidSyntax($"'{name}' is no object."),
        });
    }

    public Task TellAsync(JsonObject node) => WriteAsync(context, 200, node);

    /// <summary>Answers with one resource, or says that it is as the caller knows it.</summary>
    public Task TellAsync(ScimKind kind, JsonObject node, long version, int status)
    {
        context.Response.Headers.ETag = ScimWriter.ETag(version);
        if (HttpMethods.IsGet(context.Request.Method) && context.Request.Headers.IfNoneMatch is { Count: > 0 } known && ScimMatch.Matches(known.ToString(), version))
        {
            context.Response.StatusCode = 304;
            return Task.CompletedTask;
        }

        var location = (string)node["meta"]!["location"]!;
        if (status == 201)
        {
            context.Response.Headers.Location = location;
        }

        context.Response.Headers.ContentLocation = location;
        return WriteAsync(context, status, Choice.Of(kind, node));
    }

    /// <summary>Answers with all of what describes the service; nothing chooses from it (RFC 7644, section 4).</summary>
    public Task ListAsync(IEnumerable<JsonObject> all)
    {
        if (Parameter("filter") is not null)
        {
            throw ScimProblem.Of(403, "What describes the service is told whole.");
        }

        var list = new JsonArray([.. all]);
        return TellAsync(new JsonObject { ["schemas"] = new JsonArray(ScimQuery.ListSchema), ["totalResults"] = list.Count, ["itemsPerPage"] = list.Count, ["startIndex"] = 1, ["Resources"] = list });
    }

    public static Task WriteAsync(HttpContext context, int status, JsonObject node)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/scim+json; charset=utf-8";
        return context.Response.WriteAsync(node.ToJsonString(), Encoding.UTF8, context.RequestAborted);
    }

    private string? Parameter(string name) => context.Request.Query.TryGetValue(name, out var values) ? values.Count == 1 ? values[0] : string.Join(',', values.AsEnumerable()) : null;
}

/// <summary>What the service says of itself (RFC 7643, section 5).</summary>
internal static class ScimDiscovery
{
    public static JsonObject Config(string at) => new()
    {
        ["schemas"] = new JsonArray("urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"),
        ["patch"] = new JsonObject { ["supported"] = true },
        ["bulk"] = new JsonObject { ["supported"] = true, ["maxOperations"] = ScimBulk.MostOperations, ["maxPayloadSize"] = ScimBulk.MostBytes },
        ["filter"] = new JsonObject { ["supported"] = true, ["maxResults"] = ScimSearch.Most },
        ["changePassword"] = new JsonObject { ["supported"] = false },
        ["sort"] = new JsonObject { ["supported"] = true },
        ["etag"] = new JsonObject { ["supported"] = true },
        ["authenticationSchemes"] = new JsonArray(new JsonObject
        {
            ["type"] = "oauthbearertoken",
            ["name"] = "Bearer token",
            ["description"] = "The token that the server is configured with, as Authorization: Bearer TOKEN",
            ["specUri"] = "https://www.rfc-editor.org/rfc/rfc6750",
            ["primary"] = true,
        }),
        ["meta"] = new JsonObject { ["resourceType"] = "ServiceProviderConfig", ["location"] = $"{at}/ServiceProviderConfig" },
    };
}
