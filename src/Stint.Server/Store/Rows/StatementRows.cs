using Stint.Core;

namespace Stint.Server.Store;

internal sealed partial class Work
{
    /// <summary>Counts one run of a statement that may run so many times under a grant, if it may once more. The caller adds the fact.</summary>
    /// <param name="grant">The grant; it is open.</param>
    /// <param name="statement">Which of its statements, from 0.</param>
    /// <param name="most">How often it may run.</param>
    /// <returns>How often it ran by now, this time included; null when it ran as often as it may.</returns>
    public async ValueTask<long?> CountStatementAsync(GrantId grant, int statement, int most) => await Db.NumberAsync(
        "INSERT INTO statement_uses (grant_id, statement, used, most) VALUES ($1, $2, 1, $3) "
        + "ON CONFLICT (grant_id, statement) DO UPDATE SET used = statement_uses.used + 1 WHERE statement_uses.used < statement_uses.most RETURNING used",
        grant.Value,
        statement,
        most);
}
