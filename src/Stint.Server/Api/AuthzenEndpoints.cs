using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stint.Core.Grants;
using Stint.Server.Grants;
using Stint.Server.Hosting;
using Stint.Server.Identity;

namespace Stint.Server.Api;

/// <summary>OpenID's Authorization API 1.0: any application may ask whether this subject holds this role now.</summary>
internal static class AuthzenEndpoints
{
    /// <summary>Most questions at once.</summary>
    public const int MostEvaluations = 200;

    /// <summary>What its addresses begin with.</summary>
    public const string Base = "/access/v1";
    private const string NotHeld = "No open grant of this role is known to you.";
    private const string Who = " For applications that the server's configuration names, with their token; a person asks about themselves, owners about their resources, admins and auditors about everybody. What is unknown and what is not the caller's to know is answered as what is not held. Members that are not known are passed over; what is missing or of another type answers 400.";

    public static void Map(IEndpointRouteBuilder routes)
    {
        var access = routes.MapGroup(Base).WithMetadata(ByApplication.Instance);
        access.MapPost("/evaluation", EvaluateAsync)
            .Describe("evaluateAccess", "Whether a subject holds a role now", "True when the subject has an open grant of the role at the resource at this moment: not whether they could ask for it." + Who, typeof(DecisionShape), 200, 400);
        access.MapPost("/evaluations", EvaluateAllAsync)
            .Describe("evaluateAccesses", "Several such questions at once", "At most 200, all answered as of one moment. Without `evaluations` it is one question and is answered as one. A question that lacks something is a no with its `error`." + Who, typeof(DecisionsShape), 200, 400);
        access.MapPost("/search/subject", async (Asker asker, EvaluateAccess evaluate, [FromBody] SearchBody body, CancellationToken cancellation) =>
                await EntitiesAsync(body, ofSubjects: true, (question, after, limit) => evaluate.SubjectsAsync(asker, question, after, limit, cancellation)))
            .Describe("searchSubjects", "Who holds a role now", "In parts, by their names." + Who, typeof(FoundEntitiesShape), 200, 400);
        access.MapPost("/search/resource", async (Asker asker, EvaluateAccess evaluate, [FromBody] SearchBody body, CancellationToken cancellation) =>
                await EntitiesAsync(body, ofSubjects: false, (question, after, limit) => evaluate.ResourcesAsync(asker, question, after, limit, cancellation)))
            .Describe("searchResources", "Where a subject holds a role of this name now", "In parts, by their names." + Who, typeof(FoundEntitiesShape), 200, 400);
        access.MapPost("/search/action", RolesAsync)
            .Describe("searchActions", "Which roles a subject holds at a resource now", "In parts, by their names." + Who, typeof(FoundActionsShape), 200, 400);
        routes.MapGet("/.well-known/authzen-configuration", Configuration)
            .WithMetadata(Open.Instance)
            .Describe("authzenConfiguration", "Where the Authorization API is", "As OpenID's Authorization API 1.0 has it. The addresses begin with `web.public_url`, or else with the address that the caller used.", typeof(AuthzenShape), 200, 400);
    }

    private static async Task<IResult> EvaluateAsync(Asker asker, EvaluateAccess evaluate, [FromBody] EvaluationBody body, CancellationToken cancellation)
    {
        var (question, missing) = Question(body, new EvaluationBody());
        return question is null ? Missing(missing) : await OneAsync(asker, evaluate, question, cancellation);
    }

    private static async Task<IResult> EvaluateAllAsync(Asker asker, EvaluateAccess evaluate, [FromBody] EvaluationsBody body, CancellationToken cancellation)
    {
        var end = body.Options?.EvaluationsSemantic ?? "execute_all";
        if (end is not ("execute_all" or "deny_on_first_deny" or "permit_on_first_permit"))
        {
            return Wrong("options.evaluations_semantic", "must be execute_all, deny_on_first_deny or permit_on_first_permit");
        }

        if (body.Evaluations is not { Count: > 0 } asked)
        {
            var (only, missing) = Question(body, new EvaluationBody());
            return only is null ? Missing(missing) : await OneAsync(asker, evaluate, only, cancellation);
        }

        if (asked.Count > MostEvaluations)
        {
            return Wrong("evaluations", $"must be at most {MostEvaluations}");
        }

        var questions = asked.Select(one => Question(one ?? new EvaluationBody(), body)).ToList();
        var held = new Queue<Grant?>(await evaluate.EvaluateAsync(asker, [.. questions.Select(one => one.Question).OfType<AccessQuestion>()], cancellation));
        var decisions = new List<DecisionShape>();
        foreach (var (question, missing) in questions)
        {
            var decision = question is not null ? Decision(held.Dequeue())
                : new DecisionShape(false, new DecisionContextShape { Error = new DecisionErrorShape(400, $"Missing: {string.Join(", ", missing)}.") });
            decisions.Add(decision);
            if ((end, decision.Decision) is ("deny_on_first_deny", false) or ("permit_on_first_permit", true))
            {
                break;
            }
        }

        return Results.Json(new DecisionsShape(decisions), ApiJson.Default.DecisionsShape);
    }

    private static async Task<IResult> OneAsync(Asker asker, EvaluateAccess evaluate, AccessQuestion question, CancellationToken cancellation) =>
        Results.Json(Decision((await evaluate.EvaluateAsync(asker, [question], cancellation))[0]), ApiJson.Default.DecisionShape);

    private static DecisionShape Decision(Grant? held) => held is null
        ? new DecisionShape(false, new DecisionContextShape { Reason = NotHeld })
        : new DecisionShape(true, new DecisionContextShape { Grant = held.Id.Value, NotAfter = held.NotAfter });

    private static async Task<IResult> EntitiesAsync(SearchBody body, bool ofSubjects, Func<AccessQuestion, string, int, Task<FoundNames>> find)
    {
        var question = new AccessQuestion(body.Subject?.Type ?? "", ofSubjects ? "" : body.Subject?.Id ?? "", body.Resource?.Type ?? "", ofSubjects ? body.Resource?.Id ?? "" : "", body.Action?.Name ?? "");
        List<string> missing = [.. Lacking(body.Subject, "subject", needsId: !ofSubjects), .. Lacking(body.Action), .. Lacking(body.Resource, "resource", needsId: ofSubjects)];
        var (found, page, problem) = await FindAsync(body.Page, ofSubjects ? "subject" : "resource", question, missing, find);
        var type = ofSubjects ? question.SubjectType : question.ResourceType;
        return problem ?? Results.Json(new FoundEntitiesShape(page!, [.. found!.Select(name => new EntityShape(type, name))]), ApiJson.Default.FoundEntitiesShape);
    }

    private static async Task<IResult> RolesAsync(Asker asker, EvaluateAccess evaluate, [FromBody] SearchBody body, CancellationToken cancellation)
    {
        var question = new AccessQuestion(body.Subject?.Type ?? "", body.Subject?.Id ?? "", body.Resource?.Type ?? "", body.Resource?.Id ?? "", "");
        List<string> missing = [.. Lacking(body.Subject, "subject", needsId: true), .. Lacking(body.Resource, "resource", needsId: true)];
        var (found, page, problem) = await FindAsync(body.Page, "action", question, missing, (asked, after, limit) => evaluate.RolesAsync(asker, asked, after, limit, cancellation));
        return problem ?? Results.Json(new FoundActionsShape(page!, [.. found!.Select(name => new ActionShape(name))]), ApiJson.Default.FoundActionsShape);
    }

    private static async Task<(IReadOnlyList<string>? Found, FoundPageShape? Page, IResult? Problem)> FindAsync(
        SearchPageBody? page, string what, AccessQuestion question, List<string> missing, Func<AccessQuestion, string, int, Task<FoundNames>> find)
    {
        if (missing.Count > 0)
        {
            return (null, null, Missing(missing));
        }

        if (page?.Limit is < 0)
        {
            return (null, null, Wrong("page.limit", "must be 0 or more"));
        }

        string[] search = [what, question.SubjectType, question.Subject, question.ResourceType, question.Resource, question.Role];
        var limit = (int)Math.Min(page?.Limit ?? 50, Answers.MostItems);
        var begin = new SearchToken(limit, "");
        if (page?.Token is { Length: > 0 } token)
        {
            if (SearchToken.Read(token, search) is not { } read || (page.Limit is not null && limit != read.Limit))
            {
                return (null, null, Wrong("page.token", "must be the next_token of an earlier answer to the same search, with the same limit or none"));
            }

            begin = read;
        }

        var found = await find(question, begin.After, begin.Limit);
        return (found.Names, new FoundPageShape(found.Last is { } last ? (begin with { After = last }).Write(search) : "", found.Names.Count), null);
    }

    /// <summary>The question, with what it lacks taken from around it; null with what is then still missing.</summary>
    private static (AccessQuestion? Question, List<string> Missing) Question(AskedBody one, AskedBody around)
    {
        var (subject, action, resource) = (Filled(one.Subject, around.Subject), one.Action?.Name is null ? around.Action ?? one.Action : one.Action, Filled(one.Resource, around.Resource));
        List<string> missing = [.. Lacking(subject, "subject", needsId: true), .. Lacking(action), .. Lacking(resource, "resource", needsId: true)];
        return (missing.Count > 0 ? null : new AccessQuestion(subject!.Type!, subject.Id!, resource!.Type!, resource.Id!, action!.Name!), missing);
    }

    private static EntityBody? Filled(EntityBody? one, EntityBody? around) =>
        one is null ? around : one with { Type = one.Type ?? around?.Type, Id = one.Id ?? around?.Id };

    private static IEnumerable<string> Lacking(EntityBody? entity, string name, bool needsId)
    {
        if (entity is null)
        {
            yield return name;
            yield break;
        }

        if (entity.Type is null)
        {
            yield return name + ".type";
        }

        if (needsId && entity.Id is null)
        {
            yield return name + ".id";
        }
    }

    private static IEnumerable<string> Lacking(ActionBody? action) => action is null ? ["action"] : action.Name is null ? ["action.name"] : [];

    private static IResult Missing(List<string> names) =>
        Answers.Problem(ProblemKind.Unreadable.Say("Something is missing that the call cannot do without.", errors: [.. names.Select(name => new FieldProblem(name, "is required"))]));

    private static IResult Wrong(string field, string message) =>
        Answers.Problem(ProblemKind.Unreadable.Say("The call cannot be read as it is.", errors: [new FieldProblem(field, message)]));

    private static IResult Configuration(HttpContext context, ServerOptions options)
    {
        if (options.Web.PublicUrl is null && !context.Request.Host.HasValue)
        {
            return Answers.Problem(ProblemKind.Unreadable.Say("The call does not say which address it is for.", "Send a Host header."));
        }

        var own = (options.Web.PublicUrl?.ToString() ?? $"{context.Request.Scheme}://{context.Request.Host.ToUriComponent()}").TrimEnd('/');
        return Results.Json(
            new AuthzenShape(own, own + Base + "/evaluation", own + Base + "/evaluations", own + Base + "/search/subject", own + Base + "/search/resource", own + Base + "/search/action"),
            ApiJson.Default.AuthzenShape);
    }
}
