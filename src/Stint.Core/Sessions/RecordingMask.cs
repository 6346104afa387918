using System.Buffers;
using System.Text;

namespace Stint.Core.Sessions;

/// <summary>Finds the passwords that a statement carries (<c>CREATE ROLE … PASSWORD '…'</c>), so that no recording holds them.</summary>
public static class RecordingMask
{
    private static readonly SearchValues<byte> FirstLetters = SearchValues.Create("pP"u8);

    /// <summary>Replaces every literal behind the word <c>PASSWORD</c> by <c>'***'</c>.</summary>
    /// <param name="text">The statement in an encoding that keeps ASCII.</param>
    /// <returns>The masked text; null when there was nothing to mask.</returns>
    /// <remarks>
    /// Looks for the word wherever it stands: also in a function's body, a string that is executed, or behind
    /// <c>OPTIONS (</c>. Masking a comment costs nothing; missing one password would.
    /// </remarks>
    public static byte[]? Apply(ReadOnlySpan<byte> text)
    {
        ArrayBufferWriter<byte>? masked = null;
        var copied = 0;
        var at = 0;
        while (NextWord(text, at) is var word && word >= 0)
        {
            at = word;
            var literal = SkipSpace(text, word);
            if (SkipPrefix(text, literal) is not { } quote || LiteralEnd(text, quote) is not { } end)
            {
                continue;
            }

            masked ??= new ArrayBufferWriter<byte>(text.Length);
            masked.Write(text[copied..quote]);
            masked.Write("'***'"u8);
            copied = at = end;
        }

        if (masked is null)
        {
            return null;
        }

        masked.Write(text[copied..]);
        return masked.WrittenSpan.ToArray();
    }

    // Index behind the next word "password"; -1 for none.
    private static int NextWord(ReadOnlySpan<byte> text, int from)
    {
        while (from + 8 <= text.Length)
        {
            var next = text[from..].IndexOfAny(FirstLetters);
            if (next < 0 || from + next + 8 > text.Length)
            {
                return -1;
            }

            from += next;
            if (Ascii.EqualsIgnoreCase(text.Slice(from, 8), "password"u8)
                && (from == 0 || !IsWord(text[from - 1]) || text[from - 1] == '_')
                && (from + 8 == text.Length || !IsWord(text[from + 8])))
            {
                return from + 8;
            }

            from++;
        }

        return -1;
    }

    private static bool IsWord(byte value) => char.IsAsciiLetterOrDigit((char)value) || value is (byte)'_' or >= 0x80;

    private static int SkipSpace(ReadOnlySpan<byte> text, int at)
    {
        while (at < text.Length)
        {
            if (text[at] is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r' or (byte)'\f' or (byte)'\v' or (byte)'=' or (byte)'"')
            {
                at++;
            }
            else if (text[at..].StartsWith("--"u8))
            {
                var line = text[at..].IndexOfAny((byte)'\n', (byte)'\r');
                at = line < 0 ? text.Length : at + line + 1;
            }
            else if (text[at..].StartsWith("/*"u8))
            {
                at = CommentEnd(text, at);
            }
            else
            {
                break;
            }
        }

        return at;
    }

    private static int CommentEnd(ReadOnlySpan<byte> text, int at)
    {
        var depth = 0;
        while (at < text.Length)
        {
            if (text[at..].StartsWith("/*"u8))
            {
                depth++;
                at += 2;
            }
            else if (text[at..].StartsWith("*/"u8))
            {
                at += 2;
                if (--depth == 0)
                {
                    return at;
                }
            }
            else
            {
                at++;
            }
        }

        return at;
    }

    // Index of the quote or dollar that opens the literal; null when none does.
    private static int? SkipPrefix(ReadOnlySpan<byte> text, int at)
    {
        var rest = text[Math.Min(at, text.Length)..];
        return rest switch
        {
            [(byte)'\'' or (byte)'$', ..] => at,
            [(byte)'e' or (byte)'E' or (byte)'n' or (byte)'N', (byte)'\'', ..] => at + 1,
            [(byte)'u' or (byte)'U', (byte)'&', (byte)'\'', ..] => at + 2,
            _ => null,
        };
    }

    private static int? LiteralEnd(ReadOnlySpan<byte> text, int open)
    {
        if (text[open] == '$')
        {
            var tag = text[(open + 1)..].IndexOf((byte)'$');
            if (tag < 0 || text.Slice(open + 1, tag).ContainsAnyExcept(TagLetters))
            {
                return null;
            }

            var mark = text.Slice(open, tag + 2);
            var close = text[(open + mark.Length)..].IndexOf(mark);
            return close < 0 ? text.Length : open + mark.Length + close + mark.Length;
        }

        // Inside another literal each quote is doubled, once for every level: as many quotes close as opened.
        var quotes = Run(text, open);
        if (quotes == 2 && (open + 2 == text.Length || text[open + 2] is (byte)';' or (byte)')' or (byte)',' or (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t'))
        {
            return open + 2;
        }

        var escapes = quotes == 1 && open > 0 && text[open - 1] is (byte)'e' or (byte)'E';
        var at = open + quotes;
        while (at < text.Length)
        {
            if (escapes && text[at] == '\\')
            {
                at += 2;
            }
            else if (text[at] == '\'')
            {
                var run = Run(text, at);
                at += run;
                if (run % (2 * quotes) != 0)
                {
                    return at;
                }
            }
            else
            {
                at++;
            }
        }

        return text.Length;
    }

    private static readonly SearchValues<byte> TagLetters = SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"u8);

    private static int Run(ReadOnlySpan<byte> text, int at)
    {
        var run = text[at..].IndexOfAnyExcept((byte)'\'');
        return run < 0 ? text.Length - at : run;
    }
}
