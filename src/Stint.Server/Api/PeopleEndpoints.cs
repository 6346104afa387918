using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stint.Server.Identity;

namespace Stint.Server.Api;

/// <summary>Why somebody is sent away, or taken back.</summary>
internal sealed record OffboardBody
{
    /// <summary>For the log; 1 to 2,000 characters.</summary>
    public required string Reason { get; init; }
}

/// <summary>Something under the name of somebody who left.</summary>
/// <param name="Kind"><c>admin</c>, <c>resource</c>, <c>on_call</c>, <c>report</c>, <c>review</c> or <c>approval</c>.</param>
/// <param name="Name">Of the person, the resource, the rota, whoever reports to them, the review or the request.</param>
/// <param name="Others">Who else could take care of it now; empty for nobody.</param>
internal sealed record RemainingShape(string Kind, string Name, IReadOnlyList<string> Others);

/// <summary>Somebody was sent away.</summary>
/// <param name="Person">Who.</param>
/// <param name="Reason">Why.</param>
/// <param name="At">When.</param>
/// <param name="By">By whom.</param>
/// <param name="Requests">Requests of theirs that were cancelled.</param>
/// <param name="Grants">Grants of theirs that ended, their sessions with them.</param>
/// <param name="Delegations">Delegations to them and of theirs that ended.</param>
/// <param name="Remains">What is still under their name.</param>
internal sealed record OffboardShape(
    string Person,
    string Reason,
    DateTimeOffset At,
    string By,
    IReadOnlyList<string> Requests,
    IReadOnlyList<string> Grants,
    IReadOnlyList<string> Delegations,
    IReadOnlyList<RemainingShape> Remains);

/// <summary>Somebody was taken back.</summary>
/// <param name="Person">Who.</param>
/// <param name="Since">Since when they were away.</param>
internal sealed record RestoreShape(string Person, DateTimeOffset Since);

/// <summary>People who leave.</summary>
internal static class PeopleEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapPost("/people/{person}/offboard", async (Caller caller, OffboardPerson offboard, string person, [FromBody] OffboardBody body, CancellationToken cancellation) =>
                (await offboard.OffboardAsync(caller.Id, person, body.Reason, cancellation)).Answer(Of, ApiJson.Default.OffboardShape))
            .Describe("offboard", "Send somebody away", "For admins. It holds whatever the catalog and the directory say, until an admin takes it back: tokens are dead, requests cancelled, grants end and their sessions are cut before the answer. What is still under their name is listed for whoever takes it over.", typeof(OffboardShape), 200, 403, 404, 409, 422);
        api.MapPost("/people/{person}/restore", async (Caller caller, OffboardPerson offboard, string person, [FromBody] OffboardBody body, CancellationToken cancellation) =>
                (await offboard.RestoreAsync(caller.Id, person, body.Reason, cancellation)).Answer(back => new RestoreShape(back.Person, back.At), ApiJson.Default.RestoreShape))
            .Describe("restore", "Take back that somebody was sent away", "For admins. From then on the catalog and the directory say again who they are; what ended stays ended.", typeof(RestoreShape), 200, 403, 404, 422);
    }

    private static OffboardShape Of(OffboardReport report) => new(
        report.Gone.Person,
        report.Gone.Reason,
        report.Gone.At,
        report.Gone.By,
        [.. report.Requests.Select(request => request.Value)],
        [.. report.Grants.Select(grant => grant.Value)],
        [.. report.Delegations.Select(delegation => delegation.Value)],
        [.. report.Remains.Select(one => new RemainingShape(one.Kind, one.Name, [.. one.Others.Select(other => other.Value)]))]);
}
