using System.Formats.Asn1;
using System.Numerics;
using System.Text;

namespace Stint.Server.Identity.Ldap;

/// <summary>The directory did not do what it was asked, or not as it must.</summary>
/// <param name="message">Why, in words, without a full stop; never a password.</param>
internal sealed class LdapTroubleException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>What stands in the directory under one name.</summary>
/// <param name="Dn">Its name.</param>
/// <param name="Attributes">Their values, by their names as the server writes them, compared without regard to capitals.</param>
internal sealed record LdapEntry(string Dn, IReadOnlyDictionary<string, IReadOnlyList<byte[]>> Attributes)
{
    /// <summary>The first value as text; null for none.</summary>
    public string? Text(string attribute) => Texts(attribute) is [var first, ..] ? first : null;

    public IReadOnlyList<string> Texts(string attribute) => [.. Values(attribute).Select(Encoding.UTF8.GetString)];

    public IReadOnlyList<byte[]> Values(string attribute) => Attributes.GetValueOrDefault(attribute) ?? [];
}

/// <summary>One message of a server (RFC 4511).</summary>
internal abstract record LdapAnswer
{
    private LdapAnswer()
    {
    }

    public sealed record Found(LdapEntry Entry) : LdapAnswer;

    /// <summary>What is looked for is also elsewhere. Nobody goes there.</summary>
    public sealed record Elsewhere : LdapAnswer;

    /// <summary>An end, well or not.</summary>
    /// <param name="Code">Section 4.1.9; 0 is success.</param>
    /// <param name="Say">What the server says of it.</param>
    /// <param name="Cookie">What the next page is asked for with (RFC 2696); empty when there is none.</param>
    public sealed record Done(int Code, string Say, byte[] Cookie) : LdapAnswer;

    /// <summary>Something that was not asked for, and may be passed over.</summary>
    public sealed record Other : LdapAnswer;
}

/// <summary>Messages as they stand on the wire: BER, as RFC 4511 (section 5.1) narrows it.</summary>
internal static class LdapMessages
{
    private const string StartTlsName = "1.3.6.1.4.1.1466.20037";
    private const string PagedName = "1.2.840.113556.1.4.319";

    /// <summary>Asks for TLS (section 4.14).</summary>
    public static byte[] StartTls(int id) => Message(id, writer =>
    {
        using (writer.PushSequence(Application(23)))
        {
            writer.WriteOctetString(Encoding.ASCII.GetBytes(StartTlsName), Context(0));
        }
    });

    /// <summary>Says who asks (section 4.2).</summary>
    public static byte[] Bind(int id, string dn, string password) => Message(id, writer =>
    {
        using (writer.PushSequence(Application(0)))
        {
            writer.WriteInteger(3);
            writer.WriteOctetString(Encoding.UTF8.GetBytes(dn));
            writer.WriteOctetString(Encoding.UTF8.GetBytes(password), Context(0));
        }
    });

    /// <summary>Asks for a page (section 4.5.1; RFC 2696).</summary>
    /// <param name="id">Its number.</param>
    /// <param name="search">What for.</param>
    /// <param name="page">How many at most; 0 for all at once.</param>
    /// <param name="cookie">What the page before ended with; empty for the first.</param>
    public static byte[] Search(int id, LdapSearch search, int page, byte[] cookie) => Message(
        id,
        writer =>
        {
            using (writer.PushSequence(Application(3)))
            {
                writer.WriteOctetString(Encoding.UTF8.GetBytes(search.Base));
                writer.WriteEnumeratedValue(search.Whole ? LdapScope.Subtree : LdapScope.Base);
                writer.WriteEnumeratedValue(LdapDereference.Never);
                writer.WriteInteger(0);
                writer.WriteInteger(0);
                writer.WriteBoolean(false);
                search.Filter.Write(writer);
                using (writer.PushSequence())
                {
                    foreach (var attribute in search.Attributes)
                    {
                        writer.WriteOctetString(Encoding.UTF8.GetBytes(attribute));
                    }
                }
            }
        },
        page == 0 ? null : writer =>
        {
            using (writer.PushSequence(Context(0, constructed: true)))
            using (writer.PushSequence())
            {
                writer.WriteOctetString(Encoding.ASCII.GetBytes(PagedName));
                writer.WriteBoolean(true);
                var value = new AsnWriter(AsnEncodingRules.BER);
                using (value.PushSequence())
                {
                    value.WriteInteger(page);
                    value.WriteOctetString(cookie);
                }

                writer.WriteOctetString(value.Encode());
            }
        });

    /// <summary>Reads one whole message.</summary>
    /// <param name="bytes">The message, all of it and nothing else.</param>
    /// <returns>The number of what it answers, 0 for something that the server says by itself, and the answer.</returns>
    /// <exception cref="LdapTroubleException">It is no message.</exception>
    public static (int Id, LdapAnswer Answer) Read(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            var reader = new AsnReader(bytes, AsnEncodingRules.BER);
            var message = reader.ReadSequence();
            reader.ThrowIfNotEmpty();
            if (!message.TryReadInt32(out var id) || id < 0)
            {
                throw new LdapTroubleException("it numbered an answer as nobody may");
            }

            var tag = message.PeekTag();
            if (tag.TagClass != TagClass.Application)
            {
                throw new LdapTroubleException("it answered something that is no LDAP");
            }

            switch (tag.TagValue)
            {
                case 4:
                    return (id, new LdapAnswer.Found(Entry(message.ReadSequence(tag))));
                case 19:
                    return (id, new LdapAnswer.Elsewhere());
                case 1 or 5 or 24:
                    var result = message.ReadSequence(tag);
                    var code = Number(result.ReadEnumeratedBytes().Span);
                    result.ReadOctetString();
                    var say = Encoding.UTF8.GetString(result.ReadOctetString());
                    return (id, new LdapAnswer.Done(code, say, message.HasData ? Cookie(message) : []));
                default:
                    return (id, new LdapAnswer.Other());
            }
        }
        catch (AsnContentException e)
        {
            throw new LdapTroubleException("it answered something that is no LDAP", e);
        }
    }

    private static LdapEntry Entry(AsnReader entry)
    {
        var dn = Encoding.UTF8.GetString(entry.ReadOctetString());
        var attributes = new Dictionary<string, IReadOnlyList<byte[]>>(StringComparer.OrdinalIgnoreCase);
        var list = entry.ReadSequence();
        while (list.HasData)
        {
            var one = list.ReadSequence();
            var name = Encoding.UTF8.GetString(one.ReadOctetString());
            var values = new List<byte[]>();
            var set = one.ReadSetOf(skipSortOrderValidation: true);
            while (set.HasData)
            {
                values.Add(set.ReadOctetString());
            }

            attributes[name] = values;
        }

        return new LdapEntry(dn, attributes);
    }

    private static byte[] Cookie(AsnReader message)
    {
        var controls = message.ReadSequence(Context(0, constructed: true));
        while (controls.HasData)
        {
            var control = controls.ReadSequence();
            var name = Encoding.UTF8.GetString(control.ReadOctetString());
            if (control.HasData && control.PeekTag().HasSameClassAndValue(Asn1Tag.Boolean))
            {
                control.ReadBoolean();
            }

            if (name == PagedName && control.HasData)
            {
                var value = new AsnReader(control.ReadOctetString(), AsnEncodingRules.BER).ReadSequence();
                value.ReadInteger();
                return value.ReadOctetString();
            }
        }

        return [];
    }

    private static int Number(ReadOnlySpan<byte> bytes) => bytes.Length <= 4 ? (int)new BigInteger(bytes, isBigEndian: true) : -1;

    private static byte[] Message(int id, Action<AsnWriter> operation, Action<AsnWriter>? controls = null)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(id);
            operation(writer);
            controls?.Invoke(writer);
        }

        return writer.Encode();
    }

    private static Asn1Tag Application(int number) => new(TagClass.Application, number, isConstructed: true);

    private static Asn1Tag Context(int number, bool constructed = false) => new(TagClass.ContextSpecific, number, constructed);

    private enum LdapScope
    {
        Base = 0,
        Subtree = 2,
    }

    private enum LdapDereference
    {
        Never = 0,
    }
}

/// <summary>What is looked for.</summary>
/// <param name="Base">Below which name.</param>
/// <param name="Whole">Whether all below it, or it alone.</param>
/// <param name="Filter">Which.</param>
/// <param name="Attributes">What of them.</param>
internal sealed record LdapSearch(string Base, bool Whole, LdapFilter Filter, IReadOnlyList<string> Attributes);
