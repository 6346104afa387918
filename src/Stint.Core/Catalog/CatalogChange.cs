using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using Stint.Core.Approvals;

namespace Stint.Core.Catalog;

/// <summary>Where a proposed change of the catalog stands. The names are what the store and the API write.</summary>
public enum ChangeState
{
    /// <summary>Somebody's yes is still missing. The catalog is as it was.</summary>
    Pending = 1,

    /// <summary>It took effect. It does not mean that it still counts: see the history.</summary>
    Applied = 2,

    /// <summary>A person said no.</summary>
    Denied = 3,

    /// <summary>Whoever proposed it took it back.</summary>
    Withdrawn = 4,

    /// <summary>Nobody decided in time.</summary>
    Lapsed = 5,

    /// <summary>Another catalog took effect meanwhile: what was looked at is no longer what would change.</summary>
    Stale = 6,
}

/// <summary>The moves of a change.</summary>
public static class ChangeMoves
{
    /// <summary><c>Pending → Applied · Denied · Withdrawn · Lapsed · Stale</c>.</summary>
    public static Moves<ChangeState> Table { get; } = new(
        (ChangeState.Pending, [ChangeState.Applied, ChangeState.Denied, ChangeState.Withdrawn, ChangeState.Lapsed, ChangeState.Stale]));
}

/// <summary>One proposed change of a catalog. Written <c>chg-</c> and twelve characters.</summary>
public readonly record struct ChangeId(string Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value;
}

/// <summary>Where a catalog's files came from, as far as that is known.</summary>
/// <param name="Note">What whoever brought it said of it; empty for nothing.</param>
/// <param name="Commit">Commit of the checkout that they stand in; null outside of one.</param>
/// <param name="Author">Who wrote that commit, as git says; nothing proves it. Null for unknown.</param>
/// <param name="Dirty">Whether the files differ from that commit.</param>
public sealed record CatalogOrigin(string Note = "", string? Commit = null, string? Author = null, bool Dirty = false);

/// <summary>A change of the catalog that waits for somebody's yes, or what became of it.</summary>
public sealed record CatalogChange
{
    public required ChangeId Id { get; init; }

    public required ChangeState State { get; init; }

    /// <summary>Grows by one with every answer and move.</summary>
    public required long Version { get; init; }

    /// <summary>The catalog that it was made from; it takes effect on that one only.</summary>
    public required string Base { get; init; }

    /// <summary>The catalog that it would make.</summary>
    public required string Target { get; init; }

    /// <summary>The files of <see cref="Target"/>.</summary>
    public required CatalogSource Files { get; init; }

    /// <summary>As the log writes an actor: <c>person:ann</c>, or <c>stint:operator</c> for a changed folder.</summary>
    public required string ProposedBy { get; init; }

    public required DateTimeOffset ProposedAt { get; init; }

    public required CatalogOrigin Origin { get; init; }

    /// <summary>Whose yes it needs, by name.</summary>
    public required IReadOnlyList<PinnedStep> Steps { get; init; }

    /// <summary>Whether nobody counts in two steps.</summary>
    public required bool Distinct { get; init; }

    public required DateTimeOffset LapsesAt { get; init; }

    /// <summary>SHA-256, in hexadecimal, of what an approver says yes to.</summary>
    public required string Digest { get; init; }

    /// <summary>Null while pending.</summary>
    public DateTimeOffset? DecidedAt { get; init; }

    /// <summary>The sentence that goes with its end; null while there is none.</summary>
    public string? Why { get; init; }

    /// <summary>The person who proposed it; null when a folder did.</summary>
    public SubjectId? Proposer => ProposedBy.StartsWith("person:", StringComparison.Ordinal) ? new SubjectId(ProposedBy["person:".Length..]) : null;

    /// <summary>What an approver says yes to: which files on which, proposed by whom, to be answered by whom.</summary>
    /// <remarks>SHA-256 over one JSON object without white space: <c>id base target proposed_by steps distinct</c>; a step is <c>name from need approvers</c>, and <c>step_up</c> where it says so.</remarks>
    public static string DigestOf(CatalogChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("id", change.Id.Value);
            json.WriteString("base", change.Base);
            json.WriteString("target", change.Target);
            json.WriteString("proposed_by", change.ProposedBy);
            json.WriteStartArray("steps");
            foreach (var step in change.Steps)
            {
                json.WriteStartObject();
                json.WriteString("name", step.Name);
                json.WriteString("from", step.From);
                json.WriteNumber("need", step.Need);
                json.WriteStartArray("approvers");
                foreach (var person in step.Approvers)
                {
                    json.WriteStringValue(person.Value);
                }

                json.WriteEndArray();
                if (StepUps.Word(step.StepUp) is { } stepUp)
                {
                    json.WriteString("step_up", stepUp);
                }

                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteBoolean("distinct", change.Distinct);
            json.WriteEndObject();
        }

        return Convert.ToHexStringLower(SHA256.HashData(buffer.WrittenSpan));
    }
}
