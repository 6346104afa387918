using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Stint.Connectors.Ssh;

/// <summary>One public key in OpenSSH's form (RFC 4253, section 6.6; RFC 5656; OpenSSH's PROTOCOL.u2f), without its comment.</summary>
/// <param name="Type">Its algorithm's name.</param>
/// <param name="Blob">The key as it goes over the wire.</param>
public sealed record SshPublicKey(string Type, byte[] Blob)
{
    private const int Longest = 16 << 10;
    private const int LeastRsaBits = 2048;

    // NB. What is not named here is no key: a certificate among them would be signed into a certificate that nobody meant.
    private static readonly string[] Types =
    [
        "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com", "ssh-rsa",
    ];

    /// <summary><c>TYPE BASE64</c>: nothing of what was given but the key itself.</summary>
    public string Text => $"{Type} {Convert.ToBase64String(Blob)}";

    /// <summary>As OpenSSH shows it: <c>SHA256:…</c>.</summary>
    public string Fingerprint => "SHA256:" + Convert.ToBase64String(SHA256.HashData(Blob)).TrimEnd('=');

    /// <summary>SHA-256 of the key in hexadecimal, for addresses.</summary>
    public string Hash => Convert.ToHexStringLower(SHA256.HashData(Blob));

    /// <summary>What is wrong with a text as a public key; null when nothing is.</summary>
    public static string? WrongText(string text) => Read(text).Wrong;

    /// <summary>Reads one line, <c>TYPE BASE64 [COMMENT]</c>.</summary>
    public static (SshPublicKey? Key, string? Wrong) Read(string text)
    {
        if (text.Length > Longest || text.AsSpan().TrimEnd().ContainsAny('\n', '\r', '\0'))
        {
            return (null, "takes one public key on one line");
        }

        var words = text.Split((char[]?)null, 3, StringSplitOptions.RemoveEmptyEntries);
        if (words.Length < 2)
        {
            return (null, "is not a public key: write TYPE BASE64, as the file ending in .pub has it");
        }

        if (!Types.Contains(words[0], StringComparer.Ordinal))
        {
            return (null, $"is of no type that is taken: {string.Join(", ", Types)}");
        }

        var blob = new byte[words[1].Length];
        if (!Convert.TryFromBase64String(words[1], blob, out var length))
        {
            return (null, "is not a public key: its second word is not base64");
        }

        blob = blob[..length];
        if (!TakeText(blob, out var name, out var rest) || Encoding.ASCII.GetString(name) != words[0])
        {
            return (null, "is not a public key of the type that it names");
        }

        if (words[0] == "ssh-rsa" && (!TakeText(rest, out _, out rest) || !TakeText(rest, out var modulus, out _) || Bits(modulus) < LeastRsaBits))
        {
            return (null, $"is an RSA key of less than {LeastRsaBits} bits");
        }

        return (new SshPublicKey(words[0], blob), null);
    }

    public bool Equals(SshPublicKey? other) => other is not null && Type == other.Type && Blob.AsSpan().SequenceEqual(other.Blob);

    public override int GetHashCode() => Fingerprint.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => Text;

    private static bool TakeText(ReadOnlySpan<byte> from, out ReadOnlySpan<byte> text, out ReadOnlySpan<byte> rest)
    {
        text = [];
        rest = [];
        if (from.Length < 4 || BinaryPrimitives.ReadUInt32BigEndian(from) is var length && length > from.Length - 4)
        {
            return false;
        }

        text = from.Slice(4, (int)length);
        rest = from[(4 + (int)length)..];
        return true;
    }

    private static int Bits(ReadOnlySpan<byte> number)
    {
        number = number.TrimStart((byte)0);
        return number.IsEmpty ? 0 : (number.Length * 8) - System.Numerics.BitOperations.LeadingZeroCount((uint)number[0]) + 24;
    }
}
