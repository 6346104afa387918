using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stint.Server.Identity;

namespace Stint.Server.Api;

/// <summary>Whose token it is.</summary>
internal static class WhoAmIEndpoints
{
    public static void Map(IEndpointRouteBuilder api) =>
        api.MapGet("/whoami", (Caller caller) => Results.Json(
                new WhoAmI(
                    caller.Id.Value,
                    caller.Person.Name,
                    [.. caller.Catalog.Groups.Where(group => group.Value.Contains(caller.Id)).Select(group => group.Key).Order(StringComparer.Ordinal)],
                    caller.IsAdmin,
                    caller.MayRead),
                ApiJson.Default.WhoAmI))
            .WithMetadata(ByCode.Instance)
            .Describe("whoami", "Whose token this is", "The person, their groups, and whether they may do more than ask.", typeof(WhoAmI));
}
