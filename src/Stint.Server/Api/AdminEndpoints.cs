using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stint.Connectors;
using Stint.Core.Catalog;
using Stint.Server.Grants;
using Stint.Server.Hosting;
using Stint.Server.Identity;
using Stint.Server.Store.Sealing;

namespace Stint.Server.Api;

/// <summary>Where to write a backup.</summary>
internal sealed record BackupBody
{
    /// <summary>Absolute path of a file on the server's machine that does not exist yet.</summary>
    public required string Path { get; init; }
}

internal sealed record BackupShape(string Path, long Rows, long Files, long LogSize, string LogRoot);

/// <summary>A secret for the catalog.</summary>
internal sealed record SealBody
{
    public required string Secret { get; init; }
}

/// <param name="Sealed">What to write in the catalog: <c>password: { sealed: … }</c>.</param>
internal sealed record SealShape(string Sealed);

internal sealed record DriftItemShape(string Resource, string Account, string? Assignment, string What, bool Repaired);

internal sealed record DriftFailedShape(string Resource, string Why);

/// <summary>Differences between targets and open grants.</summary>
internal sealed record DriftShape(IReadOnlyList<DriftItemShape> Items, IReadOnlyList<DriftFailedShape> Failed);

/// <summary>What admins do with the installation itself.</summary>
internal static class AdminEndpoints
{
    private const int LongestSecret = 16 << 10;

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapPost("/admin/backup", async (Caller caller, SaveBackup save, [FromBody] BackupBody body, CancellationToken cancellation) =>
                (await save.SaveAsync(caller.Id, body.Path, cancellation)).Answer(
                    report => new BackupShape(body.Path, report.Rows, report.Files, report.LogSize, report.LogRoot), ApiJson.Default.BackupShape, status: 201))
            .Describe("backup", "Save the installation", "Writes a consistent archive of the store, its log and the recordings to a new file on the server's machine. The master key is not in it.", typeof(BackupShape), 201, 403, 409, 422);
        api.MapGet("/admin/drift", async (Caller caller, ScanDrift scan, CancellationToken cancellation) =>
            {
                if (!caller.IsAdmin)
                {
                    return Forbidden();
                }

                var report = await scan.ScanAsync(repair: false, cancellation);
                return Results.Json(
                    new DriftShape(
                        [.. report.Items.Select(item => new DriftItemShape(item.Resource, item.Account, item.Assignment?.Value, item.What, item.Repaired))],
                        [.. report.Failed.Select(failed => new DriftFailedShape(failed.Resource, failed.Why))]),
                    ApiJson.Default.DriftShape);
            })
            .Describe("drift", "Hold targets against open grants", "Accounts that stand and should not, and the reverse. Changes nothing.", typeof(DriftShape), 200, 403);
        api.MapPost("/admin/secrets/seal", (Caller caller, Sealer sealer, [FromBody] SealBody body) =>
                !caller.IsAdmin ? Forbidden()
                : body.Secret.Length is 0 or > LongestSecret ? Answers.Invalid([new FieldProblem("secret", $"must have 1 to {LongestSecret} characters")])
                : Results.Json(new SealShape(sealer.Seal(body.Secret, CatalogSecrets.Purpose)), ApiJson.Default.SealShape))
            .Describe("seal", "Seal a secret for the catalog", "Under the server's master key; what comes back may stand in the catalog's repository.", typeof(SealShape), 200, 403, 422);
        api.MapGet("/catalog/schema", () => Results.Text(
                CatalogSchema.Json(ConnectorList.All.Shapes.ToDictionary(shape => shape.Kind, StringComparer.Ordinal)), "application/schema+json; charset=utf-8"))
            .Describe("catalogSchema", "The JSON schema of a catalog", "For editors: what a catalog's file may hold.", null)
            .Produces(200, contentType: "application/schema+json");
    }

    private static IResult Forbidden() => Answers.Problem(ProblemKind.NotYours.Say("Only admins do this."));
}
