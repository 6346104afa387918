using System.Data.Common;
using Stint.Core;
using Stint.Core.Grants;

namespace Stint.Server.Store;

/// <summary>Which assignments are wanted. What is null does not matter.</summary>
internal sealed record AssignmentFilter
{
    public AssignmentState? State { get; init; }

    /// <summary>Every state but <see cref="AssignmentState.Removed"/>.</summary>
    public bool Live { get; init; }

    /// <summary>Only those whose removal keeps failing.</summary>
    public bool Stuck { get; init; }

    public string? Resource { get; init; }

    public SubjectId? Subject { get; init; }
}

internal partial class Reads
{
    private protected const string AssignmentColumns =
        "id, subject, resource, role, state, version, catalog_version, account, until_at, due_at, attempts, trouble, stuck_since, fence";

    /// <summary>The assignment; null when there is none. Inside a write it stays as found until the commit.</summary>
    public ValueTask<Assignment?> FindAssignmentAsync(AssignmentId id) =>
        Db.OneAsync($"SELECT {AssignmentColumns} FROM assignments WHERE id = $1{Lock}", ReadAssignment, id.Value);

    /// <summary>The one that is not removed for a subject and a role; null when there is none. Inside a write it stays as found until the commit.</summary>
    public ValueTask<Assignment?> FindLiveAssignmentAsync(SubjectId subject, RoleRef role) => Db.OneAsync(
        $"SELECT {AssignmentColumns} FROM assignments WHERE subject = $1 AND resource = $2 AND role = $3 AND state <> 'removed'{Lock}",
        ReadAssignment,
        subject.Value,
        role.Resource,
        role.Role);

    /// <summary>A page of assignments.</summary>
    public ValueTask<Paged<Assignment>> AssignmentsAsync(AssignmentFilter filter, Page page) => new Where()
        .And("state = ?", Words.Assignment[filter.State])
        .When(filter.Live, "state <> 'removed'")
        .When(filter.Stuck, "stuck_since IS NOT NULL")
        .And("resource = ?", filter.Resource)
        .And("subject = ?", filter.Subject?.Value)
        .PageAsync(Db, AssignmentColumns, "assignments", ReadAssignment, page);

    /// <summary>The sealed secret of its account; null once it is removed.</summary>
    public async ValueTask<string?> FindSealedSecretAsync(AssignmentId id) => await Db.OneAsync(
        "SELECT secret FROM assignments WHERE id = $1 AND secret IS NOT NULL",
        static row => row.GetString(0),
        id.Value);

    private protected static Assignment ReadAssignment(DbDataReader row)
    {
        var c = new Columns(row);
        return new Assignment
        {
            Id = new AssignmentId(c.Text()),
            Subject = new SubjectId(c.Text()),
            Role = new RoleRef(c.Text(), c.Text()),
            State = Words.Assignment.Read(c.Text()),
            Version = c.Number(),
            CatalogVersion = c.Text(),
            Account = c.Text(),
            Until = c.TimeOrNull(),
            DueAt = c.TimeOrNull(),
            Attempts = (int)c.Number(),
            Trouble = c.TextOrNull(),
            StuckSince = c.TimeOrNull(),
            Fence = c.Number(),
        };
    }
}

internal sealed partial class Work
{
    /// <summary>Keeps a new assignment and its account's secret.</summary>
    /// <param name="assignment">In <see cref="AssignmentState.Adding"/>.</param>
    /// <param name="sealedSecret">The account's password as <see cref="Sealing.Sealer"/> wrote it; never in the clear.</param>
    /// <returns>As it stands now; null when one that is not removed stands already for the subject and the role: find it and join.</returns>
    public async ValueTask<Assignment?> InsertAsync(Assignment assignment, string sealedSecret)
    {
        if (!Sealing.Sealer.IsSealed(sealedSecret))
        {
            throw new ArgumentException("The secret of an assignment is stored sealed.", nameof(sealedSecret));
        }

        var kept = Rounded(assignment);
        var inserted = await Db.RunAsync(
            "INSERT INTO assignments (id, subject, resource, role, state, version, catalog_version, account, until_at, due_at, attempts, trouble, stuck_since, fence, secret) "
            + "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) "
            + "ON CONFLICT (subject, resource, role) WHERE state <> 'removed' DO NOTHING",
            kept.Id.Value,
            kept.Subject.Value,
            kept.Role.Resource,
            kept.Role.Role,
            Words.Assignment[kept.State],
            kept.Version,
            kept.CatalogVersion,
            kept.Account,
            kept.Until,
            kept.DueAt,
            kept.Attempts,
            kept.Trouble,
            kept.StuckSince,
            kept.Fence,
            sealedSecret);
        if (inserted == 0)
        {
            return null;
        }

        Wake(Wakes.Keeper);
        return kept;
    }

    /// <summary>Moves an assignment, or changes it in place, if it still is what the caller saw and no later lease was given.</summary>
    /// <param name="seen">As it was read in this write; its fence is the one that the caller holds.</param>
    /// <param name="next">As it shall be: state, catalog, times, attempts and trouble are taken from it. Version and fence are ignored.</param>
    /// <param name="release">Whether the caller gives its lease back: true with an outcome, false with an intent.</param>
    /// <returns>As it stands now; null when somebody else was first, or has a later lease.</returns>
    /// <exception cref="InvalidOperationException">The table of moves does not know this move: a bug of the caller.</exception>
    public async ValueTask<Assignment?> MoveAsync(Assignment seen, Assignment next, bool release)
    {
        Demand(seen.State == next.State || AssignmentMoves.Table.Allows(seen.State, next.State), "assignment", seen.State, next.State);

        // NB. An intent keeps the row due: a worker that dies after it must not leave work that nobody looks for.
        var due = release ? next.DueAt : next.DueAt ?? seen.DueAt;
        var kept = Rounded(next with { DueAt = due }) with { Version = seen.Version + 1, Fence = seen.Fence };
        var moved = await Db.RunAsync(
            "UPDATE assignments SET state = $1, version = $2, catalog_version = $3, until_at = $4, due_at = $5, attempts = $6, trouble = $7, stuck_since = $8, "
            + "lease_node = CASE WHEN $9 = 1 THEN NULL ELSE lease_node END, lease_until = CASE WHEN $9 = 1 THEN NULL ELSE lease_until END, "
            + "secret = CASE WHEN $1 = 'removed' THEN NULL ELSE secret END "
            + "WHERE id = $10 AND state = $11 AND version = $12 AND fence = $13",
            Words.Assignment[kept.State],
            kept.Version,
            kept.CatalogVersion,
            kept.Until,
            kept.DueAt,
            kept.Attempts,
            kept.Trouble,
            kept.StuckSince,
            release,
            seen.Id.Value,
            Words.Assignment[seen.State],
            seen.Version,
            seen.Fence);
        if (moved == 0)
        {
            return null;
        }

        if (kept.DueAt is not null)
        {
            Wake(Wakes.Keeper);
        }

        return kept;
    }

    /// <summary>Makes the keeper look at an assignment by then, whatever it planned; an earlier look stays. Removed ones are left alone.</summary>
    public ValueTask DueAsync(AssignmentId id, DateTimeOffset at) => DueAsync([id], at);

    /// <inheritdoc cref="DueAsync(AssignmentId, DateTimeOffset)"/>
    public async ValueTask DueAsync(IEnumerable<AssignmentId> ids, DateTimeOffset at)
    {
        await Db.RunAsync(
            "UPDATE assignments SET due_at = CASE WHEN due_at IS NULL OR due_at > $1 THEN $1 ELSE due_at END, version = version + 1 "
            + $"WHERE {Db.In("id", 2)} AND state <> 'removed'",
            at,
            Db.TextList(ids.Select(id => id.Value)));
        Wake(Wakes.Keeper);
    }

    /// <summary>Lets go of what a node holds. It stays due; whoever takes it next has a higher fence than the one that is gone.</summary>
    /// <returns>How many it held.</returns>
    public async ValueTask<int> ReleaseLeasesAsync(string node)
    {
        var released = await Db.RunAsync(
            "UPDATE assignments SET lease_node = NULL, lease_until = NULL, version = version + 1 WHERE lease_until IS NOT NULL AND lease_node = $1", node);
        Wake(Wakes.Keeper);
        return released;
    }

    /// <summary>Takes due assignments for this node: nobody else works on them until the lease is over. Each lease makes the fence grow.</summary>
    /// <param name="node">This node.</param>
    /// <param name="now">The moment.</param>
    /// <param name="leaseFor">How long; a worker that takes longer has lost its lease.</param>
    /// <param name="limit">At most this many.</param>
    /// <param name="perTarget">At most this many leased at once at one resource, those of other nodes counted.</param>
    /// <returns>They as they stand now, the resource that waits longest first.</returns>
    public async ValueTask<List<Assignment>> LeaseDueAssignmentsAsync(string node, DateTimeOffset now, TimeSpan leaseFor, int limit, int perTarget)
    {
        var leased = new List<Assignment>();
        foreach (var (resource, busy) in await DueResourcesAsync(now))
        {
            var take = Math.Min(perTarget - busy, limit - leased.Count);
            if (take > 0)
            {
                leased.AddRange(await Db.ListAsync(
                    "UPDATE assignments SET lease_node = $1, lease_until = $2, fence = fence + 1, version = version + 1 "
                    + "WHERE id IN (SELECT id FROM assignments WHERE resource = $3 AND due_at <= $4 AND (lease_until IS NULL OR lease_until <= $4) "
                    + $"ORDER BY due_at LIMIT $5{SkipLocked}) RETURNING {AssignmentColumns}",
                    ReadAssignment,
                    node,
                    now + leaseFor,
                    resource,
                    now,
                    take));
            }
        }

        return leased;
    }

    /// <summary>Resources with due work and how many leases run there, the longest waiting first. Hops from one resource to the next in the index, however much is due at each.</summary>
    private ValueTask<List<(string Resource, int Busy)>> DueResourcesAsync(DateTimeOffset now) => Db.ListAsync(
        "WITH RECURSIVE hop(resource) AS ("
        + "SELECT MIN(resource) FROM assignments WHERE due_at IS NOT NULL UNION ALL "
        + "SELECT (SELECT MIN(a.resource) FROM assignments a WHERE a.due_at IS NOT NULL AND a.resource > hop.resource) FROM hop WHERE hop.resource IS NOT NULL), "
        + "waiting AS (SELECT resource, (SELECT MIN(a.due_at) FROM assignments a WHERE a.resource = hop.resource AND a.due_at <= $1 "
        + "AND (a.lease_until IS NULL OR a.lease_until <= $1)) AS oldest FROM hop WHERE resource IS NOT NULL) "
        + "SELECT resource, (SELECT COUNT(*) FROM assignments a WHERE a.resource = waiting.resource AND a.lease_until > $1) FROM waiting "
        + "WHERE oldest IS NOT NULL ORDER BY oldest, resource",
        static row => (row.GetString(0), (int)row.GetInt64(1)),
        now);

    private static Assignment Rounded(Assignment assignment) => assignment with
    {
        Until = Stored.Round(assignment.Until),
        DueAt = Stored.Round(assignment.DueAt),
        StuckSince = Stored.Round(assignment.StuckSince),
    };
}
