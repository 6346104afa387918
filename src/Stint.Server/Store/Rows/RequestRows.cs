using System.Data.Common;
using Stint.Core;
using Stint.Core.Policies;
using Stint.Core.Requests;

namespace Stint.Server.Store;

/// <summary>Which requests are wanted. What is null does not matter.</summary>
internal sealed record RequestFilter
{
    public RequestState? State { get; init; }

    /// <summary>Who asked.</summary>
    public SubjectId? Subject { get; init; }

    /// <summary>Pending ones that wait for this person, who has not answered yet.</summary>
    public SubjectId? Awaiting { get; init; }

    /// <summary>The moment that decides who answers for whom; needed with <see cref="Awaiting"/> and <see cref="Involving"/>.</summary>
    public DateTimeOffset Now { get; init; }

    /// <summary>Those that this person asked or may answer (or might have).</summary>
    public SubjectId? Involving { get; init; }

    public string? Resource { get; init; }

    /// <summary>Only series with occurrences to come.</summary>
    public bool Running { get; init; }
}

internal partial class Reads
{
    private const string RequestColumns =
        "id, subject, resource, role, state, version, asked_at, lasts, opening, start_at, reason, ticket, extends, "
        + "catalog_version, verdict, lapses_at, begin_within, decided_at, why, digest, bundle_id, recurrence, occurrence_of, break_glass, task, claims, statements";

    /// <summary>The request; null when there is none. Inside a write it stays as found until the commit.</summary>
    public ValueTask<Request?> FindRequestAsync(RequestId id) =>
        Db.OneAsync($"SELECT {RequestColumns} FROM requests WHERE id = $1{Lock}", ReadRequest, id.Value);

    /// <summary>A page of requests.</summary>
    public ValueTask<Paged<Request>> RequestsAsync(RequestFilter filter, Page page) => new Where()
        .And("state = ?", Words.Request[filter.State])
        .And("subject = ?", filter.Subject?.Value)
        .And("resource = ?", filter.Resource)
        .And("id IN (SELECT request_id FROM series WHERE state = ?)", filter.Running ? Words.Series[SeriesState.Running] : null)
        .And(
            $"subject <> ? AND id IN (SELECT request_id FROM request_approvers WHERE open = 1 AND (person = ? OR {AnsweredFor(filter.Now)})) "
            + "AND id NOT IN (SELECT request_id FROM approvals WHERE person = ?)",
            filter.Awaiting?.Value)
        .And(
            $"(subject = ? OR id IN (SELECT request_id FROM request_approvers WHERE person = ? OR {AnsweredFor(filter.Now)}) "
            + "OR id IN (SELECT request_id FROM approvals WHERE person = ?))",
            filter.Involving?.Value)
        .PageAsync(Db, RequestColumns, "requests", ReadRequest, page);

    /// <summary>What a subject asked and nobody decided yet, oldest first. Inside a write they stay as found until the commit.</summary>
    public ValueTask<List<Request>> PendingRequestsAsync(SubjectId subject) => Db.ListAsync(
        $"SELECT {RequestColumns} FROM requests WHERE subject = $1 AND state = 'pending' ORDER BY seq{Lock}",
        ReadRequest,
        subject.Value);

    /// <summary>Pending requests that nobody decided in time, oldest first.</summary>
    public ValueTask<List<Request>> LapsedRequestsAsync(DateTimeOffset now, int limit) => Db.ListAsync(
        $"SELECT {RequestColumns} FROM requests WHERE state = 'pending' AND lapses_at <= $1 ORDER BY lapses_at LIMIT $2{SkipLocked}",
        ReadRequest,
        now,
        limit);

    private static Request ReadRequest(DbDataReader row)
    {
        var c = new Columns(row);
        return new Request
        {
            Id = new RequestId(c.Text()),
            Subject = new SubjectId(c.Text()),
            Role = new RoleRef(c.Text(), c.Text()),
            State = Words.Request.Read(c.Text()),
            Version = c.Number(),
            AskedAt = c.Time(),
            For = c.Span(),
            Opening = Words.Opening.Read(c.Text()),
            StartAt = c.TimeOrNull(),
            Reason = c.Text(),
            Ticket = c.TextOrNull(),
            Extends = c.TextOrNull() is { } grant ? new GrantId(grant) : null,
            CatalogVersion = c.Text(),
            Verdict = VerdictText.Read(c.Text()),
            LapsesAt = c.Time(),
            BeginWithin = c.Span(),
            DecidedAt = c.TimeOrNull(),
            Why = c.TextOrNull(),
            Digest = c.Text(),
            Bundle = c.TextOrNull() is { } bundle ? new BundleId(bundle) : null,
            Recurrence = c.TextOrNull() is { } series ? Series.Parse(series) : null,
            OccurrenceOf = c.TextOrNull() is { } of ? new RequestId(of) : null,
            BreakGlass = c.Flag(),
            Task = c.TextOrNull(),
            Claims = c.TextOrNull() is { } claims ? ClaimsText.Read(claims) : null,
            Statements = ReadStatements(c.TextOrNull()),
        };
    }
}

internal sealed partial class Work
{
    /// <summary>Keeps a new request, in whatever state the rules put it, and who may answer it.</summary>
    /// <returns>As it stands now, times rounded.</returns>
    public async ValueTask<Request> InsertAsync(Request request)
    {
        var kept = request with
        {
            AskedAt = Stored.Round(request.AskedAt),
            For = Stored.Round(request.For),
            StartAt = Stored.Round(request.StartAt),
            LapsesAt = Stored.Round(request.LapsesAt),
            BeginWithin = Stored.Round(request.BeginWithin),
            DecidedAt = Stored.Round(request.DecidedAt),
        };
        await Db.LaterAsync(
            "INSERT INTO requests (id, subject, resource, role, state, version, asked_at, lasts, opening, start_at, reason, ticket, extends, "
            + "catalog_version, verdict, lapses_at, begin_within, decided_at, why, digest, bundle_id, recurrence, occurrence_of, break_glass, task, claims, statements) "
            + "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27)",
            kept.Id.Value,
            kept.Subject.Value,
            kept.Role.Resource,
            kept.Role.Role,
            Words.Request[kept.State],
            kept.Version,
            kept.AskedAt,
            kept.For,
            Words.Opening[kept.Opening],
            kept.StartAt,
            kept.Reason,
            kept.Ticket,
            kept.Extends?.Value,
            kept.CatalogVersion,
            VerdictText.Write(kept.Verdict),
            kept.LapsesAt,
            kept.BeginWithin,
            kept.DecidedAt,
            kept.Why,
            kept.Digest,
            kept.Bundle?.Value,
            kept.Recurrence?.Text,
            kept.OccurrenceOf?.Value,
            kept.BreakGlass,
            kept.Task,
            kept.Claims is { } claims ? ClaimsText.Write(claims) : null,
            kept.Statements?.Text);
        if (kept.OccurrenceOf is null && kept.Verdict is Verdict.NeedsApproval needs)
        {
            var first = (needs.Sequential ? needs.Steps[0].Approvers : needs.Steps.SelectMany(step => step.Approvers)).ToHashSet();
            foreach (var person in needs.Steps.SelectMany(step => step.Approvers).Distinct())
            {
                await Db.LaterAsync(
                    "INSERT INTO request_approvers (request_id, person, open) VALUES ($1, $2, $3)",
                    kept.Id.Value,
                    person.Value,
                    kept.State == RequestState.Pending && first.Contains(person));
            }
        }

        Wake(Wakes.Of(kept.Id));
        return kept;
    }

    /// <summary>Moves a request, or changes a pending one in place, if it still is what the caller saw.</summary>
    /// <param name="seen">As it was read.</param>
    /// <param name="next">As it shall be: state, duration, decision time and sentence are taken from it. Its version is ignored.</param>
    /// <returns>As it stands now; null when somebody else was first.</returns>
    /// <exception cref="InvalidOperationException">The table of moves does not know this move: a bug of the caller.</exception>
    public async ValueTask<Request?> MoveAsync(Request seen, Request next)
    {
        Demand(seen.State == next.State || RequestMoves.Table.Allows(seen.State, next.State), "request", seen.State, next.State);
        var kept = next with
        {
            Version = seen.Version + 1,
            For = Stored.Round(next.For),
            DecidedAt = Stored.Round(next.DecidedAt),
            LapsesAt = seen.LapsesAt,
        };
        var moved = await Db.RunAsync(
            "UPDATE requests SET state = $1, version = $2, lasts = $3, decided_at = $4, why = $5, digest = $6 WHERE id = $7 AND state = $8 AND version = $9",
            Words.Request[kept.State],
            kept.Version,
            kept.For,
            kept.DecidedAt,
            kept.Why,
            kept.Digest,
            seen.Id.Value,
            Words.Request[seen.State],
            seen.Version);
        if (moved == 0)
        {
            return null;
        }

        if (kept.State != RequestState.Pending && kept.Verdict is Verdict.NeedsApproval)
        {
            await Db.RunAsync("UPDATE request_approvers SET open = 0 WHERE request_id = $1 AND open = 1", seen.Id.Value);
            await Db.RunAsync("UPDATE request_steps SET due_at = NULL WHERE request_id = $1 AND due_at IS NOT NULL", seen.Id.Value);
        }

        Wake(Wakes.Of(seen.Id));
        if (seen.Bundle is { } bundle)
        {
            Wake(Wakes.Of(bundle));
        }

        return kept;
    }

    private static void Demand<TState>(bool allowed, string machine, TState from, TState to)
    {
        if (!allowed)
        {
            throw new InvalidOperationException($"A {machine} does not go from {from} to {to}.");
        }
    }
}
