using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stint.Core;
using Stint.Core.Requests;
using Stint.Server.Approvals;
using Stint.Server.Hosting;
using Stint.Server.Identity;
using Stint.Server.Requests;

namespace Stint.Server.Api;

/// <summary>Asking for several roles at once, and answering all of it at once.</summary>
internal static class BundleEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/bundles", (Caller caller, FindBundles find) =>
                Results.Json(new ListOf<BundleShape>([.. find.List(caller.Id).Select(Of)], null), ApiJson.Default.ListOfBundleShape))
            .Describe("listBundles", "Bundles that I may ask for", "Every bundle of which some policy lets the caller ask for at least one role. Roles that they may not know of are counted and not named.", typeof(ListOf<BundleShape>));

        api.MapPost("/requests/bundles", AskAsync)
            .Describe("askBundle", "Ask for a bundle", "Makes a request for each role that the caller may know of, in one transaction. Each is decided by its own policies; those that need somebody's yes share their steps, and one answer counts for all of them. A bundle that does not exist and one of which the caller may know no role answer 404 alike. Takes an Idempotency-Key.", typeof(BundleAskingShape), 201, 404, 409, 422);
        api.MapPost("/requests/bundles/preview", async (Caller caller, AskForBundle ask, [FromBody] AskBundleBody body, CancellationToken cancellation) =>
                (await ask.PreviewAsync(caller.Id, AskingOf(body), cancellation)).Answer(Of, ApiJson.Default.BundlePreviewShape))
            .Describe("previewAskBundle", "What an asking for a bundle would come to", "Decides as asking would, and stores nothing.", typeof(BundlePreviewShape), 200, 404, 422);
        api.MapGet("/requests/bundles/{id}", GetAsync)
            .Describe("getBundleAsking", "One asking for a bundle", "With `wait_seconds` (at most 60) and `seen_version` it answers when the version is newer, or when the time is over.", typeof(BundleAskingShape), 200, 404, 422);

        api.MapPost("/requests/bundles/{id}/approve", async (Caller caller, AnswerBundle answer, string id, [FromBody] ApproveBody body, HttpContext context, CancellationToken cancellation) =>
                (await answer.ApproveAsync(caller.Id, new BundleId(id), new Yes(Answers.Seconds(body.ForSeconds), body.Comment, body.SawDigest, Answers.Via(context), Person(body.InPlaceOf), Answers.Proof(caller)), cancellation))
                .Answer(Of, ApiJson.Default.BundleAskingShape))
            .Describe("approveBundle", "Say yes to a bundle", "To all of it that waits. `saw_digest` is the asking's `digest` as it was shown. `for_seconds` shortens each role that would last longer.", typeof(BundleAskingShape), 200, 403, 404, 409, 422);
        api.MapPost("/requests/bundles/{id}/deny", async (Caller caller, AnswerBundle answer, string id, [FromBody] DenyBody body, HttpContext context, CancellationToken cancellation) =>
                (await answer.DenyAsync(caller.Id, new BundleId(id), body.Comment, body.SawDigest, Answers.Via(context), cancellation, Person(body.InPlaceOf))).Answer(Of, ApiJson.Default.BundleAskingShape))
            .Describe("denyBundle", "Say no to a bundle", "One no ends all of it that waits. What rules approved stays.", typeof(BundleAskingShape), 200, 403, 404, 409, 422);
        api.MapPost("/requests/bundles/{id}/cancel", async (Caller caller, AnswerBundle answer, string id, [FromBody] EmptyBody? body, CancellationToken cancellation) =>
                (await answer.CancelAsync(caller.Id, new BundleId(id), cancellation)).Answer(Of, ApiJson.Default.BundleAskingShape))
            .Describe("cancelBundle", "Take a bundle back", "All of it that waits, by whoever asked.", typeof(BundleAskingShape), 200, 403, 404, 409);
    }

    private static Task<IResult> AskAsync(Caller caller, AskForBundle ask, KeptAnswers kept, KeyedCall? call, [FromBody] AskBundleBody body, CancellationToken cancellation) =>
        kept.OnceAsync(
            caller.Id,
            call,
            async keep => (await ask.AskAsync(
                    caller.Id,
                    AskingOf(body),
                    cancellation,
                    keep is null ? null : (work, view) => keep(work, JsonSerializer.Serialize(Of(view), ApiJson.Default.BundleAskingShape))))
                .Answer(Of, ApiJson.Default.BundleAskingShape, 201),
            cancellation);

    private static async Task<IResult> GetAsync(
        Caller caller,
        FindBundles find,
        NodeState node,
        string id,
        [FromQuery(Name = "wait_seconds")] int? waitSeconds,
        [FromQuery(Name = "seen_version")] long? seenVersion,
        CancellationToken cancellation)
    {
        if (Answers.WrongWait(waitSeconds) is { } problem)
        {
            return problem;
        }

        var bundle = new BundleId(id);
        var outcome = await Answers.WaitAsync(
            waitSeconds,
            node,
            (wait, token) => find.WaitAsync(caller.Id, bundle, seenVersion ?? 0, wait, token),
            token => find.GetAsync(caller.Id, bundle, token),
            cancellation);
        return outcome.Answer(Of, ApiJson.Default.BundleAskingShape);
    }

    private static SubjectId? Person(string? name) => name is null ? null : new SubjectId(name);

    private static AskingTogether AskingOf(AskBundleBody body) => new(body.Bundle, body.ForSeconds, body.Reason, body.Ticket, body.StartAt, body.Wait ?? false);

    private static BundleShape Of(BundleOffer offer)
    {
        var patterns = offer.Roles.SelectMany(role => role.TicketPatterns).Distinct(StringComparer.Ordinal).ToList();
        return new BundleShape(
            offer.Bundle.Name,
            offer.Bundle.Description,
            [.. offer.Roles.Select(role => role.Role.ToString())],
            offer.Bundle.Roles.Count - offer.Roles.Count,
            offer.Bundle.For is { } length ? Mapping.Seconds(length) : null,
            offer.Roles.Any(role => role.NeedsApproval) ? "approval" : "rule",
            offer.Roles.Any(role => role.ReasonRequired),
            patterns.Count == 0 ? null : string.Join(" and ", patterns));
    }

    private static BundlePreviewShape Of(BundlePreview preview) => new(
        preview.Bundle.Name,
        preview.For is { } length ? Mapping.Seconds(length) : null,
        preview.CatalogVersion,
        [.. preview.Verdict.Roles.Select(one => Mapping.Of(one.Role.ToString(), new AskPreview(one.Verdict, preview.CatalogVersion)) with { Steps = [] })],
        preview.Verdict.Hidden.Count,
        preview.Verdict.Needs is { } needs ? Mapping.Of("", new AskPreview(needs, preview.CatalogVersion)).Steps : []);

    private static BundleAskingShape Of(BundleView view)
    {
        var asking = view.Asking;
        var shared = view.Conversation is { } one ? Mapping.Of(one) : null;
        return new BundleAskingShape
        {
            Id = asking.Id.Value,
            Bundle = asking.Name,
            State = BundleStates.Word(view.State),
            Version = view.Version,
            Subject = asking.Subject.Value,
            ForSeconds = asking.For is { } length ? Mapping.Seconds(length) : null,
            StartAt = asking.StartAt,
            Reason = asking.Reason,
            Ticket = asking.Ticket,
            AskedAt = asking.AskedAt,
            LapsesAt = view.State == BundleState.Pending ? shared?.LapsesAt : null,
            Digest = asking.Digest,
            CatalogVersion = asking.CatalogVersion,
            Roles = [.. view.Requests.Select(Mapping.Of).Select(request => new BundleRoleShape(request.Role, request.Id, request.State, request.ForSeconds, request.Why, request.Verdict, request.Grant))],
            LeftOut = view.LeftOut,
            Steps = shared?.Steps ?? [],
            Sequential = shared?.Sequential ?? false,
            Approvals = shared?.Approvals ?? [],
            You = shared?.You,
        };
    }
}
