using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Policies;

namespace Stint.Server.Store;

internal partial class Reads
{
    /// <summary>What a subject holds, held and was promised of the roles that the catalog keeps apart from a role, as it stood at a moment.</summary>
    /// <remarks>
    /// Where nothing is kept apart from the role, nothing is read. Inside a write, whoever else asks the same about the
    /// subject waits until this one is committed: two nodes cannot both find that the other role is not held.
    /// </remarks>
    /// <param name="catalog">Names what is kept apart.</param>
    /// <param name="subject">Whose.</param>
    /// <param name="role">The role that is asked for.</param>
    /// <param name="at">The moment, not later than now.</param>
    /// <returns>Empty where nothing is kept apart.</returns>
    public async ValueTask<IReadOnlyList<Held>> HeldAsync(LoadedCatalog catalog, SubjectId subject, RoleRef role, DateTimeOffset at)
    {
        if (catalog.Separations.Count == 0 || catalog.Against(role) is not var (roles, within))
        {
            return [];
        }

        await AloneWithAsync(subject);
        var resources = Db.TextList(roles.Select(one => one.Resource).Distinct(StringComparer.Ordinal));
        var grants = await Db.ListAsync(
            $"SELECT {GrantColumns} FROM grants WHERE subject = $1 AND {Db.In("resource", 2)} AND state <> 'closed' UNION ALL "
            + $"SELECT {GrantColumns} FROM grants WHERE subject = $1 AND {Db.In("resource", 2)} AND state = 'closed' AND begun_at IS NOT NULL AND closed_at >= $3",
            ReadGrant,
            subject.Value,
            resources,
            at - within);
        return [.. grants.Where(grant => roles.Contains(grant.Role)).Select(grant => Held.Of(grant, at)).OfType<Held>()];
    }

    private protected virtual ValueTask AloneWithAsync(SubjectId subject) => ValueTask.CompletedTask;
}

internal sealed partial class Work
{
    private protected override ValueTask AloneWithAsync(SubjectId subject) => Db.AloneWithAsync($"held:{subject}");
}
