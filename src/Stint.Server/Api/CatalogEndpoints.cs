using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Catalog;
using Stint.Server.Catalog;
using Stint.Server.Identity;
using Stint.Server.Store;

namespace Stint.Server.Api;

/// <summary>Files that shall be the catalog.</summary>
internal sealed record PlanBody
{
    /// <summary>Every file, by its path below the catalog's folder.</summary>
    public required IReadOnlyList<CatalogFileShape> Files { get; init; }
}

/// <summary>Files that shall take effect.</summary>
internal sealed record ApplyBody
{
    /// <summary>Every file, by its path below the catalog's folder.</summary>
    public required IReadOnlyList<CatalogFileShape> Files { get; init; }

    /// <summary>The version that the plan was made from; when another counts by then, nothing happens.</summary>
    public required string Base { get; init; }

    /// <summary>A word for the history; may be absent.</summary>
    public string? Note { get; init; }

    /// <summary>Commit of the checkout that the files stand in; absent for none.</summary>
    public string? Commit { get; init; }

    /// <summary>Who wrote it, as git says; absent for unknown.</summary>
    public string? Author { get; init; }

    /// <summary>Whether the files differ from that commit.</summary>
    public bool? Dirty { get; init; }
}

/// <summary>An earlier version that shall count again.</summary>
internal sealed record RollbackBody
{
    /// <summary>A number of the history, or the first six or more digits of a version.</summary>
    public required string To { get; init; }

    /// <summary>The version that counts now.</summary>
    public required string Base { get; init; }

    /// <summary>Why; may be absent.</summary>
    public string? Note { get; init; }
}

/// <summary>Files to decide past requests by.</summary>
internal sealed record ReplayBody
{
    /// <summary>Every file, by its path below the catalog's folder.</summary>
    public required IReadOnlyList<CatalogFileShape> Files { get; init; }

    /// <summary>How far back, in seconds.</summary>
    public required long SinceSeconds { get; init; }

    /// <summary>Whether to keep a report for an hour, to be opened in a browser; absent for no.</summary>
    public bool? Keep { get; init; }
}

/// <summary>An answer to a change of the catalog.</summary>
internal sealed record AnswerBody
{
    /// <summary>The change's <c>digest</c> as it was shown; a yes needs it.</summary>
    public string? SawDigest { get; init; }

    /// <summary>Why; a no needs it.</summary>
    public string? Comment { get; init; }
}

/// <summary>One taking effect of a catalog.</summary>
/// <param name="Number">Counted from 1.</param>
/// <param name="Version">SHA-256 over its files.</param>
/// <param name="Previous">The version that counted before; null for the first.</param>
/// <param name="At">When.</param>
/// <param name="By">Who: <c>person:NAME</c>, or <c>stint:operator</c> for whoever keeps the folder.</param>
/// <param name="Note">A word about it; may be empty.</param>
/// <param name="Commit">Commit of the checkout that the files stood in; null for none.</param>
/// <param name="Author">Who wrote that commit, as git says; nothing proves it.</param>
/// <param name="Dirty">Whether the files differed from that commit.</param>
/// <param name="Change">The approved change that it came of; null for none.</param>
internal sealed record EntryShape(long Number, string Version, string? Previous, DateTimeOffset At, string By, string Note, string? Commit, string? Author, bool Dirty, string? Change);

/// <summary>A taking effect with its files.</summary>
/// <param name="Entry">The taking effect.</param>
/// <param name="Files">The files.</param>
internal sealed record ExportShape(EntryShape Entry, IReadOnlyList<CatalogFileShape> Files);

/// <summary>A change of the catalog that waits for somebody's yes, or what became of it.</summary>
internal sealed record ChangeShape
{
    public required string Id { get; init; }

    /// <summary><c>pending</c>, <c>applied</c>, <c>denied</c>, <c>withdrawn</c>, <c>lapsed</c>, <c>stale</c>.</summary>
    public required string State { get; init; }

    /// <summary>Grows with every answer.</summary>
    public required long Version { get; init; }

    /// <summary>The catalog that it was made from, and takes effect on.</summary>
    public required string Base { get; init; }

    /// <summary>The catalog that it would make.</summary>
    public required string Target { get; init; }

    /// <summary><c>person:NAME</c>, or <c>stint:operator</c> for a changed folder.</summary>
    public required string ProposedBy { get; init; }

    public required DateTimeOffset ProposedAt { get; init; }

    public required DateTimeOffset LapsesAt { get; init; }

    public DateTimeOffset? DecidedAt { get; init; }

    /// <summary>The sentence that goes with its end; null while there is none.</summary>
    public string? Why { get; init; }

    /// <summary>SHA-256 of what an approver says yes to: those files, on that base, proposed by that person.</summary>
    public required string Digest { get; init; }

    public required string Note { get; init; }

    public string? Commit { get; init; }

    public string? Author { get; init; }

    public required bool Dirty { get; init; }

    public required IReadOnlyList<StepShape> Steps { get; init; }

    public required IReadOnlyList<ApprovalShape> Answers { get; init; }
}

/// <summary>What came of wanting another catalog.</summary>
/// <param name="Applied">Its taking effect; null while somebody's yes is missing.</param>
/// <param name="Change">The change that waits; null when none was needed.</param>
/// <param name="Already">Whether it was so before.</param>
/// <param name="Ended">How many grants and requests of people who left ended with it.</param>
internal sealed record AppliedShape(EntryShape? Applied, ChangeShape? Change, bool Already, int Ended);

/// <summary>Marks an endpoint whose body may be as large as a catalog, for those who may read one.</summary>
internal sealed class CatalogSized
{
    private const long Most = 16 << 20;

    public static CatalogSized Instance { get; } = new();

    /// <summary>Raises the bound for a caller who may read the catalog; before the body is read.</summary>
    public static Task RaiseAsync(HttpContext context, Func<Task> next)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<CatalogSized>() is not null
            && context.Features.Get<Caller>() is { MayReadCatalog: true }
            && context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } bound
            && bound.MaxRequestBodySize < Most)
        {
            bound.MaxRequestBodySize = Most;
        }

        return next();
    }
}

/// <summary>Planning, applying and looking back at catalogs.</summary>
internal static class CatalogEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapPost("/catalog/plan", async (Caller caller, PlanCatalog plan, [FromBody] PlanBody body, CancellationToken cancellation) =>
                (await plan.PlanAsync(caller.Id, FilesOf(body.Files), cancellation)).Answer())
            .WithMetadata(CatalogSized.Instance)
            .Describe("planCatalog", "What other files would change", "Problems, or who gains and who loses, and what becomes of what is open and what waits. Changes nothing. For admins, auditors and catalog keepers.", typeof(PlanShape), 200, 403);
        api.MapPost("/catalog/apply", async (Caller caller, ChangeCatalog change, [FromBody] ApplyBody body, CancellationToken cancellation) =>
                Applied(await change.ApplyAsync(
                    caller.Id,
                    new SentCatalog(FilesOf(body.Files), new CatalogOrigin(body.Note ?? "", Short(body.Commit), Short(body.Author), body.Dirty ?? false)),
                    body.Base,
                    cancellation)))
            .WithMetadata(CatalogSized.Instance)
            .Describe("applyCatalog", "Let other files be the catalog", "All of them, in one step, if `base` still counts; the same files again change nothing. Where the catalog that counts demands somebody's yes, a change waits for it and the status is 202. For admins and catalog keepers; what decides who has a right in Stint itself, admins alone change without such a yes.", typeof(AppliedShape), 200, 403, 409, 422);
        api.MapPost("/catalog/rollback", async (Caller caller, ChangeCatalog change, [FromBody] RollbackBody body, CancellationToken cancellation) =>
                Applied(await change.RollBackAsync(caller.Id, body.To, body.Base, body.Note ?? "", cancellation)))
            .Describe("rollBackCatalog", "Let an earlier version count again", "Applies its files on the version that counts now, with everything that applying takes.", typeof(AppliedShape), 200, 403, 404, 409, 422);
        api.MapPost("/catalog/replay", ReplayAsync)
            .WithMetadata(CatalogSized.Instance)
            .Describe("replayCatalog", "Decide past requests again by other files", "Lines of JSON while it goes on: `replayed` counts, `item` is a request that would be answered otherwise, `total` comes last. Changes nothing. With `keep` a report is kept for an hour and `report` comes before `total`: `id`, `key` (shown this once) and `ends_at`; a browser opens it at `/catalog/replays/{id}#{key}`. A person has at most five, the oldest makes room. For admins, auditors and catalog keepers.", null, 200, 403, 422)
            .Produces(200, contentType: "application/jsonl");
        api.MapGet("/catalog/replays/{id}", ReportAsync)
            .WithMetadata(Identity.Open.Instance)
            .Describe("getReplay", "A report of a replay that was kept", "Opened by `Authorization: Bearer KEY` with the key that it was kept under and by nothing else, for an hour, as long as whoever made it may replay. Whatever is wrong is one answer.", null, 200, 401)
            .Produces(200, contentType: "application/json");
        api.MapGet("/catalog/history", HistoryAsync)
            .Describe("catalogHistory", "Which catalog counted when", "Newest first. For admins, auditors and catalog keepers.", typeof(ListOf<EntryShape>), 200, 403, 422);
        api.MapGet("/catalog/versions/{version}", ExportAsync)
            .Describe("exportCatalog", "The files of a version", "By its number in the history, or the first six or more digits of the version. For admins, auditors and catalog keepers.", typeof(ExportShape), 200, 403, 404);
        api.MapGet("/catalog/changes", ChangesAsync)
            .Describe("listCatalogChanges", "Changes of the catalog", "Newest first; for whoever is neither admin, auditor nor catalog keeper, those that wait for their answer.", typeof(ListOf<ChangeShape>), 200, 422);
        api.MapGet("/catalog/changes/{id}", ChangeAsync)
            .Describe("getCatalogChange", "One change of the catalog", "With the files that it proposes, and what they change: what an approver says yes to.", null, 200, 404)
            .Produces(200, contentType: "application/json");
        Answer(api, "approve", "approveCatalogChange", "Say yes to a change of the catalog", "`saw_digest` is the change's `digest` as it was shown. The last yes that was missing lets it take effect, if its base still counts. Where a step has `step_up`, the yes is given in a browser, at `/catalog/changes/ID`, or, for `fresh`, by a command line whose person signed in for it at most 10 minutes ago: elsewhere it answers 409.", true);
        Answer(api, "deny", "denyCatalogChange", "Say no to a change of the catalog", "One no ends it.", false);
        api.MapPost("/catalog/changes/{id}/withdraw", async (Caller caller, CatalogChanges changes, string id, [FromBody] EmptyBody? body, CancellationToken cancellation) =>
                (await changes.WithdrawAsync(caller.Id, new ChangeId(id), cancellation)).Answer(Of, ApiJson.Default.ChangeShape))
            .Describe("withdrawCatalogChange", "Take a change of the catalog back", "By whoever proposed it; what a folder proposed, by an admin.", typeof(ChangeShape), 200, 403, 404, 409);
    }

    private static void Answer(IEndpointRouteBuilder api, string verb, string operation, string summary, string description, bool yes) =>
        api.MapPost($"/catalog/changes/{{id}}/{verb}", async (Caller caller, CatalogChanges changes, string id, [FromBody] AnswerBody body, HttpContext context, CancellationToken cancellation) =>
                (await changes.AnswerAsync(caller.Id, new ChangeId(id), yes, body.Comment, body.SawDigest, Answers.Via(context), cancellation, Answers.Proof(caller))).Answer(Of, ApiJson.Default.ChangeShape))
            .Describe(operation, summary, description, typeof(ChangeShape), 200, 403, 404, 409, 422);

    private static IResult Applied(Outcome<Changing> outcome) => outcome.Answer(
        changing => new AppliedShape(
            changing.Entry is { } entry ? Of(entry) : null,
            changing.Change is { } change ? Of(change) : null,
            changing.Already,
            changing.Ended),
        ApiJson.Default.AppliedShape,
        outcome is Outcome<Changing>.Done { Value.Change: not null } ? 202 : 200);

    private static async Task<IResult> ReplayAsync(Caller caller, ReplayCatalog replay, [FromBody] ReplayBody body, HttpContext context, CancellationToken cancellation)
    {
        var since = Answers.Seconds(body.SinceSeconds)!.Value;
        var prepared = replay.Prepare(caller.Id, FilesOf(body.Files), since);
        if (prepared is not Outcome<LoadedCatalog>.Done { Value: var next })
        {
            return prepared.Answer(_ => new Health("", null), ApiJson.Default.Health);
        }

        // What tells how far it is goes out at once; the items in between go with it.
        context.Response.ContentType = "application/jsonl";
        await replay.RunAsync(next, since, line => Answers.TellAsync(context, line, flush: !line.ContainsKey("item"), cancellation), cancellation, body.Keep == true ? caller.Id : null);
        return Results.Empty;
    }

    private static async Task<IResult> ReportAsync(HttpContext context, KeepReports reports, WrongProofs wrong, string id, CancellationToken cancellation)
    {
        if (wrong.TooMany(context) is { } wait)
        {
            return wait;
        }

        return await reports.OpenAsync(new ReportId(id), Bearer.TokenOf(context), cancellation) is { } body
            ? Results.Bytes(body, "application/json; charset=utf-8")
            : wrong.Refuse(context, "There is no such report, or the key is not its own.", "A report is kept for an hour; make another: stint catalog replay FOLDER --web.");
    }

    private static async Task<IResult> HistoryAsync(Caller caller, CatalogVersions versions, int? limit, string? cursor, CancellationToken cancellation)
    {
        if (!caller.MayReadCatalog)
        {
            return Forbidden();
        }

        var (page, problem) = Answers.PageOf(limit, cursor);
        return problem ?? Results.Json(Answers.ListOf(await versions.HistoryAsync(page!, cancellation), Of), ApiJson.Default.ListOfEntryShape);
    }

    private static async Task<IResult> ExportAsync(Caller caller, CatalogVersions versions, string version, CancellationToken cancellation)
    {
        if (!caller.MayReadCatalog)
        {
            return Forbidden();
        }

        return await versions.FindEntryAsync(version, cancellation) is { } entry && await versions.FilesAsync(entry.Version, cancellation) is { } files
            ? Results.Json(new ExportShape(Of(entry), [.. files.Files.Select(file => new CatalogFileShape(file.Name, file.Text))]), ApiJson.Default.ExportShape)
            : Answers.NotFound();
    }

    private static async Task<IResult> ChangesAsync(Caller caller, CatalogChanges changes, string? state, int? limit, string? cursor, CancellationToken cancellation)
    {
        var (page, problem) = Answers.PageOf(limit, cursor);
        ChangeState? wanted = null;
        if (problem is null && state is not null && (wanted = Store.Words.Change.Find(state)) is null)
        {
            problem = Answers.Invalid([new FieldProblem("state", "must be one of pending, applied, denied, withdrawn, lapsed, stale")]);
        }

        return problem ?? Results.Json(Answers.ListOf(await changes.ListAsync(caller.Id, wanted, page!, cancellation), Of), ApiJson.Default.ListOfChangeShape);
    }

    private static async Task<IResult> ChangeAsync(Caller caller, CatalogChanges changes, PlanCatalog plan, string id, CancellationToken cancellation)
    {
        var outcome = await changes.GetAsync(caller.Id, new ChangeId(id), cancellation);
        if (outcome is not Outcome<ChangeView>.Done { Value: var view })
        {
            return outcome.Answer(Of, ApiJson.Default.ChangeShape);
        }

        var node = JsonSerializer.SerializeToNode(Of(view), ApiJson.Default.ChangeShape)!.AsObject();
        node["files"] = new JsonArray([.. view.Change.Files.Files.Select(file => new JsonObject { ["name"] = file.Name, ["text"] = file.Text })]);
        node["plan"] = await plan.OfAsync(view.Change, cancellation);
        return Results.Text(node.ToJsonString(), "application/json; charset=utf-8");
    }

    private static EntryShape Of(CatalogEntry entry) => new(
        entry.Number, entry.Version, entry.Previous, entry.At, entry.By, entry.Origin.Note, entry.Origin.Commit, entry.Origin.Author, entry.Origin.Dirty, entry.Change?.Value);

    private static ChangeShape Of(ChangeView view)
    {
        var change = view.Change;
        return new ChangeShape
        {
            Id = change.Id.Value,
            State = Store.Words.Change[change.State],
            Version = change.Version,
            Base = change.Base,
            Target = change.Target,
            ProposedBy = change.ProposedBy,
            ProposedAt = change.ProposedAt,
            LapsesAt = change.LapsesAt,
            DecidedAt = change.DecidedAt,
            Why = change.Why,
            Digest = change.Digest,
            Note = change.Origin.Note,
            Commit = change.Origin.Commit,
            Author = change.Origin.Author,
            Dirty = change.Origin.Dirty,
            Steps = [.. change.Steps.Select(step => Step(change, step, view.Open.FirstOrDefault(open => ReferenceEquals(open.Step, step))))],
            Answers = [.. view.Answers.Select(answer => new ApprovalShape(answer.By.Value, answer.Yes, answer.At, answer.Comment, null, answer.Via, null, null, StepUps.Word(answer.Proof?.Kind ?? StepUp.None)))],
        };
    }

    private static StepShape Step(CatalogChange change, PinnedStep step, OpenStep? open) =>
        new(step.Name, step.From, step.Need, [.. step.Approvers.Select(person => person.Value)], open?.Missing ?? 0)
        {
            State = open is not null ? "open" : change.State is ChangeState.Pending or ChangeState.Applied ? "met" : "over",
            StepUp = StepUps.Word(step.StepUp),
            Could = [.. (open?.Could ?? []).Select(person => person.Value)],
            Delegates = [],
        };

    private static CatalogSource FilesOf(IReadOnlyList<CatalogFileShape> files) => new([.. files.Select(file => file is null ? new CatalogFile("", "") : new CatalogFile(file.Name, file.Text))]);

    /// <summary>What git says is a word for people: cut, so that it fits a line.</summary>
    private static string? Short(string? text) => string.IsNullOrWhiteSpace(text) || !Core.Catalog.Words.IsShowable(text, newLines: false) ? null : text.Length > 200 ? text[..200] : text;

    private static IResult Forbidden() => Answers.Problem(ProblemKind.NotYours.Say("Only admins, auditors and catalog keepers read the catalog's history."));
}
