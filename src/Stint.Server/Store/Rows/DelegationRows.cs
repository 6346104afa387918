using System.Data.Common;
using Stint.Core;
using Stint.Core.Approvals;

namespace Stint.Server.Store;

internal partial class Reads
{
    private const string DelegationColumns = "id, person, delegate, from_at, until_at, made_at, ended_at";

    /// <summary>The delegation; null when there is none. Inside a write it stays as found until the commit.</summary>
    public ValueTask<Delegation?> FindDelegationAsync(DelegationId id) =>
        Db.OneAsync($"SELECT {DelegationColumns} FROM delegations WHERE id = $1{Lock}", ReadDelegation, id.Value);

    /// <summary>For whom somebody answers at a moment, in the order of their names. Inside a write they stay as found until the commit.</summary>
    public ValueTask<List<Delegation>> DelegationsToAsync(SubjectId who, DateTimeOffset now) => Db.ListAsync(
        $"SELECT {DelegationColumns} FROM delegations WHERE delegate = $1 AND ended_at IS NULL AND from_at <= $2 AND until_at > $2 ORDER BY person, seq{Lock}",
        ReadDelegation,
        who.Value,
        now);

    /// <summary>Who answers for some people at a moment.</summary>
    public ValueTask<List<Delegation>> DelegationsOfAsync(IEnumerable<SubjectId> people, DateTimeOffset now) => Db.ListAsync(
        $"SELECT {DelegationColumns} FROM delegations WHERE {Db.In("person", 1)} AND ended_at IS NULL AND from_at <= $2 AND until_at > $2 ORDER BY person, seq",
        ReadDelegation,
        Db.TextList(people.Select(person => person.Value)),
        now);

    /// <summary>Delegations of a person that are not over and not ended, the earliest first. Inside a write they stay as found until the commit.</summary>
    public ValueTask<List<Delegation>> LiveDelegationsAsync(SubjectId person, DateTimeOffset now) => Db.ListAsync(
        $"SELECT {DelegationColumns} FROM delegations WHERE person = $1 AND ended_at IS NULL AND until_at > $2 ORDER BY from_at, seq{Lock}",
        ReadDelegation,
        person.Value,
        now);

    /// <summary>A page of delegations.</summary>
    /// <param name="of">Only those that name this person on either side; null for all.</param>
    /// <param name="page">Which part.</param>
    public ValueTask<Paged<Delegation>> DelegationsAsync(SubjectId? of, Page page) => new Where()
        .And("(person = ? OR delegate = ?)", of?.Value)
        .PageAsync(Db, DelegationColumns, "delegations", ReadDelegation, page);

    private static Delegation ReadDelegation(DbDataReader row)
    {
        var c = new Columns(row);
        return new Delegation
        {
            Id = new DelegationId(c.Text()),
            Person = new SubjectId(c.Text()),
            Delegate = new SubjectId(c.Text()),
            From = c.Time(),
            Until = c.Time(),
            MadeAt = c.Time(),
            EndedAt = c.TimeOrNull(),
        };
    }
}

internal sealed partial class Work
{
    /// <summary>Keeps a delegation.</summary>
    /// <returns>As it stands now, times rounded.</returns>
    public async ValueTask<Delegation> InsertAsync(Delegation delegation)
    {
        var kept = delegation with { From = Stored.Round(delegation.From), Until = Stored.Round(delegation.Until), MadeAt = Stored.Round(delegation.MadeAt) };
        await Db.RunAsync(
            "INSERT INTO delegations (id, person, delegate, from_at, until_at, made_at) VALUES ($1, $2, $3, $4, $5, $6)",
            kept.Id.Value,
            kept.Person.Value,
            kept.Delegate.Value,
            kept.From,
            kept.Until,
            kept.MadeAt);
        return kept;
    }

    /// <summary>Ends a delegation early.</summary>
    /// <returns>As it stands now; null when it had ended already.</returns>
    public async ValueTask<Delegation?> EndAsync(Delegation seen, DateTimeOffset now)
    {
        var ended = seen with { EndedAt = Stored.Round(now) };
        return await Db.RunAsync("UPDATE delegations SET ended_at = $1 WHERE id = $2 AND ended_at IS NULL", ended.EndedAt, seen.Id.Value) == 1 ? ended : null;
    }
}
