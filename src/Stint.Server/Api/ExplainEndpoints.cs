using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stint.Core;
using Stint.Server.Identity;
using Stint.Server.Requests;

namespace Stint.Server.Api;

/// <summary>Why and why not, and who could get what.</summary>
internal static class ExplainEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/explain", async (
                Caller caller,
                ExplainAccess explain,
                string role,
                string? subject,
                DateTimeOffset? at,
                [FromQuery(Name = "for_seconds")] long? forSeconds,
                string? reason,
                string? ticket,
                [FromQuery(Name = "break_glass")] bool? breakGlass,
                CancellationToken cancellation) =>
                (await explain.ExplainAsync(
                    caller.Id,
                    new ExplainAccess.Asked(subject is null ? null : new SubjectId(subject), role, at?.ToUniversalTime(), Answers.Seconds(forSeconds), reason, ticket) { BreakGlass = breakGlass ?? false },
                    cancellation)).Answer())
            .Describe(
                "explain",
                "Would somebody get a role, by which rule, with whose yes, and what would change the answer",
                "About oneself for everybody, and only of roles that one may ask for; about others for admins, auditors, and owners of the resource. `at` in the past asks the catalog that counted then.",
                typeof(ExplanationShape),
                200,
                404,
                409,
                422);
        api.MapGet("/who", WhoAsync)
            .Describe(
                "who",
                "Everybody who could get a role, or every role that somebody could get",
                "Each with the rules and groups that lead there, and how many yeses of whom. With neither role nor subject, what the caller could get. For others: admins, auditors, and owners of the resource.",
                typeof(WhoShape),
                200,
                404,
                409,
                422);
    }

    private static async Task<IResult> WhoAsync(Caller caller, ExplainAccess explain, string? role, string? subject, DateTimeOffset? at, int? limit, string? cursor, CancellationToken cancellation)
    {
        var problems = new List<FieldProblem>();
        if (limit is < 1 or > ExplainAccess.MostItems)
        {
            problems.Add(new FieldProblem("limit", $"must be from 1 to {ExplainAccess.MostItems}"));
        }

        var skip = 0;
        if (cursor is not null && !int.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out skip))
        {
            problems.Add(new FieldProblem("cursor", "must be the `next` of an earlier page"));
        }

        return problems.Count > 0
            ? Answers.Invalid(problems)
            : (await explain.WhoAsync(caller.Id, role, subject is null ? null : new SubjectId(subject), at?.ToUniversalTime(), skip, limit ?? 200, cancellation)).Answer();
    }
}
