using System.Data.Common;
using Stint.Core;
using Stint.Core.Grants;
using Stint.Core.Requests;

namespace Stint.Server.Store;

/// <summary>Which grants are wanted. What is null does not matter.</summary>
internal sealed record GrantFilter
{
    public GrantState? State { get; init; }

    /// <summary>Any of these; empty for every state.</summary>
    public IReadOnlyList<GrantState> States { get; init; } = [];

    /// <summary>Every state but <see cref="GrantState.Closed"/>.</summary>
    public bool Live { get; init; }

    public SubjectId? Subject { get; init; }

    public string? Resource { get; init; }

    public AssignmentId? Assignment { get; init; }
}

internal partial class Reads
{
    private protected const string GrantColumns =
        "id, request_id, subject, resource, role, state, version, ready_at, lasts, start_at, lapses_at, extends, assignment_id, begun_at, "
        + "not_before, not_after, end_reason, end_note, ended_at, closed_at, record, ends_by, break_glass, task, statements";

    /// <summary>The grant; null when there is none. Inside a write it stays as found until the commit.</summary>
    public ValueTask<Grant?> FindGrantAsync(GrantId id) =>
        Db.OneAsync($"SELECT {GrantColumns} FROM grants WHERE id = $1{Lock}", ReadGrant, id.Value);

    /// <summary>The grant that a request produced; null when it produced none.</summary>
    public ValueTask<Grant?> FindGrantAsync(RequestId request) =>
        Db.OneAsync($"SELECT {GrantColumns} FROM grants WHERE request_id = $1{Lock}", ReadGrant, request.Value);

    /// <summary>A page of grants.</summary>
    public ValueTask<Paged<Grant>> GrantsAsync(GrantFilter filter, Page page) => new Where()
        .And("state = ?", Words.Grant[filter.State])
        .When(filter.States.Count > 0, $"state IN ({string.Join(", ", filter.States.Select(state => $"'{Words.Grant[state]}'"))})")
        .When(filter.Live, "state <> 'closed'")
        .And("subject = ?", filter.Subject?.Value)
        .And("resource = ?", filter.Resource)
        .And("assignment_id = ?", filter.Assignment?.Value)
        .PageAsync(Db, GrantColumns, "grants", ReadGrant, page);

    /// <summary>Every grant that names the assignment and is not closed. Inside a write they stay as found until the commit.</summary>
    public ValueTask<List<Grant>> GrantsOfAsync(AssignmentId assignment) => Db.ListAsync(
        $"SELECT {GrantColumns} FROM grants WHERE assignment_id = $1 AND state <> 'closed' ORDER BY seq{Lock}",
        ReadGrant,
        assignment.Value);

    /// <summary>What a subject holds, or could begin, at a role: every grant that is not closed.</summary>
    public ValueTask<List<Grant>> LiveGrantsAsync(SubjectId subject, RoleRef role) => Db.ListAsync(
        $"SELECT {GrantColumns} FROM grants WHERE subject = $1 AND resource = $2 AND role = $3 AND state <> 'closed' ORDER BY seq{Lock}",
        ReadGrant,
        subject.Value,
        role.Resource,
        role.Role);

    /// <summary>What a subject holds or could begin anywhere: every grant that is not closed.</summary>
    public ValueTask<List<Grant>> LiveGrantsAsync(SubjectId subject) => Db.ListAsync(
        $"SELECT {GrantColumns} FROM grants WHERE subject = $1 AND state <> 'closed' ORDER BY seq{Lock}",
        ReadGrant,
        subject.Value);

    /// <summary>Everybody who holds or could begin something, waits for a decision, or has a series that runs.</summary>
    public ValueTask<List<SubjectId>> HoldersAsync() => Db.ListAsync(
        "SELECT subject FROM grants WHERE state <> 'closed' UNION SELECT subject FROM requests WHERE state = 'pending' UNION SELECT subject FROM series WHERE state = 'running' "
        + "UNION SELECT person FROM web_sessions WHERE ended_at IS NULL UNION SELECT person FROM cli_logins WHERE ended_at IS NULL",
        static row => new SubjectId(row.GetString(0)));

    /// <summary>Who holds the whole of a role at a moment, by their names, each once: whoever holds it for exact statements does not.</summary>
    /// <param name="role">The role.</param>
    /// <param name="now">The moment.</param>
    /// <param name="after">Those after this name alone; empty for all.</param>
    /// <param name="limit">At most this many.</param>
    public ValueTask<List<string>> OpenHoldersAsync(RoleRef role, DateTimeOffset now, string after, int limit) => Db.ListAsync(
        "SELECT DISTINCT subject FROM grants WHERE state <> 'closed' AND state = 'open' AND statements IS NULL AND resource = $1 AND role = $2 AND not_before <= $3 AND not_after > $3 AND subject > $4 "
        + "ORDER BY subject LIMIT $5",
        static row => row.GetString(0),
        role.Resource,
        role.Role,
        now,
        after,
        limit);

    /// <summary>Scheduled grants whose start has come, earliest first.</summary>
    public ValueTask<List<Grant>> StartingGrantsAsync(DateTimeOffset now, int limit) => Db.ListAsync(
        $"SELECT {GrantColumns} FROM grants WHERE state = 'ready' AND start_at <= $1 ORDER BY start_at LIMIT $2{SkipLocked}",
        ReadGrant,
        now,
        limit);

    /// <summary>Ready grants that were not begun in time, earliest first.</summary>
    public ValueTask<List<Grant>> LapsedGrantsAsync(DateTimeOffset now, int limit) => Db.ListAsync(
        $"SELECT {GrantColumns} FROM grants WHERE state = 'ready' AND lapses_at <= $1 ORDER BY lapses_at LIMIT $2{SkipLocked}",
        ReadGrant,
        now,
        limit);

    /// <summary>When time alone makes something due next: a deadline, a start, a lapse, an occurrence of a series, or a step's reminder, escalation or handover. Null when nothing will.</summary>
    public ValueTask<DateTimeOffset?> NextTimedAtAsync() => NextAsync(
        "SELECT MIN(not_after) AS due FROM grants WHERE state = 'open' UNION ALL "
        + "SELECT MIN(start_at) FROM grants WHERE state = 'ready' AND start_at IS NOT NULL UNION ALL "
        + "SELECT MIN(lapses_at) FROM grants WHERE state = 'ready' UNION ALL "
        + "SELECT MIN(lapses_at) FROM requests WHERE state = 'pending' UNION ALL "
        + "SELECT MIN(next_at) FROM series WHERE state = 'running' UNION ALL "
        + "SELECT MIN(due_at) FROM request_steps WHERE due_at IS NOT NULL UNION ALL "
        + "SELECT MIN(due_at) FROM reviews WHERE state = 'open' AND overdue_at IS NULL");

    /// <summary>When the next assignment can be leased. Null when none has work.</summary>
    public ValueTask<DateTimeOffset?> NextWorkAtAsync() => NextAsync(
        "SELECT MIN(due_at) AS due FROM assignments WHERE due_at IS NOT NULL AND lease_until IS NULL UNION ALL "
        + "SELECT MIN(CASE WHEN due_at > lease_until THEN due_at ELSE lease_until END) FROM assignments WHERE due_at IS NOT NULL AND lease_until IS NOT NULL");

    /// <summary>When the next thing of either sort becomes due. Null when nothing will.</summary>
    public async ValueTask<DateTimeOffset?> NextDueAtAsync() =>
        (await NextTimedAtAsync(), await NextWorkAtAsync()) switch
        {
            ({ } timed, { } work) => timed < work ? timed : work,
            var (timed, work) => timed ?? work,
        };

    private async ValueTask<DateTimeOffset?> NextAsync(string each) =>
        await Db.NumberAsync($"SELECT MIN(due) FROM ({each}) AS all_due") is { } micros ? Stored.Time(micros) : null;

    private protected static Grant ReadGrant(DbDataReader row)
    {
        var c = new Columns(row);
        return new Grant
        {
            Id = new GrantId(c.Text()),
            Request = new RequestId(c.Text()),
            Subject = new SubjectId(c.Text()),
            Role = new RoleRef(c.Text(), c.Text()),
            State = Words.Grant.Read(c.Text()),
            Version = c.Number(),
            ReadyAt = c.Time(),
            For = c.Span(),
            StartAt = c.TimeOrNull(),
            LapsesAt = c.Time(),
            Extends = c.TextOrNull() is { } grant ? new GrantId(grant) : null,
            Assignment = c.TextOrNull() is { } assignment ? new AssignmentId(assignment) : null,
            BegunAt = c.TimeOrNull(),
            NotBefore = c.TimeOrNull(),
            NotAfter = c.TimeOrNull(),
            End = Words.End.ReadOrNull(c.TextOrNull()),
            EndNote = c.TextOrNull(),
            EndedAt = c.TimeOrNull(),
            ClosedAt = c.TimeOrNull(),
            Record = Words.Record.Read(c.Text()),
            EndsBy = c.TimeOrNull(),
            BreakGlass = c.Flag(),
            Task = c.TextOrNull(),
            Statements = ReadStatements(c.TextOrNull()),
        };
    }

    private protected static ExactStatements? ReadStatements(string? text)
    {
        try
        {
            return text is null ? null : ExactStatements.Parse(text);
        }
        catch (FormatException)
        {
            // NB. Never read as none: that would be the whole role.
            throw new StoreRefusedException("The store holds exact statements that cannot be read.");
        }
    }
}

internal sealed partial class Work
{
    /// <summary>Keeps a new grant. Its request stands approved in the store already, for the same subject and role; a request produces one grant.</summary>
    /// <returns>As it stands now, times rounded.</returns>
    public async ValueTask<Grant> InsertAsync(Grant grant)
    {
        var kept = Rounded(grant);
        await Db.LaterAsync(
            "INSERT INTO grants (id, request_id, subject, resource, role, state, version, ready_at, lasts, start_at, lapses_at, extends, record, break_glass, task, statements) "
            + "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
            kept.Id.Value,
            kept.Request.Value,
            kept.Subject.Value,
            kept.Role.Resource,
            kept.Role.Role,
            Words.Grant[kept.State],
            kept.Version,
            kept.ReadyAt,
            kept.For,
            kept.StartAt,
            kept.LapsesAt,
            kept.Extends?.Value,
            Words.Record[kept.Record],
            kept.BreakGlass,
            kept.Task,
            kept.Statements?.Text);
        Wake(Wakes.Of(kept.Id));
        Wake(Wakes.Of(kept.Request));

        // NB. The keeper looks at least once a second by itself: only what is due before that look is worth a wake.
        if ((kept.StartAt < kept.LapsesAt ? kept.StartAt : kept.LapsesAt) - kept.ReadyAt < Wakes.KeeperLooks)
        {
            Wake(Wakes.Keeper);
        }

        return kept;
    }

    /// <summary>Moves a grant, or changes one in place while it may still change, if it still is what the caller saw.</summary>
    /// <param name="seen">As it was read.</param>
    /// <param name="next">As it shall be: state, length, assignment, window and end are taken from it. Its version is ignored.</param>
    /// <returns>As it stands now; null when somebody else was first.</returns>
    /// <exception cref="InvalidOperationException">The table of moves does not know this move: a bug of the caller.</exception>
    /// <exception cref="StoreRefusedException">The deadline of an open grant would move, or an opened one has no window.</exception>
    public async ValueTask<Grant?> MoveAsync(Grant seen, Grant next)
    {
        Demand(seen.State == next.State || GrantMoves.Table.Allows(seen.State, next.State), "grant", seen.State, next.State);
        var kept = Rounded(next) with { Version = seen.Version + 1 };
        var moved = await Db.RunAsync(
            "UPDATE grants SET state = $1, version = $2, lasts = $3, assignment_id = $4, not_before = $5, not_after = $6, "
            + "end_reason = $7, end_note = $8, ended_at = $9, closed_at = $10, record = $11, begun_at = $12, ends_by = $13 WHERE id = $14 AND state = $15 AND version = $16",
            Words.Grant[kept.State],
            kept.Version,
            kept.For,
            kept.Assignment?.Value,
            kept.NotBefore,
            kept.NotAfter,
            Words.End[kept.End],
            kept.EndNote,
            kept.EndedAt,
            kept.ClosedAt,
            Words.Record[kept.Record],
            kept.BegunAt,
            kept.EndsBy,
            seen.Id.Value,
            Words.Grant[seen.State],
            seen.Version);
        if (moved == 0)
        {
            return null;
        }

        Wake(Wakes.Of(seen.Id));
        Wake(Wakes.Of(seen.Request));
        Wake(Wakes.Keeper);
        return kept;
    }

    /// <summary>Ends open grants whose time is over, oldest deadline first, and makes their assignments due. The caller adds a fact for each.</summary>
    /// <param name="now">The moment; it becomes their <see cref="Grant.EndedAt"/>.</param>
    /// <param name="limit">At most this many; call again while as many come back.</param>
    /// <returns>They as they stand now, in <see cref="GrantState.Closing"/>.</returns>
    public async ValueTask<List<Grant>> ExpireAsync(DateTimeOffset now, int limit)
    {
        var ended = await Db.ListAsync(
            "UPDATE grants SET state = 'closing', version = version + 1, end_reason = 'expired', ended_at = $1 "
            + $"WHERE id IN (SELECT id FROM grants WHERE state = 'open' AND not_after <= $1 ORDER BY not_after LIMIT $2{SkipLocked}) "
            + $"RETURNING {GrantColumns}",
            ReadGrant,
            now,
            limit);
        if (ended.Count > 0)
        {
            await DueAsync(ended.Where(grant => grant.Assignment is not null).Select(grant => grant.Assignment!.Value).Distinct(), now);
        }

        foreach (var grant in ended)
        {
            Wake(Wakes.Of(grant.Id));
        }

        return ended;
    }

    private static Grant Rounded(Grant grant) => grant with
    {
        ReadyAt = Stored.Round(grant.ReadyAt),
        For = Stored.Round(grant.For),
        StartAt = Stored.Round(grant.StartAt),
        LapsesAt = Stored.Round(grant.LapsesAt),
        BegunAt = Stored.Round(grant.BegunAt),
        NotBefore = Stored.Round(grant.NotBefore),
        NotAfter = Stored.Round(grant.NotAfter),
        EndsBy = Stored.Round(grant.EndsBy),
        EndedAt = Stored.Round(grant.EndedAt),
        ClosedAt = Stored.Round(grant.ClosedAt),
    };
}
