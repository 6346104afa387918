using System.Globalization;
using System.Text;
using System.Text.Json;
using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Grants;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Audit;

/// <summary>What was found in a part of the log.</summary>
/// <param name="Facts">Newest first.</param>
/// <param name="Next">Where to go on; null when all of it was looked through. May come with no facts.</param>
/// <param name="Size">How long the log was.</param>
internal sealed record FoundFacts(IReadOnlyList<SealedFact> Facts, long? Next, long Size);

/// <summary>Who had something at a resource at a moment, and who used it.</summary>
/// <param name="Had">Grants that were open.</param>
/// <param name="Used">Sessions that ran.</param>
internal sealed record LookedBack(IReadOnlyList<Grant> Had, IReadOnlyList<Session> Used);

/// <summary>Searches the log, and looks back at who had what. For admins and auditors, and for owners about what they own.</summary>
internal sealed class SearchLog(StintStore store, CurrentCatalog catalog, TimeProvider clock)
{
    /// <summary>So many facts one call looks through at most: a search of a long log goes on from there, and holds up nobody.</summary>
    public const int Looked = 50_000;

    /// <summary>Most facts of one file.</summary>
    public const int MostExported = 50_000;

    private const int MostAt = 500;

    // NB. Facts stand in the order in which they were committed, which several nodes' clocks follow only nearly.
    private static readonly TimeSpan Slack = TimeSpan.FromMinutes(10);

    /// <summary>Facts, newest first.</summary>
    /// <param name="who">Who asks.</param>
    /// <param name="filter">Which.</param>
    /// <param name="before">The <see cref="FoundFacts.Next"/> of the page before; null for the first.</param>
    /// <param name="limit">At most this many.</param>
    /// <param name="cancellation">The caller left.</param>
    public async Task<Outcome<FoundFacts>> FindAsync(SubjectId who, FactFilter filter, long? before, int limit, CancellationToken cancellation) =>
        !catalog.Now.MayReadAll(who)
            ? new Outcome<FoundFacts>.NotYours("only admins and auditors read the log", [])
            : await store.ReadAsync<Outcome<FoundFacts>>(
                async reads =>
                {
                    var size = (await reads.LogHeadAsync()).Size;
                    var end = Math.Min(before ?? size, filter.Until is { } until ? await PlaceAsync(reads, size, until + Slack) : size);
                    var start = filter.Since is { } since ? await PlaceAsync(reads, size, since - Slack) : 0;
                    var from = Math.Max(start, end - Looked);
                    var facts = await reads.FactsAsync(filter, from, end, limit);
                    long? next = facts.Count == limit ? facts[^1].Seq : from > start ? from : null;
                    return new Outcome<FoundFacts>.Done(new FoundFacts(facts, next, size));
                },
                cancellation);

    /// <summary>Writes what is found as a table for a spreadsheet, and that somebody took it.</summary>
    /// <returns>How many facts; <see cref="Outcome{T}.NotYours"/> before anything is written.</returns>
    public async Task<Outcome<long>> ExportAsync(SubjectId who, FactFilter filter, Stream to, CancellationToken cancellation)
    {
        if (!catalog.Now.MayReadAll(who))
        {
            return new Outcome<long>.NotYours("only admins and auditors read the log", []);
        }

        await store.WriteAsync(
            work =>
            {
                work.Append(Facts.AuditExported(Actor.Person(who.Value), null, 0, "text/csv", clock.Now()));
                return Task.CompletedTask;
            },
            cancellation);
        await to.WriteAsync("seq,at,kind,actor,request,fact\r\n"u8.ToArray(), cancellation);
        long written = 0;
        long? before = null;
        do
        {
            if (await FindAsync(who, filter, before, 1_000, cancellation) is not Outcome<FoundFacts>.Done { Value: var found })
            {
                break;
            }

            var text = new StringBuilder();
            foreach (var fact in found.Facts)
            {
                var (actor, request) = Read(fact.Body);
                text.Append(CultureInfo.InvariantCulture, $"{fact.Seq},{fact.At.UtcDateTime:yyyy-MM-ddTHH:mm:ss.ffffffZ},{fact.Kind},{Cell(actor)},{Cell(request)},{Cell(fact.Body)}\r\n");
            }

            await to.WriteAsync(Encoding.UTF8.GetBytes(text.ToString()), cancellation);
            written += found.Facts.Count;
            before = found.Next;
        }
        while (before is not null && written < MostExported);
        return new Outcome<long>.Done(written);
    }

    /// <summary>Who had something open at a resource at a moment, and who was connected there.</summary>
    public async Task<Outcome<LookedBack>> AtAsync(SubjectId who, string resource, DateTimeOffset at, CancellationToken cancellation) =>

        // NB. A resource that is another's, and one that never was, are answered alike.
        !catalog.Now.MayReadAll(who) && !catalog.Now.Owns(who, resource)
            ? new Outcome<LookedBack>.NotFound()
            : await store.ReadAsync(
                async reads => new Outcome<LookedBack>.Done(new LookedBack(await reads.GrantsOpenAtAsync(resource, at, MostAt), await reads.SessionsAtAsync(resource, at, MostAt))),
                cancellation);

    /// <summary>Who did a fact, and the request that it names; empty for none.</summary>
    public static (string Actor, string Request) Read(string body)
    {
        using var document = JsonDocument.Parse(body);
        var root = document.RootElement;
        var request = root.TryGetProperty("fields", out var fields) && fields.TryGetProperty("request", out var named) && named.ValueKind == JsonValueKind.String ? named.GetString()! : "";
        return (root.GetProperty("actor").GetString() ?? "", request);
    }

    /// <summary>The first place whose fact is not older than a moment.</summary>
    private static async ValueTask<long> PlaceAsync(Reads reads, long size, DateTimeOffset moment)
    {
        var (low, high) = (0L, size);
        while (low < high)
        {
            var middle = low + ((high - low) / 2);
            (low, high) = await reads.FactAtAsync(middle) < moment ? (middle + 1, high) : (low, middle);
        }

        return low;
    }

    // NB. A spreadsheet runs a cell that begins like a formula.
    private static string Cell(string text) => $"\"{(text.Length > 0 && text[0] is '=' or '+' or '-' or '@' or '\t' or '\r' ? "'" : "")}{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
