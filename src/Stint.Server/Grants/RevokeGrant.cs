using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Grants;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Grants;

/// <summary>Somebody with the right to takes a grant away, at once and with a reason.</summary>
internal sealed class RevokeGrant(StintStore store, CurrentCatalog catalog, TimeProvider clock, GrantViews views)
{
    /// <param name="who">Who takes it away: an owner of the resource, or an admin.</param>
    /// <param name="id">The grant.</param>
    /// <param name="comment">Why; must not be empty.</param>
    /// <param name="targetGone">The system itself is gone for good, so nothing is left to take away. Admins only; it closes without asking the target.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    public async Task<Outcome<GrantView>> RevokeAsync(SubjectId who, GrantId id, string? comment, bool targetGone, CancellationToken cancellation) =>
        await store.WriteAsync<Outcome<GrantView>>(
            async work =>
            {
                var now = clock.Now();
                if (await work.FindGrantAsync(id) is not { } seen || !catalog.Now.MaySee(who, seen.Subject, seen.Role.Resource))
                {
                    return new Outcome<GrantView>.NotFound();
                }

                if (!catalog.Now.MayTakeAway(who, seen.Role.Resource))
                {
                    return new Outcome<GrantView>.NotYours("only owners of the resource and admins take grants away", catalog.Now.WhoMayTakeAway(seen.Role.Resource));
                }

                if (targetGone && !catalog.Now.IsAdmin(who))
                {
                    return new Outcome<GrantView>.NotYours("only an admin can say that a system is gone", catalog.Now.Administrators());
                }

                if (string.IsNullOrWhiteSpace(comment) || comment.Length > Approvals.Answers.MaxComment)
                {
                    return new Outcome<GrantView>.Invalid([new Problem("comment", $"say why, in 1 to {Approvals.Answers.MaxComment} characters")]);
                }

                var by = Actor.Person(who.Value);
                var note = $"{who}: {comment.Trim()}";
                if (targetGone)
                {
                    return await GoneAsync(work, seen, note, now, by);
                }

                return await GrantSteps.EndAsync(work, seen, EndReason.Revoked, note, now, by) is { } ended
                    ? new Outcome<GrantView>.Done(await views.OfAsync(work, ended))
                    : await views.LostAsync(work, seen);
            },
            cancellation);

    /// <summary>Closes every grant of the assignment without asking the target: it takes what else stood on it along, because there is nothing to stand on.</summary>
    private async Task<Outcome<GrantView>> GoneAsync(Work work, Grant seen, string note, DateTimeOffset now, Actor by)
    {
        if (seen.Assignment is not { } id || await work.FindAssignmentAsync(id) is not { State: not AssignmentState.Removed } assignment)
        {
            return await GrantSteps.EndAsync(work, seen, EndReason.TargetGone, note, now, by) is { } ended
                ? new Outcome<GrantView>.Done(await views.OfAsync(work, ended))
                : await views.LostAsync(work, seen);
        }

        var grants = await work.GrantsOfAsync(id);
        foreach (var grant in grants.Where(grant => grant.State is GrantState.Opening or GrantState.Open))
        {
            await GrantSteps.EndAsync(work, grant, EndReason.TargetGone, note, now, by);
        }

        // NB. Read again: ending made the assignment due, which moved its version.
        assignment = (await work.FindAssignmentAsync(id))!;
        if (assignment.State != AssignmentState.Removing)
        {
            assignment = (await work.MoveAsync(assignment, assignment with { State = AssignmentState.Removing }, release: true))!;
            work.Append(Facts.AssignmentRemoving(assignment, await work.GrantsOfAsync(id), now));
        }

        assignment = (await work.MoveAsync(assignment, assignment with { State = AssignmentState.Removed, DueAt = null, Trouble = null, StuckSince = null }, release: true))!;
        work.Append(Facts.AssignmentRemoved(assignment, await work.GrantsOfAsync(id), now, by, "the system is gone; nothing was done there"));
        await GrantSteps.CloseAsync(work, await work.GrantsOfAsync(id), now, by);
        return new Outcome<GrantView>.Done(await views.OfAsync(work, (await work.FindGrantAsync(seen.Id))!));
    }
}
