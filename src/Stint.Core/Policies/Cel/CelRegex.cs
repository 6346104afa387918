using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Stint.Core.Policies.Cel;

/// <summary>
/// Patterns of <c>matches</c>, in RE2's syntax: the words of .NET's that mean something else there are rewritten, and what would not
/// match in linear time is refused.
/// </summary>
internal static class CelRegex
{
    private const int Longest = 1_000;

    // A pattern made while evaluating costs as much as looking at a longer text.
    private const int Making = 2_000;

    // .NET unrolls {n}: a hundred of a hundred of a hundred must not become a million.
    private const int MostRepeats = 1_000;

    private const string AnyButNewline = "(?:[\\ud800-\\udbff][\\udc00-\\udfff]|[^\\n])";
    private const string Anything = "(?:[\\ud800-\\udbff][\\udc00-\\udfff]|[\\s\\S])";

    private static readonly Dictionary<string, string> Posix = new(StringComparer.Ordinal)
    {
        ["alnum"] = "0-9A-Za-z",
        ["alpha"] = "A-Za-z",
        ["ascii"] = "\\x00-\\x7f",
        ["blank"] = "\\t ",
        ["cntrl"] = "\\x00-\\x1f\\x7f",
        ["digit"] = "0-9",
        ["graph"] = "!-~",
        ["lower"] = "a-z",
        ["print"] = " -~",
        ["punct"] = "!-/:-@\\x5b-`{-~",
        ["space"] = "\\t\\n\\v\\f\\r ",
        ["upper"] = "A-Z",
        ["word"] = "0-9A-Za-z_",
        ["xdigit"] = "0-9A-Fa-f",
    };

    /// <summary>A pattern that is not known before the evaluation.</summary>
    public static CelValue Match(CelInputs frame, string text, string pattern)
    {
        if (!frame.Charge(Making + (pattern.Length * 10L)))
        {
            return frame.TooMany();
        }

        return Compile(pattern, frame.Limits.Match, out var wrong) is { } regex ? Match(frame, text, regex) : frame.Fail(CelErrorCode.BadValue, wrong);
    }

    /// <summary>Whether a text holds a match.</summary>
    public static CelValue Match(CelInputs frame, string text, Regex regex)
    {
        if (!frame.Charge(text.Length >> 2))
        {
            return frame.TooMany();
        }

        try
        {
            return CelValue.From(regex.IsMatch(text));
        }
        catch (RegexMatchTimeoutException)
        {
            return frame.Fail(CelErrorCode.TooManySteps, $"matching took longer than {frame.Limits.Match.TotalMilliseconds.ToString(CultureInfo.InvariantCulture)} ms; look for less, or in a shorter text");
        }
    }

    /// <summary>Null with a sentence, when it is no pattern or none that matches in linear time.</summary>
    public static Regex? Compile(string pattern, TimeSpan bound, out string wrong)
    {
        wrong = "";
        if (pattern.Length > Longest)
        {
            wrong = $"this pattern is longer than {Longest} characters; split it";
            return null;
        }

        if (Translate(pattern, out wrong) is not { } translated)
        {
            return null;
        }

        try
        {
            return new Regex(translated, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, bound);
        }
        catch (ArgumentException)
        {
            wrong = "this text is no regular expression; it is read as RE2: check brackets, and write \\\\. or r\"\\.\" for a dot";
        }
        catch (NotSupportedException)
        {
            wrong = "this pattern would not match in bounded time, or is too large; leave look-around, back references and large repetitions out";
        }

        return null;
    }

    private static string? Translate(string pattern, out string wrong)
    {
        var to = new StringBuilder(pattern.Length + 16);
        // Flags hold until the end of their group.
        var (all, lines) = (false, false);
        var groups = new Stack<(bool All, bool Lines)>();
        var repeats = 1L;
        wrong = "";
        for (var i = 0; i < pattern.Length; i++)
        {
            var c = pattern[i];
            switch (c)
            {
                case '\\':
                    if (!Escape(pattern, ref i, to, false, out wrong))
                    {
                        return null;
                    }

                    break;
                case '[':
                    if (!Class(pattern, ref i, to, out wrong))
                    {
                        return null;
                    }

                    break;
                case '.':
                    to.Append(all ? Anything : AnyButNewline);
                    break;
                case '$':
                    // Without m, .NET's $ also matches before a last line feed.
                    to.Append(lines ? "$" : "\\z");
                    break;
                case '^':
                    to.Append(lines ? "(?m:^)" : "\\A");
                    break;
                case '(':
                    groups.Push((all, lines));
                    if (groups.Count > 50)
                    {
                        wrong = "this pattern is nested more than 50 deep; make it flatter";
                        return null;
                    }

                    if (!Group(pattern, ref i, to, groups, ref all, ref lines, out wrong))
                    {
                        return null;
                    }

                    break;
                case ')':
                    if (!groups.TryPop(out var outer))
                    {
                        wrong = "this pattern closes a parenthesis that it never opened; write \\\\) for the character";
                        return null;
                    }

                    (all, lines) = outer;
                    to.Append(')');
                    break;
                case '{':
                    repeats *= Repeats(pattern, i);
                    if (repeats > MostRepeats)
                    {
                        wrong = $"the repetitions of this pattern multiply to more than {MostRepeats}; leave some bounds out";
                        return null;
                    }

                    to.Append(Repeats(pattern, i) == 1 && !IsRepeat(pattern, i) ? "\\{" : "{");
                    break;
                case '*' or '+' or '?':
                    to.Append(c);
                    if (c is '*' or '+' && i + 1 < pattern.Length && pattern[i + 1] is '*' or '+')
                    {
                        wrong = "this pattern repeats a repetition; leave one of the two signs out";
                        return null;
                    }

                    break;
                case '#' or ' ':
                    to.Append('\\').Append(c);
                    break;
                default:
                    if (char.IsHighSurrogate(c) && i + 1 < pattern.Length)
                    {
                        to.Append("(?:").Append(c).Append(pattern[++i]).Append(')');
                    }
                    else
                    {
                        to.Append(c);
                    }

                    break;
            }
        }

        if (groups.Count > 0)
        {
            wrong = "this pattern opens a parenthesis that it never closes; write \\\\( for the character";
            return null;
        }

        return to.ToString();
    }

    private static bool IsRepeat(string pattern, int at) => Regex.IsMatch(pattern[at..], @"\A\{[0-9]+(,[0-9]*)?\}", RegexOptions.NonBacktracking);

    private static long Repeats(string pattern, int at)
    {
        var most = 1L;
        var number = 0L;
        if (!IsRepeat(pattern, at))
        {
            return 1;
        }

        for (var i = at + 1; pattern[i] != '}'; i++)
        {
            number = char.IsAsciiDigit(pattern[i]) ? Math.Min((number * 10) + (pattern[i] - '0'), MostRepeats + 1) : 0;
            most = Math.Max(most, number);
        }

        return most;
    }

    private static bool Group(string pattern, ref int i, StringBuilder to, Stack<(bool All, bool Lines)> groups, ref bool all, ref bool lines, out string wrong)
    {
        wrong = "";
        if (i + 1 >= pattern.Length || pattern[i + 1] != '?')
        {
            // Nothing is captured: only whether it matches is asked.
            to.Append("(?:");
            return true;
        }

        var end = pattern.AsSpan(i).IndexOfAny(":)>");
        var head = end < 0 ? pattern[(i + 2)..] : pattern[(i + 2)..(i + end)];
        if (end >= 0 && pattern[i + end] == '>' && (head.StartsWith("P<", StringComparison.Ordinal) || (head.StartsWith('<') && head.Length > 1 && head[1] is not ('=' or '!'))))
        {
            to.Append("(?:");
            i += end;
            return true;
        }

        if (end < 0 || pattern[i + end] == '>' || head.Any(c => c is not ('i' or 'm' or 's' or 'U' or '-')) || head.Count(c => c == '-') > 1)
        {
            wrong = "this pattern has a kind of group that RE2 has not, as look-around; there are (?:…), (?i…), (?m…), (?s…) and (?P<name>…)";
            return false;
        }

        var on = true;
        bool? ignore = null;
        foreach (var c in head)
        {
            _ = c switch
            {
                '-' => on = false,
                'i' => (ignore = on).Value,
                'm' => lines = on,
                's' => all = on,
                // U only turns greediness round, which does not change whether there is a match.
                _ => on,
            };
        }

        i += end;
        var flag = ignore is null ? "" : ignore.Value ? "i" : "-i";
        if (pattern[i] == ')')
        {
            groups.Pop();
            to.Append(flag.Length > 0 ? $"(?{flag})" : "");
            return true;
        }

        to.Append("(?").Append(flag).Append(':');
        return true;
    }

    private static bool Escape(string pattern, ref int i, StringBuilder to, bool inClass, out string wrong)
    {
        wrong = "";
        if (++i >= pattern.Length)
        {
            wrong = "this pattern ends in a backslash; double it to mean the character";
            return false;
        }

        var c = pattern[i];
        switch (c)
        {
            case 'd':
                to.Append(inClass ? "0-9" : "[0-9]");
                return true;
            case 'w':
                to.Append(inClass ? "0-9A-Za-z_" : "[0-9A-Za-z_]");
                return true;
            case 's':
                to.Append(inClass ? "\\t\\n\\f\\r " : "[\\t\\n\\f\\r ]");
                return true;
            case 'D' or 'W' or 'S' when !inClass:
                to.Append("(?:[\\ud800-\\udbff][\\udc00-\\udfff]|").Append(c switch { 'D' => "[^0-9]", 'W' => "[^0-9A-Za-z_]", _ => "[^\\t\\n\\f\\r ]" }).Append(')');
                return true;
            case 'D' or 'W' or 'S':
                wrong = $"\\{c} inside of […] is not offered; write it as an alternative beside the brackets";
                return false;
            case 'b' or 'B' when !inClass:
                // .NET's boundary goes by Unicode's letters, RE2's by ASCII's; on ASCII texts they agree.
                to.Append('\\').Append(c);
                return true;
            case 'A' or 'z' when !inClass:
                to.Append('\\').Append(c);
                return true;
            case 'p' or 'P':
                return Property(pattern, ref i, to, out wrong);
            case 'x' when i + 1 < pattern.Length && pattern[i + 1] == '{':
                var end = pattern.IndexOf('}', i);
                if (end < 0 || !int.TryParse(pattern.AsSpan(i + 2, end - i - 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) || code is < 0 or > 0xffff)
                {
                    wrong = "this \\x{…} is no character that is offered; they go to \\x{FFFF}";
                    return false;
                }

                to.Append(CultureInfo.InvariantCulture, $"\\u{code:x4}");
                i = end;
                return true;
            case 'n' or 'r' or 't' or 'f' or 'v' or 'a' or 'x':
                to.Append('\\').Append(c);
                return true;
            case 'Q' when !inClass:
                var stop = pattern.IndexOf("\\E", i, StringComparison.Ordinal);
                to.Append(Regex.Escape(pattern[(i + 1)..(stop < 0 ? pattern.Length : stop)]));
                i = stop < 0 ? pattern.Length : stop + 1;
                return true;
            default:
                if (char.IsAsciiLetterOrDigit(c) || c > 127)
                {
                    wrong = $"this pattern has \\{c}, which RE2 has not; there are \\d \\w \\s \\b \\A \\z, their capitals, \\pL and the like, \\n \\t \\xHH, and a backslash before a sign";
                    return false;
                }

                to.Append('\\').Append(c);
                return true;
        }
    }

    private static bool Property(string pattern, ref int i, StringBuilder to, out string wrong)
    {
        wrong = "this pattern has a \\p that is not offered; there are the general categories, as \\pL or \\p{Lu}";
        var not = pattern[i];
        string name;
        if (i + 1 < pattern.Length && pattern[i + 1] == '{' && pattern.IndexOf('}', i) is > 0 and var end)
        {
            name = pattern[(i + 2)..end];
            i = end;
        }
        else if (i + 1 < pattern.Length)
        {
            name = pattern[++i].ToString();
        }
        else
        {
            return false;
        }

        to.Append('\\').Append(not).Append('{').Append(name).Append('}');
        return name.Length is 1 or 2 && name.All(char.IsAsciiLetter);
    }

    private static bool Class(string pattern, ref int i, StringBuilder to, out string wrong)
    {
        var start = i;
        var negated = i + 1 < pattern.Length && pattern[i + 1] == '^';
        i += negated ? 1 : 0;
        var inner = new StringBuilder();
        wrong = "this pattern opens a […] that it never closes; write \\\\[ for the character";
        var first = true;
        while (++i < pattern.Length && (pattern[i] != ']' || first))
        {
            first = false;
            var c = pattern[i];
            if (c == '\\')
            {
                if (!Escape(pattern, ref i, inner, true, out wrong))
                {
                    return false;
                }

                wrong = "this pattern opens a […] that it never closes; write \\\\[ for the character";
            }
            else if (c == '[' && i + 1 < pattern.Length && pattern[i + 1] == ':' && pattern.IndexOf(":]", i, StringComparison.Ordinal) is > 0 and var end)
            {
                if (!Posix.TryGetValue(pattern[(i + 2)..end], out var range))
                {
                    wrong = "this pattern has an unknown [:name:]; there are alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit";
                    return false;
                }

                inner.Append(range);
                i = end + 1;
            }
            else if (char.IsSurrogate(c))
            {
                wrong = "characters beyond U+FFFF cannot stand in […]; write them as alternatives, as (a|b)";
                return false;
            }
            else
            {
                // .NET reads "-[" as taking a class away.
                inner.Append(c is '[' or ']' or '^' ? "\\" : "").Append(c);
            }
        }

        if (i >= pattern.Length)
        {
            i = start;
            return false;
        }

        to.Append(negated ? "(?:[\\ud800-\\udbff][\\udc00-\\udfff]|[^" : "[").Append(inner).Append(negated ? "])" : "]");
        wrong = "";
        return true;
    }
}
