using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Policies;
using Stint.Server.Audit;
using Stint.Server.Store;

namespace Stint.Server.Catalog;

/// <summary>The lines of a report while they come in, as many as fit.</summary>
internal sealed class ReportDraft
{
    private readonly List<string> _items = [];
    private long _bytes;

    /// <summary>Lines that found no room.</summary>
    public long LeftOut { get; private set; }

    public IReadOnlyList<string> Items => _items;

    public void Add(JsonObject item)
    {
        var text = item.ToJsonString();
        var bytes = Encoding.UTF8.GetByteCount(text) + 1;

        // Once one found no room the rest stays out too: a list that says "newest first" has no gaps.
        if (LeftOut > 0 || _bytes + bytes > KeepReports.MostBytes - KeepReports.RoomForHead)
        {
            LeftOut++;
            return;
        }

        _bytes += bytes;
        _items.Add(text);
    }
}

/// <summary>A report was kept. Its key is told this once.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Key">What opens it.</param>
/// <param name="EndsAt">Until before when.</param>
internal sealed record MadeReport(ReportId Id, string Key, DateTimeOffset EndsAt);

/// <summary>
/// Keeps the report of a replay for an hour, for a browser that nobody is logged in with. In the store, so that every node
/// behind one address opens it.
/// </summary>
internal sealed class KeepReports(StintStore store, CurrentCatalog current, IdSource ids, TimeProvider clock)
{
    /// <summary>How long a report can be opened.</summary>
    public static readonly TimeSpan Lasts = TimeSpan.FromHours(1);

    /// <summary>Longest report.</summary>
    public const int MostBytes = 2 << 20;

    /// <summary>What is left of <see cref="MostBytes"/> for everything but the lines.</summary>
    public const int RoomForHead = 4 << 10;

    /// <summary>What its keys begin with, so that a look at one says what it is.</summary>
    public const string Prefix = "str_";

    private const int LongestKey = 128;

    private static readonly byte[] NoHash = new byte[SHA256.HashSizeInBytes];

    /// <summary>Keeps one.</summary>
    /// <returns>Null when they lost the right to replay meanwhile.</returns>
    public async Task<MadeReport?> KeepAsync(SubjectId who, ReportDraft draft, JsonObject total, CancellationToken cancellation)
    {
        var key = Prefix + ids.NextSecret();
        return await store.WriteAsync(
            async work =>
            {
                if (!current.Now.MayReadCatalog(who))
                {
                    return null;
                }

                var now = Stored.Round(clock.Now());
                var report = new KeptReport(ids.NextReport(), HashOf(key), who, now, now + Lasts);
                var body = Write(report, draft, total);
                await work.KeepAsync(report, body);
                work.Append(Facts.ReportKept(report, (string)total["catalog"]!, (long)total["requests"]! - (long)total[Replay.Word(Replayed.Same)]!, body.Length));
                return new MadeReport(report.Id, key, report.EndsAt);
            },
            cancellation);
    }

    /// <summary>The report, as JSON; null when there is none of that name, the key is not its own, it is over, or whoever made it may not replay any more.</summary>
    public async Task<byte[]?> OpenAsync(ReportId id, string key, CancellationToken cancellation)
    {
        if (key.Length > LongestKey || !key.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return null;
        }

        return await store.ReadAsync(
            async reads =>
            {
                var found = await reads.FindReportAsync(id);
                return CryptographicOperations.FixedTimeEquals(found?.KeyHash ?? NoHash, HashOf(key))
                    && found is not null && found.EndsAt > clock.Now() && current.Now.MayReadCatalog(found.Person)
                    ? await reads.ReportBodyAsync(id)
                    : null;
            },
            cancellation);
    }

    private static byte[] Write(KeptReport report, ReportDraft draft, JsonObject total)
    {
        var counts = (JsonObject)total.DeepClone();
        counts["left_out"] = (long)counts["left_out"]! + draft.LeftOut;
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("report", report.Id.Value);
            json.WriteString("made_by", report.Person.Value);
            json.WriteString("made_at", CanonicalTime.Write(report.MadeAt)[..19] + "Z");
            json.WriteString("ends_at", CanonicalTime.Write(report.EndsAt)[..19] + "Z");
            json.WritePropertyName("total");
            counts.WriteTo(json);
            json.WriteStartArray("items");
            foreach (var item in draft.Items)
            {
                json.WriteRawValue(item, skipInputValidation: true);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return bytes.WrittenSpan.ToArray();
    }

    private static byte[] HashOf(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));
}
