using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace Stint.Server.Api;

/// <summary>The description of the API, made from the endpoints themselves.</summary>
internal static class OpenApiDocument
{
    public static IServiceCollection AddStintOpenApi(this IServiceCollection services) => services.AddOpenApi("v1", options =>
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info = new OpenApiInfo
            {
                Title = "Stint",
                Version = "v1",
                Description = "Access to a system for a stint: asked for, decided, opened, used, recorded, closed, proved. "
                    + "JSON in snake_case; times in RFC 3339, UTC; durations in whole seconds. Errors are problem details (RFC 9457).",
            };
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
            document.Components.SecuritySchemes["token"] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                Description = "A person's token, `stp_` and 43 characters. The catalog keeps its SHA-256 alone. Or that of a command line that somebody let in from a browser, `stint_u_` and 43 characters. Below `/access/v1`, or an application's token.",
            };
            foreach (var (name, field) in (document.Components.Schemas ?? new Dictionary<string, IOpenApiSchema>()).Values.SelectMany(schema => schema.Properties ?? new Dictionary<string, IOpenApiSchema>()))
            {
                field.Description ??= OpenApiWords.Field(name);
            }

            return Task.CompletedTask;
        });
        options.AddOperationTransformer(OpenApiOperations.Complete);
    });
}
