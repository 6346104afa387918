using System.Data.Common;
using System.Security.Cryptography;
using Stint.Core;

namespace Stint.Server.Store;

/// <summary>A browser in which somebody is signed in. The secret that it shows is nowhere.</summary>
internal sealed record WebSession
{
    /// <summary>Its name: <c>si-…</c>.</summary>
    public required string Id { get; init; }

    /// <summary>SHA-256 of the secret.</summary>
    public required byte[] Hash { get; init; }

    /// <summary>What a form or a script of our own pages shows besides: no other site can know it.</summary>
    public required string Csrf { get; init; }

    public required SubjectId Person { get; init; }

    /// <summary>How they proved who they are, last: <c>passkey</c>, <c>password+totp</c>, <c>oidc:okta</c>.</summary>
    public required string ProvedBy { get; init; }

    /// <summary>When they did.</summary>
    public required DateTimeOffset ProvedAt { get; init; }

    /// <summary>What the provider calls the strength of it; null for nothing.</summary>
    public string? Acr { get; init; }

    /// <summary>Name of the provider that proved them; null for none.</summary>
    public string? Provider { get; init; }

    /// <summary>What the provider calls them; null for nothing.</summary>
    public string? ProviderSubject { get; init; }

    /// <summary>What the provider calls its own session; null for nothing.</summary>
    public string? ProviderSession { get; init; }

    /// <summary>Where they signed in from.</summary>
    public required string Address { get; init; }

    /// <summary>What the browser calls itself; empty for nothing.</summary>
    public required string Agent { get; init; }

    public required DateTimeOffset MadeAt { get; init; }

    /// <summary>About when it was used last.</summary>
    public required DateTimeOffset UsedAt { get; init; }

    /// <summary>Until before when it counts, however much it is used.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>When it was ended; null while it was not.</summary>
    public DateTimeOffset? EndedAt { get; init; }

    /// <summary>Never a secret.</summary>
    public override string ToString() => Id;
}

internal partial class Reads
{
    private const string WebSessionColumns = "id, hash, csrf, person, proved_by, proved_at, acr, provider, provider_subject, provider_session, address, agent, made_at, used_at, expires_at, ended_at";

    /// <summary>The signed-in browser with that hash, over or not; null when there is none.</summary>
    public async ValueTask<WebSession?> FindWebSessionAsync(byte[] hash) =>
        await Db.OneAsync($"SELECT {WebSessionColumns} FROM web_sessions WHERE hash = $1", ReadWebSession, hash) is { } found && CryptographicOperations.FixedTimeEquals(found.Hash, hash) ? found : null;

    /// <summary>By its name. Inside a write it stays as found until the commit.</summary>
    public ValueTask<WebSession?> FindWebSessionAsync(string id) => Db.OneAsync($"SELECT {WebSessionColumns} FROM web_sessions WHERE id = $1{Lock}", ReadWebSession, id);

    /// <summary>Somebody's that count, newest first.</summary>
    public ValueTask<List<WebSession>> WebSessionsAsync(SubjectId person, DateTimeOffset now) =>
        Db.ListAsync($"SELECT {WebSessionColumns} FROM web_sessions WHERE person = $1 AND ended_at IS NULL AND expires_at > $2 ORDER BY seq DESC LIMIT 200", ReadWebSession, person.Value, now);

    /// <summary>Those that a provider let in and that count: of one of its subjects, of one of its sessions, or of both.</summary>
    public ValueTask<List<WebSession>> WebSessionsAsync(string provider, string? subject, string? session, DateTimeOffset now) => Db.ListAsync(
        $"SELECT {WebSessionColumns} FROM web_sessions WHERE provider = $1 AND ended_at IS NULL AND expires_at > $2 AND ($3 = '' OR provider_subject = $3) AND ($4 = '' OR provider_session = $4) ORDER BY seq{Lock}",
        ReadWebSession,
        provider,
        now,
        subject ?? "",
        session ?? "");

    private static WebSession ReadWebSession(DbDataReader row)
    {
        var c = new Columns(row);
        return new WebSession
        {
            Id = c.Text(),
            Hash = c.Bytes(),
            Csrf = c.Text(),
            Person = new SubjectId(c.Text()),
            ProvedBy = c.Text(),
            ProvedAt = c.Time(),
            Acr = c.TextOrNull(),
            Provider = c.TextOrNull(),
            ProviderSubject = c.TextOrNull(),
            ProviderSession = c.TextOrNull(),
            Address = c.Text(),
            Agent = c.Text(),
            MadeAt = c.Time(),
            UsedAt = c.Time(),
            ExpiresAt = c.Time(),
            EndedAt = c.TimeOrNull(),
        };
    }
}

internal sealed partial class Work
{
    public ValueTask<int> InsertAsync(WebSession session) => Db.RunAsync(
        "INSERT INTO web_sessions (id, hash, csrf, person, proved_by, proved_at, acr, provider, provider_subject, provider_session, address, agent, made_at, used_at, expires_at) "
        + "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        session.Id,
        session.Hash,
        session.Csrf,
        session.Person.Value,
        session.ProvedBy,
        session.ProvedAt,
        session.Acr,
        session.Provider,
        session.ProviderSubject,
        session.ProviderSession,
        session.Address,
        session.Agent,
        session.MadeAt,
        session.UsedAt,
        session.ExpiresAt);

    /// <summary>Notes that it is used.</summary>
    public ValueTask<int> TouchWebSessionAsync(string id, DateTimeOffset at) => Db.RunAsync("UPDATE web_sessions SET used_at = $1 WHERE id = $2 AND ended_at IS NULL AND used_at < $1", at, id);

    /// <summary>Notes that who is signed in there proved it anew.</summary>
    /// <returns>False when it is over.</returns>
    public async ValueTask<bool> ProveWebSessionAsync(string id, string by, DateTimeOffset at, string? acr) =>
        await Db.RunAsync("UPDATE web_sessions SET proved_by = $1, proved_at = $2, acr = $3, used_at = $2 WHERE id = $4 AND ended_at IS NULL AND expires_at > $2 AND proved_at <= $2", by, at, acr, id) == 1;

    /// <summary>Ends it.</summary>
    /// <returns>False when it was over already.</returns>
    public async ValueTask<bool> EndWebSessionAsync(string id, string reason, DateTimeOffset at) =>
        await Db.RunAsync("UPDATE web_sessions SET ended_at = $1, end_reason = $2 WHERE id = $3 AND ended_at IS NULL", at, reason, id) == 1;

    /// <summary>Forgets those that are over for long.</summary>
    public ValueTask<int> ForgetWebSessionsAsync(DateTimeOffset before) => Db.RunAsync("DELETE FROM web_sessions WHERE expires_at < $1", before);
}
