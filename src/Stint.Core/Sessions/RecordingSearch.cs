using System.Text;

namespace Stint.Core.Sessions;

/// <summary>What to look for in recordings. What is null is not asked.</summary>
/// <param name="Text">Appears in the statement's text or in a parameter's value, in whatever case.</param>
/// <param name="Table">A name that the statement uses outside strings and comments, as SQL writes it: <c>orders</c>, <c>public.orders</c>, <c>"Orders"</c>.</param>
/// <param name="Since">Not before; inclusive.</param>
/// <param name="Until">Not after; exclusive.</param>
public sealed record RecordingQuery(string? Text, string? Table, DateTimeOffset? Since, DateTimeOffset? Until);

/// <summary>A statement that was found, with what became of it.</summary>
/// <param name="Results">Its results up to the recording's end, or to the next statement that was asked for.</param>
public sealed record RecordingHit(RecordingRecord.Statement Statement, IReadOnlyList<RecordingRecord.Result> Results);

/// <summary>Finds statements in recordings. Reads each recording once, from its beginning, and keeps only what it found.</summary>
public static class RecordingSearch
{
    /// <summary>How many hits may wait for their results at once; the oldest is given out without.</summary>
    private const int MaxOpen = 1024;

    /// <summary>The statements of one recording that fit, in its order.</summary>
    public static IEnumerable<RecordingHit> Find(RecordingReader reader, RecordingQuery query)
    {
        ArgumentNullException.ThrowIfNull(reader);
        ArgumentNullException.ThrowIfNull(query);
        var table = query.Table is null ? null : SqlNames.Parse(query.Table);
        var open = new List<(RecordingRecord.Statement Statement, List<RecordingRecord.Result> Results)>();
        while (reader.Next() is { } record)
        {
            if (record is RecordingRecord.Result result)
            {
                open.Find(hit => hit.Statement.Seq == result.Of).Results?.Add(result);
                continue;
            }

            // Results come in the order of the statements: one that has some, and is followed by another statement, is told.
            while (record is RecordingRecord.Statement && open.Count > 0 && (open[0].Results.Count > 0 || open.Count > MaxOpen))
            {
                yield return new RecordingHit(open[0].Statement, open[0].Results);
                open.RemoveAt(0);
            }

            if (query.Until <= record.At)
            {
                continue;
            }

            if (record is RecordingRecord.Statement statement && Fits(statement, query, table))
            {
                open.Add((statement, []));
            }
        }

        foreach (var (statement, results) in open)
        {
            yield return new RecordingHit(statement, results);
        }
    }

    /// <summary>Whether one statement fits.</summary>
    public static bool Fits(RecordingRecord.Statement statement, RecordingQuery query)
    {
        ArgumentNullException.ThrowIfNull(statement);
        ArgumentNullException.ThrowIfNull(query);
        return Fits(statement, query, query.Table is null ? null : SqlNames.Parse(query.Table));
    }

    private static bool Fits(RecordingRecord.Statement statement, RecordingQuery query, IReadOnlyList<string>? table)
    {
        if (statement.At < query.Since || query.Until <= statement.At)
        {
            return false;
        }

        if (query.Text is { } text
            && statement.Text?.Value.Contains(text, StringComparison.OrdinalIgnoreCase) != true
            && !statement.Parameters.Any(parameter => parameter.Value?.Contains(text, StringComparison.OrdinalIgnoreCase) == true))
        {
            return false;
        }

        return table is null || (statement.Text is not null && SqlNames.Uses(statement.Text.Value, table));
    }
}

/// <summary>Names in SQL, outside strings and comments. Not a parser: it cannot tell a table from a column of the same name.</summary>
internal static class SqlNames
{
    /// <summary>A name and its qualifiers, folded as the server folds them: unquoted parts to lower case.</summary>
    public static IReadOnlyList<string> Parse(string name)
    {
        var found = new List<string>();
        foreach (var part in All(name).Select(token => token.Name))
        {
            found.Add(part);
        }

        return found;
    }

    /// <summary>Whether the name is used; <c>orders</c> is also found as <c>public.orders</c>.</summary>
    public static bool Uses(string sql, IReadOnlyList<string> name)
    {
        if (name.Count == 0)
        {
            return false;
        }

        var matched = 0;
        foreach (var (word, joined) in All(sql))
        {
            matched = matched > 0 && joined && matched < name.Count && word == name[matched] ? matched + 1
                : word == name[0] ? 1
                : 0;
            if (matched == name.Count)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Every name in order, and whether a dot joins it to the one before.</summary>
    private static IEnumerable<(string Name, bool Joined)> All(string sql)
    {
        var joined = false;
        for (var at = 0; at < sql.Length;)
        {
            var letter = sql[at];
            if (char.IsLetter(letter) || letter == '_')
            {
                var start = at;
                while (at < sql.Length && (char.IsLetterOrDigit(sql[at]) || sql[at] is '_' or '$'))
                {
                    at++;
                }

                // E'…', B'…', X'…', N'…' and U&'…' are strings with a letter before them.
                if (at < sql.Length && sql[at] == '\'' && at - start == 1)
                {
                    at = StringEnd(sql, at, sql[start] is 'e' or 'E');
                    joined = false;
                    continue;
                }

                yield return (sql[start..at].ToLowerInvariant(), joined);
                joined = false;
            }
            else if (letter == '"')
            {
                var end = QuotedEnd(sql, at, out var name);
                yield return (name, joined);
                joined = false;
                at = end;
            }
            else
            {
                joined = letter == '.' || (joined && char.IsWhiteSpace(letter));
                at = Skip(sql, at);
            }
        }
    }

    private static int Skip(string sql, int at) => sql[at] switch
    {
        '\'' => StringEnd(sql, at, escapes: false),
        '-' when at + 1 < sql.Length && sql[at + 1] == '-' => LineEnd(sql, at),
        '/' when at + 1 < sql.Length && sql[at + 1] == '*' => CommentEnd(sql, at),
        '$' => DollarEnd(sql, at),
        >= '0' and <= '9' => NumberEnd(sql, at),
        _ => at + 1,
    };

    private static int NumberEnd(string sql, int at)
    {
        while (at < sql.Length && (char.IsLetterOrDigit(sql[at]) || sql[at] == '.'))
        {
            at++;
        }

        return at;
    }

    private static int LineEnd(string sql, int at)
    {
        var end = sql.IndexOf('\n', at);
        return end < 0 ? sql.Length : end + 1;
    }

    private static int CommentEnd(string sql, int at)
    {
        var depth = 0;
        for (; at + 1 < sql.Length; at++)
        {
            if (sql[at] == '/' && sql[at + 1] == '*')
            {
                depth++;
                at++;
            }
            else if (sql[at] == '*' && sql[at + 1] == '/')
            {
                at++;
                if (--depth == 0)
                {
                    return at + 1;
                }
            }
        }

        return sql.Length;
    }

    private static int StringEnd(string sql, int at, bool escapes)
    {
        for (at++; at < sql.Length; at++)
        {
            if (escapes && sql[at] == '\\')
            {
                at++;
            }
            else if (sql[at] == '\'')
            {
                if (at + 1 >= sql.Length || sql[at + 1] != '\'')
                {
                    return at + 1;
                }

                at++;
            }
        }

        return sql.Length;
    }

    private static int QuotedEnd(string sql, int at, out string name)
    {
        var text = new StringBuilder();
        for (at++; at < sql.Length; at++)
        {
            if (sql[at] == '"')
            {
                if (at + 1 >= sql.Length || sql[at + 1] != '"')
                {
                    name = text.ToString();
                    return at + 1;
                }

                at++;
            }

            text.Append(sql[at]);
        }

        name = text.ToString();
        return sql.Length;
    }

    // $$…$$ and $tag$…$tag$ hold text, often a function's body: the names in a body are used by it, so only the marks are skipped.
    private static int DollarEnd(string sql, int at)
    {
        var end = at + 1;
        while (end < sql.Length && (char.IsLetterOrDigit(sql[end]) || sql[end] == '_'))
        {
            end++;
        }

        return end < sql.Length && sql[end] == '$' ? end + 1 : Math.Max(at + 1, end);
    }
}
