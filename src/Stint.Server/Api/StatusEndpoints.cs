using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stint.Gateway;
using Stint.Server.Catalog;
using Stint.Server.Catalog.OnCall;
using Stint.Server.Grants;
using Stint.Server.Hosting;
using Stint.Server.Identity;
using Stint.Server.Identity.Ldap;

namespace Stint.Server.Api;

/// <summary>A removal that keeps failing.</summary>
internal sealed record StuckShape(string Assignment, string Subject, string Role, DateTimeOffset Since, int Attempts, string? Trouble);

/// <summary>How late ends were committed on this node since it started, in milliseconds.</summary>
internal sealed record LatenessShape(double LastMs, double WorstMs, long Ends);

/// <summary>Figures of the whole installation.</summary>
internal sealed record CountsShape(long PendingRequests, long ReadyGrants, long OpenGrants, long EndingGrants, long StuckRemovals, long LiveSessions, long Facts, long OpenReviews, long OverdueReviews);

internal sealed record NodeShape(string Name, string Roles, string Version, DateTimeOffset StartedAt, DateTimeOffset SeenAt);

/// <summary>How this installation does.</summary>
/// <param name="Node">This node.</param>
/// <param name="Version">Its program version.</param>
/// <param name="Roles">What it does.</param>
/// <param name="Store"><c>sqlite</c> or <c>postgres</c>.</param>
/// <param name="CatalogVersion">The catalog that decides now.</param>
/// <param name="Counts">Null for who may not read everything.</param>
/// <param name="Lateness">Null for who may not read everything.</param>
/// <param name="Stuck">Removals that keep failing: all for who may read everything, otherwise one's own and those at resources one owns.</param>
/// <param name="Problems">What is wrong, in sentences; empty for who may not read everything.</param>
/// <param name="Nodes">Every node; empty for who may not read everything.</param>
internal sealed record StatusShape(
    string Node,
    string Version,
    string Roles,
    string Store,
    string CatalogVersion,
    CountsShape? Counts,
    LatenessShape? Lateness,
    IReadOnlyList<StuckShape> Stuck,
    IReadOnlyList<string> Problems,
    IReadOnlyList<NodeShape> Nodes)
{
    /// <summary>Break-glass that the caller was told of and has not said that they saw.</summary>
    public required IReadOnlyList<ReviewShape> BrokenGlass { get; init; }

    /// <summary>Break-glass that the caller may review.</summary>
    public required IReadOnlyList<ReviewShape> Reviews { get; init; }

    /// <summary>The review that the caller's own break-glass is under; null for none. Until it is closed they break no further glass.</summary>
    public ReviewShape? OwnReview { get; init; }
}

/// <summary>The catalog that decides now.</summary>
internal sealed record CatalogShape(string Version, IReadOnlyList<CatalogFileShape>? Files, IReadOnlyList<string> Warnings, IReadOnlyList<string> Problems);

internal sealed record CatalogFileShape(string Name, string Text);

/// <summary>How the installation does, and by which catalog it decides.</summary>
internal static class StatusEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/status", StatusAsync)
            .Describe("status", "How this installation does", "Figures, stuck removals and problems for admins and auditors; for others what is their own. `broken_glass` is what the caller was told of and has not acknowledged.", typeof(StatusShape));
        api.MapGet("/catalog", (Caller caller, CatalogWatch watch) => Results.Json(
                new CatalogShape(
                    caller.Catalog.Version,
                    caller.MayReadCatalog ? [.. caller.Catalog.Source.Files.Select(file => new CatalogFileShape(file.Name, file.Text))] : null,
                    caller.MayReadCatalog ? [.. watch.Warnings.Select(warning => warning.ToString())] : [],
                    caller.MayReadCatalog ? [.. watch.Problems.Select(problem => problem.ToString())] : []),
                ApiJson.Default.CatalogShape))
            .Describe("catalog", "The catalog that decides now", "Its version; for admins and auditors its files, its warnings, and what is wrong with newer files that are not used.", typeof(CatalogShape));
    }

    private static async Task<IResult> StatusAsync(Caller caller, ReadStatus read, CatalogWatch watch, FollowCatalog follow, FollowRotas rotas, Figures figures, TimeProvider time, CancellationToken cancellation)
    {
        var status = await read.ReadAsync(caller.Id, cancellation);
        var lateness = figures.Lateness;
        return Results.Json(
            new StatusShape(
                status.Node.Node,
                status.Node.Version,
                status.Node.Roles,
                status.Store,
                status.CatalogVersion,
                status.Counts is { } counts
                    ? new CountsShape(counts.PendingRequests, counts.ReadyGrants, counts.OpenGrants, counts.EndingGrants, counts.StuckRemovals, counts.LiveSessions, counts.Facts, counts.OpenReviews, counts.OverdueReviews)
                    : null,
                caller.MayRead ? new LatenessShape(lateness.Last, lateness.Worst, lateness.Ends) : null,
                [
                    .. status.Stuck.Select(assignment => new StuckShape(
                        assignment.Id.Value, assignment.Subject.Value, assignment.Role.ToString(), assignment.StuckSince!.Value, assignment.Attempts, assignment.Trouble)),
                ],
                caller.MayRead ? [.. watch.Problems.Select(problem => $"The changed catalog is not used: {problem}"), .. follow.Problem is { } behind ? [behind] : (string[])[], .. SetBack(time), .. PullSentences.Of(status.Pull), .. rotas.Problems, .. Overdue(status)] : [.. Overdue(status)],
                [.. status.Nodes.Select(node => new NodeShape(node.Name, node.Roles, node.Version, node.StartedAt, node.SeenAt))])
            {
                BrokenGlass = [.. status.BrokenGlass.Select(ReviewMapping.Of)],
                Reviews = [.. status.Reviews.Select(ReviewMapping.Of)],
                OwnReview = status.OwnReview is { } own ? ReviewMapping.Of(own) : null,
            },
            ApiJson.Default.StatusShape);
    }

    private static IEnumerable<string> SetBack(TimeProvider time) => time is SteadyTime { Ahead: { TotalSeconds: >= 1 } ahead }
        ? [$"The clock of this node's machine was set back, or stands still: it is {Sentences.Span(ahead)} behind what is counted here. Nobody gets more time by that. Set it right; if it is right, restart the node when no access is open."]
        : [];

    private static IEnumerable<string> Overdue(Status status) => status.Overdue.Select(review =>
        $"The review {review.Id} of the break-glass of {review.Person} for {review.Role} is overdue since {Sentences.Day(review.DueAt)}; it waits for {string.Join(" or ", review.Reviewers)}.");
}
