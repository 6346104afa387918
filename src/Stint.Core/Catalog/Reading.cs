using System.Collections.Frozen;
using Stint.Core.Catalog.Yaml;

namespace Stint.Core.Catalog;

/// <summary>Takes nodes for what the grammar says they are, and says so where they are not. Nothing is ever ignored.</summary>
internal sealed class Reading(Problems problems)
{
    public Problems Problems { get; } = problems;

    /// <summary>Refuses every key that is not among <paramref name="known"/>.</summary>
    /// <param name="map">The mapping.</param>
    /// <param name="of">What it describes, for people (<c>a policy</c>).</param>
    /// <param name="known">Its keys.</param>
    /// <param name="later">Keys that have their place in the grammar and that this version does not carry out, each with what to do instead.</param>
    public void Keys(MapNode map, string of, IReadOnlyList<string> known, params ReadOnlySpan<(string Key, string What, string WayOut)> later)
    {
        foreach (var entry in map.Entries)
        {
            if (known.Contains(entry.Key))
            {
                continue;
            }

            var told = false;
            foreach (var (key, what, wayOut) in later)
            {
                if (key == entry.Key)
                {
                    Problems.Error(entry.Place, $"'{key}': {what}", wayOut);
                    told = true;
                }
            }

            if (!told)
            {
                Problems.Error(entry.Place, $"{of} has no key '{Words.Short(entry.Key)}'", Words.Meant(entry.Key, [.. known], known.Count == 0 ? "there is none: take it out" : "see the catalog's guide"));
            }
        }
    }

    /// <summary>The mapping; null with a problem when it is something else. Nothing written is an empty mapping where <paramref name="orNothing"/>.</summary>
    public MapNode? Map(Node node, string what, bool orNothing = false)
    {
        if (node is MapNode map)
        {
            return map;
        }

        if (orNothing && node is TextNode { IsNull: true })
        {
            return new MapNode(node.Place, []);
        }

        Problems.Error(node.Place, $"{what} is a mapping, and this is {node.Kind}");
        return null;
    }

    /// <summary>The text; null with a problem when it is something else, nothing, or cannot be shown.</summary>
    public string? Text(Node node, string what, int longest = 500, bool newLines = false)
    {
        if (node is not TextNode { IsNull: false } text)
        {
            Problems.Error(node.Place, $"{what} is a text, and this is {node.Kind}");
            return null;
        }

        var value = newLines ? text.Value.Trim() : text.Value;
        if (value.Length > longest)
        {
            Problems.Error(node.Place, $"{what} is longer than {longest} characters");
            return null;
        }

        if (!Words.IsShowable(value, newLines))
        {
            Problems.Error(node.Place, $"{what} holds control characters or marks that turn the direction of writing");
            return null;
        }

        return value;
    }

    /// <summary>The text under a key; null when the key is absent, or with a problem.</summary>
    public string? Text(MapNode map, string key, string what, int longest = 500, bool newLines = false) =>
        map.Find(key) is { } entry ? Text(entry.Value, what, longest, newLines) : null;

    /// <summary>Texts by name under a key; empty when the key is absent.</summary>
    /// <param name="map">The mapping.</param>
    /// <param name="key">The key.</param>
    /// <param name="one">What one of them is, for people (<c>a label</c>).</param>
    public FrozenDictionary<string, string> TextMap(MapNode map, string key, string one)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        if (map.Find(key) is { } given && Map(given.Value, $"'{key}'", orNothing: true) is { } values)
        {
            foreach (var entry in values.Entries)
            {
                if (Name(entry, one) && Text(entry.Value, $"{one[(one.IndexOf(' ', StringComparison.Ordinal) + 1)..]} '{entry.Key}'", 200) is { } text)
                {
                    texts[entry.Key] = text;
                }
            }
        }

        return texts.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <summary>True, false, or the given one when the key is absent.</summary>
    public bool Flag(MapNode map, string key, string what, bool absent = false) =>
        map.Find(key) is { } entry ? Flag(entry.Value, what) ?? absent : absent;

    public bool? Flag(Node node, string what)
    {
        if (node is TextNode { Plain: true, Value: "true" or "false" } text)
        {
            return text.Value == "true";
        }

        Problems.Error(node.Place, $"{what} is neither true nor false", "write true or false, without quotes");
        return null;
    }

    public long? Whole(Node node, string what, long? least, long? most)
    {
        if (node is not TextNode { Plain: true } text || !long.TryParse(text.Value, System.Globalization.NumberStyles.AllowLeadingSign, System.Globalization.CultureInfo.InvariantCulture, out var number))
        {
            Problems.Error(node.Place, $"{what} is not a whole number", "write digits, without quotes");
            return null;
        }

        if (number < least || number > most)
        {
            var bounds = (least, most) switch
            {
                ({ } from, { } to) => $"from {from} to {to}",
                ({ } from, null) => $"{from} or more",
                _ => $"{most} or less",
            };
            Problems.Error(node.Place, $"{what} is out of bounds", $"it goes {bounds}");
            return null;
        }

        return number;
    }

    public TimeSpan? Duration(Node node, string what, TimeSpan least, TimeSpan most)
    {
        if (node is not TextNode text || Words.Duration(text.Value) is not { } duration)
        {
            Problems.Error(node.Place, $"{what} is not a duration", "write it as 45s, 30m, 4h, 1h30m or 2d");
            return null;
        }

        if (duration < least || duration > most)
        {
            Problems.Error(node.Place, $"{what} is out of bounds", $"it goes from {Words.Say(least)} to {Words.Say(most)}");
            return null;
        }

        return duration;
    }

    public TimeSpan? Duration(MapNode map, string key, string what, TimeSpan least, TimeSpan most) =>
        map.Find(key) is { } entry ? Duration(entry.Value, what, least, most) : null;

    /// <summary>A text or a list of texts, each with its place. Empty, with a problem, when it is something else.</summary>
    public IReadOnlyList<(string Text, CatalogPlace Place)> Texts(Node node, string what, int longest = 500, bool newLines = false)
    {
        var found = new List<(string, CatalogPlace)>();
        foreach (var item in node is ListNode list ? list.Items : [node])
        {
            if (Text(item, node is ListNode ? $"each of {what}" : what, longest, newLines) is { } text)
            {
                found.Add((text, item.Place));
            }
        }

        return found;
    }

    /// <summary>Whether a name is one; says so where it is not.</summary>
    public bool Name(Entry entry, string of, bool person = false)
    {
        if (person ? Words.IsPersonName(entry.Key) : Words.IsName(entry.Key))
        {
            return true;
        }

        Problems.Error(
            entry.Place,
            $"'{Words.Short(entry.Key)}' cannot name {of}",
            person ? "take letters, digits and . _ - @ +, a letter or digit first, at most 63" : "take letters, digits and . _ -, a letter or digit first, at most 63");
        return false;
    }
}
