using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Requests;
using Stint.Server.Api;
using Stint.Server.Approvals;
using Stint.Server.Identity;
using Stint.Server.Identity.Accounts;
using Stint.Server.Requests;
using Stint.Server.Web.Pages;

namespace Stint.Server.Web;

/// <summary>The page on which a request is answered, also where the policy demands a proof for it.</summary>
internal sealed class ApprovePages(FindRequests find, FindBundles bundles, ApproveRequest approve, DenyRequest deny, Passkeys passkeys, ManageAccount manage, Flow flow, IdSource ids, TimeProvider clock)
{
    private const string Signing = "approve", Via = "web";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/approve/{id}", (HttpContext context, Caller caller, ApprovePages pages, string id) => pages.PageAsync(context, caller, new RequestId(id))).WithMetadata(ForBrowsers.Instance).ExcludeFromDescription();
        routes.MapPost("/approve/{id}", (HttpContext context, Caller caller, ApprovePages pages, string id) => pages.ApproveAsync(context, caller, new RequestId(id))).WithMetadata(ForBrowsers.Instance).ExcludeFromDescription();
        routes.MapPost("/approve/{id}/deny", (HttpContext context, Caller caller, ApprovePages pages, string id) => pages.DenyAsync(context, caller, new RequestId(id))).WithMetadata(ForBrowsers.Instance).ExcludeFromDescription();
        routes.MapPost("/approve/{id}/ask", (HttpContext context, Caller caller, ApprovePages pages, string id) => pages.AskAsync(context, caller, new RequestId(id))).WithMetadata(ForBrowsers.Instance).ExcludeFromDescription();
        routes.MapPost("/approve/{id}/passkey", (HttpContext context, Caller caller, ApprovePages pages, string id) => pages.SignedAsync(context, caller, new RequestId(id))).WithMetadata(ForBrowsers.Instance).ExcludeFromDescription();
    }

    private async Task<IResult> PageAsync(HttpContext context, Caller caller, RequestId id, string? trouble = null)
    {
        if (caller.Session is not { } session)
        {
            return Api.Answers.Problem(ProblemKind.NotYours.Say("This page is for a browser in which you are signed in.", "With a token approve at the command line: stint approve."));
        }

        if (await find.GetAsync(caller.Id, id, context.RequestAborted) is not Outcome<RequestView>.Done { Value: var view })
        {
            return Api.Answers.NotFound();
        }

        var request = view.Request;
        var demanded = Demanded(caller, view);
        return PageResult.Of<Approve>(
            new Dictionary<string, object?>
            {
                [nameof(Approve.Person)] = caller.Id.Value,
                [nameof(Approve.Csrf)] = session.Csrf,
                [nameof(Approve.Id)] = id.Value,
                [nameof(Approve.State)] = request.State.ToString().ToLowerInvariant(),
                [nameof(Approve.Subject)] = request.Subject.Value,
                [nameof(Approve.Role)] = request.Role.ToString(),
                [nameof(Approve.Statements)] = (request.Statements?.List ?? []).Select(one => new ShownStatement(one.Sql, How(one))).ToList(),
                [nameof(Approve.Rest)] = await RestAsync(caller, request, view, context.RequestAborted),
                [nameof(Approve.For)] = Sentences.Span(request.For),
                [nameof(Approve.StartAt)] = request.StartAt,
                [nameof(Approve.Reason)] = request.Reason ?? "",
                [nameof(Approve.Ticket)] = request.Ticket ?? "",
                [nameof(Approve.AskedAt)] = request.AskedAt,
                [nameof(Approve.LapsesAt)] = request.LapsesAt,
                [nameof(Approve.Digest)] = request.Digest,
                [nameof(Approve.Steps)] = view.Steps.Select(step => new ShownStep(
                    step.Step.Name,
                    step.State.ToString().ToLowerInvariant(),
                    step.Step.Need,
                    step.Missing,
                    step.Step.StepUp == StepUp.None ? "" : StepUps.Say(step.Step.StepUp),
                    string.Join(", ", step.Could))).ToList(),
                [nameof(Approve.Answers)] = view.Approvals.Select(answer => new ShownAnswer(
                    answer.For is { } absent ? $"{answer.By} (for {absent})" : answer.By.Value,
                    (answer.Yes ? "yes" : "no") + (answer.Proof is ApprovalProof.Passkey ? ", signed with a passkey" : ""),
                    answer.Comment,
                    answer.At)).ToList(),
                [nameof(Approve.WhyNot)] = view.Looker switch
                {
                    _ when request.State != RequestState.Pending => SetUpPages.Sentence($"it is {request.State.ToString().ToLowerInvariant()}"),
                    Seat.Theirs => null,
                    Seat.Answered answered => SetUpPages.Sentence(answered.Why),
                    Seat.None none => SetUpPages.Sentence(none.Why),
                    _ => "It is not yours to answer.",
                },
                [nameof(Approve.NeedsProof)] = demanded == StepUp.Fresh && clock.GetUtcNow() - session.ProvedAt > StepUps.FreshFor,
                [nameof(Approve.NeedsPasskey)] = demanded == StepUp.Passkey,
                [nameof(Approve.HasPasskey)] = demanded == StepUp.Passkey && (await manage.FindAsync(caller.Id, context.RequestAborted)).Passkeys.Count > 0,
                [nameof(Approve.Elsewhere)] = SignInForms.PasskeysAt(passkeys.Relying, context),
                [nameof(Approve.Trouble)] = trouble,
            },
            trouble is null ? StatusCodes.Status200OK : StatusCodes.Status409Conflict);
    }

    /// <summary>With what, and how often, a statement may run.</summary>
    public static string How(ExactStatement statement)
    {
        List<string> how = [];
        if (statement.Parameters is null)
        {
            how.Add("with any parameters");
        }
        else if (statement.Parameters.Count > 0)
        {
            how.Add("with " + string.Join(", ", statement.Parameters.Select(value => value is null ? "NULL" : $"'{value}'")));
        }

        if (statement.Times is { } times)
        {
            how.Add($"at most {times} times");
        }

        return string.Join(", ", how);
    }

    /// <summary>What else stands with the request: an emergency, a task, what a workload's token said, the rest of its bundle, which one yes lets through, and its series.</summary>
    public async Task<string> RestAsync(Caller caller, Request request, RequestView view, CancellationToken cancellation)
    {
        List<string> rest = [];
        if (request.BreakGlass)
        {
            rest.Add("BREAK-GLASS");
        }

        if (request.Task is { } task)
        {
            rest.Add($"until the task {task} is done");
        }

        if (request.Claims is { Count: > 0 } claims)
        {
            rest.Add($"its token says {string.Join(", ", claims.OrderBy(claim => claim.Key, StringComparer.Ordinal).Select(claim => $"{claim.Key}={claim.Value}"))}");
        }

        if (request.Bundle is { } id && await bundles.GetAsync(caller.Id, id, cancellation) is Outcome<BundleView>.Done { Value: var bundle })
        {
            rest.Add($"with the bundle {bundle.Asking.Name}, which is answered as a whole: {string.Join(", ", bundle.Requests.Select(one => $"{one.Request.Role} for {Sentences.Span(one.Request.For)}"))}");
        }

        if (view.Series is { } series)
        {
            rest.Add($"again and again: {series.Series.Rule.Text}");
        }

        return string.Join("; ", rest);
    }

    /// <summary>How they would have to prove themselves for a yes.</summary>
    public static StepUp Demanded(Caller caller, RequestView view) =>
        StepUps.Of(view.Steps.Select(step => step.Step), view.Looker is Seat.Theirs { For.Person: var absent } ? absent : caller.Id);

    private async Task<IResult> ApproveAsync(HttpContext context, Caller caller, RequestId id)
    {
        var fields = await Fields.ReadAsync(context);
        return await AnsweredAsync(context, caller, id, await approve.ApproveAsync(caller.Id, id, Of(fields, fields["digest"]) with { Proof = Api.Answers.Proof(caller) }, context.RequestAborted));
    }

    private async Task<IResult> DenyAsync(HttpContext context, Caller caller, RequestId id)
    {
        var fields = await Fields.ReadAsync(context);
        return await AnsweredAsync(context, caller, id, await deny.DenyAsync(caller.Id, id, fields["comment"], fields["digest"], Via, context.RequestAborted));
    }

    private async Task<IResult> AskAsync(HttpContext context, Caller caller, RequestId id)
    {
        var fields = await Fields.ReadAsync(context);
        if (caller.Session is null || await find.GetAsync(caller.Id, id, context.RequestAborted) is not Outcome<RequestView>.Done { Value.Request: var request })
        {
            return Api.Answers.NotFound();
        }

        // NB. What is signed is what the page showed, and only while it is still what is asked.
        if (fields["digest"] != request.Digest)
        {
            return Api.Answers.Problem(ProblemKind.LostRace.Say("What you saw is not what is asked.", "Load the page again."));
        }

        var nonce = ids.NextSecret();
        return await passkeys.AskAsync(caller.Id, PasskeyAssertion.Challenge(request.Digest, nonce), context) is { } ask
            ? SignInForms.Ask(context, flow, Signing, ask, new AskedPasskey(ask.State, $"{id}\n{request.Digest}", nonce))
            : Api.Answers.Problem(ProblemKind.NotYours.Say("You have no passkey here.", "Make one: /account/ways."));
    }

    private async Task<IResult> SignedAsync(HttpContext context, Caller caller, RequestId id)
    {
        var fields = await Fields.ReadAsync(context);
        if (flow.Take(context, Signing, FlowJson.Default.AskedPasskey) is not { } asked || asked.About.Split('\n') is not [var about, var digest] || about != id.Value
            || await passkeys.ProvedAsync(fields.Credential, asked.State, context) is not { } proof || proof.Account.Person != caller.Id)
        {
            return SignInForms.NoPasskey();
        }

        var yes = Of(fields, digest) with { Proof = new ApprovalProof.Passkey(Passkeys.ForApproval(proof, asked.Nonce)), NoteUse = work => passkeys.NoteAsync(work, proof) };
        return await approve.ApproveAsync(caller.Id, id, yes, context.RequestAborted) switch
        {
            Outcome<RequestView>.Done => SignInForms.Led($"/approve/{id}"),
            Outcome<RequestView>.NotFound => Api.Answers.NotFound(),
            var no => Api.Answers.Problem(ProblemKind.Refused.Say(Why(no))),
        };
    }

    private async Task<IResult> AnsweredAsync(HttpContext context, Caller caller, RequestId id, Outcome<RequestView> outcome) => outcome switch
    {
        Outcome<RequestView>.Done => Results.Redirect($"/approve/{id}"),
        Outcome<RequestView>.NotFound => Api.Answers.NotFound(),
        _ => await PageAsync(context, caller, id, Why(outcome)),
    };

    private static string? Why(Outcome<RequestView> outcome) => outcome switch
    {
        Outcome<RequestView>.LostRace lost => SetUpPages.Sentence(lost.Why),
        Outcome<RequestView>.NotYours no => SetUpPages.Sentence(no.Why),
        Outcome<RequestView>.Refused no => SetUpPages.Sentence(no.Why),
        Outcome<RequestView>.Invalid wrong => string.Join(" ", wrong.Problems.Select(problem => SetUpPages.Sentence(problem.Message))),
        _ => null,
    };

    private static Yes Of(Fields fields, string digest) => new(
        int.TryParse(fields["minutes"], NumberStyles.None, CultureInfo.InvariantCulture, out var minutes) ? TimeSpan.FromMinutes(minutes) : null,
        fields["comment"],
        digest,
        Via);
}
