using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stint.Server.Identity;
using Stint.Server.Store;

namespace Stint.Server.Api;

/// <summary>A command line that somebody is logged in with; never its tokens.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Person">Who.</param>
/// <param name="Kind">How it logged in: <c>device</c> (a code was typed) or <c>loopback</c> (by a browser on its own machine).</param>
/// <param name="Host">What it calls its machine; empty for nothing.</param>
/// <param name="Version">What it calls its version; empty for nothing.</param>
/// <param name="From">The address that it logged in from.</param>
/// <param name="By">How its person proved who they are, in the browser.</param>
/// <param name="ProvedAt">When they did.</param>
/// <param name="LoggedInAt">Since when.</param>
/// <param name="UsedAt">When it fetched tokens last.</param>
/// <param name="ExpiresAt">Until before when it counts, however much it is used.</param>
/// <param name="EndsUnusedAt">When it stops to count if it is not used.</param>
/// <param name="This">Whether it is the one that asks.</param>
internal sealed record CommandLineShape(
    string Id,
    string Person,
    string Kind,
    string Host,
    string Version,
    string From,
    string By,
    DateTimeOffset ProvedAt,
    DateTimeOffset LoggedInAt,
    DateTimeOffset UsedAt,
    DateTimeOffset ExpiresAt,
    DateTimeOffset EndsUnusedAt,
    bool This);

/// <summary>The command lines that people are logged in with.</summary>
internal static class CommandLineEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/command-lines", async (Caller caller, CliLogins logins, bool? all, CancellationToken cancellation) =>
                (await logins.ListAsync(caller.Id, all == true, cancellation)).Answer(
                    found => new ListOf<CommandLineShape>([.. found.Select(login => Of(logins, caller, login))], null), ApiJson.Default.ListOfCommandLineShape))
            .Describe("listCommandLines", "Command lines that one is logged in with, newest first", "One's own; with `all` everybody's, for admins and auditors. At most 1000, and only those that count.", typeof(ListOf<CommandLineShape>), 200, 403);
        api.MapPost("/command-lines/{id}/end", async (Caller caller, CliLogins logins, string id, [FromBody] EmptyBody? body, CancellationToken cancellation) =>
                (await logins.EndAsync(caller.Id, id, cancellation)).Answer(login => Of(logins, caller, login), ApiJson.Default.CommandLineShape))
            .Describe("endCommandLine", "Log a command line out", "One's own; admins anybody's. Its tokens let in nobody from then on; what was opened with it runs to its end, unless it is revoked.", typeof(CommandLineShape), 200, 404, 409);
    }

    /// <summary>What is told of one.</summary>
    public static CommandLineShape Of(CliLogins logins, Caller caller, CliLogin login) => new(
        login.Id,
        login.Person.Value,
        login.Kind,
        login.Self.Host,
        login.Self.Version,
        login.Self.Address,
        login.Proof.By,
        login.Proof.At,
        login.MadeAt,
        login.UsedAt,
        login.ExpiresAt,
        logins.EndsUnused(login),
        login.Id == caller.CommandLine?.Id);
}
