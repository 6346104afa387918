using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Stint.Core.Policies.Cel;

/// <summary>
/// An IPv4 or IPv6 address, read strictly: four decimal parts without leading zeros, or RFC 4291 section 2.2 without a zone and
/// without IPv4 inside. What two programs could read differently is no address here.
/// </summary>
internal sealed record CelAddress(bool IsV6, UInt128 Bits)
{
    public int Width => IsV6 ? 128 : 32;

    public CelValue ToValue() => new(CelKind.Address, 0, this);

    public bool IsUnspecified => Bits == 0;

    public bool IsLoopback => IsV6 ? Bits == 1 : Bits >> 24 == 127;

    public bool IsLinkLocalUnicast => IsV6 ? Bits >> 118 == 0xfe80 >> 6 : Bits >> 16 == 0xa9fe;

    public bool IsLinkLocalMulticast => IsV6 ? Bits >> 120 == 0xff && (Bits >> 112 & 0xf) == 2 : Bits >> 8 == 0xe00000;

    /// <summary>Not unspecified, loopback, multicast, link-local or IPv4's broadcast; private networks count as global, as in Kubernetes.</summary>
    public bool IsGlobalUnicast => !IsUnspecified && !IsLoopback && !IsLinkLocalUnicast && !(IsV6 ? Bits >> 120 == 0xff : Bits >> 28 == 0xe || Bits == 0xffffffff);

    public static CelAddress? Parse(string text) => text.Length > 45 ? null : text.Contains(':', StringComparison.Ordinal) ? V6(text) : V4(text);

    public override string ToString()
    {
        if (!IsV6)
        {
            var v4 = (uint)Bits;
            return string.Create(CultureInfo.InvariantCulture, $"{v4 >> 24}.{v4 >> 16 & 255}.{v4 >> 8 & 255}.{v4 & 255}");
        }

        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, Bits);
        Span<int> groups = stackalloc int[8];
        for (var i = 0; i < 8; i++)
        {
            groups[i] = BinaryPrimitives.ReadUInt16BigEndian(bytes[(2 * i)..]);
        }

        // RFC 5952, section 4.2: the first of the longest runs of at least two zero groups becomes "::".
        var (start, length) = (-1, 1);
        for (var i = 0; i < 8; i++)
        {
            var run = 0;
            while (i + run < 8 && groups[i + run] == 0)
            {
                run++;
            }

            if (run > length)
            {
                (start, length) = (i, run);
            }
        }

        var text = new StringBuilder(39);
        for (var i = 0; i < 8; i++)
        {
            if (i == start)
            {
                text.Append("::");
                i += length - 1;
                continue;
            }

            if (text.Length > 0 && text[^1] != ':')
            {
                text.Append(':');
            }

            text.Append(groups[i].ToString("x", CultureInfo.InvariantCulture));
        }

        return text.ToString();
    }

    private static CelAddress? V4(string text)
    {
        var parts = text.Split('.');
        if (parts.Length != 4)
        {
            return null;
        }

        uint bits = 0;
        foreach (var part in parts)
        {
            if (part.Length is 0 or > 3 || (part.Length > 1 && part[0] == '0') || !part.All(char.IsAsciiDigit) || int.Parse(part, CultureInfo.InvariantCulture) is not (var number and <= 255))
            {
                return null;
            }

            bits = (bits << 8) | (uint)number;
        }

        return new CelAddress(false, bits);
    }

    private static CelAddress? V6(string text)
    {
        var gap = text.IndexOf("::", StringComparison.Ordinal);
        var left = Groups(gap < 0 ? text : text[..gap]);
        var right = gap < 0 ? [] : Groups(text[(gap + 2)..]);
        if (left is null || right is null || (gap < 0 ? left.Count != 8 : left.Count + right.Count > 7))
        {
            return null;
        }

        UInt128 bits = 0;
        foreach (var group in left)
        {
            bits = (bits << 16) | group;
        }

        bits <<= 16 * (8 - left.Count);
        for (var i = 0; i < right.Count; i++)
        {
            bits |= (UInt128)right[i] << (16 * (right.Count - 1 - i));
        }

        // An IPv4 address inside an IPv6 one could slip past a rule about either.
        return bits >> 32 == 0xffff ? null : new CelAddress(true, bits);
    }

    private static List<ushort>? Groups(string text)
    {
        var groups = new List<ushort>();
        if (text.Length == 0)
        {
            return groups;
        }

        foreach (var part in text.Split(':'))
        {
            if (part.Length is 0 or > 4 || !ushort.TryParse(part, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var group))
            {
                return null;
            }

            groups.Add(group);
        }

        return groups;
    }
}

/// <summary>A network: an address and how many of its leading bits count.</summary>
internal sealed record CelNetwork(CelAddress Address, int Prefix)
{
    public CelValue ToValue() => new(CelKind.Network, 0, this);

    public CelAddress First => Address with { Bits = Address.Bits & Mask };

    private UInt128 Mask => Prefix == 0 ? 0 : (UInt128.MaxValue << (Address.Width - Prefix)) & (Address.IsV6 ? UInt128.MaxValue : uint.MaxValue);

    public bool Contains(CelAddress address) => address.IsV6 == Address.IsV6 && (address.Bits & Mask) == (Address.Bits & Mask);

    public bool Contains(CelNetwork other) => other.Prefix >= Prefix && Contains(other.Address);

    public static CelNetwork? Parse(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || CelAddress.Parse(text[..slash]) is not { } address)
        {
            return null;
        }

        var length = text[(slash + 1)..];
        return length.Length is > 0 and <= 3 && length.All(char.IsAsciiDigit) && (length.Length == 1 || length[0] != '0')
            && int.Parse(length, CultureInfo.InvariantCulture) is var prefix && prefix <= address.Width
            ? new CelNetwork(address, prefix)
            : null;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Address}/{Prefix}");
}
