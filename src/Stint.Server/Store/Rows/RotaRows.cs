using System.Data.Common;

namespace Stint.Server.Store;

/// <summary>What was told last of who is on call in a rota.</summary>
/// <param name="Rota">Its name.</param>
/// <param name="Source">Who told it.</param>
/// <param name="Body">What; null for nothing yet.</param>
/// <param name="Etag">By what the source tells whether it has changed; null for none.</param>
/// <param name="KnownAt">When it was told, or was found to be so still; null for never.</param>
/// <param name="Trouble">Why the last try got nothing; null when it did.</param>
/// <param name="OnCall">Who was on call by it when that was looked at last: names with a blank between them.</param>
internal sealed record RotaTold(string Rota, string Source, string? Body, string? Etag, DateTimeOffset? KnownAt, string? Trouble, string OnCall);

internal partial class Reads
{
    private const string RotaColumns = "rota, source, body, etag, known_at, trouble, on_call";

    public ValueTask<List<RotaTold>> RotasToldAsync() => Db.ListAsync($"SELECT {RotaColumns} FROM rota_feeds ORDER BY rota", ReadTold);

    /// <summary>Inside a write it stays as found until the commit.</summary>
    public ValueTask<RotaTold?> FindRotaToldAsync(string rota) => Db.OneAsync($"SELECT {RotaColumns} FROM rota_feeds WHERE rota = $1{Lock}", ReadTold, rota);

    private static RotaTold ReadTold(DbDataReader row)
    {
        var c = new Columns(row);
        return new RotaTold(c.Text(), c.Text(), c.TextOrNull(), c.TextOrNull(), c.TimeOrNull(), c.TextOrNull(), c.Text());
    }
}

internal sealed partial class Work
{
    /// <summary>Takes it upon oneself to ask a source, when nobody did a moment ago. What another source told of the rota is forgotten.</summary>
    /// <returns>False when somebody did.</returns>
    public async ValueTask<bool> TryRotaAsync(string rota, string source, DateTimeOffset now, DateTimeOffset before) => await Db.RunAsync(
        "INSERT INTO rota_feeds (rota, source, tried_at) VALUES ($1, $2, $3) ON CONFLICT (rota) DO UPDATE SET tried_at = excluded.tried_at, source = excluded.source, "
        + "body = CASE WHEN rota_feeds.source = excluded.source THEN rota_feeds.body END, etag = CASE WHEN rota_feeds.source = excluded.source THEN rota_feeds.etag END, "
        + "known_at = CASE WHEN rota_feeds.source = excluded.source THEN rota_feeds.known_at END, trouble = CASE WHEN rota_feeds.source = excluded.source THEN rota_feeds.trouble END "
        + "WHERE rota_feeds.tried_at <= $4 OR rota_feeds.source <> excluded.source",
        rota,
        source,
        now,
        before) == 1;

    /// <summary>Keeps what a source told.</summary>
    public async ValueTask KeepRotaAsync(string rota, string source, string body, string? etag, DateTimeOffset at)
    {
        await Db.RunAsync("UPDATE rota_feeds SET body = $3, etag = $4, known_at = $5, trouble = NULL WHERE rota = $1 AND source = $2", rota, source, body, etag, at);
        Wake(Wakes.OnCall);
    }

    /// <summary>Notes that a source told that nothing changed, or that it told nothing.</summary>
    public ValueTask<int> NoteRotaAsync(string rota, string source, DateTimeOffset? sameAt, string? trouble) => Db.RunAsync(
        "UPDATE rota_feeds SET known_at = CASE WHEN body IS NULL THEN NULL ELSE COALESCE($3, known_at) END, trouble = $4 WHERE rota = $1 AND source = $2", rota, source, sameAt, trouble);

    /// <summary>Notes who is on call, by the one that saw what is kept.</summary>
    /// <returns>False when it is noted, or something newer was told.</returns>
    public async ValueTask<bool> NoteOnCallAsync(string rota, string before, string now, DateTimeOffset? knownAt) => await Db.RunAsync(
        "UPDATE rota_feeds SET on_call = $3 WHERE rota = $1 AND on_call = $2 AND on_call <> $3 AND COALESCE(known_at, -1) = COALESCE($4, -1)", rota, before, now, knownAt) == 1;
}
