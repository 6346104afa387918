using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Catalog;
using Stint.Server.Api;
using Stint.Server.Approvals;
using Stint.Server.Catalog;
using Stint.Server.Identity;
using Stint.Server.Identity.Accounts;
using Stint.Server.Web.Pages;

namespace Stint.Server.Web;

/// <summary>The page on which a change of the catalog is answered, also where the catalog demands a proof for it.</summary>
internal sealed class ChangePages(CatalogChanges changes, PlanCatalog plan, Passkeys passkeys, ManageAccount manage, Flow flow, IdSource ids, TimeProvider clock)
{
    private const string Signing = "change", Via = "web";

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/catalog/changes/{id}", (HttpContext context, Caller caller, ChangePages pages, string id) => pages.PageAsync(context, caller, new ChangeId(id))).Page();
        routes.MapPost("/catalog/changes/{id}", (HttpContext context, Caller caller, ChangePages pages, string id) => pages.AnswerAsync(context, caller, new ChangeId(id), yes: true)).Page();
        routes.MapPost("/catalog/changes/{id}/deny", (HttpContext context, Caller caller, ChangePages pages, string id) => pages.AnswerAsync(context, caller, new ChangeId(id), yes: false)).Page();
        routes.MapPost("/catalog/changes/{id}/ask", (HttpContext context, Caller caller, ChangePages pages, string id) => pages.AskAsync(context, caller, new ChangeId(id))).Page();
        routes.MapPost("/catalog/changes/{id}/passkey", (HttpContext context, Caller caller, ChangePages pages, string id) => pages.SignedAsync(context, caller, new ChangeId(id))).Page();
    }

    private async Task<IResult> PageAsync(HttpContext context, Caller caller, ChangeId id, string? trouble = null)
    {
        if (caller.Session is not { } session)
        {
            return Api.Answers.Problem(ProblemKind.NotYours.Say("This page is for a browser in which you are signed in.", "With a token answer at the command line: stint catalog approve."));
        }

        if (await changes.GetAsync(caller.Id, id, context.RequestAborted) is not Outcome<ChangeView>.Done { Value: var view })
        {
            return Api.Answers.NotFound();
        }

        var change = view.Change;
        var demanded = StepUps.Of(change.Steps, caller.Id);
        var told = await plan.OfAsync(change, context.RequestAborted);
        return PageResult.Of<ApproveChange>(
            new Dictionary<string, object?>
            {
                [nameof(ApproveChange.Person)] = caller.Id.Value,
                [nameof(ApproveChange.Csrf)] = session.Csrf,
                [nameof(ApproveChange.Change)] = change,
                [nameof(ApproveChange.Path)] = StepUpPage.Of(id),
                [nameof(ApproveChange.Lines)] = Lines(told, "changes"),
                [nameof(ApproveChange.Access)] = Lines(told, "access"),
                [nameof(ApproveChange.LeftOut)] = (int?)told?["left_out"] ?? 0,
                [nameof(ApproveChange.Known)] = told is not null,
                [nameof(ApproveChange.Steps)] = change.Steps.Select(step => Of(step, change.State, view.Open.FirstOrDefault(open => ReferenceEquals(open.Step, step)))).ToList(),
                [nameof(ApproveChange.Answers)] = view.Answers.Select(answer => new ShownAnswer(
                    answer.By.Value, (answer.Yes ? "yes" : "no") + (answer.Proof is ApprovalProof.Passkey ? ", signed with a passkey" : ""), answer.Comment, answer.At)).ToList(),
                [nameof(ApproveChange.WhyNot)] = WhyNot(caller.Id, view),
                [nameof(ApproveChange.NeedsProof)] = demanded == StepUp.Fresh && clock.GetUtcNow() - session.ProvedAt > StepUps.FreshFor,
                [nameof(ApproveChange.NeedsPasskey)] = demanded == StepUp.Passkey,
                [nameof(ApproveChange.HasPasskey)] = demanded == StepUp.Passkey && (await manage.FindAsync(caller.Id, context.RequestAborted)).Passkeys.Count > 0,
                [nameof(ApproveChange.Elsewhere)] = SignInForms.PasskeysAt(passkeys.Relying, context),
                [nameof(ApproveChange.Trouble)] = trouble,
            },
            trouble is null ? StatusCodes.Status200OK : StatusCodes.Status409Conflict);
    }

    private static ShownStep Of(PinnedStep step, ChangeState state, OpenStep? open) => new(
        step.Name,
        open is not null ? "open" : state is ChangeState.Pending or ChangeState.Applied ? "met" : "over",
        step.Need,
        open?.Missing ?? 0,
        step.StepUp == StepUp.None ? "" : StepUps.Say(step.StepUp),
        string.Join(", ", open?.Could ?? []));

    private static List<string> Lines(JsonObject? plan, string name) => [.. (plan?[name] as JsonArray ?? []).Select(item => (string?)item?["sentence"]).OfType<string>()];

    private static string? WhyNot(SubjectId who, ChangeView view) =>
        view.Change.State != ChangeState.Pending ? $"It is {view.Change.State.ToString().ToLowerInvariant()}{(view.Change.Why is { Length: > 0 } why ? $": {why}" : "")}."
        : view.Change.Proposer == who ? "Nobody answers their own change."
        : view.Answers.Any(answer => answer.By == who) ? "You have answered."
        : view.Change.Steps.All(step => !step.Approvers.Contains(who)) ? "You are not among those whose yes it needs."
        : null;

    private async Task<IResult> AnswerAsync(HttpContext context, Caller caller, ChangeId id, bool yes)
    {
        var fields = await Fields.ReadAsync(context);
        return await changes.AnswerAsync(caller.Id, id, yes, fields["comment"], fields["digest"], Via, context.RequestAborted, Api.Answers.Proof(caller)) switch
        {
            Outcome<ChangeView>.Done => Results.Redirect(StepUpPage.Of(id)),
            Outcome<ChangeView>.NotFound => Api.Answers.NotFound(),
            var no => await PageAsync(context, caller, id, Why(no)),
        };
    }

    private async Task<IResult> AskAsync(HttpContext context, Caller caller, ChangeId id)
    {
        var fields = await Fields.ReadAsync(context);
        if (caller.Session is null || await changes.GetAsync(caller.Id, id, context.RequestAborted) is not Outcome<ChangeView>.Done { Value.Change: var change })
        {
            return Api.Answers.NotFound();
        }

        // NB. What is signed is what the page showed, and only while it is still what is proposed.
        if (fields["digest"] != change.Digest)
        {
            return Api.Answers.Problem(ProblemKind.LostRace.Say("What you saw is not what is proposed.", "Load the page again."));
        }

        var nonce = ids.NextSecret();
        return await passkeys.AskAsync(caller.Id, PasskeyAssertion.Challenge(change.Digest, nonce), context) is { } ask
            ? SignInForms.Ask(context, flow, Signing, ask, new AskedPasskey(ask.State, $"{id}\n{change.Digest}", nonce))
            : Api.Answers.Problem(ProblemKind.NotYours.Say("You have no passkey here.", "Make one: /account/ways."));
    }

    private async Task<IResult> SignedAsync(HttpContext context, Caller caller, ChangeId id)
    {
        var fields = await Fields.ReadAsync(context);
        if (flow.Take(context, Signing, FlowJson.Default.AskedPasskey) is not { } asked || asked.About.Split('\n') is not [var about, var digest] || about != id.Value
            || await passkeys.ProvedAsync(fields.Credential, asked.State, context) is not { } proof || proof.Account.Person != caller.Id)
        {
            return SignInForms.NoPasskey();
        }

        return await changes.AnswerAsync(
            caller.Id, id, true, fields["comment"], digest, Via, context.RequestAborted, new ApprovalProof.Passkey(Passkeys.ForApproval(proof, asked.Nonce)), work => passkeys.NoteAsync(work, proof)) switch
        {
            Outcome<ChangeView>.Done => SignInForms.Led(StepUpPage.Of(id)),
            Outcome<ChangeView>.NotFound => Api.Answers.NotFound(),
            var no => Api.Answers.Problem(ProblemKind.Refused.Say(Why(no))),
        };
    }

    private static string? Why(Outcome<ChangeView> outcome) => outcome switch
    {
        Outcome<ChangeView>.LostRace lost => SetUpPages.Sentence(lost.Why),
        Outcome<ChangeView>.NotYours no => SetUpPages.Sentence(no.Why),
        Outcome<ChangeView>.Refused no => SetUpPages.Sentence(no.Why),
        Outcome<ChangeView>.Invalid wrong => string.Join(" ", wrong.Problems.Select(problem => SetUpPages.Sentence(problem.Message))),
        _ => "It was not answered.",
    };
}
