using System.Globalization;
using System.Text;
using Stint.Core.Catalog.Yaml;

namespace Stint.Core.Catalog;

/// <summary>A place of the catalog that names who left.</summary>
/// <param name="File">The file.</param>
/// <param name="Line">The line, from 1.</param>
/// <param name="What">What they are there, in words without a full stop.</param>
public sealed record HandOverPlace(string File, int Line, string What);

/// <summary>The change of a catalog that puts somebody in the places of a person who left: where they own, administer, are on call, or are somebody's manager.</summary>
/// <remarks>
/// Line by line, so that comments and order stay. Groups, and the sources of a workflow's steps, are not touched: who is in
/// a group has all of its rights, and that is nobody's to inherit.
/// </remarks>
/// <param name="Source">The files, changed.</param>
/// <param name="Changed">What is changed.</param>
/// <param name="Left">What names them still, and has to be looked at.</param>
/// <param name="Diff">The change as a unified diff, as <c>git apply</c> takes it; empty for none.</param>
public sealed record HandOverPatch(CatalogSource Source, IReadOnlyList<HandOverPlace> Changed, IReadOnlyList<HandOverPlace> Left, string Diff)
{
    private const int Context = 3;

    /// <summary>Writes it.</summary>
    /// <param name="source">The catalog's files; they load.</param>
    /// <param name="left">Who left.</param>
    /// <param name="to">Who takes their places.</param>
    public static HandOverPatch Of(CatalogSource source, SubjectId left, SubjectId to)
    {
        ArgumentNullException.ThrowIfNull(source);
        var (changed, remaining, files, diff) = (new List<HandOverPlace>(), new List<HandOverPlace>(), new List<CatalogFile>(), new StringBuilder());
        foreach (var file in source.Files.OrderBy(file => file.Name, StringComparer.Ordinal))
        {
            var sheet = new Sheet(file, left.Value, to.Value);
            foreach (var section in (YamlFile.Read(file, new Problems()) as MapNode)?.Entries ?? [])
            {
                Look(sheet, section);
            }

            files.Add(sheet.Written());
            changed.AddRange(sheet.Changed);
            remaining.AddRange(sheet.Remaining);
            sheet.Differ(diff);
        }

        return new HandOverPatch(new CatalogSource(files), changed, remaining, diff.ToString());
    }

    private static void Look(Sheet sheet, Entry section)
    {
        switch (section.Key)
        {
            case "admins" or "auditors":
                sheet.Replace(section.Value, $"is among the {section.Key}");
                break;
            case "tests":
                break;
            default:
                foreach (var entry in (section.Value as MapNode)?.Entries ?? [])
                {
                    Look(sheet, section.Key, entry);
                }

                break;
        }
    }

    private static void Look(Sheet sheet, string section, Entry entry)
    {
        foreach (var part in (entry.Value as MapNode)?.Entries ?? [])
        {
            switch (section, part.Key)
            {
                case ("resources" or "workloads", "owners"):
                    sheet.Replace(part.Value, $"owns {entry.Key}");
                    break;
                case ("on-call", "people"):
                    sheet.Replace(part.Value, $"is in the rota {entry.Key}");
                    break;
                case ("on-call", "stand_ins"):
                    foreach (var who in ((part.Value as ListNode)?.Items ?? []).OfType<MapNode>().Select(one => one.Find("person")).OfType<Entry>())
                    {
                        sheet.Replace(who.Value, $"stands in in the rota {entry.Key}");
                    }

                    break;
                case ("people", "manager"):
                    sheet.Replace(part.Value, $"is the manager of {entry.Key}");
                    break;
                case ("people", _):
                    break;
                default:
                    sheet.Note(part.Value, $"is named in {section}, {entry.Key}");
                    break;
            }
        }

        if (section == "groups")
        {
            sheet.Note(entry.Value, $"is a member of {entry.Key}");
        }
    }

    /// <summary>One file, line by line.</summary>
    private sealed class Sheet(CatalogFile file, string left, string to)
    {
        private readonly string[] _before = file.Text.Split('\n');
        private readonly string?[] _after = file.Text.Split('\n');

        public List<HandOverPlace> Changed { get; } = [];

        public List<HandOverPlace> Remaining { get; } = [];

        /// <summary>Puts the other in their place, in a text or a list of texts; takes them out where the other stands there already.</summary>
        public void Replace(Node node, string what)
        {
            var items = node is ListNode list ? list.Items : [node];
            var isThere = items.OfType<TextNode>().Any(item => Names(item, to));
            foreach (var item in items.OfType<TextNode>().Where(item => Names(item, left)))
            {
                // NB. What cannot be changed for certain is told, never guessed.
                var place = new HandOverPlace(item.Place.File, item.Place.Line, what);
                (Change(item, isThere && node is ListNode) ? Changed : Remaining).Add(place);
            }
        }

        /// <summary>Tells where they are named, in any text below.</summary>
        public void Note(Node node, string what)
        {
            switch (node)
            {
                case TextNode text when Names(text, left) || text.Value.Split(',').Any(part => part.Trim() == $"person:{left}"):
                    Remaining.Add(new HandOverPlace(text.Place.File, text.Place.Line, what));
                    break;
                case ListNode list:
                    foreach (var item in list.Items)
                    {
                        Note(item, what);
                    }

                    break;
                case MapNode map:
                    foreach (var entry in map.Entries)
                    {
                        Note(entry.Value, what);
                    }

                    break;
                default:
                    break;
            }
        }

        public CatalogFile Written() => Changed.Count == 0 ? file : file with { Text = string.Join('\n', _after.Where(line => line is not null)) };

        /// <summary>Adds the file's part of a unified diff.</summary>
        public void Differ(StringBuilder diff)
        {
            if (Changed.Count == 0)
            {
                return;
            }

            diff.Append(CultureInfo.InvariantCulture, $"--- a/{file.Name}\n+++ b/{file.Name}\n");
            var last = _before.Length - (_before[^1].Length == 0 ? 2 : 1);
            var moved = 0;
            for (var at = 0; at <= last; at++)
            {
                if (_after[at] == _before[at])
                {
                    continue;
                }

                var from = Math.Max(0, at - Context);
                var until = at;
                for (var next = at; next <= Math.Min(last, until + (2 * Context)); next++)
                {
                    until = _after[next] == _before[next] ? until : next;
                }

                var end = Math.Min(last, until + Context);
                var gone = Enumerable.Range(from, end - from + 1).Count(line => _after[line] is null);
                diff.Append(CultureInfo.InvariantCulture, $"@@ -{from + 1},{end - from + 1} +{from + 1 - moved},{end - from + 1 - gone} @@\n");
                for (var line = from; line <= end; line++)
                {
                    Write(diff, line, last);
                }

                moved += gone;
                at = end;
            }
        }

        private void Write(StringBuilder diff, int line, int last)
        {
            var end = line == last && _before[^1].Length > 0 ? "\n\\ No newline at end of file\n" : "\n";
            if (_after[line] == _before[line])
            {
                diff.Append(' ').Append(_before[line]).Append(end);
                return;
            }

            diff.Append('-').Append(_before[line]).Append(end);
            if (_after[line] is { } after)
            {
                diff.Append('+').Append(after).Append(end);
            }
        }

        private static bool Names(TextNode item, string person) => item.Value == person || item.Value == $"person:{person}";

        private bool Change(TextNode item, bool takeOut)
        {
            var (line, column) = (item.Place.Line - 1, item.Place.Column - 1);
            if (item.Place.File != file.Name || line < 0 || line >= _after.Length || _after[line] is not { } text || text != _before[line])
            {
                return false;
            }

            // NB. A line that was changed once is not changed again: where it stood is not where it stands.
            var quote = column < text.Length && text[column] is '\'' or '"' ? text[column].ToString() : "";
            var written = $"{quote}{item.Value}{quote}";
            if (column < 0 || column + written.Length > text.Length || !text.AsSpan(column).StartsWith(written, StringComparison.Ordinal))
            {
                return false;
            }

            var (before, behind) = (text[..column], text[(column + written.Length)..]);
            if (!takeOut)
            {
                _after[line] = $"{before}{quote}{(item.Value == left ? to : $"person:{to}")}{quote}{behind}";
                return true;
            }

            // A line of a list of its own goes; within [ … ] it goes with one comma.
            if (before.Trim() == "-" && behind.TrimStart() is "" or ['#', ..] or "\r")
            {
                _after[line] = null;
                return true;
            }

            if (behind.TrimStart().StartsWith(','))
            {
                _after[line] = before + behind[(behind.IndexOf(',', StringComparison.Ordinal) + 1)..].TrimStart(' ');
                return true;
            }

            if (before.TrimEnd().EndsWith(','))
            {
                _after[line] = before.TrimEnd()[..^1] + behind;
                return true;
            }

            return false;
        }
    }
}
