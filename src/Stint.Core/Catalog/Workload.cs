using System.Collections.Frozen;
using Stint.Core.Catalog.Calendars;

namespace Stint.Core.Catalog;

/// <summary>A CI job or a service: a machine that may ask, and nothing else.</summary>
public sealed record Workload : Subject
{
    /// <summary>The issuer, of those that the server is configured with, whose tokens prove it; null for static tokens alone.</summary>
    public string? Issuer { get; init; }

    /// <summary>What such a token has to say, all of it. In a value <c>*</c> stands for characters but <c>/</c>, and <c>**</c> for any. Empty without an issuer.</summary>
    public FrozenDictionary<string, string> Claims { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>Persons who may make static tokens for it, groups resolved; admins may as well.</summary>
    public FrozenSet<SubjectId> Owners { get; init; } = FrozenSet<SubjectId>.Empty;

    /// <summary>How much it may have in a day; null for no bound.</summary>
    public Budget? Budget { get; init; }

    /// <summary>Where it stands in the catalog.</summary>
    public CatalogPlace Place { get; init; }

    /// <summary>The claims that are demanded to the letter: what can be said of it before it shows a token.</summary>
    internal IReadOnlyDictionary<string, string> Certain => Claims.Where(claim => !claim.Value.Contains('*', StringComparison.Ordinal)).ToDictionary(StringComparer.Ordinal);

    /// <summary>Whether a token of its issuer, with these claims, is its own.</summary>
    public bool IsOf(IReadOnlyDictionary<string, string> claims)
    {
        ArgumentNullException.ThrowIfNull(claims);

        // NB. Without a demand it would be everybody's who has an account at the issuer.
        return Claims.Count > 0 && Claims.All(demand => claims.TryGetValue(demand.Key, out var value) && Matches(demand.Value, value));
    }

    /// <summary>Whether a value is as a pattern says, the whole of it, capitals told apart.</summary>
    /// <param name="pattern"><c>*</c> stands for any characters but <c>/</c>, or none; <c>**</c> for any.</param>
    /// <param name="value">The value.</param>
    public static bool Matches(string pattern, string value)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        ArgumentNullException.ThrowIfNull(value);

        // The places of the pattern that are reached after each character: no going back, however many stars there are.
        var parts = Parts(pattern);
        var reached = new bool[parts.Count + 1];
        reached[0] = true;
        Skip(parts, reached);
        foreach (var letter in value)
        {
            var next = new bool[parts.Count + 1];
            for (var i = 0; i < parts.Count; i++)
            {
                if (!reached[i])
                {
                    continue;
                }

                if (parts[i] is { } exact)
                {
                    next[i + 1] |= exact == letter;
                }
                else
                {
                    next[i] |= letter != '/' || IsDouble(parts, i);
                }
            }

            Skip(parts, next);
            reached = next;
        }

        return reached[parts.Count];
    }

    // Null is one star; two of them in a row are a double star.
    private static List<char?> Parts(string pattern)
    {
        var parts = new List<char?>();
        for (var i = 0; i < pattern.Length; i++)
        {
            parts.Add(pattern[i] == '*' ? null : pattern[i]);
        }

        return parts;
    }

    private static bool IsDouble(List<char?> parts, int at) => (at + 1 < parts.Count && parts[at + 1] is null) || (at > 0 && parts[at - 1] is null);

    private static void Skip(List<char?> parts, bool[] reached)
    {
        for (var i = 0; i < parts.Count; i++)
        {
            reached[i + 1] |= reached[i] && parts[i] is null;
        }
    }
}

/// <summary>How much a workload may have in one day.</summary>
/// <param name="Grants">How many grants; null for any number.</param>
/// <param name="Time">How long, all of them together; null for any length.</param>
/// <param name="Zone">IANA name of the zone whose midnight begins a day; null for UTC.</param>
public sealed record Budget(int? Grants, TimeSpan? Time, string? Zone)
{
    /// <summary>The day that a moment lies in.</summary>
    /// <returns>Its beginning, included, and its end.</returns>
    public (DateTimeOffset From, DateTimeOffset Until) Day(DateTimeOffset now)
    {
        var zone = ZoneClock.Find(Zone) ?? TimeZoneInfo.Utc;
        var midnight = ZoneClock.Local(now, zone).Date;
        return (ZoneClock.Instant(midnight, zone), ZoneClock.Instant(midnight.AddDays(1), zone));
    }

    /// <summary><c>20 grants and 4h a day</c>.</summary>
    public string Say() => $"{string.Join(" and ", new[] { Grants is { } count ? $"{count} {(count == 1 ? "grant" : "grants")}" : null, Time is { } time ? Words.Say(time) : null }.OfType<string>())} a day";
}
