using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stint.Core.Requests;
using Stint.Server.Identity;
using Stint.Server.Requests;

namespace Stint.Server.Api;

/// <summary>An asking to keep: either a role or a bundle.</summary>
internal sealed record SaveBody
{
    /// <summary><c>RESOURCE/ROLE</c>; absent for a bundle.</summary>
    public string? Role { get; init; }

    /// <summary>Name of a bundle; absent for a role.</summary>
    public string? Bundle { get; init; }

    /// <summary>How long; absent for what the policies give when it is asked.</summary>
    public long? ForSeconds { get; init; }

    /// <summary>The justification.</summary>
    public string? Reason { get; init; }

    /// <summary>The tracker's ticket.</summary>
    public string? Ticket { get; init; }
}

/// <summary>An asking that the caller may repeat.</summary>
/// <param name="Name">The caller's own name for it; null for one that is not kept.</param>
/// <param name="Role"><c>RESOURCE/ROLE</c>; null for a bundle.</param>
/// <param name="Bundle">Name of the bundle; null for a role.</param>
/// <param name="ForSeconds">How long; null for what the policies give when it is asked.</param>
/// <param name="Reason">The justification; null for none.</param>
/// <param name="Ticket">The tracker's ticket; null for none.</param>
internal sealed record SavedShape(string? Name, string? Role, string? Bundle, long? ForSeconds, string? Reason, string? Ticket);

/// <summary>Askings that people keep to repeat them.</summary>
internal static class SavedEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/requests/saved", async (Caller caller, SaveRequests saved, CancellationToken cancellation) =>
                Results.Json(new ListOf<SavedShape>([.. (await saved.ListAsync(caller.Id, cancellation)).Select(Of)], null), ApiJson.Default.ListOfSavedShape))
            .Describe("listSaved", "What I keep to ask again", "The caller's own, in the order of their names; nobody sees another's.", typeof(ListOf<SavedShape>));
        api.MapPut("/requests/saved/{name}", async Task<IResult> (Caller caller, SaveRequests saved, string name, [FromBody] SaveBody body, CancellationToken cancellation) =>
                Wrong(body) is { } problem
                    ? Answers.Invalid([problem])
                    : (await saved.SaveAsync(caller.Id, new SavedRequest(name, body.Role ?? body.Bundle, body.ForSeconds, body.Reason, body.Ticket), cancellation)).Answer(Of, ApiJson.Default.SavedShape))
            .Describe("save", "Keep an asking", "In place of what the name stood for. It promises nothing: the policies decide when it is asked. A person keeps at most 100.", typeof(SavedShape), 200, 409, 422);
        api.MapDelete("/requests/saved/{name}", async (Caller caller, SaveRequests saved, string name, CancellationToken cancellation) =>
                (await saved.ForgetAsync(caller.Id, name, cancellation)).Answer(Of, ApiJson.Default.SavedShape))
            .Describe("forget", "Forget a saved asking", "Answers it as it was.", typeof(SavedShape), 200, 404);
        api.MapGet("/requests/again", async (Caller caller, SaveRequests saved, string? what, CancellationToken cancellation) =>
                (await saved.AgainAsync(caller.Id, what, cancellation)).Answer(Of, ApiJson.Default.SavedShape))
            .Describe("again", "What to ask again", "The asking that the caller keeps under the name `what`, or their last one for the role or the bundle `what`; without it, their last of all. Asks for nothing: give its fields to `ask` or `askBundle`.", typeof(SavedShape), 200, 404);
    }

    private static FieldProblem? Wrong(SaveBody body) => (body.Role?.Contains('/', StringComparison.Ordinal), body.Bundle?.Contains('/', StringComparison.Ordinal)) switch
    {
        (null, null) or (not null, not null) => new FieldProblem("role", "give a role or a bundle, one of the two"),
        (false, _) => new FieldProblem("role", "this is not a role; write RESOURCE/ROLE"),
        (_, true) => new FieldProblem("bundle", "this is not the name of a bundle"),
        _ => null,
    };

    private static SavedShape Of(SavedRequest saved) => new(
        saved.Name.Length == 0 ? null : saved.Name, saved.IsBundle ? null : saved.Asked, saved.IsBundle ? saved.Asked : null, saved.ForSeconds, saved.Reason, saved.Ticket);
}
