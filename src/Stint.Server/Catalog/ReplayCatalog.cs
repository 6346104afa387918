using System.Text.Json.Nodes;
using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Catalog;
using Stint.Core.Policies;
using Stint.Server.Store;

namespace Stint.Server.Catalog;

/// <summary>Decides past requests again by other files, each at its own moment.</summary>
internal sealed class ReplayCatalog(StintStore store, CurrentCatalog current, CatalogVersions versions, KeepReports reports, TimeProvider clock)
{
    /// <summary>Longest look back.</summary>
    public static readonly TimeSpan Furthest = TimeSpan.FromDays(3 * 366);

    /// <summary>Most requests that are told one by one; all are counted.</summary>
    public const int MostTold = 2_000;

    private const int Batch = 500;

    /// <summary>Whether somebody may, and whether the files load; the answer holds the loaded catalog.</summary>
    public Outcome<LoadedCatalog> Prepare(SubjectId who, CatalogSource files, TimeSpan since)
    {
        if (!current.Now.MayReadCatalog(who))
        {
            return new Outcome<LoadedCatalog>.NotYours("only admins, auditors and catalog keepers replay requests", []);
        }

        var load = versions.LoadSent(files);
        List<Problem> problems = [.. load.Errors.Select(error => new Problem(error.File.Length == 0 ? "files" : $"{error.File}:{error.Line}:{error.Column}", error.WayOut is null ? error.What : $"{error.What}; {error.WayOut}"))];
        if (since <= TimeSpan.Zero || since > Furthest)
        {
            problems.Add(new Problem("since_seconds", $"must be from 1 to {(long)Furthest.TotalSeconds}"));
        }

        return problems.Count > 0 ? new Outcome<LoadedCatalog>.Invalid(problems) : new Outcome<LoadedCatalog>.Done(current.With(load.Catalog!));
    }

    /// <summary>Decides again, newest first, and tells while it goes on: <c>{"replayed":N}</c> from time to time, <c>{"item":…}</c> for each that differs, <c>{"report":…}</c> where one was kept, and last <c>{"total":…}</c>.</summary>
    /// <param name="next">What <see cref="Prepare"/> gave.</param>
    /// <param name="since">How far back.</param>
    /// <param name="tell">Gets each line.</param>
    /// <param name="cancellation">The caller left.</param>
    /// <param name="keepFor">Who wants a report kept; null for nobody.</param>
    public async Task RunAsync(LoadedCatalog next, TimeSpan since, Func<JsonObject, Task> tell, CancellationToken cancellation, SubjectId? keepFor = null)
    {
        var draft = keepFor is null ? null : new ReportDraft();
        var from = clock.Now() - since;
        var counts = Enum.GetValues<Replayed>().ToDictionary(what => what, _ => 0L);
        var (told, replayed) = (0, 0L);
        long? before = null;
        do
        {
            var (again, following) = await store.ReadAsync(
                async reads =>
                {
                    var page = await reads.RequestsAsync(new RequestFilter(), new Page(Batch, before));
                    List<Replay> again = [];
                    var within = page.Items.TakeWhile(request => request.AskedAt >= from).ToList();

                    // An occurrence was decided with its series.
                    foreach (var request in within.Where(request => request.OccurrenceOf is null))
                    {
                        again.Add(Replay.Of(next, request, request.Verdict is Verdict.NeedsApproval ? await reads.ApprovalsAsync(request.Id) : [], await reads.HeldAsync(next, request.Subject, request.Role, request.AskedAt)));
                    }

                    return (again, within.Count == page.Items.Count ? page.Next : null);
                },
                cancellation);
            foreach (var replay in again)
            {
                replayed++;
                counts[replay.What]++;
                if (replay.What != Replayed.Same && ++told <= MostTold)
                {
                    var item = replay.ToNode();
                    item["name"] = current.Now.People.GetValueOrDefault(replay.Request.Subject.Value)?.Name;
                    item["state"] = Store.Words.Request[replay.Request.State];
                    draft?.Add(item);
                    await tell(new JsonObject { ["item"] = item });
                }
            }

            before = following;
            await tell(new JsonObject { ["replayed"] = replayed });
        }
        while (before is not null);

        var total = new JsonObject { ["requests"] = replayed, ["catalog"] = next.Version, ["since"] = CanonicalTime.Write(from)[..19] + "Z" };
        foreach (var (what, count) in counts)
        {
            total[Replay.Word(what)] = count;
        }

        total["left_out"] = Math.Max(0L, told - MostTold);
        if (keepFor is { } who && await reports.KeepAsync(who, draft!, total, cancellation) is { } kept)
        {
            await tell(new JsonObject { ["report"] = new JsonObject { ["id"] = kept.Id.Value, ["key"] = kept.Key, ["ends_at"] = CanonicalTime.Write(kept.EndsAt)[..19] + "Z" } });
        }

        await tell(new JsonObject { ["total"] = total });
    }
}
