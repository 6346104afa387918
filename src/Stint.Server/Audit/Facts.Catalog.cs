using System.Text.Json.Nodes;
using Stint.Core.Approvals;
using Stint.Core.Audit;
using Stint.Core.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Audit;

// What happens to the catalog.
internal static partial class Facts
{
    public static Fact CatalogApplied(CatalogEntry entry, CatalogSource files, Actor by) => new(FactKinds.CatalogApplied, entry.At, by)
    {
        ["catalog"] = entry.Version,
        ["files"] = FactValue.List(files.Files.Select(file => file.Name)),
        ["previous"] = entry.Previous,
        ["number"] = entry.Number,
        ["note"] = entry.Origin.Note.Length > 0 ? entry.Origin.Note : null,
        ["change"] = entry.Change?.Value,
        ["commit"] = entry.Origin.Commit,
        ["author"] = entry.Origin.Author,
        ["dirty"] = entry.Origin.Commit is null ? null : entry.Origin.Dirty,
    };

    /// <summary>A catalog that did not take effect, though somebody wanted it to.</summary>
    public static Fact CatalogRefused(string version, string? on, string reason, string note, Actor by, DateTimeOffset at) => new(FactKinds.CatalogRefused, at, by)
    {
        ["catalog"] = version,
        ["previous"] = on,
        ["reason"] = reason,
        ["note"] = note.Length > 0 ? note : null,
    };

    /// <param name="report">What was kept.</param>
    /// <param name="catalog">The version that was replayed.</param>
    /// <param name="count">How many requests it would answer otherwise.</param>
    /// <param name="bytes">How long the report is.</param>
    public static Fact ReportKept(KeptReport report, string catalog, long count, long bytes) => new(FactKinds.ReportKept, report.MadeAt, Actor.Person(report.Person.Value))
    {
        ["report"] = report.Id.Value,
        ["by"] = report.Person.Value,
        ["catalog"] = catalog,
        ["count"] = count,
        ["bytes"] = bytes,
        ["until"] = report.EndsAt,
    };

    public static Fact ChangeProposed(CatalogChange change, Actor by) => new(FactKinds.ChangeProposed, change.ProposedAt, by)
    {
        ["change"] = change.Id.Value,
        ["catalog"] = change.Target,
        ["previous"] = change.Base,
        ["files"] = FactValue.List(change.Files.Files.Select(file => file.Name)),
        ["digest"] = change.Digest,
        ["steps"] = new JsonArray([.. change.Steps.Select(Write)]),
        ["distinct"] = change.Distinct,
        ["lapses_at"] = change.LapsesAt,
        ["note"] = change.Origin.Note.Length > 0 ? change.Origin.Note : null,
        ["commit"] = change.Origin.Commit,
        ["author"] = change.Origin.Author,
        ["dirty"] = change.Origin.Commit is null ? null : change.Origin.Dirty,
        ["state"] = Word(change.State),
        ["version"] = change.Version,
    };

    public static Fact ChangeAnswered(CatalogChange change, Approval answer) => new(FactKinds.ChangeAnswered, answer.At, Actor.Person(answer.By.Value))
    {
        ["change"] = change.Id.Value,
        ["by"] = answer.By.Value,
        ["yes"] = answer.Yes,
        ["saw"] = answer.SawDigest,
        ["comment"] = answer.Comment,
        ["via"] = answer.Via,
        ["proof"] = answer.Proof is { } proof ? FactValue.Own(ProofJson.ToNode(proof)) : null,
        ["state"] = Word(ChangeState.Pending),
        ["version"] = change.Version,
    };

    public static Fact ChangeEnded(CatalogChange change, DateTimeOffset at, Actor by) => new(FactKinds.ChangeEnded, at, by)
    {
        ["change"] = change.Id.Value,
        ["catalog"] = change.Target,
        ["reason"] = change.Why,
        ["state"] = Word(change.State),
        ["version"] = change.Version,
    };
}
