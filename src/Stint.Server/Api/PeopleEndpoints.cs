using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stint.Core.Catalog;
using Stint.Server.Identity;
using Stint.Server.Identity.Accounts;
using Stint.Server.Identity.Ldap;
using Stint.Server.Store;

namespace Stint.Server.Api;

/// <summary>Why somebody is sent away, or taken back.</summary>
internal sealed record OffboardBody
{
    /// <summary>For the log; 1 to 2,000 characters.</summary>
    public required string Reason { get; init; }

    /// <summary>Who answers and reviews from now on what they were to; absent for nobody in particular.</summary>
    public string? HandOverTo { get; init; }
}

/// <summary>Why somebody is taken back.</summary>
internal sealed record RestoreBody
{
    /// <summary>For the log; 1 to 2,000 characters.</summary>
    public required string Reason { get; init; }
}

/// <summary>To whom something goes.</summary>
internal sealed record HandOverBody
{
    /// <summary>A person who is here.</summary>
    public required string To { get; init; }
}

/// <summary>Whose leaving is confirmed.</summary>
internal sealed record ConfirmPullBody
{
    /// <summary>The <c>mark</c> that was shown.</summary>
    public required string Mark { get; init; }
}

/// <summary>How the asking of the directory stands.</summary>
/// <param name="GoodAt">When what it told was taken over last; null for never.</param>
/// <param name="Silent">Whether that is too long ago.</param>
/// <param name="Trouble">Why the last look was not taken over; null when it was.</param>
/// <param name="Leaving">How many people leave or lose a group at once by what it tells, which is more than may; null when it is not.</param>
/// <param name="Of">Of how many.</param>
/// <param name="Mark">What names those people and what each loses; null when nobody waits.</param>
/// <param name="People">Who they are, at most 200.</param>
/// <param name="Confirmed">Whether an admin has confirmed them: the next look that tells the same is taken over.</param>
internal sealed record PullShape(DateTimeOffset? GoodAt, bool Silent, string? Trouble, long? Leaving, long? Of, string? Mark, IReadOnlyList<string> People, bool Confirmed);

/// <summary>One thing that somebody who left was to do.</summary>
/// <param name="Kind"><c>approval</c> or <c>review</c>.</param>
/// <param name="Name">The request, the bundle's asking or the review.</param>
/// <param name="WhyNot">Why it was not handed over; null when it was.</param>
internal sealed record HandedShape(string Kind, string Name, string? WhyNot);

/// <summary>What went to somebody else.</summary>
/// <param name="Person">Who left.</param>
/// <param name="To">Who takes over.</param>
/// <param name="Handed">What, one by one.</param>
internal sealed record HandOverShape(string Person, string To, IReadOnlyList<HandedShape> Handed);

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
/// <param name="Handed">What went to somebody else at once.</param>
internal sealed record OffboardShape(
    string Person,
    string Reason,
    DateTimeOffset At,
    string By,
    IReadOnlyList<string> Requests,
    IReadOnlyList<string> Grants,
    IReadOnlyList<string> Delegations,
    IReadOnlyList<RemainingShape> Remains,
    IReadOnlyList<HandedShape> Handed);

/// <summary>Somebody was taken back.</summary>
/// <param name="Person">Who.</param>
/// <param name="Since">Since when they were away.</param>
internal sealed record RestoreShape(string Person, DateTimeOffset Since);

/// <summary>A one-time link, shown this once.</summary>
/// <param name="Person">Whose.</param>
/// <param name="Link">The page, with its code behind the <c>#</c>, which a browser sends nowhere.</param>
/// <param name="ExpiresAt">Until before when it works.</param>
internal sealed record LinkShape(string Person, string Link, DateTimeOffset ExpiresAt);

/// <summary>A place of the catalog that names who left.</summary>
internal sealed record HandOverPlaceShape(string File, int Line, string What);

/// <summary>The change of the catalog that a hand-over needs.</summary>
/// <param name="Person">Who leaves.</param>
/// <param name="To">Who takes their places.</param>
/// <param name="Base">The version that it changes.</param>
/// <param name="Diff">A unified diff; empty for none.</param>
/// <param name="Changed">What is changed.</param>
/// <param name="Left">What names them still.</param>
/// <param name="Files">Every file, changed.</param>
/// <param name="Problems">What is wrong with the changed catalog; empty when it loads.</param>
internal sealed record HandOverChangeShape(
    string Person,
    string To,
    string Base,
    string Diff,
    IReadOnlyList<HandOverPlaceShape> Changed,
    IReadOnlyList<HandOverPlaceShape> Left,
    IReadOnlyList<CatalogFileShape> Files,
    IReadOnlyList<string> Problems);

/// <summary>People who come, and people who leave.</summary>
internal static class PeopleEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/people/pull", async (Caller caller, ConfirmPull pull, CancellationToken cancellation) => (await pull.GetAsync(caller.Id, cancellation)).Answer(Of, ApiJson.Default.PullShape))
            .Describe("pull", "See how the asking of the directory stands", "For admins and auditors, where a directory is asked over LDAP. Where it tells that more people leave at once than may, it says who.", typeof(PullShape), 200, 403, 404);
        api.MapPost("/people/pull/confirm", async (Caller caller, ConfirmPull pull, [FromBody] ConfirmPullBody body, CancellationToken cancellation) => (await pull.ConfirmAsync(caller.Id, body.Mark, cancellation)).Answer(Of, ApiJson.Default.PullShape))
            .Describe("confirmPull", "Confirm that they have all left", "For admins. It holds for the very people and losses that `mark` names: the next look that tells the same is taken over. When it tells of others by then, it answers 409, or the confirmation is void.", typeof(PullShape), 200, 403, 404, 409);
        api.MapPost("/people/{person}/offboard", async (Caller caller, OffboardPerson offboard, string person, [FromBody] OffboardBody body, CancellationToken cancellation) =>
                (await offboard.OffboardAsync(caller.Id, person, body.Reason, cancellation, body.HandOverTo)).Answer(Of, ApiJson.Default.OffboardShape))
            .Describe("offboard", "Send somebody away", "For admins. It holds whatever the catalog and the directory say, until an admin takes it back: tokens are dead, requests cancelled, grants end and their sessions are cut before the answer. What is still under their name is listed for whoever takes it over.", typeof(OffboardShape), 200, 403, 404, 409, 422);
        api.MapPost("/people/{person}/hand-over", async (Caller caller, HandOver heirs, string person, [FromBody] HandOverBody body, CancellationToken cancellation) =>
                (await heirs.HandOverAsync(caller.Id, person, body.To, cancellation)).Answer(handed => new HandOverShape(person, body.To, Of(handed)), ApiJson.Default.HandOverShape))
            .Describe("handOver", "Hand over what somebody who left was to do", "For admins. Requests that wait for their yes and reviews that they were to close go to a person who is here: never to whoever asked or broke the glass, nor to the admin themselves. What cannot be handed over says why.", typeof(HandOverShape), 200, 403, 409, 422);
        api.MapGet("/people/{person}/hand-over", async (Caller caller, HandOver heirs, string person, string? to, CancellationToken cancellation) =>
                (await heirs.PatchAsync(caller.Id, person, to ?? "", cancellation)).Answer(change => Of(person, to!, change), ApiJson.Default.HandOverChangeShape))
            .Describe("handOverChange", "The catalog's change that a hand-over needs", "For admins. Puts `to` where the person owns, administers, is on call or is somebody's manager, line by line, and changes nothing by itself: `diff` is what `git apply` takes, `files` what applying the catalog takes. Groups and the sources of workflows are not touched; `left` says where they are named there.", typeof(HandOverChangeShape), 200, 403, 422);
        api.MapPost("/people/{person}/restore", async (Caller caller, OffboardPerson offboard, string person, [FromBody] RestoreBody body, CancellationToken cancellation) =>
                (await offboard.RestoreAsync(caller.Id, person, body.Reason, cancellation)).Answer(back => new RestoreShape(back.Person, back.At), ApiJson.Default.RestoreShape))
            .Describe("restore", "Take back that somebody was sent away", "For admins. From then on the catalog and the directory say again who they are; what ended stays ended.", typeof(RestoreShape), 200, 403, 404, 422);
        api.MapPost("/people/{person}/invite", (HttpContext context, Caller caller, AccountLinks links, RelyingParty relying, KeptAnswers kept, KeyedCall? call, string person, [FromBody] EmptyBody? body, CancellationToken cancellation) =>
                LinkAsync(context, caller, links, relying, kept, call, person, reset: false, cancellation))
            .Describe("invite", "Make a one-time link for somebody who has no way in here", "For admins. Whoever opens it makes a passkey or a password for that person, within a day; of several the last one counts. It is shown this once; with an Idempotency-Key a repetition answers 409 instead of showing it again.", typeof(LinkShape), 201, 403, 404, 409);
        api.MapPost("/people/{person}/reset-account", (HttpContext context, Caller caller, AccountLinks links, RelyingParty relying, KeptAnswers kept, KeyedCall? call, string person, [FromBody] EmptyBody? body, CancellationToken cancellation) =>
                LinkAsync(context, caller, links, relying, kept, call, person, reset: true, cancellation))
            .Describe("resetAccount", "Void what lets somebody in here, and make a link for a new beginning", "For admins, for who lost everything: their password, passkeys and codes are void, every browser of theirs is signed out, and the answer holds a one-time link as `invite` makes it.", typeof(LinkShape), 201, 403, 404, 409);
    }

    private static Task<IResult> LinkAsync(HttpContext context, Caller caller, AccountLinks links, RelyingParty relying, KeptAnswers kept, KeyedCall? call, string person, bool reset, CancellationToken cancellation)
    {
        context.Response.Headers.CacheControl = "no-store";
        return !caller.IsAdmin
            ? Task.FromResult(Answers.Problem(ProblemKind.NotYours.Say("Only an admin makes a link for somebody.")))
            : kept.OnceAsync(
                caller.Id,
                call,
                async keep => (await links.MakeAsync(caller.Id, person, reset, cancellation, keep is null ? null : work => keep(work, "")))
                    .Answer(made => new LinkShape(made.Person.Value, relying.Link(new Uri($"{context.Request.Scheme}://{context.Request.Host}"), "/set-up#" + made.Code), made.ExpiresAt), ApiJson.Default.LinkShape, 201),
                cancellation);
    }

    private static HandOverChangeShape Of(string person, string to, HandOverChange change) => new(
        person,
        to,
        change.Base,
        change.Patch.Diff,
        [.. change.Patch.Changed.Select(Of)],
        [.. change.Patch.Left.Select(Of)],
        [.. change.Patch.Source.Files.Select(file => new CatalogFileShape(file.Name, file.Text))],
        change.Problems);

    private static PullShape Of(DirectoryPull pull) => new(pull.GoodAt, pull.Silent, pull.Trouble, pull.Leaving, pull.LeavingOf, pull.Mark, pull.Names, pull.Confirmed is not null);

    private static HandOverPlaceShape Of(HandOverPlace place) => new(place.File, place.Line, place.What);

    private static OffboardShape Of(OffboardReport report) => new(
        report.Gone.Person,
        report.Gone.Reason,
        report.Gone.At,
        report.Gone.By,
        [.. report.Requests.Select(request => request.Value)],
        [.. report.Grants.Select(grant => grant.Value)],
        [.. report.Delegations.Select(delegation => delegation.Value)],
        [.. report.Remains.Select(one => new RemainingShape(one.Kind, one.Name, [.. one.Others.Select(other => other.Value)]))],
        Of(report.Handed));

    private static IReadOnlyList<HandedShape> Of(IReadOnlyList<Handed> handed) => [.. handed.Select(one => new HandedShape(one.Kind, one.Name, one.WhyNot))];
}
