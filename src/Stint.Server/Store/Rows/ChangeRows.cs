using System.Data.Common;
using System.Text.Json;
using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Catalog;

namespace Stint.Server.Store;

internal partial class Reads
{
    private protected const string ChangeColumns =
        "id, state, version, base, target, files, proposed_by, proposed_at, note, steps, apart, lapses_at, digest, decided_at, why, commit_id, author, dirty";

    /// <summary>The change; null when there is none. Inside a write it stays as found until the commit.</summary>
    public ValueTask<CatalogChange?> FindChangeAsync(ChangeId id) => Db.OneAsync($"SELECT {ChangeColumns} FROM catalog_changes WHERE id = $1{Lock}", ReadChange, id.Value);

    /// <summary>A page of changes.</summary>
    public ValueTask<Paged<CatalogChange>> ChangesAsync(ChangeState? state, Page page) => new Where()
        .And("state = ?", Words.Change[state])
        .PageAsync(Db, ChangeColumns, "catalog_changes", ReadChange, page);

    /// <summary>Every change that waits, oldest first. Inside a write they stay as found until the commit.</summary>
    public ValueTask<List<CatalogChange>> PendingChangesAsync() => Db.ListAsync($"SELECT {ChangeColumns} FROM catalog_changes WHERE state = 'pending' ORDER BY seq{Lock}", ReadChange);

    /// <summary>Whether some change waits that nobody decided in time.</summary>
    public async ValueTask<bool> AnyLapsedChangeAsync(DateTimeOffset now) =>
        await Db.NumberAsync("SELECT COUNT(*) FROM catalog_changes WHERE state = 'pending' AND lapses_at <= $1", now) > 0;

    /// <summary>The newest change from one version to another; null when there is none.</summary>
    public ValueTask<CatalogChange?> LastChangeAsync(string from, string to) =>
        Db.OneAsync($"SELECT {ChangeColumns} FROM catalog_changes WHERE base = $1 AND target = $2 ORDER BY seq DESC LIMIT 1", ReadChange, from, to);

    /// <summary>What was answered to a change, in order. The change's name stands where a request's would.</summary>
    public ValueTask<List<Approval>> AnswersAsync(ChangeId change) => Db.ListAsync(
        "SELECT change_id, person, yes, at, comment, saw_digest, via, proof FROM catalog_answers WHERE change_id = $1 ORDER BY seq",
        static row =>
        {
            var c = new Columns(row);
            return new Approval
            {
                Request = new RequestId(c.Text()),
                By = new SubjectId(c.Text()),
                Yes = c.Flag(),
                At = c.Time(),
                Comment = c.Text(),
                SawDigest = c.Text(),
                Via = c.Text(),
                Proof = c.TextOrNull() is { } proof ? ProofJson.Read(proof) : null,
            };
        },
        change.Value);

    private static CatalogChange ReadChange(DbDataReader row)
    {
        var c = new Columns(row);
        var change = new CatalogChange
        {
            Id = new ChangeId(c.Text()),
            State = Words.Change.Read(c.Text()),
            Version = c.Number(),
            Base = c.Text(),
            Target = c.Text(),
            Files = FilesText.Read(c.Text()),
            ProposedBy = c.Text(),
            ProposedAt = c.Time(),
            Origin = new CatalogOrigin(c.Text()),
            Steps = StepsText.Read(c.Text()),
            Distinct = c.Flag(),
            LapsesAt = c.Time(),
            Digest = c.Text(),
            DecidedAt = c.TimeOrNull(),
            Why = c.TextOrNull(),
        };
        return change with { Origin = change.Origin with { Commit = c.TextOrNull(), Author = c.TextOrNull(), Dirty = c.Flag() } };
    }
}

internal sealed partial class Work
{
    /// <summary>Keeps a proposed change.</summary>
    /// <returns>As it stands now, times rounded.</returns>
    public async ValueTask<CatalogChange> InsertAsync(CatalogChange change)
    {
        var kept = change with { ProposedAt = Stored.Round(change.ProposedAt), LapsesAt = Stored.Round(change.LapsesAt) };
        await Db.RunAsync(
            $"INSERT INTO catalog_changes ({ChangeColumns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
            kept.Id.Value,
            Words.Change[kept.State],
            kept.Version,
            kept.Base,
            kept.Target,
            FilesText.Write(kept.Files),
            kept.ProposedBy,
            kept.ProposedAt,
            kept.Origin.Note,
            StepsText.Write(kept.Steps),
            kept.Distinct,
            kept.LapsesAt,
            kept.Digest,
            kept.DecidedAt,
            kept.Why,
            kept.Origin.Commit,
            kept.Origin.Author,
            kept.Origin.Dirty);
        Wake(Wakes.Catalog);
        return kept;
    }

    /// <summary>Keeps an answer to a change. Find the change first in the same write, so that two answers at once see each other.</summary>
    /// <returns>As it stands now; null when this person has answered already.</returns>
    public async ValueTask<Approval?> InsertAnswerAsync(ChangeId change, Approval answer)
    {
        var kept = answer with { At = Stored.Round(answer.At) };
        return await Db.RunAsync(
            "INSERT INTO catalog_answers (change_id, person, yes, at, comment, saw_digest, via, proof) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (change_id, person) DO NOTHING",
            change.Value,
            kept.By.Value,
            kept.Yes,
            kept.At,
            kept.Comment,
            kept.SawDigest,
            kept.Via,
            kept.Proof is { } proof ? ProofJson.Write(proof) : null) == 1 ? kept : null;
    }

    /// <summary>Moves a change, or lets its version grow with an answer, if it still is what the caller saw.</summary>
    /// <returns>As it stands now; null when somebody else was first.</returns>
    /// <exception cref="InvalidOperationException">The table of moves does not know this move: a bug of the caller.</exception>
    public async ValueTask<CatalogChange?> MoveAsync(CatalogChange seen, CatalogChange next)
    {
        Demand(seen.State == next.State || ChangeMoves.Table.Allows(seen.State, next.State), "change", seen.State, next.State);
        var kept = next with { Version = seen.Version + 1, DecidedAt = Stored.Round(next.DecidedAt) };
        if (await Db.RunAsync(
            "UPDATE catalog_changes SET state = $1, version = $2, decided_at = $3, why = $4 WHERE id = $5 AND state = $6 AND version = $7",
            Words.Change[kept.State],
            kept.Version,
            kept.DecidedAt,
            kept.Why,
            seen.Id.Value,
            Words.Change[seen.State],
            seen.Version) == 0)
        {
            return null;
        }

        Wake(Wakes.Catalog);
        return kept;
    }
}

/// <summary>Pinned steps as one text.</summary>
internal static class StepsText
{
    public static string Write(IReadOnlyList<PinnedStep> steps) => Core.Policies.VerdictJson.StepsNode(steps).ToJsonString();

    public static IReadOnlyList<PinnedStep> Read(string text)
    {
        using var json = JsonDocument.Parse(text);
        return
        [
            .. json.RootElement.EnumerateArray().Select(step => new PinnedStep(
                step.GetProperty("name").GetString()!,
                step.GetProperty("from").GetString()!,
                [.. (step.TryGetProperty("approvers", out var people) ? people.EnumerateArray().Select(person => new SubjectId(person.GetString()!)) : [])],
                step.GetProperty("need").GetInt32())
            {
                // NB. A word that nobody knows demands the most.
                StepUp = step.TryGetProperty("step_up", out var word) && word.ValueKind == JsonValueKind.String ? StepUps.Read(word.GetString()!) ?? StepUp.Passkey : StepUp.None,
            }),
        ];
    }
}
