using System.Globalization;
using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Grants;

namespace Stint.Server.Store;

/// <summary>Which facts are wanted. What is null does not matter.</summary>
internal sealed record FactFilter
{
    /// <summary>Kind of the fact.</summary>
    public string? Kind { get; init; }

    /// <summary>Words that must all stand in the fact's body, in whatever case.</summary>
    public IReadOnlyList<string> Words { get; init; } = [];

    /// <summary>Inclusive.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Exclusive.</summary>
    public DateTimeOffset? Until { get; init; }
}

internal partial class Reads
{
    /// <summary>Facts of a part of the log, newest first.</summary>
    /// <param name="filter">Which.</param>
    /// <param name="from">First place of the part, inclusive.</param>
    /// <param name="before">Its end, exclusive.</param>
    /// <param name="limit">At most this many.</param>
    public ValueTask<List<SealedFact>> FactsAsync(FactFilter filter, long from, long before, int limit)
    {
        List<object?> args = [from, before];
        var where = "seq >= $1 AND seq < $2";
        void And(string condition, object? value)
        {
            if (value is not null)
            {
                args.Add(value);
                where += " AND " + condition.Replace("?", string.Create(CultureInfo.InvariantCulture, $"${args.Count}"), StringComparison.Ordinal);
            }
        }

        And("kind = ?", filter.Kind);
        And("at >= ?", filter.Since);
        And("at < ?", filter.Until);
        foreach (var word in filter.Words)
        {
            And("LOWER(body) LIKE ? ESCAPE '!'", $"%{word.ToLowerInvariant().Replace("!", "!!", StringComparison.Ordinal).Replace("%", "!%", StringComparison.Ordinal).Replace("_", "!_", StringComparison.Ordinal)}%");
        }

        args.Add(limit);
        return Db.ListAsync(string.Create(CultureInfo.InvariantCulture, $"SELECT {FactColumns} FROM facts WHERE {where} ORDER BY seq DESC LIMIT ${args.Count}"), ReadFact, [.. args]);
    }

    /// <summary>When the fact at a place became true; null when there is none.</summary>
    public async ValueTask<DateTimeOffset?> FactAtAsync(long seq) => (await FactsAsync(seq, 1)).FirstOrDefault()?.At;

    /// <summary>The grants of a resource that were open at a moment.</summary>
    public ValueTask<List<Grant>> GrantsOpenAtAsync(string resource, DateTimeOffset at, int limit) => Db.ListAsync(
        $"SELECT {GrantColumns} FROM grants WHERE resource = $1 AND not_before <= $2 AND not_after > $2 AND (ended_at IS NULL OR ended_at > $2) AND state NOT IN ('ready', 'opening') ORDER BY seq DESC LIMIT $3",
        ReadGrant,
        resource,
        at,
        limit);

    /// <summary>The sessions at a resource that ran at a moment.</summary>
    public ValueTask<List<Session>> SessionsAtAsync(string resource, DateTimeOffset at, int limit) => Db.ListAsync(
        $"SELECT {SessionColumns} FROM sessions WHERE resource = $1 AND started_at <= $2 AND (ended_at IS NULL OR ended_at > $2) ORDER BY seq DESC LIMIT $3",
        ReadSession,
        resource,
        at,
        limit);
}
