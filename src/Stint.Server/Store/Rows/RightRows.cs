using System.Data.Common;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Grants;

namespace Stint.Server.Store;

/// <summary>A right in Stint itself that no grant gives: it was given while nobody could have granted one. It never changes.</summary>
/// <param name="Person">Who.</param>
/// <param name="Right">Which.</param>
/// <param name="GivenAt">When.</param>
/// <param name="Until">Until before when it counts.</param>
/// <param name="Cause">By what.</param>
internal sealed record GivenRight(SubjectId Person, StintRight Right, DateTimeOffset GivenAt, DateTimeOffset Until, string Cause);

internal partial class Reads
{
    private protected const string RightColumns = "person, role, given_at, until_at, cause";

    /// <summary>Rights that are not over at a moment, oldest first; every one that was ever given when that is null.</summary>
    public ValueTask<List<GivenRight>> RightsAsync(DateTimeOffset? now) => now is { } moment
        ? Db.ListAsync($"SELECT {RightColumns} FROM stint_rights WHERE until_at > $1 ORDER BY seq", ReadRight, moment)
        : Db.ListAsync($"SELECT {RightColumns} FROM stint_rights ORDER BY seq", ReadRight);

    /// <summary>Every open grant of a role that has the name of a right in Stint itself, with the catalog version that its assignment was made with: only that says whether it is one.</summary>
    public ValueTask<List<(Grant Grant, string Catalog)>> OpenRightsAsync() => Db.ListAsync(
        $"SELECT {GrantColumns}, (SELECT catalog_version FROM assignments WHERE assignments.id = grants.assignment_id) FROM grants WHERE state = 'open' AND role IN ('administrator', 'auditor', 'catalog-keeper') ORDER BY not_after",
        static row => (ReadGrant(row), row.GetString(row.FieldCount - 1)));

    private static GivenRight ReadRight(DbDataReader row)
    {
        var c = new Columns(row);
        return new GivenRight(new SubjectId(c.Text()), StintRights.Find(c.Text()) ?? throw new InvalidOperationException("A right in the store is none."), c.Time(), c.Time(), c.Text());
    }
}

internal sealed partial class Work
{
    /// <summary>The rights that are not over at a moment. Whoever else asks the same in a write waits until this one is committed: two nodes cannot both find nobody.</summary>
    public async ValueTask<List<GivenRight>> GivenRightsAsync(DateTimeOffset now)
    {
        await Db.AloneWithAsync("stint_rights");
        return await RightsAsync(now);
    }

    /// <summary>Keeps a right that was given; it counts on every node from the commit on. The caller adds the fact.</summary>
    public async ValueTask<GivenRight> InsertRightAsync(GivenRight right)
    {
        var kept = right with { GivenAt = Stored.Round(right.GivenAt), Until = Stored.Round(right.Until) };
        await Db.RunAsync(
            $"INSERT INTO stint_rights ({RightColumns}) VALUES ($1, $2, $3, $4, $5)", kept.Person.Value, StintRights.NameOf(kept.Right), kept.GivenAt, kept.Until, kept.Cause);
        Wake(Wakes.Rights);
        return kept;
    }
}
