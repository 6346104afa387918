using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stint.Server.Identity;

namespace Stint.Server.Api;

/// <summary>Whose token it is.</summary>
internal static class WhoAmIEndpoints
{
    public static void Map(IEndpointRouteBuilder api) =>
        api.MapGet("/whoami", (Caller caller, CliLogins logins) => Results.Json(
                new WhoAmI(
                    caller.Id.Value,
                    caller.Subject.Name,
                    [.. caller.Catalog.Groups.Where(group => group.Value.Contains(caller.Id)).Select(group => group.Key).Order(StringComparer.Ordinal)],
                    caller.IsAdmin,
                    caller.MayRead)
                {
                    Kind = caller.Subject is Core.Catalog.Workload ? "workload" : "person",
                    Claims = caller.Claims is { Count: > 0 } claims ? new SortedDictionary<string, string>(claims.ToDictionary(StringComparer.Ordinal), StringComparer.Ordinal) : null,
                    Scope = caller.Scope,
                    CommandLine = caller.CommandLine is { } login ? CommandLineEndpoints.Of(logins, caller, login) : null,
                },
                ApiJson.Default.WhoAmI))
            .WithMetadata(ByCode.Instance, ForWorkloads.Instance)
            .Describe("whoami", "Whose token this is", "The person or the workload, their groups, and whether they may do more than ask; of a workload also what its token said, and of a command line since when and until when it is logged in.", typeof(WhoAmI));
}
