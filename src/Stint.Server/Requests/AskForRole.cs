using Stint.Connectors;
using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Audit;
using Stint.Core.Catalog;
using Stint.Core.Grants;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Server.Approvals;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Grants;
using Stint.Server.Store;

namespace Stint.Server.Requests;

/// <summary>Somebody asks for a role; the policies answer at once, and what they said is pinned.</summary>
internal sealed class AskForRole(StintStore store, CurrentCatalog catalog, IdSource ids, TimeProvider clock, RequestViews views, GrantSteps steps, ApprovalSteps approvals, TellGlass tell, ConnectorList connectors)
{
    /// <summary>Asks. A policy's no is an answer like any other: a request in <see cref="RequestState.Denied"/>.</summary>
    /// <returns><see cref="Outcome{T}.NotFound"/> for a role that no policy lets this subject know of, exactly as for one that does not exist.</returns>
    /// <param name="who">Who asks, for themselves.</param>
    /// <param name="asking">What for.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    /// <param name="within">Runs in the write that keeps a new request; what it throws undoes it. Null for nothing.</param>
    public async Task<Outcome<RequestView>> AskAsync(SubjectId who, Asking asking, CancellationToken cancellation, Func<Work, RequestView, ValueTask>? within = null)
    {
        var check = asking.Check(clock.Now());
        if (check is not AskingCheck.Sound ask)
        {
            return new Outcome<RequestView>.Invalid(Problems(check));
        }

        var outcome = await WriteAsync(
            async work =>
            {
                var asked = await AskAsync(work, who, ask);
                if (within is not null && asked is Outcome<RequestView>.Done { Value: var view })
                {
                    await within(work, view);
                }

                return asked;
            },
            cancellation);
        if (outcome is Outcome<RequestView>.Done { Value: { Review: { } review } let })
        {
            tell.Tell(let.Request, review);
        }

        Measures.Requests.Add(1, new KeyValuePair<string, object?>("verdict", outcome switch
        {
            Outcome<RequestView>.Done { Value.Request.Verdict: Verdict.Allow } => "allow",
            Outcome<RequestView>.Done { Value.Request.Verdict: Verdict.NeedsApproval } => "needs_approval",
            Outcome<RequestView>.Done => "deny",
            Outcome<RequestView>.NotFound => "unknown",
            _ => "invalid",
        }));
        return outcome;
    }

    /// <summary>What an asking would come to now. Stores nothing.</summary>
    public async Task<Outcome<AskPreview>> PreviewAsync(SubjectId who, Asking asking, CancellationToken cancellation)
    {
        var now = clock.Now();
        var check = asking.Check(now);
        if (check is not AskingCheck.Sound ask)
        {
            return new Outcome<AskPreview>.Invalid(Problems(check));
        }

        var current = catalog.Now;
        var held = await store.ReadAsync(async reads => await reads.HeldAsync(current, who, ask.Role, now), cancellation);
        var verdict = Decider.Decide(current, Question(who, ask, now) with { Held = held });
        if (verdict is Verdict.Deny { Known: false })
        {
            return new Outcome<AskPreview>.NotFound();
        }

        var (wrong, open) = await store.ReadAsync(async reads => (CheckKind(current, ask) ?? await CheckExtensionAsync(reads, who, ask, now), ask.BreakGlass ? await reads.FindOpenReviewAsync(who) : null), cancellation);
        verdict = await store.ReadAsync(async reads => await reads.WithinBudgetAsync(current, who, verdict, now), cancellation);
        verdict = open is not null && verdict is Verdict.Allow broken ? Decider.UnderReview(broken, open) : verdict;
        return wrong is null
            ? new Outcome<AskPreview>.Done(new AskPreview(verdict, current.Version))
            : new Outcome<AskPreview>.Invalid([wrong]);
    }

    /// <summary>The same inside a write of somebody else's.</summary>
    public async Task<Outcome<RequestView>> AskAsync(Work work, SubjectId who, AskingCheck.Sound ask)
    {
        var now = clock.Now();
        var current = catalog.Now;
        var verdict = Decider.Decide(current, Question(who, ask, now) with { Held = await work.HeldAsync(current, who, ask.Role, now) });

        // NB. Whoever may not know of a role learns nothing: the same answer as for one that does not exist, and only
        // the log remembers that they tried.
        if (verdict is Verdict.Deny { Known: false } unknown)
        {
            work.Append(Facts.AskRefused(who, ask.Role.ToString(), unknown.Because, current.Version, now));
            return new Outcome<RequestView>.NotFound();
        }

        if ((CheckKind(current, ask) ?? await CheckExtensionAsync(work, who, ask, now)) is { } wrong)
        {
            return new Outcome<RequestView>.Invalid([wrong]);
        }

        verdict = await work.WithinBudgetAsync(current, who, verdict, now);
        if (ask.BreakGlass && verdict is Verdict.Allow broken && await work.FindOpenReviewAsync(who) is { } open)
        {
            verdict = Decider.UnderReview(broken, open);
        }

        var (request, grant) = await KeepAsync(work, RequestOf(who, ask, verdict, current, now), now);
        return new Outcome<RequestView>.Done(await views.OfNewAsync(work, request, grant, who));
    }

    /// <summary>Keeps a new request as the policies decided it, with its facts, and does what follows at once: a grant, or its first step.</summary>
    internal async ValueTask<(Request Request, Grant? Grant)> KeepAsync(Work work, Request asked, DateTimeOffset now)
    {
        var verdict = asked.Verdict;
        var state = verdict switch
        {
            Verdict.Allow => RequestState.Approved,
            Verdict.NeedsApproval => RequestState.Pending,
            Verdict.Deny => RequestState.Denied,
            _ => throw new InvalidOperationException("A verdict is one of three."),
        };
        var request = await work.InsertAsync(asked with
        {
            State = state,
            DecidedAt = state == RequestState.Pending ? null : now,
            Why = (verdict as Verdict.Deny)?.Because,
        });
        work.Append(Facts.RequestAsked(request));
        var rule = Actor.Rule(verdict.DecidedBy is [var first, ..] ? first : "none");
        Grant? grant = null;
        if (state == RequestState.Approved)
        {
            work.Append(Facts.RequestApproved(request, now, rule));
            if (verdict is Verdict.Allow { Glass: { } glass })
            {
                await OpenReviewAsync(work, request, glass, now);
            }

            grant = await steps.MakeReadyAsync(work, request, now, rule);
        }
        else if (state == RequestState.Denied)
        {
            work.Append(Facts.RequestDenied(request, now, rule));
        }
        else
        {
            await approvals.OpenAsync(work, request, now);
        }

        return (request, grant);
    }

    /// <summary>Writes; and once more when the same person broke the glass on another node at the same moment: then that one's review is there to be found.</summary>
    private async Task<T> WriteAsync<T>(Func<Work, Task<T>> act, CancellationToken cancellation)
    {
        const int most = 5;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await store.WriteAsync(act, cancellation);
            }
            catch (ReviewTakenException) when (attempt < most)
            {
                // Looked at again.
            }
        }
    }

    /// <summary>What an emergency costs, in the write that lets it in.</summary>
    private async ValueTask OpenReviewAsync(Work work, Request request, PinnedGlass glass, DateTimeOffset now)
    {
        var review = await work.InsertAsync(new Review
        {
            Id = ids.NextReview(),
            Request = request.Id,
            Person = request.Subject,
            Role = request.Role,
            State = ReviewState.Open,
            Version = 1,
            OpenedAt = now,
            DueAt = now + glass.Within,
            From = glass.From,
            Reviewers = glass.Reviewers,
            Told = glass.Told,
        }) ?? throw new ReviewTakenException();
        work.Append(Facts.GlassBroken(request, review));
    }

    internal Request RequestOf(SubjectId who, AskingCheck.Sound ask, Verdict verdict, LoadedCatalog current, DateTimeOffset now)
    {
        var terms = verdict switch
        {
            Verdict.Allow allow => allow.Terms,
            Verdict.NeedsApproval needs => needs.Terms,

            // A denied asking has no terms; it is kept as it was asked, and nothing comes of it.
            _ => new Terms(ask.For ?? TimeSpan.FromHours(1), TimeSpan.Zero, RecordMode.Default, TimeSpan.FromHours(24), TimeSpan.FromHours(8)),
        };
        var request = new Request
        {
            Id = ids.NextRequest(),
            Subject = who,
            Role = ask.Role,
            State = RequestState.Pending,
            Version = 1,
            AskedAt = now,
            For = terms.For,
            Opening = ask.Opening,
            StartAt = ask.StartAt is { } start ? CanonicalTime.Cut(start) : null,
            Reason = ask.Reason,
            Ticket = ask.Ticket,
            Extends = ask.Extends,
            Recurrence = ask.Recurrence,
            BreakGlass = ask.BreakGlass,
            Task = ask.Task,
            Claims = ask.Claims,
            Statements = ask.Statements,
            CatalogVersion = current.Version,
            Verdict = verdict,
            LapsesAt = now + terms.LapsesAfter,
            BeginWithin = terms.BeginWithin,
            Digest = "",
        };
        return request with { Digest = RequestDigest.Of(request) };
    }

    internal static Question Question(SubjectId who, AskingCheck.Sound ask, DateTimeOffset now) =>
        new(who, ask.Role, ask.For, ask.Reason, ask.Ticket, ask.StartAt, now) { BreakGlass = ask.BreakGlass, Task = ask.Task, Claims = ask.Claims, Statements = ask.Statements };

    internal static List<Problem> Problems(AskingCheck check) => check is AskingCheck.Wrong wrong
        ? [.. wrong.Problems.Select(problem => new Problem(problem.Field, problem.WayOut is null ? problem.What : $"{problem.What}; {problem.WayOut}"))]
        : [];

    /// <summary>Only where the gateway alone leads there, and reads what is said, can anybody be held to exact statements.</summary>
    private Problem? CheckKind(LoadedCatalog current, AskingCheck.Sound ask) =>
        ask.Statements is not null && connectors.Find(current.Resources[ask.Role.Resource].Kind) is not { Shape.HoldsToStatements: true }
            ? new Problem("authorization_details", $"nobody can be held to exact statements at a resource of the kind {current.Resources[ask.Role.Resource].Kind}; ask for the role without them")
            : null;

    /// <summary>An extension joins an own grant of the same role that is not over.</summary>
    private static async Task<Problem?> CheckExtensionAsync(Reads reads, SubjectId who, AskingCheck.Sound ask, DateTimeOffset now)
    {
        if (ask.Extends is not { } extends)
        {
            return null;
        }

        // NB. One answer for a grant that is another's and for one that is not there.
        if (await reads.FindGrantAsync(extends) is not { } grant || grant.Subject != who)
        {
            return new Problem("extends", $"you have no grant {extends}");
        }

        if (grant.Role != ask.Role)
        {
            return new Problem("extends", $"{extends} is a grant of {grant.Role}; only the same role can be extended");
        }

        // NB. What was opened without a yes is not carried on with less than that, nor is anything else turned into it.
        if (grant.BreakGlass != ask.BreakGlass)
        {
            return new Problem("extends", grant.BreakGlass
                ? $"{extends} is break-glass, and more of it is break-glass again; say so, or ask without it"
                : $"{extends} is not break-glass; ask for break-glass without it");
        }

        // NB. A session goes on with more time, never with more power.
        if (!Equals(grant.Statements, ask.Statements))
        {
            return new Problem("authorization_details", grant.Statements is null
                ? $"{extends} is not for exact statements; ask for those without it"
                : $"{extends} is for exact statements, and more of it is for the same; say them");
        }

        // NB. Else a task's end would leave what was carried on beyond it.
        if (grant.Task is { } task && grant.Task != ask.Task)
        {
            return new Problem("task", $"{extends} is bound to {task}, and so is more of it; say so");
        }

        return grant.State is GrantState.Opening || (grant.State == GrantState.Open && grant.NotAfter > now)
            ? null
            : new Problem("extends", $"{extends} is {Facts.Word(grant.State)}; only what is open can be extended. Ask without it");
    }

    /// <summary>Another break-glass of the same person was committed first: this one is undone.</summary>
    private sealed class ReviewTakenException : Exception;
}
