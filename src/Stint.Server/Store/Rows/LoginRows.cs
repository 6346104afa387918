using System.Data.Common;
using Stint.Core;
using Stint.Core.Sessions;

namespace Stint.Server.Store;

/// <summary>A holder's way in at the gateway: a name, and what proves its secret. The secret itself is nowhere.</summary>
internal sealed record Login
{
    /// <summary>What the client gives as its user (<c>ann-7f3k9w2m</c>).</summary>
    public required string Name { get; init; }

    public required GrantId Grant { get; init; }

    public required SubjectId Subject { get; init; }

    public required RoleRef Role { get; init; }

    public required LoginVerifier Verifier { get; init; }

    public required DateTimeOffset MadeAt { get; init; }

    /// <summary>When it stopped to let anybody in; null while it does.</summary>
    public DateTimeOffset? EndedAt { get; init; }
}

internal partial class Reads
{
    private const string LoginColumns = "name, grant_id, subject, resource, role, iterations, salt, stored_key, server_key, made_at, ended_at";

    /// <summary>The login, ended or not; null when there is none.</summary>
    public ValueTask<Login?> FindLoginAsync(string name) =>
        Db.OneAsync($"SELECT {LoginColumns} FROM logins WHERE name = $1", ReadLogin, name);

    /// <summary>Every login that was made for a grant, oldest first.</summary>
    public ValueTask<List<Login>> LoginsAsync(GrantId grant) =>
        Db.ListAsync($"SELECT {LoginColumns} FROM logins WHERE grant_id = $1 ORDER BY seq", ReadLogin, grant.Value);

    private static Login ReadLogin(DbDataReader row)
    {
        var c = new Columns(row);
        return new Login
        {
            Name = c.Text(),
            Grant = new GrantId(c.Text()),
            Subject = new SubjectId(c.Text()),
            Role = new RoleRef(c.Text(), c.Text()),
            Verifier = new LoginVerifier((int)c.Number(), c.Bytes(), c.Bytes(), c.Bytes()),
            MadeAt = c.Time(),
            EndedAt = c.TimeOrNull(),
        };
    }
}

internal sealed partial class Work
{
    /// <summary>Keeps a new login.</summary>
    /// <exception cref="StoreConflictException">The name is taken.</exception>
    public async ValueTask<Login> InsertAsync(Login login)
    {
        var kept = login with { MadeAt = Stored.Round(login.MadeAt) };
        await Db.RunAsync(
            "INSERT INTO logins (name, grant_id, subject, resource, role, iterations, salt, stored_key, server_key, made_at) "
            + "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            kept.Name,
            kept.Grant.Value,
            kept.Subject.Value,
            kept.Role.Resource,
            kept.Role.Role,
            kept.Verifier.Iterations,
            kept.Verifier.Salt,
            kept.Verifier.StoredKey,
            kept.Verifier.ServerKey,
            kept.MadeAt);
        return kept;
    }

    /// <summary>Ends the logins of a grant that are not over yet.</summary>
    /// <returns>How many.</returns>
    public ValueTask<int> EndLoginsAsync(GrantId grant, DateTimeOffset at) =>
        Db.RunAsync("UPDATE logins SET ended_at = $1 WHERE grant_id = $2 AND ended_at IS NULL", at, grant.Value);
}
