using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Requests;
using Stint.Server.Grants;
using Stint.Server.Store;

namespace Stint.Server.Approvals;

/// <summary>A review with what its reviewer has to know.</summary>
/// <param name="Review">The review.</param>
/// <param name="Request">What was asked, and why.</param>
/// <param name="Grant">What came of it.</param>
/// <param name="Sessions">Every connection under it, oldest first.</param>
/// <param name="Could">Who may close it now, in the order of their names; empty once it is closed.</param>
/// <param name="Unseen">Whether whoever looks was told of it and has not said that they saw it.</param>
internal sealed record ReviewView(Review Review, Request Request, GrantView? Grant, IReadOnlyList<Session> Sessions, IReadOnlyList<SubjectId> Could, bool Unseen)
{
    /// <summary>Statements that were sent to the target, as last anchored.</summary>
    public long Statements => Sessions.Sum(session => session.Recording?.Statements ?? 0);
}
