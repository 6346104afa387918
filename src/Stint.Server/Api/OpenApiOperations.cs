using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Stint.Server.Identity;

namespace Stint.Server.Api;

/// <summary>Adds to each operation what holds for all: who may call, the problems that any call can meet, examples of them.</summary>
internal static class OpenApiOperations
{
    public static Task Complete(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellation)
    {
        var open = context.Description.ActionDescriptor.EndpointMetadata.OfType<Open>().Any();
        operation.Responses ??= [];
        Words(operation);
        if (!open)
        {
            operation.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference("token", context.Document)] = [] }];
            foreach (var kind in (ProblemKind[])[ProblemKind.Unauthenticated, ProblemKind.Unavailable])
            {
                Add(operation, kind.Status);
            }
        }

        else if (context.Description.RelativePath?.StartsWith("api/", StringComparison.Ordinal) == true)
        {
            // An empty requirement says that no token is needed; what the call itself proves stands in its description.
            operation.Security = [new OpenApiSecurityRequirement()];
            Add(operation, ProblemKind.Unavailable.Status);
        }

        Add(operation, ProblemKind.TooMany.Status);
        if (operation.RequestBody is not null)
        {
            foreach (var kind in (ProblemKind[])[ProblemKind.Unreadable, ProblemKind.TooLarge, ProblemKind.UnsupportedMediaType])
            {
                Add(operation, kind.Status);
            }
        }

        foreach (var (status, response) in operation.Responses)
        {
            var kind = ProblemKind.All.FirstOrDefault(kind => kind.Status.ToString(CultureInfo.InvariantCulture) == status);
            if (kind is not null && response is OpenApiResponse written && written.Content?.TryGetValue("application/problem+json", out var media) == true)
            {
                written.Description = kind.Title;
                media.Example = Example(kind);
            }
        }

        return Task.CompletedTask;
    }

    /// <summary>What an answer is that is not made of the documented shapes.</summary>
    private static string? TextOf(string? operation) => operation switch
    {
        "auditHead" => "text/plain",
        "auditExport" or "replayCatalog" => "application/jsonl",
        "auditEvidence" or "getReplay" or "getCatalogChange" => "application/json",
        "catalogSchema" => "application/schema+json",
        _ => null,
    };

    private static void Words(OpenApiOperation operation)
    {
        if (operation.OperationId is "ask" or "mintLogin" or "makeCodes" or "makeToken")
        {
            operation.Parameters ??= [];
            operation.Parameters.Add(new OpenApiParameter { Name = "Idempotency-Key", In = ParameterLocation.Header, Schema = new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = KeyedCall.MostCharacters } });
        }

        foreach (var parameter in operation.Parameters ?? [])
        {
            parameter.Description ??= OpenApiWords.Parameter(operation.OperationId, parameter.Name!);
        }

        if (TextOf(operation.OperationId) is { } type && operation.Responses!.TryGetValue("200", out var response) && response is OpenApiResponse written)
        {
            var schema = type is "text/plain" or "application/jsonl" ? new OpenApiSchema { Type = JsonSchemaType.String } : new OpenApiSchema { Type = JsonSchemaType.Object };
            written.Content = new Dictionary<string, OpenApiMediaType> { [type] = new OpenApiMediaType { Schema = schema } };
        }
    }

    private static void Add(OpenApiOperation operation, int status)
    {
        var key = status.ToString(CultureInfo.InvariantCulture);
        if (!operation.Responses!.ContainsKey(key))
        {
            operation.Responses[key] = new OpenApiResponse
            {
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    ["application/problem+json"] = new OpenApiMediaType { Schema = new OpenApiSchemaReference("ApiProblem") },
                },
            };
        }
    }

    private static JsonNode? Example(ProblemKind kind) => JsonSerializer.SerializeToNode(
        kind == ProblemKind.Invalid ? kind.Say(errors: [new FieldProblem("for_seconds", "must be from 60 to 14400")]) : kind.Say("What happened this time."),
        ApiJson.Default.ApiProblem);
}
