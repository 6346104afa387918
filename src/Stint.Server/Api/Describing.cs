using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Stint.Server.Api;

/// <summary>What the OpenAPI document says of an endpoint.</summary>
internal static class Describing
{
    /// <summary>Names an endpoint and says what it answers.</summary>
    /// <param name="route">The endpoint.</param>
    /// <param name="operation">Its operation id, for generated clients.</param>
    /// <param name="summary">One line.</param>
    /// <param name="description">What a caller must know besides.</param>
    /// <param name="answers">Shape of the answer; null when it is not JSON.</param>
    /// <param name="status">Its status.</param>
    /// <param name="problems">Statuses of the problems it can answer with, besides those that any can.</param>
    public static RouteHandlerBuilder Describe(this RouteHandlerBuilder route, string operation, string summary, string description, Type? answers, int status = 200, params int[] problems)
    {
        route.WithName(operation).WithSummary(summary).WithDescription(description);
        if (answers is not null)
        {
            route.WithMetadata(new ProducesResponseTypeMetadata(status, answers, ["application/json"]));
        }

        foreach (var problem in problems)
        {
            route.WithMetadata(new ProducesResponseTypeMetadata(problem, typeof(ApiProblem), ["application/problem+json"]));
        }

        return route;
    }
}
