using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Stint.Core;
using Stint.Core.Sessions;

namespace Stint.Gateway.Postgres;

/// <summary>SCRAM-SHA-256, both seats (RFC 5802, RFC 7677), with channel binding <c>tls-server-end-point</c> (RFC 5929). Pure but for the nonces, which it is given.</summary>
internal static class PostgresScram
{
    public const string Plain = "SCRAM-SHA-256";
    public const string Bound = "SCRAM-SHA-256-PLUS";

    private const string BindingName = "tls-server-end-point";

    /// <summary>A nonce: 18 random bytes in base64, which has no comma.</summary>
    public static string Nonce() => Convert.ToBase64String(RandomNumberGenerator.GetBytes(18));

    /// <summary>A password as PostgreSQL derives from it: prepared by SASLprep (RFC 4013), or as it is where that forbids a character.</summary>
    /// <remarks>
    /// PostgreSQL also takes a password as it is that has characters newer than Unicode 3.2, or whose letters run both ways. Here it
    /// is prepared all the same, which is the same unless it has characters besides that preparing changes.
    /// </remarks>
    public static string Prepared(string password)
    {
        if (password.All(char.IsAscii))
        {
            return password;
        }

        var mapped = new StringBuilder(password.Length);
        foreach (var one in password)
        {
            _ = one switch
            {
                // RFC 3454, table C.1.2: spaces are a space. It comes first, so that a zero width space is one.
                '\u00A0' or '\u1680' or (>= '\u2000' and <= '\u200B') or '\u202F' or '\u205F' or '\u3000' => mapped.Append(' '),

                // Table B.1: nothing.
                '\u00AD' or '\u034F' or '\u1806' or (>= '\u180B' and <= '\u180D') or '\u200C' or '\u200D' or '\u2060' or (>= '\uFE00' and <= '\uFE0F') or '\uFEFF' => mapped,
                _ => mapped.Append(one),
            };
        }

        var prepared = Nfkc.Of(mapped.ToString());
        return prepared.Length == 0 || prepared.EnumerateRunes().Any(IsForbidden) ? password : prepared;
    }

    // RFC 3454, tables C.2.1, C.2.2 and C.3 to C.9; half a character reads as U+FFFD, which is among them.
    private static bool IsForbidden(Rune rune) => rune.Value is < 0x20 or (>= 0x7F and <= 0x9F) or 0x0340 or 0x0341 or 0x06DD or 0x070F or 0x180E or (>= 0x200C and <= 0x200F) or (>= 0x2028 and <= 0x202E)
        or (>= 0x2060 and <= 0x2063) or (>= 0x206A and <= 0x206F) or (>= 0x2FF0 and <= 0x2FFB) or (>= 0xE000 and <= 0xF8FF) or (>= 0xFDD0 and <= 0xFDEF) or 0xFEFF or (>= 0xFFF9 and <= 0xFFFF)
        or (>= 0x1D173 and <= 0x1D17A) or (>= 0xE0000 and <= 0xE0FFF) or >= 0xF0000 || (rune.Value & 0xFFFE) == 0xFFFE;

    /// <summary>Salt and keys for a login that is not there: the same each time it is asked for, and fitting no secret.</summary>
    public static LoginVerifier Mock(byte[] seed, string login, int iterations)
    {
        var salt = HMACSHA256.HashData(seed, Encoding.UTF8.GetBytes("salt " + login));
        var keys = HMACSHA256.HashData(seed, Encoding.UTF8.GetBytes("keys " + login));
        return new LoginVerifier(iterations, salt[..16], keys, keys);
    }

    /// <summary>The hash of a certificate that binds a channel to it: of the hash its signature uses, SHA-256 in place of MD5 and SHA-1 (RFC 5929, section 4.1).</summary>
    /// <returns>Null for a signature that has no hash of its own (Ed25519): no binding is possible.</returns>
    public static byte[]? EndPointHash(X509Certificate2 certificate) => certificate.SignatureAlgorithm.Value switch
    {
        "1.2.840.113549.1.1.12" or "1.2.840.10045.4.3.3" => SHA384.HashData(certificate.RawData),
        "1.2.840.113549.1.1.13" or "1.2.840.10045.4.3.4" => SHA512.HashData(certificate.RawData),
        "1.2.840.113549.1.1.11" or "1.2.840.10045.4.3.2" or "1.2.840.113549.1.1.4" or "1.2.840.113549.1.1.5" or "1.2.840.10045.4.1" => SHA256.HashData(certificate.RawData),
        _ => null,
    };

    /// <summary>The server's seat, after the client's first message.</summary>
    /// <param name="mechanism">The mechanism that the client chose.</param>
    /// <param name="first">Its first message.</param>
    /// <param name="offeredBinding">Whether <see cref="Bound"/> was offered.</param>
    /// <returns>Null when the message is not what it has to be.</returns>
    public static ServerSeat? Answer(string mechanism, ReadOnlySpan<byte> first, bool offeredBinding, LoginVerifier verifier, string nonce)
    {
        var text = Encoding.UTF8.GetString(first);
        var flagEnd = text.IndexOf(',', StringComparison.Ordinal);
        var headerEnd = flagEnd < 0 ? -1 : text.IndexOf(',', flagEnd + 1);
        if (headerEnd < 0)
        {
            return null;
        }

        // NB. "y" says: I could bind, and you did not offer it. Where it was offered, somebody in between took the offer away.
        var flag = text[..flagEnd];
        var fits = mechanism switch
        {
            Bound => offeredBinding && flag == "p=" + BindingName,
            Plain => flag == "n" || (flag == "y" && !offeredBinding),
            _ => false,
        };
        if (!fits || text[(flagEnd + 1)..headerEnd].Length > 0)
        {
            return null;
        }

        var bare = text[(headerEnd + 1)..];
        var parts = bare.Split(',');
        if (parts.Length < 2 || !parts[0].StartsWith("n=", StringComparison.Ordinal) || !parts[1].StartsWith("r=", StringComparison.Ordinal) || parts[1].Length < 10)
        {
            return null;
        }

        return new ServerSeat(text[..(headerEnd + 1)], bare, parts[1][2..] + nonce, verifier);
    }

    /// <summary>One login at the server's seat.</summary>
    internal sealed class ServerSeat
    {
        private readonly string _header;
        private readonly string _nonce;
        private readonly string _soFar;
        private readonly LoginVerifier _verifier;

        internal ServerSeat(string header, string bare, string nonce, LoginVerifier verifier)
        {
            _header = header;
            _nonce = nonce;
            _verifier = verifier;
            First = $"r={nonce},s={Convert.ToBase64String(verifier.Salt)},i={verifier.Iterations}";
            _soFar = bare + "," + First;
        }

        /// <summary>Server's first message.</summary>
        public string First { get; }

        /// <summary>Checks the client's proof.</summary>
        /// <param name="binding">What the channel is bound to; null when it is not.</param>
        /// <returns>Server's final message; null when the proof is wrong. Both take the same work.</returns>
        public string? Finish(ReadOnlySpan<byte> final, byte[]? binding)
        {
            var text = Encoding.UTF8.GetString(final);
            var proofAt = text.LastIndexOf(",p=", StringComparison.Ordinal);
            if (proofAt < 0)
            {
                return null;
            }

            var bound = Convert.ToBase64String([.. Encoding.UTF8.GetBytes(_header), .. _header[0] == 'p' ? binding ?? [] : []]);
            var without = text[..proofAt];
            var proof = new byte[32];
            var readable = Convert.TryFromBase64String(text[(proofAt + 3)..], proof, out var length) && length == 32;
            var said = Encoding.UTF8.GetBytes(_soFar + "," + without);
            var signature = HMACSHA256.HashData(_verifier.StoredKey, said);
            for (var at = 0; at < 32; at++)
            {
                signature[at] ^= proof[at];
            }

            var proved = CryptographicOperations.FixedTimeEquals(SHA256.HashData(signature), _verifier.StoredKey);
            var fits = readable && (without == $"c={bound},r={_nonce}" || without.StartsWith($"c={bound},r={_nonce},", StringComparison.Ordinal));
            return proved & fits ? "v=" + Convert.ToBase64String(HMACSHA256.HashData(_verifier.ServerKey, said)) : null;
        }
    }

    /// <summary>One login at the client's seat.</summary>
    internal sealed class ClientSeat
    {
        private readonly string _header;
        private readonly string _nonce;
        private readonly byte[]? _binding;
        private byte[]? _expected;

        /// <param name="binding">What the channel is bound to; null for <see cref="Plain"/>.</param>
        /// <param name="canBind">Whether this side could have bound, had it been offered.</param>
        public ClientSeat(byte[]? binding, bool canBind, string nonce)
        {
            _binding = binding;
            _nonce = nonce;
            _header = binding is not null ? $"p={BindingName},," : canBind ? "y,," : "n,,";
            Mechanism = binding is not null ? Bound : Plain;
        }

        public string Mechanism { get; }

        private string Bare => $"n=,r={_nonce}";

        /// <summary>Client's first message.</summary>
        public string First => _header + Bare;

        /// <summary>Client's final message.</summary>
        /// <param name="salt">Gives the salted password for a salt and a number of rounds.</param>
        /// <returns>Null when the server's message is not what it has to be.</returns>
        public string? Prove(ReadOnlySpan<byte> serverFirst, Func<byte[], int, byte[]> salt)
        {
            var text = Encoding.UTF8.GetString(serverFirst);
            var parts = text.Split(',');
            var salted = new byte[1024];
            if (parts.Length < 3
                || !parts[0].StartsWith("r=" + _nonce, StringComparison.Ordinal) || parts[0].Length <= 2 + _nonce.Length
                || !parts[1].StartsWith("s=", StringComparison.Ordinal) || !Convert.TryFromBase64String(parts[1][2..], salted, out var length) || length == 0
                || !parts[2].StartsWith("i=", StringComparison.Ordinal) || !int.TryParse(parts[2][2..], System.Globalization.NumberStyles.None, null, out var rounds) || rounds is < 1 or > 10_000_000)
            {
                return null;
            }

            var password = salt(salted[..length], rounds);
            var clientKey = HMACSHA256.HashData(password, "Client Key"u8);
            var bound = Convert.ToBase64String([.. Encoding.UTF8.GetBytes(_header), .. _binding ?? []]);
            var without = $"c={bound},{parts[0]}";
            var said = Encoding.UTF8.GetBytes($"{Bare},{text},{without}");
            var signature = HMACSHA256.HashData(SHA256.HashData(clientKey), said);
            for (var at = 0; at < 32; at++)
            {
                signature[at] ^= clientKey[at];
            }

            _expected = HMACSHA256.HashData(HMACSHA256.HashData(password, "Server Key"u8), said);
            return $"{without},p={Convert.ToBase64String(signature)}";
        }

        /// <summary>Whether the server knows the secret too.</summary>
        public bool Check(ReadOnlySpan<byte> serverFinal)
        {
            var text = Encoding.UTF8.GetString(serverFinal);
            var signature = new byte[32];
            return _expected is not null
                && text.StartsWith("v=", StringComparison.Ordinal)
                && Convert.TryFromBase64String(text[2..].Split(',')[0], signature, out var length) && length == 32
                && CryptographicOperations.FixedTimeEquals(signature, _expected);
        }
    }
}
