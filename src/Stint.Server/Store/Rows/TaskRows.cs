using Stint.Core.Grants;
using Stint.Core.Requests;

namespace Stint.Server.Store;

internal partial class Reads
{
    /// <summary>What waits for a decision and is bound to a task, oldest first. Inside a write they stay as found until the commit.</summary>
    public ValueTask<List<Request>> PendingRequestsOfAsync(string task) => Db.ListAsync(
        $"SELECT {RequestColumns} FROM requests WHERE task = $1 AND state = 'pending' ORDER BY seq{Lock}", ReadRequest, task);

    /// <summary>Every grant that is bound to a task and is not closed, oldest first. Inside a write they stay as found until the commit.</summary>
    public ValueTask<List<Grant>> LiveGrantsOfAsync(string task) => Db.ListAsync(
        $"SELECT {GrantColumns} FROM grants WHERE task = $1 AND state <> 'closed' ORDER BY seq{Lock}", ReadGrant, task);
}

internal sealed partial class Work
{
    /// <summary>Keeps that a call of a sender was taken, and forgets old ones.</summary>
    /// <param name="sender">The sender.</param>
    /// <param name="digest">SHA-256 of what was signed.</param>
    /// <param name="now">When.</param>
    /// <param name="keptFor">How long calls are remembered.</param>
    /// <returns>False when it was taken before.</returns>
    public async ValueTask<bool> TakeDeliveryAsync(string sender, byte[] digest, DateTimeOffset now, TimeSpan keptFor)
    {
        await Db.LaterAsync("DELETE FROM task_deliveries WHERE at < $1", now - keptFor);
        return await Db.RunAsync("INSERT INTO task_deliveries (sender, digest, at) VALUES ($1, $2, $3) ON CONFLICT (sender, digest) DO NOTHING", sender, digest, now) == 1;
    }
}
