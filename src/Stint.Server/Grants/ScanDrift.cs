using Microsoft.Extensions.Logging;
using Stint.Core;
using Stint.Core.Grants;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Grants;

/// <summary>One difference between a target and its open grants.</summary>
/// <param name="Resource">The target.</param>
/// <param name="Account">The account there.</param>
/// <param name="Assignment">Whose it is; null when its mark cannot be read.</param>
/// <param name="What"><c>should_not_stand</c>, <c>should_stand</c> or <c>wrong_until</c>.</param>
/// <param name="Repaired">Whether the keeper was told to put it right.</param>
internal sealed record DriftItem(string Resource, string Account, AssignmentId? Assignment, string What, bool Repaired);

/// <summary>What a scan found.</summary>
/// <param name="Items">Every difference.</param>
/// <param name="Failed">Resources that could not be looked at, with the reason.</param>
internal sealed record DriftReport(IReadOnlyList<DriftItem> Items, IReadOnlyList<(string Resource, string Why)> Failed);

/// <summary>Holds every target against its open grants, both ways.</summary>
internal sealed class ScanDrift(StintStore store, CurrentCatalog catalog, Targets targets, TimeProvider clock, KeeperOptions options, ILogger<ScanDrift> log)
{
    /// <param name="repair">Whether what differs is put right: accounts of ours that nobody wants are closed, missing ones are made again.</param>
    /// <param name="cancellation">Ends the scan between two targets.</param>
    public async Task<DriftReport> ScanAsync(bool repair, CancellationToken cancellation)
    {
        var items = new List<DriftItem>();
        var failed = new List<(string, string)>();
        foreach (var resource in catalog.Now.Resources.Values.OrderBy(resource => resource.Name, StringComparer.Ordinal))
        {
            if (targets.Now(resource) is not var (connector, target))
            {
                failed.Add((resource.Name, $"this server has no connector for the kind '{resource.Kind}'"));
                continue;
            }

            using var late = new CancellationTokenSource(options.VerbTime, clock);
            using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation, late.Token);
            try
            {
                // NB. Assignments are read before the list. What is removed in between is known as one that stood; what
                // was made in between is asked for again below. Neither passes for drift.
                var known = await AssignmentsAsync(resource.Name, cancellation);
                switch (await connector.ListAsync(target, bound.Token))
                {
                    case Listing.Standing standing:
                        items.AddRange(await CompareAsync(resource.Name, connector, target, known, standing.Accounts, repair, cancellation));
                        break;
                    case Listing.Nothing:
                        break;
                    case Listing.Failed bad:
                        failed.Add((resource.Name, bad.Why));
                        break;
                    default:
                        throw new InvalidOperationException("A listing is one of three.");
                }
            }
            catch (Exception problem) when (!cancellation.IsCancellationRequested && problem is SecretUnavailableException or OperationCanceledException)
            {
                failed.Add((resource.Name, problem is SecretUnavailableException ? problem.Message : $"it did not answer within {Sentences.Span(options.VerbTime)}"));
            }
        }

        return new DriftReport(items, failed);
    }

    private async Task<List<DriftItem>> CompareAsync(
        string resource,
        IConnector connector,
        Target target,
        Dictionary<AssignmentId, Assignment> known,
        IReadOnlyList<StandingAccount> accounts,
        bool repair,
        CancellationToken cancellation)
    {
        var items = new List<DriftItem>();
        foreach (var account in accounts)
        {
            var assignment = account.Assignment is { } id ? known.GetValueOrDefault(id) : null;
            if (assignment is null && account.Assignment is { } unlisted)
            {
                // It may have been made since.
                assignment = await store.ReadAsync(async reads => await reads.FindAssignmentAsync(unlisted), cancellation);
            }

            if (assignment is null or { State: AssignmentState.Removed })
            {
                // NB. Only what bears our own mark with a readable assignment is taken away; anything else is only told.
                var done = repair && account.Assignment is { } orphan && await CloseAsync(connector, target, account, orphan, assignment, cancellation);
                items.Add(await TellAsync(new DriftItem(resource, account.Name, account.Assignment, "should_not_stand", done), cancellation));
            }
            else if (assignment is { State: AssignmentState.Standing } && account.Until != assignment.Until)
            {
                items.Add(await RepairAsync(new DriftItem(resource, account.Name, assignment.Id, "wrong_until", repair), assignment, cancellation));
            }
        }

        var standing = accounts.Select(account => account.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var assignment in known.Values.Where(one => one.State == AssignmentState.Standing && !standing.Contains(one.Account)))
        {
            items.Add(await RepairAsync(new DriftItem(resource, assignment.Account, assignment.Id, "should_stand", repair), assignment, cancellation));
        }

        return items;
    }

    /// <summary>Tells, and has the keeper make the account stand again as wanted.</summary>
    private async Task<DriftItem> RepairAsync(DriftItem item, Assignment seen, CancellationToken cancellation)
    {
        var done = await store.WriteAsync(
            async work =>
            {
                var now = clock.Now();

                // NB. Looked at again inside the write: what changed since the listing is not drift.
                if (await work.FindAssignmentAsync(seen.Id) is not { State: AssignmentState.Standing } standing || standing.Version != seen.Version)
                {
                    return false;
                }

                Say(work, item, now);
                if (item.Repaired)
                {
                    var again = await work.MoveAsync(standing, standing with { State = AssignmentState.Adding, DueAt = now }, release: true);
                    work.Append(Facts.AssignmentAdding(again!, await work.GrantsOfAsync(seen.Id), now));
                }

                return item.Repaired;
            },
            cancellation);
        return item with { Repaired = done };
    }

    private async Task<DriftItem> TellAsync(DriftItem item, CancellationToken cancellation)
    {
        await store.WriteAsync(
            work =>
            {
                Say(work, item, clock.Now());
                return Task.CompletedTask;
            },
            cancellation);
        return item;
    }

    private void Say(Work work, DriftItem item, DateTimeOffset now)
    {
        work.Append(Facts.DriftFound(item.Resource, item.Account, item.Assignment, item.What, now));
        Measures.Drift.Add(1, new KeyValuePair<string, object?>("resource", item.Resource));
        Log.Drift(log, item.Resource, item.Account, item.What);
    }

    private async Task<bool> CloseAsync(IConnector connector, Target target, StandingAccount account, AssignmentId orphan, Assignment? removed, CancellationToken cancellation)
    {
        var role = target.Resource.Roles.Values.FirstOrDefault(role => role.Ref == removed?.Role)
            ?? new Core.Catalog.Role { Ref = removed?.Role ?? new RoleRef(target.Resource.Name, "unknown"), Settings = Core.Catalog.Settings.Empty };
        var subject = removed?.Subject ?? new SubjectId("unknown");
        var outcome = await connector.CloseAsync(
            target,
            new Account(orphan, account.Name, subject, role, clock.Now(), null, options.ConnectionsPerGrant, long.MaxValue),
            cancellation);
        return outcome is VerbOutcome.Done;
    }

    private async Task<Dictionary<AssignmentId, Assignment>> AssignmentsAsync(string resource, CancellationToken cancellation)
    {
        var known = new Dictionary<AssignmentId, Assignment>();
        long? before = null;
        do
        {
            var page = await store.ReadAsync(
                async reads => await reads.AssignmentsAsync(new AssignmentFilter { Live = true, Resource = resource }, new Page(1000, before)),
                cancellation);
            foreach (var assignment in page.Items)
            {
                known[assignment.Id] = assignment;
            }

            before = page.Next;
        }
        while (before is not null);
        return known;
    }
}
