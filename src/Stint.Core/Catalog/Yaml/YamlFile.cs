using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Stint.Core.Catalog.Yaml;

/// <summary>Reads one file of YAML into nodes. Walks the parser's events: nothing in the file can name a type to be made.</summary>
internal sealed partial class YamlFile
{
    /// <summary>Most characters of one file.</summary>
    public const int MaxLength = 4 * 1024 * 1024;

    /// <summary>Most nodes of one file, aliases counted as often as they are named.</summary>
    public const int MaxNodes = 500_000;

    /// <summary>Deepest nesting.</summary>
    public const int MaxDepth = 24;

    private readonly string _name;
    private readonly string _text;
    private readonly Problems _problems;
    private readonly Parser _parser;
    private readonly Dictionary<string, Node> _anchors = new(StringComparer.Ordinal);
    private long _nodes;

    private YamlFile(CatalogFile file, Problems problems)
    {
        _name = file.Name;
        _text = file.Text;
        _problems = problems;
        _parser = new Parser(new StringReader(file.Text));
    }

    /// <summary>The file's one document; null when it is empty or broken (then there is a problem).</summary>
    public static Node? Read(CatalogFile file, Problems problems)
    {
        if (file.Text.Length > MaxLength)
        {
            problems.Error(new CatalogPlace(file.Name, 1, 1), $"the file is larger than {MaxLength / 1024 / 1024} MiB", "split it into several files");
            return null;
        }

        return new YamlFile(file, problems).Document();
    }

    private Node? Document()
    {
        try
        {
            Node? root = null;
            while (_parser.MoveNext())
            {
                if (_parser.Current is DocumentStart start)
                {
                    if (root is not null)
                    {
                        _problems.Error(At(start.Start), "a second document begins here", "keep one document a file: the rest goes into a file of its own");
                        return null;
                    }

                    _parser.MoveNext();
                    root = Next(0);
                }
            }

            return root is TextNode { IsNull: true } ? null : root;
        }
        catch (TooMuch trouble)
        {
            _problems.Error(trouble.Place, trouble.Message, trouble.WayOut);
            return null;
        }
        catch (YamlException trouble)
        {
            _problems.Error(At(trouble.Start), $"this is not YAML: {Sayable(trouble.Message)}", Tab(Math.Max(trouble.Start.Line, trouble.End.Line) + 1));
            return null;
        }
    }

    private Node Next(int depth)
    {
        var current = _parser.Current!;
        var place = At(current.Start);
        if (depth > MaxDepth)
        {
            throw new TooMuch(place, $"this is nested deeper than {MaxDepth} levels", "a catalog is never that deep");
        }

        switch (current)
        {
            case AnchorAlias alias:
                // NB. The alias is not repeated in words: a password written plainly may begin with an asterisk.
                if (!_anchors.TryGetValue(alias.Value.Value, out var meant))
                {
                    throw new TooMuch(place, "this names an anchor that does not stand before it", "a text that begins with * goes into quotes");
                }

                Count(meant.Size, place);
                return meant;

            case Scalar scalar:
                Count(1, place);
                RefuseTag(scalar, place);
                return Keep(scalar, new TextNode(place, scalar.Value, scalar.Style == ScalarStyle.Plain));

            case SequenceStart start:
                Count(1, place);
                RefuseTag(start, place);
                var items = new List<Node>();
                Advance(place);
                while (_parser.Current is not SequenceEnd)
                {
                    items.Add(Next(depth + 1));
                    Advance(place);
                }

                return Keep(start, new ListNode(place, items) { Size = 1 + items.Sum(item => item.Size) });

            case MappingStart start:
                Count(1, place);
                RefuseTag(start, place);
                var entries = Entries(place, depth);
                return Keep(start, new MapNode(place, entries) { Size = 1 + entries.Sum(entry => 1 + entry.Value.Size) });

            default:
                throw new TooMuch(place, "this is not a text, a list or a mapping", null);
        }
    }

    private List<Entry> Entries(CatalogPlace place, int depth)
    {
        var entries = new List<Entry>();
        var seen = new Dictionary<string, CatalogPlace>(StringComparer.Ordinal);
        Advance(place);
        while (_parser.Current is not MappingEnd)
        {
            var from = _parser.Current!.Start;
            var key = Next(depth + 1);
            Advance(place);
            var value = Next(depth + 1);
            var source = Slice(from, _parser.Current!.End);
            Advance(place);
            if (key is not TextNode { Value: var name })
            {
                _problems.Error(key.Place, $"a key is {key.Kind} here", "keys are texts");
            }
            else if (name == "<<")
            {
                _problems.Error(key.Place, "merge keys (<<) are not supported", "write the keys out, or share a whole value by an anchor");
            }
            else if (!seen.TryAdd(name, key.Place))
            {
                _problems.Error(key.Place, $"'{Words.Short(name)}' stands here a second time; first in line {seen[name].Line}", "keep one of the two");
            }
            else
            {
                entries.Add(new Entry(name, key.Place, value, source));
            }
        }

        return entries;
    }

    private void Advance(CatalogPlace place)
    {
        if (!_parser.MoveNext())
        {
            throw new TooMuch(place, "the file ends in the middle of this", null);
        }
    }

    private Node Keep(NodeEvent from, Node node)
    {
        if (!from.Anchor.IsEmpty)
        {
            _anchors[from.Anchor.Value] = node;
        }

        return node;
    }

    private void Count(long nodes, CatalogPlace place)
    {
        _nodes += nodes;
        if (_nodes > MaxNodes)
        {
            throw new TooMuch(place, $"the file holds more than {MaxNodes} values, aliases counted each time they are named", "split it, and use fewer aliases");
        }
    }

    private static void RefuseTag(NodeEvent node, CatalogPlace place)
    {
        if (!node.Tag.IsEmpty)
        {
            throw new TooMuch(place, "YAML tags (!something) are not supported", "a text that begins with ! goes into quotes");
        }
    }

    private string Slice(Mark from, Mark to)
    {
        // A block's end is where the next thing begins: what lies between (blank lines, comments) is not part of it.
        var start = (int)Math.Clamp(from.Index, 0, _text.Length);
        var end = (int)Math.Clamp(to.Index, start, _text.Length);
        var lines = _text[start..end].TrimEnd().Split('\n').ToList();
        while (lines.Count > 1 && lines[^1].TrimStart() is "" or ['#', ..])
        {
            lines.RemoveAt(lines.Count - 1);
        }

        return string.Join('\n', lines).TrimEnd();
    }

    private string? Tab(long until)
    {
        var lines = _text.Split('\n');
        for (var i = (int)Math.Min(until, lines.Length) - 1; i >= 0; i--)
        {
            var indent = lines[i].AsSpan(0, lines[i].Length - lines[i].TrimStart().Length);
            if (indent.Contains('\t'))
            {
                return $"line {i + 1} is indented with a tab: YAML takes spaces";
            }
        }

        return null;
    }

    /// <summary>The parser's words, without what it may have quoted from the file: that could be a secret.</summary>
    private static string Sayable(string message)
    {
        var plain = message.Trim().TrimEnd('.');
        return plain.Length is 0 or > 200 || Quoted().IsMatch(plain) ? "a character stands where it cannot" : char.ToLowerInvariant(plain[0]) + plain[1..];
    }

    [GeneratedRegex("""['"`][^'"`]{3,}['"`]""", RegexOptions.NonBacktracking)]
    private static partial Regex Quoted();

    private CatalogPlace At(Mark mark) => new(_name, (int)mark.Line, (int)mark.Column);

    private sealed class TooMuch(CatalogPlace place, string message, string? wayOut) : Exception(message)
    {
        public CatalogPlace Place { get; } = place;

        public string? WayOut { get; } = wayOut;
    }
}
