using System.Text;

namespace Stint.Server.Identity.Ldap;

/// <summary>How things are called in a directory.</summary>
internal static class LdapNames
{
    private const int Longest = 128;

    /// <summary>Whether a text names an attribute (RFC 4512, section 1.4), without options.</summary>
    public static bool IsAttribute(string text) => text.Length is > 0 and <= Longest && (char.IsAsciiLetter(text[0]) ? text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter == '-') : IsNumbers(text));

    /// <summary>Whether a text names a rule of matching.</summary>
    public static bool IsRule(string text) => IsAttribute(text);

    /// <summary>A distinguished name (RFC 4514) as one compares it; null when it is none.</summary>
    /// <remarks>
    /// Small letters, single blanks, no blanks around, values unescaped and escaped again in one way, the parts of one
    /// step in order. Attribute types are compared as they are written.
    /// </remarks>
    public static string? Key(string dn)
    {
        var steps = new List<string>();
        foreach (var step in Split(dn, ','))
        {
            var parts = new List<string>();
            foreach (var part in Split(step, '+'))
            {
                var equals = part.IndexOf('=', StringComparison.Ordinal);
                if (equals < 0 || !IsAttribute(part[..equals].Trim()) || Value(part[(equals + 1)..]) is not { } value)
                {
                    return null;
                }

                parts.Add($"{part[..equals].Trim().ToLowerInvariant()}={value}");
            }

            steps.Add(string.Join('+', parts.Order(StringComparer.Ordinal)));
        }

        return string.Join(',', steps);
    }

    private static bool IsNumbers(string text) => text.Split('.').All(part => part.Length > 0 && part.All(char.IsAsciiDigit));

    private static List<string> Split(string text, char at)
    {
        var parts = new List<string>();
        var (start, quoted) = (0, false);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\')
            {
                i++;
            }
            else if (text[i] == '"')
            {
                quoted = !quoted;
            }
            else if (!quoted && text[i] == at)
            {
                parts.Add(text[start..i]);
                start = i + 1;
            }
        }

        parts.Add(text[start..]);
        return parts;
    }

    private static string? Value(string text)
    {
        text = text.Trim(' ');
        if (text.StartsWith('#'))
        {
            return text.ToLowerInvariant();
        }

        if (text.Length >= 2 && text[0] == '"' && text[^1] == '"')
        {
            text = text[1..^1];
        }

        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\')
            {
                var rune = char.IsHighSurrogate(text[i]) && i + 1 < text.Length ? text.Substring(i++, 2) : text[i].ToString();
                bytes.AddRange(Encoding.UTF8.GetBytes(rune));
            }
            else if (i + 2 < text.Length && char.IsAsciiHexDigit(text[i + 1]) && char.IsAsciiHexDigit(text[i + 2]))
            {
                bytes.Add(Convert.FromHexString(text.AsSpan(i + 1, 2))[0]);
                i += 2;
            }
            else if (i + 1 < text.Length)
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(text[++i].ToString()));
            }
            else
            {
                return null;
            }
        }

        var plain = string.Join(' ', Encoding.UTF8.GetString([.. bytes]).ToLowerInvariant().Split(' ', StringSplitOptions.RemoveEmptyEntries));

        // What would end a value is escaped again, so that no value can pose as two steps.
        return plain.Replace("\\", "\\5c", StringComparison.Ordinal).Replace(",", "\\2c", StringComparison.Ordinal).Replace("+", "\\2b", StringComparison.Ordinal);
    }
}
