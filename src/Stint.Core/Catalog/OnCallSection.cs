using System.Globalization;
using Stint.Core.Catalog.Yaml;

namespace Stint.Core.Catalog;

/// <summary>Reads <c>on-call</c>: rotas by name.</summary>
internal sealed class OnCallSection(Reading reading, Subjects names)
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan Longest = TimeSpan.FromDays(92);

    public Dictionary<string, Rota> Read(Dictionary<string, Entry> section)
    {
        var rotas = new Dictionary<string, Rota>(StringComparer.Ordinal);
        foreach (var entry in section.Values)
        {
            if (reading.Map(entry.Value, "a rota") is { } map && Rota(entry, map) is { } rota)
            {
                rotas[entry.Key] = rota;
            }
        }

        return rotas;
    }

    private Rota? Rota(Entry entry, MapNode map)
    {
        if (map.Find("calendar") is not null || map.Find("webhook") is not null)
        {
            return Fed(entry, map);
        }

        reading.Keys(map, "a rota", ["zone", "starts", "turn", "people", "stand_ins"]);
        foreach (var key in (string[])["zone", "starts", "turn", "people"])
        {
            if (map.Find(key) is null)
            {
                reading.Problems.Error(entry.Place, $"rota '{entry.Key}' lacks '{key}'", "write zone: Europe/Berlin, starts: 2026-01-05 09:00, turn: 7d, people: [ann, bob]; or calendar: https://…, or webhook: SENDER");
            }
        }

        var zone = map.Find("zone") is { } zoned ? Zone(zoned.Value) : null;
        var starts = map.Find("starts") is { } start ? Moment(start.Value, "'starts'") : null;
        var turn = reading.Duration(map, "turn", "'turn'", Hour, Longest);
        var people = map.Find("people") is { } members ? People(members.Value) : [];
        var standIns = StandIns(map);
        return zone is null || starts is not { } first || turn is not { } length || people.Count == 0
            ? null
            : new Rota { Name = entry.Key, Zone = zone, Starts = first, Turn = length, People = people, StandIns = standIns };
    }

    /// <summary>A rota that somebody else tells of.</summary>
    private Rota? Fed(Entry entry, MapNode map)
    {
        reading.Keys(map, "a rota that somebody else tells of", ["calendar", "webhook", "stale"]);
        var (calendar, webhook) = (map.Find("calendar"), map.Find("webhook"));
        if (calendar is not null && webhook is not null)
        {
            reading.Problems.Error(webhook.Place, "'calendar' and 'webhook' both tell who is on call", "keep one of the two");
            return null;
        }

        var address = calendar is null ? null : Address(calendar.Value);
        var sender = webhook is null ? null : reading.Text(webhook.Value, "'webhook'", 40);
        var stale = reading.Duration(map, "stale", "'stale'", TimeSpan.FromMinutes(5), Longest) ?? TimeSpan.FromHours(24);
        return address is null && sender is null
            ? null
            : new Rota { Name = entry.Key, Zone = TimeZoneInfo.Utc, Starts = default, Turn = TimeSpan.FromDays(1), People = [], Feed = new RotaFeed(address, sender, stale) };
    }

    private Uri? Address(Node node)
    {
        if (reading.Text(node, "'calendar'", 2_000) is not { } text)
        {
            return null;
        }

        // NB. Whoever can change what is on its way says who is on call.
        if (Uri.TryCreate(text, UriKind.Absolute, out var url) && (url.Scheme == Uri.UriSchemeHttps || (url.Scheme == Uri.UriSchemeHttp && url.IsLoopback)) && url.UserInfo.Length == 0 && url.Fragment.Length == 0)
        {
            return url;
        }

        reading.Problems.Error(node.Place, "'calendar' is not an https:// address without a user in it", "write calendar: https://calendar.example.com/on-call.ics");
        return null;
    }

    private List<SubjectId> People(Node node)
    {
        if (node is not ListNode { Items.Count: > 0 })
        {
            reading.Problems.Error(node.Place, "the people of a rota are a list of at least one, in the order of their turns", "write [ann, bob]");
            return [];
        }

        var people = new List<SubjectId>();
        foreach (var (text, place) in reading.Texts(node, "'people'", 80))
        {
            if (names.Person(text, place) is { } person)
            {
                people.Add(person);
            }
        }

        return people;
    }

    private List<StandIn> StandIns(MapNode map)
    {
        var standIns = new List<StandIn>();
        if (map.Find("stand_ins") is not { } given)
        {
            return standIns;
        }

        if (given.Value is not ListNode list)
        {
            reading.Problems.Error(given.Value.Place, $"'stand_ins' is a list, and this is {given.Value.Kind}", "write stand_ins: [ { person: ann, from: 2026-12-24 09:00, until: 2026-12-27 09:00 } ]");
            return standIns;
        }

        foreach (var item in list.Items)
        {
            if (reading.Map(item, "a stand-in") is not { } one)
            {
                continue;
            }

            reading.Keys(one, "a stand-in", ["person", "from", "until"]);
            var person = one.Find("person") is { } who && reading.Text(who.Value, "'person'", 80) is { } name ? names.Person(name, who.Value.Place) : null;
            var from = one.Find("from") is { } begin ? Moment(begin.Value, "'from'") : null;
            var until = one.Find("until") is { } end ? Moment(end.Value, "'until'") : null;
            if (one.Find("person") is null || one.Find("from") is null || one.Find("until") is null)
            {
                reading.Problems.Error(one.Place, "a stand-in takes 'person', 'from' and 'until'");
            }
            else if (from >= until)
            {
                reading.Problems.Error(one.Find("until")!.Value.Place, "'until' is not after 'from'");
            }
            else if (person is { } stands && from is { } a && until is { } b)
            {
                standIns.Add(new StandIn(a, b, stands));
            }
        }

        return standIns;
    }

    private TimeZoneInfo? Zone(Node node)
    {
        if (reading.Text(node, "'zone'", 64) is not { } id)
        {
            return null;
        }

        if (TimeZoneInfo.TryFindSystemTimeZoneById(id, out var zone) && zone.HasIanaId)
        {
            return zone;
        }

        reading.Problems.Error(node.Place, $"no time zone is called '{Words.Short(id)}'", "write an IANA name: Europe/Berlin, America/New_York, UTC");
        return null;
    }

    private DateTime? Moment(Node node, string what)
    {
        if (node is TextNode text && DateTime.TryParseExact(text.Value, ["yyyy-MM-dd HH:mm", "yyyy-MM-dd'T'HH:mm"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var moment))
        {
            return moment;
        }

        reading.Problems.Error(node.Place, $"{what} is not a day and time on the rota's clock", "write 2026-01-05 09:00");
        return null;
    }
}
