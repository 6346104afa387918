using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stint.Server.Hosting;
using Stint.Server.Identity;

namespace Stint.Server.Api;

/// <summary>For what watches the process.</summary>
internal static class HealthEndpoints
{
    private static readonly string[] Reading = ["GET", "HEAD"];

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapMethods("/healthz", Reading, () => Results.Json(new Health("ok", null), ApiJson.Default.Health))
            .WithMetadata(Open.Instance)
            .Describe("health", "Whether the process lives", "Answers 200 for as long as it can answer at all.", typeof(Health));
        routes.MapMethods("/readyz", Reading, (NodeState state) => state.IsReady
                ? Results.Json(new Health("ok", null), ApiJson.Default.Health)
                : Results.Json(new Health(state.IsDraining ? "draining" : "unavailable", state.IsDraining ? "The node is shutting down." : "The node is starting."), ApiJson.Default.Health, statusCode: 503))
            .WithMetadata(Open.Instance)
            .Describe("ready", "Whether the node takes work", "Answers 503 while it starts and while it drains: send work to another node.", typeof(Health))
            .Produces<Health>(503);
    }
}
