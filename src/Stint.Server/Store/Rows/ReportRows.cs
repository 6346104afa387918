using Stint.Core;

namespace Stint.Server.Store;

/// <summary>A report that is kept for a time. The secret that opens it is nowhere.</summary>
/// <param name="Id">Its name.</param>
/// <param name="KeyHash">SHA-256 of the secret.</param>
/// <param name="Person">Who made it.</param>
/// <param name="MadeAt">When.</param>
/// <param name="EndsAt">Until before when it can be opened.</param>
internal sealed record KeptReport(ReportId Id, byte[] KeyHash, SubjectId Person, DateTimeOffset MadeAt, DateTimeOffset EndsAt)
{
    /// <summary>Most of one person; the oldest makes room.</summary>
    public const int Most = 5;
}

internal partial class Reads
{
    /// <summary>The report, over or not, without its text; null when there is none.</summary>
    public ValueTask<KeptReport?> FindReportAsync(ReportId id) => Db.OneAsync(
        "SELECT id, key_hash, person, made_at, ends_at FROM reports WHERE id = $1",
        static row =>
        {
            var c = new Columns(row);
            return new KeptReport(new ReportId(c.Text()), c.Bytes(), new SubjectId(c.Text()), c.Time(), c.Time());
        },
        id.Value);

    /// <summary>Its text; null when there is none.</summary>
    public ValueTask<byte[]?> ReportBodyAsync(ReportId id) => Db.OneAsync("SELECT body FROM reports WHERE id = $1", static row => row.GetFieldValue<byte[]>(0), id.Value);
}

internal sealed partial class Work
{
    /// <summary>Keeps a report in a free place of its person, or in place of their oldest.</summary>
    /// <remarks>NB. The places are the bound: two nodes that find the same one free do not make a sixth, the later takes it.</remarks>
    public async ValueTask KeepAsync(KeptReport report, byte[] body)
    {
        await ForgetReportsAsync(report.MadeAt);
        var taken = await Db.ListAsync($"SELECT place FROM reports WHERE person = $1 ORDER BY made_at, place{Lock}", static row => row.GetInt64(0), report.Person.Value);
        var place = taken.Count < KeptReport.Most ? Enumerable.Range(0, KeptReport.Most).Select(one => (long)one).First(one => !taken.Contains(one)) : taken[0];
        await Db.RunAsync(
            "INSERT INTO reports (person, place, id, key_hash, made_at, ends_at, body) VALUES ($1, $2, $3, $4, $5, $6, $7) "
            + "ON CONFLICT (person, place) DO UPDATE SET id = excluded.id, key_hash = excluded.key_hash, made_at = excluded.made_at, ends_at = excluded.ends_at, body = excluded.body",
            report.Person.Value,
            place,
            report.Id.Value,
            report.KeyHash,
            report.MadeAt,
            report.EndsAt,
            body);
    }

    /// <summary>Forgets reports that are over.</summary>
    /// <returns>How many.</returns>
    public ValueTask<int> ForgetReportsAsync(DateTimeOffset now) => Db.RunAsync("DELETE FROM reports WHERE ends_at <= $1", now);
}
