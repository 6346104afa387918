using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stint.Core.Catalog;
using Stint.Server.Identity;

namespace Stint.Server.Api;

/// <summary>A right in Stint itself.</summary>
/// <param name="Right"><c>administrator</c>, <c>auditor</c> or <c>catalog-keeper</c>.</param>
/// <param name="By"><c>catalog</c>: one of its lists; <c>grant</c>: an open one; <c>given</c>: at the setting up.</param>
/// <param name="Grant">The grant; null without one.</param>
/// <param name="Until">When it is over; null for as long as the catalog says so.</param>
internal sealed record RightShape(string Right, string By, string? Grant, DateTimeOffset? Until);

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
                    Rights = RightsOf(caller),
                    Kind = caller.Subject is Core.Catalog.Workload ? "workload" : "person",
                    Claims = caller.Claims is { Count: > 0 } claims ? new SortedDictionary<string, string>(claims.ToDictionary(StringComparer.Ordinal), StringComparer.Ordinal) : null,
                    Scope = caller.Scope,
                    CommandLine = caller.CommandLine is { } login ? CommandLineEndpoints.Of(logins, caller, login) : null,
                },
                ApiJson.Default.WhoAmI))
            .WithMetadata(ByCode.Instance, ForWorkloads.Instance)
            .Describe("whoami", "Whose token this is", "The person or the workload, their groups, and whether they may do more than ask, by what and until when; of a workload also what its token said, and of a command line since when and until when it is logged in.", typeof(WhoAmI));

    private static List<RightShape> RightsOf(Caller caller)
    {
        var catalog = caller.Catalog;
        List<RightShape> rights = [];
        if (catalog.Admins.Contains(caller.Id))
        {
            rights.Add(new RightShape(StintRights.NameOf(StintRight.Administrator), "catalog", null, null));
        }

        if (catalog.Auditors.Contains(caller.Id))
        {
            rights.Add(new RightShape(StintRights.NameOf(StintRight.Auditor), "catalog", null, null));
        }

        rights.AddRange(catalog.HeldRights.Where(held => held.Person == caller.Id).OrderBy(held => held.Until)
            .Select(held => new RightShape(StintRights.NameOf(held.Right), held.Grant is null ? "given" : "grant", held.Grant?.Value, held.Until)));
        return rights;
    }
}
