using System.Data.Common;
using Stint.Core;
using Stint.Core.Requests;

namespace Stint.Server.Store;

internal partial class Reads
{
    private protected const string BundleColumns = "id, name, subject, asked_at, lasts, reason, ticket, start_at, catalog_version, left_out, digest";

    /// <summary>The asking for a bundle; null when there is none. Inside a write it stays as found until the commit.</summary>
    public ValueTask<BundleAsking?> FindBundleAsync(BundleId id) =>
        Db.OneAsync($"SELECT {BundleColumns} FROM bundles WHERE id = $1{Lock}", ReadBundle, id.Value);

    /// <summary>The requests of a bundle's asking, in the bundle's order. Inside a write they stay as found until the commit.</summary>
    public ValueTask<List<Request>> RequestsOfAsync(BundleId id) =>
        Db.ListAsync($"SELECT {RequestColumns} FROM requests WHERE bundle_id = $1 ORDER BY seq{Lock}", ReadRequest, id.Value);

    /// <summary>A request that was asked by itself; null when there is none, or it is a part of a bundle. Inside a write it stays as found until the commit.</summary>
    private protected ValueTask<Request?> FindAloneAsync(RequestId id) =>
        Db.OneAsync($"SELECT {RequestColumns} FROM requests WHERE id = $1 AND bundle_id IS NULL{Lock}", ReadRequest, id.Value);

    /// <summary>A page of askings for bundles.</summary>
    public ValueTask<Paged<BundleAsking>> BundlesAsync(Page page) => new Where().PageAsync(Db, BundleColumns, "bundles", ReadBundle, page);

    private static BundleAsking ReadBundle(DbDataReader row)
    {
        var c = new Columns(row);
        return new BundleAsking
        {
            Id = new BundleId(c.Text()),
            Name = c.Text(),
            Subject = new SubjectId(c.Text()),
            AskedAt = c.Time(),
            For = c.SpanOrNull(),
            Reason = c.Text(),
            Ticket = c.TextOrNull(),
            StartAt = c.TimeOrNull(),
            CatalogVersion = c.Text(),
            LeftOut = (int)c.Number(),
            Digest = c.Text(),
        };
    }
}

internal sealed partial class Work
{
    /// <summary>Keeps a new asking for a bundle; its requests follow in the same write.</summary>
    /// <returns>As it stands now, times rounded.</returns>
    public async ValueTask<BundleAsking> InsertAsync(BundleAsking asking)
    {
        var kept = asking with
        {
            AskedAt = Stored.Round(asking.AskedAt),
            For = asking.For is { } length ? Stored.Round(length) : null,
            StartAt = Stored.Round(asking.StartAt),
        };
        await Db.RunAsync(
            $"INSERT INTO bundles ({BundleColumns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            kept.Id.Value,
            kept.Name,
            kept.Subject.Value,
            kept.AskedAt,
            kept.For,
            kept.Reason,
            kept.Ticket,
            kept.StartAt,
            kept.CatalogVersion,
            kept.LeftOut,
            kept.Digest);
        return kept;
    }

    /// <summary>A request with those that wait for the same answer: alone, or with the rest of its bundle that is pending. Held until the commit.</summary>
    /// <returns>In the bundle's order; empty when there is no such request.</returns>
    public async ValueTask<List<Request>> TogetherAsync(RequestId id)
    {
        if (await FindAloneAsync(id) is { } alone)
        {
            return [alone];
        }

        if (await Db.OneAsync("SELECT bundle_id FROM requests WHERE id = $1 AND bundle_id IS NOT NULL", static row => row.GetString(0), id.Value) is not { } name)
        {
            return [];
        }

        // NB. The bundle before its requests, by everybody: two who came to it over two of its requests would otherwise wait for each other.
        var bundle = new BundleId(name);
        await FindBundleAsync(bundle);
        return [.. (await RequestsOfAsync(bundle)).Where(request => request.State == RequestState.Pending || request.Id == id)];
    }

    /// <summary>Bundles of which a pending request has something due, found by index, each with its pending requests. Held until the commit.</summary>
    /// <remarks>What happens at their steps happens to all of them at the same moment, so that they stay alike.</remarks>
    public async ValueTask<List<List<Request>>> DueBundlesAsync(DateTimeOffset now, int limit)
    {
        var due = await Db.ListAsync(
            "SELECT id FROM bundles WHERE id IN (SELECT requests.bundle_id FROM request_steps JOIN requests ON requests.id = request_steps.request_id "
            + $"WHERE request_steps.due_at <= $1 AND requests.state = 'pending' AND requests.bundle_id IS NOT NULL ORDER BY request_steps.due_at LIMIT $2){SkipLocked}",
            static row => new BundleId(row.GetString(0)),
            now,
            limit);
        var bundles = new List<List<Request>>();
        foreach (var bundle in due)
        {
            bundles.Add([.. (await RequestsOfAsync(bundle)).Where(request => request.State == RequestState.Pending)]);
        }

        return bundles;
    }
}
