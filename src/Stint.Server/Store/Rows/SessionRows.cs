using System.Data.Common;
using Stint.Core;
using Stint.Core.Sessions;

namespace Stint.Server.Store;

/// <summary>One connection through the gateway under a grant.</summary>
internal sealed record Session
{
    public required SessionId Id { get; init; }

    public required SessionState State { get; init; }

    /// <summary>Grows by one with every change.</summary>
    public required long Version { get; init; }

    public required GrantId Grant { get; init; }

    public required RequestId Request { get; init; }

    public required AssignmentId Assignment { get; init; }

    public required SubjectId Subject { get; init; }

    public required RoleRef Role { get; init; }

    /// <summary>Protocol kind (<c>postgres</c>).</summary>
    public required string Kind { get; init; }

    /// <summary>What was opened there; null where the kind has none.</summary>
    public string? Database { get; init; }

    /// <summary>What the client calls itself; may be empty.</summary>
    public string Application { get; init; } = "";

    /// <summary>The client's address.</summary>
    public required string From { get; init; }

    /// <summary>Whether the client's side is encrypted.</summary>
    public required bool Tls { get; init; }

    /// <summary>The node that carries it.</summary>
    public required string Node { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Null while live.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Null while live.</summary>
    public SessionEndReason? End { get; init; }

    public string? EndNote { get; init; }

    public long BytesFromClient { get; init; }

    public long BytesToClient { get; init; }

    /// <summary>The last head of its recording that was anchored; null before the first.</summary>
    public RecordingHead? Recording { get; init; }

    /// <summary>Whether its grant came of a break-glass.</summary>
    public bool BreakGlass { get; init; }

    /// <summary>Who wants this session ended alone; null when nobody does. Its node cuts it when it reads this, also when no wake told it to.</summary>
    public SubjectId? KillBy { get; init; }

    /// <summary>What they said; may be empty. Null when nobody wants it ended.</summary>
    public string? KillNote { get; init; }
}

/// <summary>Which sessions are wanted. What is null does not matter.</summary>
internal sealed record SessionFilter
{
    public SubjectId? Subject { get; init; }

    public string? Resource { get; init; }

    public GrantId? Grant { get; init; }

    /// <summary>True for live ones, false for ended ones.</summary>
    public bool? Live { get; init; }

    public string? Node { get; init; }
}

internal partial class Reads
{
    private const string SessionColumns =
        "id, state, version, grant_id, request_id, assignment_id, subject, resource, role, kind, database_name, application, client, tls, node, "
        + "started_at, ended_at, end_reason, end_note, bytes_from_client, bytes_to_client, kill_by, kill_note, "
        + "recording_file, recording_records, recording_bytes, recording_hash, recording_statements, "
        + "(SELECT break_glass FROM grants WHERE grants.id = sessions.grant_id)";

    /// <summary>Place of the column behind the recording's head, of which nothing is read where there is none.</summary>
    private const int SessionGlass = 28;

    /// <summary>The session; null when there is none. Inside a write it stays as found until the commit.</summary>
    public ValueTask<Session?> FindSessionAsync(SessionId id) =>
        Db.OneAsync($"SELECT {SessionColumns} FROM sessions WHERE id = $1{Lock}", ReadSession, id.Value);

    /// <summary>A page of sessions.</summary>
    public ValueTask<Paged<Session>> SessionsAsync(SessionFilter filter, Page page) => new Where()
        .And("state = ?", filter.Live is { } live ? Words.Session[live ? SessionState.Live : SessionState.Ended] : null)
        .And("subject = ?", filter.Subject?.Value)
        .And("resource = ?", filter.Resource)
        .And("grant_id = ?", filter.Grant?.Value)
        .And("node = ?", filter.Node)
        .PageAsync(Db, SessionColumns, "sessions", ReadSession, page);

    /// <summary>Live sessions of a node that somebody wants ended.</summary>
    public ValueTask<List<Session>> KilledSessionsAsync(string node) =>
        Db.ListAsync($"SELECT {SessionColumns} FROM sessions WHERE node = $1 AND state = 'live' AND kill_by IS NOT NULL", ReadSession, node);

    /// <summary>Every session of a grant, oldest first.</summary>
    public ValueTask<List<Session>> SessionsOfAsync(GrantId grant) =>
        Db.ListAsync($"SELECT {SessionColumns} FROM sessions WHERE grant_id = $1 ORDER BY seq", ReadSession, grant.Value);

    /// <summary>How many sessions run under an assignment, on all nodes.</summary>
    public async ValueTask<int> CountLiveSessionsAsync(AssignmentId assignment) =>
        (int)(await Db.NumberAsync("SELECT COUNT(*) FROM sessions WHERE assignment_id = $1 AND state = 'live'", assignment.Value) ?? 0);

    private static Session ReadSession(DbDataReader row)
    {
        var c = new Columns(row);
        return new Session
        {
            Id = new SessionId(c.Text()),
            State = Words.Session.Read(c.Text()),
            Version = c.Number(),
            Grant = new GrantId(c.Text()),
            Request = new RequestId(c.Text()),
            Assignment = new AssignmentId(c.Text()),
            Subject = new SubjectId(c.Text()),
            Role = new RoleRef(c.Text(), c.Text()),
            Kind = c.Text(),
            Database = c.TextOrNull(),
            Application = c.Text(),
            From = c.Text(),
            Tls = c.Flag(),
            Node = c.Text(),
            StartedAt = c.Time(),
            EndedAt = c.TimeOrNull(),
            End = Words.SessionEnd.ReadOrNull(c.TextOrNull()),
            EndNote = c.TextOrNull(),
            BytesFromClient = c.Number(),
            BytesToClient = c.Number(),
            KillBy = c.TextOrNull() is { } killer ? new SubjectId(killer) : null,
            KillNote = c.TextOrNull(),
            Recording = c.TextOrNull() is { } file ? new RecordingHead(file, c.Number(), c.Number(), c.Bytes(), c.Number()) : null,
            BreakGlass = row.GetInt64(SessionGlass) != 0,
        };
    }
}

internal sealed partial class Work
{
    /// <summary>Keeps a new live session. The database refuses one whose grant is not open.</summary>
    public async ValueTask<Session> InsertAsync(Session session)
    {
        var kept = session with { StartedAt = Stored.Round(session.StartedAt) };
        await Db.RunAsync(
            "INSERT INTO sessions (id, state, version, grant_id, request_id, assignment_id, subject, resource, role, kind, database_name, application, client, tls, node, started_at) "
            + "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
            kept.Id.Value,
            Words.Session[kept.State],
            kept.Version,
            kept.Grant.Value,
            kept.Request.Value,
            kept.Assignment.Value,
            kept.Subject.Value,
            kept.Role.Resource,
            kept.Role.Role,
            kept.Kind,
            kept.Database,
            kept.Application,
            kept.From,
            kept.Tls,
            kept.Node,
            kept.StartedAt);
        Wake(Wakes.Of(kept.Id));
        Wake(Wakes.Sessions(kept.Assignment));
        return kept;
    }

    /// <summary>Ends a session, or changes a live one in place (its recording's head), if it still is what the caller saw.</summary>
    /// <returns>As it stands now; null when somebody else was first.</returns>
    public async ValueTask<Session?> MoveAsync(Session seen, Session next)
    {
        Demand(seen.State == next.State || SessionMoves.Table.Allows(seen.State, next.State), "session", seen.State, next.State);
        var kept = next with { Version = seen.Version + 1, EndedAt = Stored.Round(next.EndedAt) };
        var moved = await Db.RunAsync(
            "UPDATE sessions SET state = $1, version = $2, ended_at = $3, end_reason = $4, end_note = $5, bytes_from_client = $6, bytes_to_client = $7, "
            + "recording_file = $8, recording_records = $9, recording_bytes = $10, recording_hash = $11, recording_statements = $12, kill_by = $13, kill_note = $14 "
            + "WHERE id = $15 AND state = $16 AND version = $17",
            Words.Session[kept.State],
            kept.Version,
            kept.EndedAt,
            Words.SessionEnd[kept.End],
            kept.EndNote,
            kept.BytesFromClient,
            kept.BytesToClient,
            kept.Recording?.File,
            kept.Recording?.Records,
            kept.Recording?.Bytes,
            kept.Recording?.Hash,
            kept.Recording?.Statements,
            kept.KillBy?.Value,
            kept.KillNote,
            seen.Id.Value,
            Words.Session[seen.State],
            seen.Version);
        if (moved == 0)
        {
            return null;
        }

        Wake(Wakes.Of(seen.Id));
        Wake(Wakes.Sessions(seen.Assignment));
        return kept;
    }
}
