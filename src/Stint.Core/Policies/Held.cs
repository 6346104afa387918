using Stint.Core.Grants;

namespace Stint.Core.Policies;

/// <summary>What somebody holds, held, or was promised: as much of a grant as separations look at.</summary>
/// <param name="Role">The role.</param>
/// <param name="From">Since when; for a promise, from when at the earliest.</param>
/// <param name="Until">Until when it was or will be there; null while nobody can say: it is opening, or it is being taken away.</param>
/// <param name="Promised">It was approved and has not begun: it may never open.</param>
public sealed record Held(RoleRef Role, DateTimeOffset From, DateTimeOffset? Until, bool Promised = false)
{
    /// <summary>The same of a grant as it stood at a moment; null when nothing of it was there then.</summary>
    /// <remarks>
    /// An opening that failed counts from its beginning: access may have worked. One that ended counts until nothing of it
    /// was left at the target.
    /// </remarks>
    /// <param name="grant">The grant, as it is known now.</param>
    /// <param name="at">The moment, not later than now.</param>
    public static Held? Of(Grant grant, DateTimeOffset at)
    {
        ArgumentNullException.ThrowIfNull(grant);
        var ended = grant.EndedAt <= at;
        if (grant.BegunAt is not { } begun || begun > at)
        {
            return grant.ReadyAt > at || ended ? null : new Held(grant.Role, grant.StartAt ?? grant.ReadyAt, grant.LapsesAt + grant.For, Promised: true);
        }

        var stands = !ended && grant.State != GrantState.Opening && grant.NotAfter > at;
        return new Held(grant.Role, begun, grant.ClosedAt <= at ? grant.ClosedAt : stands ? grant.NotAfter : null);
    }
}
