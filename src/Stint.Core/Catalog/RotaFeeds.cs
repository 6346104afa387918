using System.Collections.Frozen;
using Stint.Core.Catalog.Calendars;

namespace Stint.Core.Catalog;

/// <summary>Who says who is on call, where the catalog does not.</summary>
/// <param name="Calendar">Address of a calendar (RFC 5545); null when a sender tells it.</param>
/// <param name="Webhook">Name of the sender; null for a calendar.</param>
/// <param name="Stale">How old what is known may be: after that nobody is on call.</param>
public sealed record RotaFeed(Uri? Calendar, string? Webhook, TimeSpan Stale)
{
    /// <summary>Which source it is: what another one told counts for nothing.</summary>
    public string Source => Calendar?.AbsoluteUri ?? "webhook:" + Webhook;
}

/// <summary>Somebody's time on call.</summary>
/// <param name="From">When it begins.</param>
/// <param name="Until">Until before when.</param>
/// <param name="Person">Who.</param>
public sealed record Shift(DateTimeOffset From, DateTimeOffset Until, SubjectId Person);

/// <summary>What a source told last.</summary>
/// <param name="Source">Which, as <see cref="RotaFeed.Source"/>.</param>
/// <param name="KnownAt">When it did.</param>
/// <param name="Shifts">Who is on call when, as it calls them; those of the day before as well.</param>
public sealed record KnownShifts(string Source, DateTimeOffset KnownAt, IReadOnlyList<NamedShift> Shifts);

/// <summary>Lays what sources tell of who is on call over a catalog.</summary>
public static class RotaOverlay
{
    /// <param name="catalog">The catalog, with the directory's people.</param>
    /// <param name="known">What is known, by the name of the rota.</param>
    public static LoadedCatalog With(this LoadedCatalog catalog, IReadOnlyDictionary<string, KnownShifts> known)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(known);
        var fed = catalog.Rotas.Values.Where(rota => rota.Feed is not null).ToList();
        if (fed.Count == 0)
        {
            return catalog;
        }

        var told = fed.Where(rota => known.TryGetValue(rota.Name, out var one) && one.Source == rota.Feed!.Source).ToDictionary(rota => rota.Name, rota => known[rota.Name], StringComparer.Ordinal);
        var who = Resolve(catalog, told.Values.SelectMany(one => one.Shifts).Select(shift => shift.Who));
        var rotas = new Dictionary<string, Rota>(catalog.Rotas, StringComparer.Ordinal);
        foreach (var rota in fed)
        {
            var last = told.GetValueOrDefault(rota.Name);
            List<Shift> shifts = [.. (last?.Shifts ?? []).Where(shift => who.ContainsKey(shift.Who)).Select(shift => new Shift(shift.From, shift.Until, who[shift.Who]))];
            rotas[rota.Name] = rota with { Shifts = shifts, KnownAt = last?.KnownAt, People = [.. shifts.Select(shift => shift.Person).Distinct()] };
        }

        return catalog with { Rotas = rotas.ToFrozenDictionary(StringComparer.Ordinal), WithoutDirectory = catalog.Text };
    }

    /// <summary>Who is meant by names and addresses. What means nobody, or more than one, is left out.</summary>
    public static IReadOnlyDictionary<string, SubjectId> Resolve(LoadedCatalog catalog, IEnumerable<string> who)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        var wanted = who.ToHashSet(StringComparer.Ordinal);
        var keys = wanted.Select(DirectoryPeople.Key).ToHashSet(StringComparer.Ordinal);
        var (byId, byMail, byName) = (new Dictionary<string, SubjectId?>(StringComparer.Ordinal), new Dictionary<string, SubjectId?>(StringComparer.Ordinal), new Dictionary<string, SubjectId?>(StringComparer.Ordinal));
        foreach (var person in keys.Count == 0 ? [] : catalog.People.Values)
        {
            Put(byId, person.Id.Value, person.Id);
            Put(byMail, person.Mail, person.Id);
            Put(byName, person.Name, person.Id);
        }

        var found = new Dictionary<string, SubjectId>(StringComparer.Ordinal);
        foreach (var one in wanted)
        {
            var key = DirectoryPeople.Key(one);

            // NB. The name by which the catalog knows somebody goes first: nobody else's display name makes them somebody else.
            if ((byId.GetValueOrDefault(key) ?? byMail.GetValueOrDefault(key) ?? (byMail.ContainsKey(key) ? null : byName.GetValueOrDefault(key))) is { } person)
            {
                found[one] = person;
            }
        }

        return found;

        void Put(Dictionary<string, SubjectId?> index, string? text, SubjectId id)
        {
            if (text is { Length: > 0 } && DirectoryPeople.Key(text) is var key && keys.Contains(key))
            {
                index[key] = index.TryGetValue(key, out var other) && other != id ? null : id;
            }
        }
    }
}
