using System.Formats.Asn1;
using System.Text;

namespace Stint.Server.Identity.Ldap;

/// <summary>What is looked for in a directory: a filter of RFC 4515, as RFC 4511 sends it (section 4.5.1.7).</summary>
internal abstract record LdapFilter
{
    private const int Deepest = 16;

    private LdapFilter()
    {
    }

    /// <summary>All of them, or any.</summary>
    public sealed record Set(bool All, IReadOnlyList<LdapFilter> Parts) : LdapFilter;

    public sealed record Not(LdapFilter Part) : LdapFilter;

    public sealed record Present(string Attribute) : LdapFilter;

    /// <summary>A comparison.</summary>
    /// <param name="Choice">3 is equal, 5 is at least, 6 is at most, 8 is about (RFC 4511).</param>
    /// <param name="Attribute">Of which attribute.</param>
    /// <param name="Value">With what.</param>
    public sealed record Compare(int Choice, string Attribute, byte[] Value) : LdapFilter;

    /// <summary>Parts of a value in their order; the first and the last may be empty.</summary>
    public sealed record Like(string Attribute, IReadOnlyList<byte[]> Parts) : LdapFilter;

    /// <summary>A rule of the server's own, such as a bit of a number.</summary>
    public sealed record Matching(string Rule, string? Attribute, bool DnAttributes, byte[] Value) : LdapFilter;

    /// <summary>Both of two.</summary>
    public LdapFilter And(LdapFilter other) => new Set(true, [this, other]);

    /// <summary>Reads a filter.</summary>
    /// <exception cref="FormatException">It is none; the message says what is wrong, without a full stop.</exception>
    public static LdapFilter Parse(string text)
    {
        var at = 0;
        var filter = Read(text, ref at, 0);
        return at == text.Length ? filter : throw new FormatException($"something stands after its end, at character {at + 1}");
    }

    /// <summary>Writes it into a search.</summary>
    public void Write(AsnWriter writer)
    {
        switch (this)
        {
            case Set set:
                using (writer.PushSetOf(Tag(set.All ? 0 : 1, constructed: true)))
                {
                    foreach (var part in set.Parts)
                    {
                        part.Write(writer);
                    }
                }

                break;
            case Not not:
                using (writer.PushSequence(Tag(2, constructed: true)))
                {
                    not.Part.Write(writer);
                }

                break;
            case Present present:
                writer.WriteOctetString(Encoding.UTF8.GetBytes(present.Attribute), Tag(7));
                break;
            case Compare compare:
                using (writer.PushSequence(Tag(compare.Choice, constructed: true)))
                {
                    writer.WriteOctetString(Encoding.UTF8.GetBytes(compare.Attribute));
                    writer.WriteOctetString(compare.Value);
                }

                break;
            case Like like:
                using (writer.PushSequence(Tag(4, constructed: true)))
                {
                    writer.WriteOctetString(Encoding.UTF8.GetBytes(like.Attribute));
                    using (writer.PushSequence())
                    {
                        for (var i = 0; i < like.Parts.Count; i++)
                        {
                            if (like.Parts[i].Length > 0)
                            {
                                writer.WriteOctetString(like.Parts[i], Tag(i == 0 ? 0 : i == like.Parts.Count - 1 ? 2 : 1));
                            }
                        }
                    }
                }

                break;
            case Matching matching:
                using (writer.PushSequence(Tag(9, constructed: true)))
                {
                    writer.WriteOctetString(Encoding.UTF8.GetBytes(matching.Rule), Tag(1));
                    if (matching.Attribute is { } attribute)
                    {
                        writer.WriteOctetString(Encoding.UTF8.GetBytes(attribute), Tag(2));
                    }

                    writer.WriteOctetString(matching.Value, Tag(3));
                    if (matching.DnAttributes)
                    {
                        writer.WriteBoolean(true, Tag(4));
                    }
                }

                break;
            default:
                throw new InvalidOperationException("A filter of a kind that nobody knows.");
        }
    }

    private static Asn1Tag Tag(int number, bool constructed = false) => new(TagClass.ContextSpecific, number, constructed);

    private static LdapFilter Read(string text, ref int at, int depth)
    {
        if (depth > Deepest)
        {
            throw new FormatException($"it has more than {Deepest} brackets inside each other");
        }

        Demand(text, ref at, '(');
        LdapFilter filter;
        switch (at < text.Length ? text[at] : '\0')
        {
            case '&' or '|':
                var all = text[at++] == '&';
                var parts = new List<LdapFilter>();
                while (at < text.Length && text[at] == '(')
                {
                    parts.Add(Read(text, ref at, depth + 1));
                }

                filter = parts.Count > 0 ? new Set(all, parts) : throw new FormatException($"nothing stands behind the {(all ? '&' : '|')} at character {at}");
                break;
            case '!':
                at++;
                filter = new Not(Read(text, ref at, depth + 1));
                break;
            default:
                filter = Item(text, ref at);
                break;
        }

        Demand(text, ref at, ')');
        return filter;
    }

    private static LdapFilter Item(string text, ref int at)
    {
        var equals = text.IndexOf('=', at);
        var end = text.IndexOfAny(['(', ')'], at);
        if (equals < 0 || end < 0 || equals > end)
        {
            throw new FormatException($"a comparison such as (uid=ann) was expected at character {at + 1}");
        }

        var left = text[at..equals];
        var right = text[(equals + 1)..end];
        var place = at + 1;
        at = end;
        if (left.EndsWith(':'))
        {
            var rule = left[..^1].Split(':');
            var dn = rule.Length == 3 && rule[1].Equals("dn", StringComparison.OrdinalIgnoreCase);
            return (rule.Length == 2 || dn) && LdapNames.IsAttribute(rule[0]) && LdapNames.IsRule(rule[^1])
                ? new Matching(rule[^1], rule[0], dn, Unescape(right, place))
                : throw new FormatException($"'{left}=' at character {place} names no rule; write it as attribute:1.2.840.113556.1.4.803:=2");
        }

        var (choice, name) = left.Length > 0 ? left[^1] switch
        {
            '>' => (5, left[..^1]),
            '<' => (6, left[..^1]),
            '~' => (8, left[..^1]),
            _ => (3, left),
        } : (3, left);
        if (!LdapNames.IsAttribute(name))
        {
            throw new FormatException($"'{name}' at character {place} is not the name of an attribute");
        }

        return choice != 3 || !right.Contains('*', StringComparison.Ordinal) ? new Compare(choice, name, Unescape(right, place))
            : right == "*" ? new Present(name)
            : new Like(name, [.. right.Split('*').Select(part => Unescape(part, place))]);
    }

    private static byte[] Unescape(string text, int place)
    {
        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\')
            {
                if (i + 2 >= text.Length || !byte.TryParse(text.AsSpan(i + 1, 2), System.Globalization.NumberStyles.AllowHexSpecifier, System.Globalization.CultureInfo.InvariantCulture, out var value))
                {
                    throw new FormatException($"two digits of a hexadecimal number belong behind the backslash in the comparison at character {place}");
                }

                bytes.Add(value);
                i += 2;
                continue;
            }

            var rune = char.IsHighSurrogate(text[i]) && i + 1 < text.Length ? text.Substring(i++, 2) : text[i].ToString();
            bytes.AddRange(Encoding.UTF8.GetBytes(rune));
        }

        return [.. bytes];
    }

    private static void Demand(string text, ref int at, char wanted)
    {
        if (at >= text.Length || text[at] != wanted)
        {
            throw new FormatException($"a '{wanted}' was expected at character {at + 1}");
        }

        at++;
    }
}
