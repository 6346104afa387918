using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Stint.Server.Identity.Accounts;

/// <summary>One-time passwords by time (RFC 6238 over RFC 4226): HMAC-SHA-1, steps of 30 seconds, six digits.</summary>
internal static class Totp
{
    /// <summary>Bytes of a secret (RFC 4226, section 4, R6: 160 bits).</summary>
    public const int SecretBytes = 20;

    private const int StepSeconds = 30;
    private const int Digits = 6;
    private const string Base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

    /// <summary>The step of time that a code belongs to: this one, the one before or the one after (RFC 6238, section 5.2). Null when it is none of theirs, or of a step that was used or lies before one.</summary>
    /// <param name="secret">The shared secret.</param>
    /// <param name="typed">What was typed; spaces do not matter.</param>
    /// <param name="now">The time.</param>
    /// <param name="after">The last step that was used; null for none.</param>
    public static long? StepOf(byte[] secret, string? typed, DateTimeOffset now, long? after)
    {
        if (typed is null || typed.Length > 16)
        {
            return null;
        }

        var code = string.Concat(typed.Where(c => !char.IsWhiteSpace(c)));
        if (code.Length != Digits || !code.All(char.IsAsciiDigit))
        {
            return null;
        }

        long? found = null;
        var given = Encoding.ASCII.GetBytes(code);
        var current = now.ToUnixTimeSeconds() / StepSeconds;
        foreach (var step in (long[])[current - 1, current, current + 1])
        {
            // NB. All three are compared, whatever came of the first.
            if (CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(CodeAt(secret, step)), given) && step > (after ?? -1))
            {
                found = step;
            }
        }

        return found;
    }

    /// <summary>The code of a moment.</summary>
    public static string Code(byte[] secret, DateTimeOffset now) => CodeAt(secret, now.ToUnixTimeSeconds() / StepSeconds);

    /// <summary>A secret as people type it: base 32, in groups of four.</summary>
    public static string Write(ReadOnlySpan<byte> secret)
    {
        var text = new StringBuilder();
        int bits = 0, held = 0;
        foreach (var b in secret)
        {
            held = (held << 8) | b;
            for (bits += 8; bits >= 5; bits -= 5)
            {
                if (text.Length % 5 == 4)
                {
                    text.Append(' ');
                }

                text.Append(Base32[(held >> (bits - 5)) & 31]);
            }

            held &= 0xFF;
        }

        return text.ToString();
    }

    /// <summary>The address that an app takes a secret from.</summary>
    public static string Uri(string issuer, string person, ReadOnlySpan<byte> secret) =>
        $"otpauth://totp/{System.Uri.EscapeDataString($"{issuer}:{person}")}?secret={Write(secret).Replace(" ", "", StringComparison.Ordinal)}&issuer={System.Uri.EscapeDataString(issuer)}&algorithm=SHA1&digits={Digits}&period={StepSeconds}";

    [SuppressMessage("Security", "CA5350", Justification = "HMAC-SHA-1 is what every authenticator app has (RFC 6238, section 1.2); collisions of SHA-1 do not bear on an HMAC.")]
    private static string CodeAt(byte[] secret, long step)
    {
        Span<byte> counter = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(counter, step);
        Span<byte> hash = stackalloc byte[HMACSHA1.HashSizeInBytes];
        HMACSHA1.HashData(secret, counter, hash);
        var number = BinaryPrimitives.ReadInt32BigEndian(hash[(hash[^1] & 0x0F)..]) & 0x7FFFFFFF;
        return (number % 1_000_000).ToString("D6", CultureInfo.InvariantCulture);
    }
}
