using System.Text;
using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Catalog;
using Stint.Core.Grants;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;
using Stint.Server.Store.Sealing;

namespace Stint.Server.Grants;

/// <summary>The moves of a grant that several use cases make, each inside the caller's transaction, with their facts and wakes.</summary>
internal sealed class GrantSteps(CurrentCatalog catalog, IdSource ids, Sealer sealer)
{
    /// <summary>A request was approved: its grant waits, or opens at once when somebody waits for it or it joins one that is open; or its series begins.</summary>
    /// <returns>The grant; null for a series, whose grants come with its occurrences.</returns>
    public async ValueTask<Grant?> MakeReadyAsync(Work work, Request request, DateTimeOffset now, Actor by)
    {
        if (request.Recurrence is not null)
        {
            await SeriesSteps.BeginAsync(work, request, now, by);
            return null;
        }

        var terms = request.Verdict switch
        {
            Verdict.Allow allow => allow.Terms,
            Verdict.NeedsApproval needs => needs.Terms,
            _ => throw new InvalidOperationException($"The request {request.Id} was denied."),
        };
        var start = request.StartAt > now ? request.StartAt : null;
        var grant = await work.InsertAsync(new Grant
        {
            Id = ids.NextGrant(),
            Request = request.Id,
            Subject = request.Subject,
            Role = request.Role,
            State = GrantState.Ready,
            Version = 1,
            ReadyAt = now,
            For = request.For,
            StartAt = request.StartAt,
            LapsesAt = request.OccurrenceOf is null ? (OpensFrom(request, start, now) ?? start ?? now) + request.BeginWithin : request.LapsesAt,
            Extends = request.Extends,
            Record = terms.Record,
            BreakGlass = request.BreakGlass,
            Task = request.Task,
            Statements = request.Statements,
        });
        work.Append(Facts.GrantReady(grant, by));

        // NB. An extension whose grant ended before the yes is a plain grant: nobody sits in the session it was meant
        // to carry on, so its clock waits for the holder like any other's.
        var joins = request.Extends is { } extends
            && await work.FindGrantAsync(extends) is { State: GrantState.Opening or GrantState.Open } extended
            && (extended.State == GrantState.Opening || extended.NotAfter > now);
        var opensNow = request.Extends is null ? request.Opening == Opening.OnApproval : joins;
        return opensNow ? await BeginAsync(work, grant, now, by) ?? grant : grant;
    }

    /// <summary>Why the calendars do not let it open yet, and when they do; null when nothing is in the way of the time.</summary>
    public async ValueTask<Again.NotYet?> WaitsAsync(Work work, Grant ready, DateTimeOffset now) =>
        catalog.Now.Calendars.Count == 0 ? null : (await AgainAsync(work, await RequestOfAsync(work, ready), ready, now)).Again as Again.NotYet;

    /// <summary>When the calendars let a request's access open; null for at once, or at its start.</summary>
    private DateTimeOffset? OpensFrom(Request request, DateTimeOffset? start, DateTimeOffset now)
    {
        if (catalog.Now.Calendars.Count == 0)
        {
            return null;
        }

        var question = new Question(request.Subject, request.Role, null, request.Reason, request.Ticket, start, now) { Held = [], BreakGlass = request.BreakGlass, Task = request.Task, Claims = request.Claims, Statements = request.Statements };
        return Decider.Decide(catalog.Now, question) switch
        {
            Verdict.Allow allow => allow.Terms.OpensFrom,
            Verdict.NeedsApproval needs => needs.Terms.OpensFrom,
            _ => null,
        };
    }

    private static async ValueTask<Request> RequestOfAsync(Work work, Grant ready) => await work.FindRequestAsync(ready.Request)
        ?? throw new InvalidOperationException($"The grant {ready.Id} has no request.");

    private async ValueTask<(Again Again, Question Question)> AgainAsync(Work work, Request request, Grant ready, DateTimeOffset now)
    {
        // An occurrence was approved with its series: the yeses were given to that.
        var approved = request.OccurrenceOf is { } of
            ? await work.FindRequestAsync(of) ?? throw new InvalidOperationException($"The occurrence {request.Id} has no series.")
            : request;
        var current = catalog.Now;

        // What was only promised is in nobody's way: whoever opens first has it, and the other is asked again like this one.
        var held = await work.HeldAsync(current, request.Subject, request.Role, now);
        var question = new Question(request.Subject, request.Role, ready.For, request.Reason, request.Ticket, null, now)
        {
            Held = [.. held.Where(one => !one.Promised)],
            BreakGlass = request.BreakGlass,
            Task = request.Task,
            Claims = request.Claims,
            Statements = request.Statements,
        };
        return (Decider.AskAgain(current, question, approved.Verdict, await work.ApprovalsAsync(approved.Id), approved.Digest, await work.AdditionsAsync(approved.Id)), question);
    }

    /// <summary>Asks the policy again and opens, or closes what it no longer allows.</summary>
    /// <returns>
    /// The grant in <see cref="GrantState.Opening"/>, or in <see cref="GrantState.Closed"/> with the reason; as it was when
    /// the calendars let it open later; null when somebody else was first.
    /// </returns>
    public async ValueTask<Grant?> BeginAsync(Work work, Grant ready, DateTimeOffset now, Actor by)
    {
        var current = catalog.Now;
        var request = await RequestOfAsync(work, ready);
        var (again, question) = await AgainAsync(work, request, ready, now);
        if (again is Again.NotYet wait)
        {
            // NB. One with a start was given a time at which it opens: when the calendars were changed since, it is over,
            // and does not open at a time that nobody asked for.
            return ready.StartAt is null ? ready : await EndAsync(work, ready, EndReason.Revoked, wait.Because, now, by);
        }

        if (again is not Again.Stands { Terms: var terms })
        {
            var why = again is Again.Fell fell ? fell.Because : "the policy could not be asked";
            if (again is Again.Fell { Lacking: true } && request.OccurrenceOf is { } of && await work.FindSeriesAsync(of) is { } series)
            {
                // NB. Yeses that are missing today are missing tomorrow: a person has to ask, and others to answer, anew.
                await SeriesSteps.EndAsync(work, series, SeriesEnd.Outgrown, why, now, by);
            }

            return await EndAsync(work, ready, EndReason.Revoked, why, now, by);
        }

        // NB. What is being taken away is taken away first, and then made anew: until then nothing stands for this grant.
        var standing = await work.FindLiveAssignmentAsync(ready.Subject, ready.Role);
        AssignmentId? assignment = standing is null ? await AssignAnewAsync(work, ready, now)
            : standing.State == AssignmentState.Removing ? null
            : standing.Id;
        var next = ready with
        {
            State = GrantState.Opening,
            BegunAt = now,
            Assignment = assignment,
            For = terms.For < ready.For ? terms.For : ready.For,
            Record = terms.Record > ready.Record ? terms.Record : ready.Record,
            EndsBy = Earlier(terms.EndsBy, request.OccurrenceOf is null ? null : request.StartAt + request.For),
        };
        if (await work.MoveAsync(ready, next) is not { } begun)
        {
            return null;
        }

        work.Append(Facts.GrantOpening(begun, now, by, Decider.Decide(current, question with { For = null }), current.Version));
        if (assignment is { } look)
        {
            await work.DueAsync(look, now);
        }

        return begun;
    }

    private static DateTimeOffset? Earlier(DateTimeOffset? one, DateTimeOffset? other) => one is { } a && other is { } b ? (a < b ? a : b) : one ?? other;

    /// <summary>A grant is open.</summary>
    public void Opened(Work work, Grant opened, DateTimeOffset now)
    {
        work.Append(Facts.GrantOpened(opened, now));
        if (catalog.Now.IsOfStint(opened.Role))
        {
            work.Wake(Wakes.Rights);
        }
    }

    /// <summary>Ends a grant wherever it stands. What waits closes at once; what stands is taken away by the keeper, its sessions first.</summary>
    /// <returns>The grant in <see cref="GrantState.Closing"/> or <see cref="GrantState.Closed"/>; null when it had ended already.</returns>
    public static async ValueTask<Grant?> EndAsync(Work work, Grant seen, EndReason reason, string? note, DateTimeOffset now, Actor by)
    {
        if (seen.State is GrantState.Closing or GrantState.Closed)
        {
            return null;
        }

        var ended = seen with { End = reason, EndNote = note, EndedAt = now };
        if (seen.State == GrantState.Ready)
        {
            if (await work.MoveAsync(seen, ended with { State = GrantState.Closed, ClosedAt = now }) is not { } closed)
            {
                return null;
            }

            work.Append(Facts.GrantClosed(closed, now, by, null));
            return closed;
        }

        if (await work.MoveAsync(seen, ended with { State = GrantState.Closing }) is not { } closing)
        {
            return null;
        }

        work.Append(Facts.GrantClosing(closing, now, by));
        if (closing.Assignment is not { } assignment)
        {
            await CloseAsync(work, [closing], now, by);
            return await work.FindGrantAsync(closing.Id);
        }

        await work.DueAsync(assignment, now);
        work.Wake(Wakes.Sessions(assignment));
        return closing;
    }

    /// <summary>Nothing of these is left at the target: those that are closing are over.</summary>
    public static async ValueTask CloseAsync(Work work, IReadOnlyList<Grant> grants, DateTimeOffset now, Actor by)
    {
        foreach (var grant in grants.Where(grant => grant.State == GrantState.Closing))
        {
            if (await work.MoveAsync(grant, grant with { State = GrantState.Closed, ClosedAt = now }) is { } closed)
            {
                // NB. Its logins may carry on under another grant of the assignment; with the assignment they all die.
                var late = closed.End == EndReason.Expired ? closed.EndedAt - closed.NotAfter : null;
                work.Append(Facts.GrantClosed(closed, now, by, late));
            }
        }
    }

    /// <summary>An assignment was removed: those who wanted access again meanwhile get a new one.</summary>
    public async ValueTask OpenAgainAsync(Work work, Assignment removed, DateTimeOffset now)
    {
        var waiting = (await work.LiveGrantsAsync(removed.Subject, removed.Role))
            .Where(grant => grant is { State: GrantState.Opening, Assignment: null })
            .ToList();
        if (waiting.Count > 0)
        {
            var assignment = await AssignAnewAsync(work, waiting[0], now);
            foreach (var grant in waiting)
            {
                await work.MoveAsync(grant, grant with { Assignment = assignment });
            }
        }
    }

    /// <summary>A new assignment for a subject and a role, its account's secret made and sealed. Nothing stands at the target yet.</summary>
    private async ValueTask<AssignmentId> AssignAnewAsync(Work work, Grant grant, DateTimeOffset now)
    {
        var id = ids.NextAssignment();
        var assignment = new Assignment
        {
            Id = id,
            Subject = grant.Subject,
            Role = grant.Role,
            State = AssignmentState.Adding,
            Version = 1,
            CatalogVersion = catalog.Now.Version,
            Account = AccountName(grant.Subject, id),
            DueAt = now,
        };
        var kept = await work.InsertAsync(assignment, sealer.Seal(ids.NextSecret(), Purpose(id)))
            ?? throw new InvalidOperationException($"Two writers made an assignment of {grant.Subject} and {grant.Role} at once.");
        return kept.Id;
    }

    /// <summary>What the sealed secret of an assignment is for.</summary>
    internal static string Purpose(AssignmentId id) => $"assignment:{id}";

    /// <summary><c>stint_ann_</c> and the assignment's own twelve characters: at most 43 of <c>[a-z0-9_]</c>.</summary>
    internal static string AccountName(SubjectId subject, AssignmentId assignment)
    {
        var name = new StringBuilder("stint_");
        foreach (var letter in subject.Value.Take(24))
        {
            var lower = char.ToLowerInvariant(letter);
            name.Append(char.IsAsciiLetterLower(lower) || char.IsAsciiDigit(lower) ? lower : '_');
        }

        return name.Append('_').Append(assignment.Value.AsSpan(assignment.Value.IndexOf('-', StringComparison.Ordinal) + 1)).ToString();
    }
}
