using System.Globalization;
using System.Text;

namespace Stint.Core.Policies.Cel;

internal enum CelTokenKind : byte
{
    End,
    Name,
    Quoted,
    Value,
    Sign,
    Broken,
}

/// <summary>One token.</summary>
/// <param name="Text">The name, or the sign; empty for a value.</param>
/// <param name="Value">A literal's value. A signed number is held as its magnitude, see <paramref name="Magnitude"/>.</param>
internal readonly record struct CelToken(CelTokenKind Kind, int Start, int End, string Text, CelValue Value, ulong Magnitude = 0)
{
    public bool Is(string sign) => Kind == CelTokenKind.Sign && Text == sign;
}

/// <summary>Source to tokens. What is wrong is noted, and reading goes on behind it.</summary>
internal sealed class CelLexer(string source, CelProblems problems)
{
    private static readonly string[] Signs = ["&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",", "(", ")", "[", "]", "{", "}"];
    private int _at;

    public List<CelToken> Read()
    {
        var tokens = new List<CelToken>();
        while (true)
        {
            Skip();
            if (_at >= source.Length)
            {
                tokens.Add(new CelToken(CelTokenKind.End, source.Length, source.Length, "the end", default));
                return tokens;
            }

            tokens.Add(Next());
        }
    }

    private void Skip()
    {
        while (_at < source.Length)
        {
            if (source[_at] is ' ' or '\t' or '\n' or '\r' or '\f')
            {
                _at++;
            }
            else if (source[_at] == '/' && _at + 1 < source.Length && source[_at + 1] == '/')
            {
                var end = source.IndexOf('\n', _at);
                _at = end < 0 ? source.Length : end;
            }
            else
            {
                return;
            }
        }
    }

    private CelToken Next()
    {
        var start = _at;
        var c = source[_at];
        if (char.IsAsciiDigit(c) || (c == '.' && char.IsAsciiDigit(Peek(1))))
        {
            return Number(start);
        }

        if (c is '"' or '\'')
        {
            return Text(start, false, false);
        }

        if (char.IsAsciiLetter(c) || c == '_')
        {
            return Word(start);
        }

        if (c == '`')
        {
            return Backticked(start);
        }

        foreach (var sign in Signs)
        {
            if (string.CompareOrdinal(source, _at, sign, 0, sign.Length) == 0)
            {
                _at += sign.Length;
                return new CelToken(CelTokenKind.Sign, start, _at, sign, default);
            }
        }

        var instead = c switch
        {
            '&' => "write && for and",
            '|' => "write || for or",
            '=' => "write == to compare",
            ';' => "one condition is one expression; join two with &&",
            '\u201c' or '\u201d' or '\u2018' or '\u2019' => "use plain quotes, \" or '",
            _ => "put it into quotes if it belongs to a text",
        };
        _at += char.IsHighSurrogate(c) && char.IsLowSurrogate(Peek(1)) ? 2 : 1;
        return Broken(start, $"{Shown(source[start.._at])} means nothing here; {instead}");
    }

    private static string Shown(string text) => char.IsControl(text[0]) || char.IsSurrogate(text[0])
        ? string.Create(CultureInfo.InvariantCulture, $"the character U+{(text.Length == 2 && char.IsSurrogatePair(text, 0) ? char.ConvertToUtf32(text, 0) : text[0]):X4}")
        : $"'{text}'";

    private char Peek(int ahead) => _at + ahead < source.Length ? source[_at + ahead] : '\0';

    private CelToken Broken(int start, string message)
    {
        problems.Add(start, message);
        return new CelToken(CelTokenKind.Broken, start, _at, source[start.._at], default);
    }

    private CelToken Word(int start)
    {
        while (char.IsAsciiLetterOrDigit(Peek(0)) || Peek(0) == '_')
        {
            _at++;
        }

        var word = source[start.._at];
        var lower = word.Length <= 2 ? word.ToLowerInvariant() : "";
        if (Peek(0) is '"' or '\'' && lower is "r" or "b" or "br" or "rb")
        {
            return Text(start, lower.Contains('r', StringComparison.Ordinal), lower.Contains('b', StringComparison.Ordinal));
        }

        return word switch
        {
            "true" => new CelToken(CelTokenKind.Value, start, _at, "", CelValue.True),
            "false" => new CelToken(CelTokenKind.Value, start, _at, "", CelValue.False),
            "null" => new CelToken(CelTokenKind.Value, start, _at, "", CelValue.Null),
            "in" => new CelToken(CelTokenKind.Sign, start, _at, "in", default),
            _ => new CelToken(CelTokenKind.Name, start, _at, word, default),
        };
    }

    private CelToken Backticked(int start)
    {
        var end = source.IndexOf('`', start + 1);
        if (end < 0)
        {
            _at = source.Length;
            return Broken(start, "this backtick is never closed; end the name with another one");
        }

        _at = end + 1;
        var name = source[(start + 1)..end];
        return name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-' or '/' or ' ')
            ? new CelToken(CelTokenKind.Quoted, start, _at, name, default)
            : Broken(start, "a name in backticks has letters, digits, '_', '.', '-', '/' and blanks only; use [\"…\"] for any other key");
    }

    private CelToken Number(int start)
    {
        if (source[_at] == '0' && Peek(1) is 'x' or 'X')
        {
            _at += 2;
            var digits = _at;
            while (char.IsAsciiHexDigit(Peek(0)))
            {
                _at++;
            }

            return ulong.TryParse(source.AsSpan(digits, _at - digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hex)
                ? Whole(start, hex)
                : Broken(start, "a hexadecimal number has 1 to 16 digits behind 0x");
        }

        Digits();
        var floating = false;
        if (Peek(0) == '.' && char.IsAsciiDigit(Peek(1)))
        {
            floating = true;
            _at++;
            Digits();
        }

        if (Peek(0) is 'e' or 'E')
        {
            var ahead = Peek(1) is '+' or '-' ? 2 : 1;
            if (char.IsAsciiDigit(Peek(ahead)))
            {
                floating = true;
                _at += ahead;
                Digits();
            }
        }

        var text = source.AsSpan(start, _at - start);
        if (floating)
        {
            var value = double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
            return double.IsInfinity(value)
                ? Broken(start, "this number is too large for a double")
                : Ended(new CelToken(CelTokenKind.Value, start, _at, "", CelValue.From(value)));
        }

        return ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var whole)
            ? Whole(start, whole)
            : Broken(start, "this number needs more than 64 bits; write it as a double, with .0 behind it");
    }

    private void Digits()
    {
        while (char.IsAsciiDigit(Peek(0)))
        {
            _at++;
        }
    }

    private CelToken Whole(int start, ulong magnitude)
    {
        if (Peek(0) is 'u' or 'U')
        {
            _at++;
            return Ended(new CelToken(CelTokenKind.Value, start, _at, "", CelValue.From(magnitude)));
        }

        return Ended(new CelToken(CelTokenKind.Value, start, _at, "", CelValue.From(unchecked((long)magnitude)), magnitude));
    }

    // "5m" is the likeliest slip of a policy writer, who writes durations so everywhere else.
    private CelToken Ended(CelToken token)
    {
        if (!char.IsAsciiLetter(Peek(0)) && Peek(0) != '_')
        {
            return token;
        }

        var end = _at;
        while (char.IsAsciiLetterOrDigit(Peek(0)) || Peek(0) == '_')
        {
            _at++;
        }

        var word = source[token.Start.._at];
        return Broken(token.Start, CelTime.TryParseDuration(word, out _)
            ? $"write a length of time as duration(\"{word}\")"
            : $"'{source[end.._at]}' cannot follow a number; put an operator between them");
    }

    private CelToken Text(int start, bool raw, bool bytes)
    {
        var quote = source[_at];
        var triple = Peek(1) == quote && Peek(2) == quote;
        _at += triple ? 3 : 1;
        var text = new StringBuilder();
        var octets = bytes ? new List<byte>() : null;
        var wrong = false;
        while (true)
        {
            if (_at >= source.Length || (!triple && source[_at] is '\n' or '\r'))
            {
                return Broken(start, triple ? "this text is never closed; end it with the same three quotes" : $"this text is never closed; end it with {quote} on the same line");
            }

            if (source[_at] == quote && (!triple || (Peek(1) == quote && Peek(2) == quote)))
            {
                _at += triple ? 3 : 1;
                break;
            }

            if (source[_at] == '\\' && !raw)
            {
                wrong |= !Escape(text, octets);
            }
            else
            {
                var length = char.IsHighSurrogate(source[_at]) && char.IsLowSurrogate(Peek(1)) ? 2 : 1;
                if (length == 1 && char.IsSurrogate(source[_at]))
                {
                    problems.Add(_at, "this is half a character; write the whole one");
                    wrong = true;
                }

                Put(source.AsSpan(_at, length), text, octets);
                _at += length;
            }
        }

        return wrong
            ? new CelToken(CelTokenKind.Broken, start, _at, "", default)
            : new CelToken(CelTokenKind.Value, start, _at, "", octets is null ? CelValue.From(text.ToString()) : CelValue.From([.. octets]));
    }

    private static void Put(ReadOnlySpan<char> units, StringBuilder text, List<byte>? octets)
    {
        if (octets is null)
        {
            text.Append(units);
            return;
        }

        Span<byte> buffer = stackalloc byte[8];
        octets.AddRange(buffer[..Encoding.UTF8.GetBytes(units, buffer)]);
    }

    private bool Escape(StringBuilder text, List<byte>? octets)
    {
        var start = _at;
        var c = Peek(1);
        _at += Math.Min(2, source.Length - _at);
        var simple = c switch
        {
            'a' => '\a',
            'b' => '\b',
            'f' => '\f',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\v',
            '\\' or '\'' or '"' or '`' or '?' => c,
            _ => '\0',
        };
        if (simple != '\0')
        {
            Put([simple], text, octets);
            return true;
        }

        var (digits, radix, of) = c switch
        {
            'x' or 'X' => (2, 16, _at),
            'u' when octets is null => (4, 16, _at),
            'U' when octets is null => (8, 16, _at),
            >= '0' and <= '3' => (3, 8, _at - 1),
            _ => (0, 0, 0),
        };
        long code = 0;
        for (var i = 0; i < digits; i++)
        {
            var digit = of + i < source.Length && char.IsAsciiHexDigit(source[of + i]) ? Convert.ToInt32(source[of + i].ToString(), 16) : 99;
            code = digit >= radix ? -1 : code < 0 ? -1 : (code * radix) + digit;
        }

        if (digits == 0 || code < 0)
        {
            problems.Add(start, "no such escape; there are \\n \\r \\t \\a \\b \\f \\v \\\\ \\\" \\' \\` \\?, \\xHH, \\OOO, and in a text \\uHHHH and \\UHHHHHHHH. Double the backslash, or write r\"…\", to mean a backslash");
            return false;
        }

        _at = of + digits;
        if (octets is not null)
        {
            octets.Add((byte)code);
            return true;
        }

        if (code is > 0x10ffff or (>= 0xd800 and <= 0xdfff))
        {
            problems.Add(start, "this escape is no character: they go to \\U0010FFFF, without \\uD800 to \\uDFFF");
            return false;
        }

        text.Append(char.ConvertFromUtf32((int)code));
        return true;
    }
}

/// <summary>Collects what is wrong with a source.</summary>
internal sealed class CelProblems(string source, int most)
{
    private readonly List<CelProblem> _all = [];

    public int Count => _all.Count;

    public IReadOnlyList<CelProblem> InOrder => [.. _all.OrderBy(problem => problem.Offset)];

    public void Add(int offset, string message)
    {
        // The same place is told once: what follows there follows from it.
        if (_all.Count >= most || _all.Exists(problem => problem.Offset == offset))
        {
            return;
        }

        var before = source.AsSpan(0, Math.Min(offset, source.Length));
        var line = before.Count('\n') + 1;
        _all.Add(new CelProblem(offset, line, before.Length - (before.LastIndexOf('\n') + 1) + 1, message));
    }
}
