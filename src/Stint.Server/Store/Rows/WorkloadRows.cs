using System.Data.Common;
using System.Security.Cryptography;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Policies;

namespace Stint.Server.Store;

/// <summary>A way in that a workload was given for the token of its platform. Its secret is nowhere.</summary>
/// <param name="Hash">SHA-256 of the secret.</param>
/// <param name="Subject">The workload.</param>
/// <param name="Issuer">Name of the issuer that proved it.</param>
/// <param name="Claims">What the token said, verified.</param>
/// <param name="MadeAt">When.</param>
/// <param name="ExpiresAt">Until before when it lets in.</param>
internal sealed record WorkloadPass(byte[] Hash, SubjectId Subject, string Issuer, IReadOnlyDictionary<string, string> Claims, DateTimeOffset MadeAt, DateTimeOffset ExpiresAt);

/// <summary>A token that lasts, for what no platform gives a token to. Its secret is nowhere.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Hash">SHA-256 of the secret.</param>
/// <param name="Prefix">How it begins, so that people tell it from others.</param>
/// <param name="Subject">The workload.</param>
/// <param name="Scope">What it may ask for: roles, with <c>*</c> for any part of a name.</param>
/// <param name="MadeBy">Who made it.</param>
/// <param name="MadeAt">When.</param>
/// <param name="ExpiresAt">Until before when it lets in.</param>
internal sealed record WorkloadToken(string Id, byte[] Hash, string Prefix, SubjectId Subject, IReadOnlyList<string> Scope, SubjectId MadeBy, DateTimeOffset MadeAt, DateTimeOffset ExpiresAt)
{
    /// <summary>About when it let in last; null for never.</summary>
    public DateTimeOffset? UsedAt { get; init; }

    /// <summary>When it was revoked; null while it was not.</summary>
    public DateTimeOffset? RevokedAt { get; init; }
}

internal partial class Reads
{
    private const string TokenColumns = "id, hash, prefix, subject, scope, made_by, made_at, expires_at, used_at, revoked_at";

    /// <summary>The pass with that hash, over or not; null when there is none.</summary>
    public async ValueTask<WorkloadPass?> FindWorkloadPassAsync(byte[] hash) => await Db.OneAsync(
        "SELECT hash, subject, issuer, claims, made_at, expires_at FROM workload_passes WHERE hash = $1",
        static row =>
        {
            var c = new Columns(row);
            return new WorkloadPass(c.Bytes(), new SubjectId(c.Text()), c.Text(), ClaimsText.Read(c.Text()), c.Time(), c.Time());
        },
        hash) is { } found && CryptographicOperations.FixedTimeEquals(found.Hash, hash) ? found : null;

    /// <summary>The static token with that hash, over, revoked or not; null when there is none.</summary>
    public async ValueTask<WorkloadToken?> FindTokenAsync(byte[] hash) =>
        await Db.OneAsync($"SELECT {TokenColumns} FROM workload_tokens WHERE hash = $1", ReadToken, hash) is { } found && CryptographicOperations.FixedTimeEquals(found.Hash, hash) ? found : null;

    /// <summary>A static token by its name. Inside a write it stays as found until the commit.</summary>
    public ValueTask<WorkloadToken?> FindTokenAsync(string id) => Db.OneAsync($"SELECT {TokenColumns} FROM workload_tokens WHERE id = $1{Lock}", ReadToken, id);

    /// <summary>Static tokens, newest first.</summary>
    /// <param name="subject">Whose; null for everybody's.</param>
    /// <param name="page">Which.</param>
    public ValueTask<Paged<WorkloadToken>> TokensAsync(SubjectId? subject, Page page) => new Where()
        .And("subject = ?", subject?.Value)
        .PageAsync(Db, TokenColumns, "workload_tokens", ReadToken, page);

    /// <summary>How many static tokens of a workload count. Inside a write, whoever else asks the same waits until this one is committed.</summary>
    public async ValueTask<long> CountTokensAsync(SubjectId subject, DateTimeOffset now)
    {
        await AloneWithAsync(subject);
        return await Db.NumberAsync("SELECT COUNT(*) FROM workload_tokens WHERE subject = $1 AND revoked_at IS NULL AND expires_at > $2", subject.Value, now) ?? 0;
    }

    /// <summary>Says no in place of a yes that a workload's budget does not hold.</summary>
    /// <remarks>Inside a write, whoever else asks for the same workload waits until this one is committed: two nodes cannot both give out the last of it.</remarks>
    public async ValueTask<Verdict> WithinBudgetAsync(LoadedCatalog catalog, SubjectId subject, Verdict verdict, DateTimeOffset now)
    {
        if (verdict is Verdict.Deny || catalog.Find(subject) is not Workload { Budget: { } budget } workload)
        {
            return verdict;
        }

        await AloneWithAsync(subject);
        var (from, until) = budget.Day(now);

        // What waits, or was not begun, counts with its whole length; what ended, with the part of it that was open in the day.
        var had = await Db.ListAsync(
            "SELECT r.asked_at, r.lasts, r.state, g.not_before, g.not_after, g.ended_at, g.state FROM requests r LEFT JOIN grants g ON g.request_id = r.id "
            + "WHERE r.subject = $1 AND r.state IN ('pending', 'approved') AND (r.asked_at >= $2 OR r.state = 'pending' OR g.state <> 'closed' OR g.ended_at > $2)",
            static row =>
            {
                var c = new Columns(row);
                return (AskedAt: c.Time(), For: c.Span(), Request: c.Text(), From: c.TimeOrNull(), Until: c.TimeOrNull(), EndedAt: c.TimeOrNull(), Grant: c.TextOrNull());
            },
            subject.Value,
            from);
        var time = TimeSpan.Zero;
        foreach (var one in had)
        {
            if (one.Grant is "closed" or "closing" && one.From is null)
            {
                continue;
            }

            if (one.From is not { } begun)
            {
                time += one.For;
                continue;
            }

            var (opened, closed) = (begun > from ? begun : from, one.EndedAt ?? one.Until ?? begun + one.For);
            closed = closed < until ? closed : until;
            time += closed > opened ? closed - opened : TimeSpan.Zero;
        }

        return Decider.WithinBudget(verdict, workload, new BudgetUse(had.Count(one => one.AskedAt >= from), time), now);
    }

    private static WorkloadToken ReadToken(DbDataReader row)
    {
        var c = new Columns(row);
        return new WorkloadToken(c.Text(), c.Bytes(), c.Text(), new SubjectId(c.Text()), c.Text().Split('\n'), new SubjectId(c.Text()), c.Time(), c.Time()) { UsedAt = c.TimeOrNull(), RevokedAt = c.TimeOrNull() };
    }
}

internal sealed partial class Work
{
    /// <summary>Keeps a way in.</summary>
    /// <param name="pass">The way in.</param>
    /// <param name="shown">Names the token that it was given for, where that counts once; null where it may be shown again.</param>
    /// <param name="keptUntil">When it may be forgotten.</param>
    /// <returns>False when that token was shown before.</returns>
    public async ValueTask<bool> InsertAsync(WorkloadPass pass, byte[]? shown, DateTimeOffset keptUntil) => await Db.RunAsync(
        "INSERT INTO workload_passes (hash, subject, issuer, claims, shown, made_at, expires_at, kept_until) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (shown) DO NOTHING",
        pass.Hash,
        pass.Subject.Value,
        pass.Issuer,
        ClaimsText.Write(pass.Claims),
        shown,
        pass.MadeAt,
        pass.ExpiresAt,
        Stored.Round(keptUntil)) == 1;

    /// <summary>Forgets ways in that are over, and tokens that nobody can show any more.</summary>
    public ValueTask<int> ForgetPassesAsync(DateTimeOffset now) => Db.RunAsync("DELETE FROM workload_passes WHERE kept_until <= $1", now);

    /// <summary>Keeps a static token.</summary>
    public ValueTask<int> InsertAsync(WorkloadToken token) => Db.RunAsync(
        "INSERT INTO workload_tokens (id, hash, prefix, subject, scope, made_by, made_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        token.Id,
        token.Hash,
        token.Prefix,
        token.Subject.Value,
        string.Join('\n', token.Scope),
        token.MadeBy.Value,
        token.MadeAt,
        token.ExpiresAt);

    /// <returns>False when it was revoked before.</returns>
    public async ValueTask<bool> RevokeTokenAsync(string id, DateTimeOffset now) =>
        await Db.RunAsync("UPDATE workload_tokens SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL", now, id) == 1;

    /// <summary>Says about when a static token let in last.</summary>
    public ValueTask<int> TouchTokenAsync(string id, DateTimeOffset now) =>
        Db.RunAsync("UPDATE workload_tokens SET used_at = $1 WHERE id = $2 AND (used_at IS NULL OR used_at < $1)", now, id);
}
