using Stint.Core.Catalog;
using Stint.Core.Catalog.Calendars;

namespace Stint.Core.Policies;

/// <summary>When access may open and by when it ends, by the calendars of the rules about it. Each rule only ever takes away.</summary>
/// <param name="From">The first moment, from the asked one on, at which every rule lets it open; null when that never comes.</param>
/// <param name="Until">When it ends at the latest if it opens then; null for no such end.</param>
/// <param name="Shut">The rules that do not let it open at the asked moment, each with why.</param>
internal sealed record Timing(DateTimeOffset? From, DateTimeOffset? Until, IReadOnlyList<(string Rule, string Because)> Shut)
{
    // Windows that never meet, such as Mondays and Tuesdays, are looked at this often before they are said not to.
    private const int MostRounds = 500;

    /// <summary>Weighs the calendars; null where no rule has one.</summary>
    /// <param name="policies">The rules about the asking, deny rules that do not hold yet included.</param>
    /// <param name="opens">When it would open.</param>
    public static Timing? Of(IEnumerable<Policy> policies, DateTimeOffset opens)
    {
        var sets = new List<(string Rule, IReadOnlyList<Calendar> Calendars, bool Within)>();
        foreach (var policy in policies)
        {
            if (policy.During.Count > 0)
            {
                sets.Add((policy.Name, policy.During, !policy.Deny));
            }

            if (policy.NotDuring.Count > 0)
            {
                sets.Add((policy.Name, policy.NotDuring, false));
            }
        }

        if (sets.Count == 0)
        {
            return null;
        }

        var shut = sets.FindAll(set => Together.Hold(set.Calendars, opens) != set.Within)
            .ConvertAll(set => (set.Rule, set.Within ? $"it lets in during {Together.Say(set.Calendars)} only" : $"it lets nobody in during {Together.Say(set.Calendars)}"));
        if (First(sets, opens) is not { } from)
        {
            return new Timing(null, null, shut);
        }

        return new Timing(from, sets.Min(set => set.Within ? Together.EndAt(set.Calendars, from) : Together.StartAfter(set.Calendars, from)), shut);
    }

    /// <summary>What a rule says about the time, to be put behind its sentence; empty for nothing.</summary>
    public string Note(string rule) => Shut.Where(one => one.Rule == rule).Select(one => $"; {one.Because}, next from {(From is { } from ? Moments.Say(from) : "never")}").FirstOrDefault("");

    private static DateTimeOffset? First(List<(string Rule, IReadOnlyList<Calendar> Calendars, bool Within)> sets, DateTimeOffset opens)
    {
        var at = opens;
        for (var round = 0; round < MostRounds; round++)
        {
            var shut = sets.Find(set => Together.Hold(set.Calendars, at) != set.Within);
            if (shut.Rule is null)
            {
                return at;
            }

            if ((shut.Within ? Together.StartAfter(shut.Calendars, at) : Together.EndAt(shut.Calendars, at)) is not { } next)
            {
                return null;
            }

            at = next;
        }

        return null;
    }
}
