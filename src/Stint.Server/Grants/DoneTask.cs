using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Grants;
using Stint.Core.Requests;
using Stint.Server.Audit;
using Stint.Server.Store;

namespace Stint.Server.Grants;

/// <summary>What came of a task that is done.</summary>
/// <param name="Task">Which; null for a call that told of none.</param>
/// <param name="Ended">Grants that ended.</param>
/// <param name="Cancelled">Requests that waited and were cancelled.</param>
/// <param name="Repeated">Whether the same call was taken before; nothing was done then.</param>
internal sealed record TaskEnd(string? Task, IReadOnlyList<GrantId> Ended, IReadOnlyList<RequestId> Cancelled, bool Repeated);

/// <summary>Another system says that a task is done: whatever is bound to it ends at once, and what waits for a decision is cancelled.</summary>
internal sealed class DoneTask(StintStore store, TimeProvider clock)
{
    /// <summary>How long calls are remembered, so that one that somebody recorded ends nothing that was given after it.</summary>
    public static readonly TimeSpan RememberedFor = TimeSpan.FromDays(90);

    /// <param name="task">As <see cref="TaskName.Normal"/> gives it.</param>
    /// <param name="sender">Who says so; it was proved, and the task is theirs to end.</param>
    /// <param name="digest">SHA-256 of what they signed.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    public async Task<TaskEnd> EndAsync(string task, string sender, byte[] digest, CancellationToken cancellation) => await store.WriteAsync(
        async work =>
        {
            var now = clock.Now();
            if (!await work.TakeDeliveryAsync(sender, digest, now, RememberedFor))
            {
                return new TaskEnd(task, [], [], Repeated: true);
            }

            var by = Actor.Sender(sender);
            var why = $"the task {task} is done, says {sender}";
            var cancelled = new List<RequestId>();
            foreach (var pending in await work.PendingRequestsOfAsync(task))
            {
                if (await work.MoveAsync(pending, pending with { State = RequestState.Cancelled, DecidedAt = now, Why = why }) is { } moved)
                {
                    work.Append(Facts.RequestCancelled(moved, now, by));
                    cancelled.Add(moved.Id);
                }
            }

            // NB. Nobody handed it back and no time was over: somebody other than its holder took it away.
            var ended = new List<GrantId>();
            foreach (var grant in await work.LiveGrantsOfAsync(task))
            {
                if (await GrantSteps.EndAsync(work, grant, EndReason.Revoked, why, now, by) is { } over)
                {
                    ended.Add(over.Id);
                }
            }

            if (ended.Count + cancelled.Count > 0)
            {
                work.Append(Facts.TaskDone(task, sender, ended, cancelled, now));
            }

            return new TaskEnd(task, ended, cancelled, Repeated: false);
        },
        cancellation);
}
