using System.Text.Json.Nodes;
using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Catalog;
using Stint.Core.Grants;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Server.Store;

namespace Stint.Server.Catalog;

/// <summary>What other files would change, before anybody lets them: the difference, and what becomes of what is open and what waits.</summary>
internal sealed class PlanCatalog(StintStore store, CurrentCatalog current, CatalogVersions versions, TimeProvider clock)
{
    private const int Batch = 500;
    private const int MostTold = 500;

    /// <summary>Plans. A catalog with problems is an answer as well: <c>ok</c> is false, and all of them are in it.</summary>
    public async Task<Outcome<JsonObject>> PlanAsync(SubjectId who, CatalogSource files, CancellationToken cancellation)
    {
        var basis = current.Now;
        if (!basis.MayReadCatalog(who))
        {
            return new Outcome<JsonObject>.NotYours("only admins, auditors and catalog keepers plan changes of the catalog", []);
        }

        var load = versions.LoadSent(files);
        var plan = new JsonObject { ["ok"] = load.Catalog is not null, ["errors"] = Problems(load.Errors), ["warnings"] = Problems(load.Warnings) };
        if (load.Catalog is not { } text)
        {
            return new Outcome<JsonObject>.Done(plan);
        }

        var next = current.With(text);

        var now = clock.Now();
        foreach (var (name, value) in CatalogDiff.Between(basis, next, now).ToNode().ToList())
        {
            plan[name] = value?.DeepClone();
        }

        plan["needs_approval"] = basis.ChangeApproval is not null && basis.Version != next.Version;
        plan["approvals"] = VerdictJson.StepsNode(ChangeApproval.Pin(basis, who, now));
        plan["consequences"] = basis.Version == next.Version ? new JsonObject { ["items"] = new JsonArray(), ["left_out"] = 0 } : await ConsequencesAsync(next, now, cancellation);
        return new Outcome<JsonObject>.Done(plan);
    }

    /// <summary>What a proposed change would change of what it was made from; whoever may see the change may see that.</summary>
    public async Task<JsonObject?> OfAsync(CatalogChange change, CancellationToken cancellation) =>
        versions.Load(change.Files).Catalog is { } next && await versions.FindAsync(change.Base, cancellation) is { } basis
            ? CatalogDiff.Between(basis, next, clock.Now()).ToNode()
            : null;

    /// <summary>Problems as JSON: <c>file line column what way_out</c>.</summary>
    public static JsonArray Problems(IEnumerable<CatalogProblem> problems) => new([.. problems.Select(problem => new JsonObject
    {
        ["file"] = problem.File,
        ["line"] = problem.Line,
        ["column"] = problem.Column,
        ["what"] = problem.What,
        ["way_out"] = problem.WayOut,
    })]);

    private async Task<JsonObject> ConsequencesAsync(LoadedCatalog next, DateTimeOffset now, CancellationToken cancellation)
    {
        var items = new List<JsonObject>();
        var count = 0;
        await EachAsync(
            (reads, page) => reads.RequestsAsync(new RequestFilter { State = RequestState.Pending }, page),
            async (reads, request) => Tell(await FateAsync(reads, next, request, null, now), request.Id.Value, "request", request.Subject, request.Role),
            cancellation);
        await EachAsync(
            (reads, page) => reads.GrantsAsync(new GrantFilter { States = [GrantState.Ready, GrantState.Opening, GrantState.Open] }, page),
            async (reads, grant) => Tell(
                await reads.FindRequestAsync(grant.Request) is { } request ? await FateAsync(reads, next, request, grant, now) : null, grant.Id.Value, "grant", grant.Subject, grant.Role),
            cancellation);
        return new JsonObject { ["items"] = new JsonArray([.. items]), ["left_out"] = count - items.Count };

        void Tell((string What, string Because)? fate, string id, string kind, SubjectId subject, RoleRef role)
        {
            if (fate is not var (what, because) || ++count > MostTold)
            {
                return;
            }

            items.Add(new JsonObject
            {
                ["kind"] = kind,
                ["id"] = id,
                ["subject"] = subject.Value,
                ["role"] = role.ToString(),
                ["what"] = what,
                ["because"] = because,
            });
        }
    }

    /// <summary>What becomes of something that stands: <c>ends</c> at once, <c>falls</c> when it is to open, <c>keeps</c> what would not be given again. Null when nothing does.</summary>
    private static async Task<(string What, string Because)?> FateAsync(Reads reads, LoadedCatalog next, Request request, Grant? grant, DateTimeOffset now)
    {
        if (!next.MayAsk(request.Subject))
        {
            return ("ends", $"{request.Subject} is no longer active");
        }

        var question = new Question(request.Subject, request.Role, request.For, request.Reason, request.Ticket, null, now) { Held = await reads.HeldAsync(next, request.Subject, request.Role, now), BreakGlass = request.BreakGlass, Task = request.Task, Claims = request.Claims, Statements = request.Statements };
        var approved = request.OccurrenceOf is { } series ? await reads.FindRequestAsync(series) ?? request : request;
        var approvals = await reads.ApprovalsAsync(approved.Id);
        if (grant is null)
        {
            // One that waits is asked again with the yeses that it will have by then: only a no by the rules is certain.
            return Decider.Decide(next, question with { For = null }) is Verdict.Deny deny ? ("falls", deny.Because) : null;
        }

        return Decider.AskAgain(next, question, approved.Verdict, approvals, approved.Digest, await reads.AdditionsAsync(approved.Id)) is Again.Fell fell
            ? grant.State is GrantState.Open or GrantState.Opening
                ? ("keeps", $"{fell.Because}; it stays open until {(grant.NotAfter is { } end ? CanonicalTime.Write(end)[..19] + "Z" : "its end")}, unless it is revoked")
                : ("falls", fell.Because)
            : null;
    }

    private async Task EachAsync<T>(Func<Reads, Page, ValueTask<Paged<T>>> read, Func<Reads, T, Task> act, CancellationToken cancellation)
    {
        long? before = null;
        do
        {
            // A read for each part: a snapshot must not be held for as long as everything takes.
            before = await store.ReadAsync(
                async reads =>
                {
                    var page = await read(reads, new Page(Batch, before));
                    foreach (var item in page.Items)
                    {
                        await act(reads, item);
                    }

                    return page.Next;
                },
                cancellation);
        }
        while (before is not null);
    }
}
