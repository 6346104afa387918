using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Stint.Core.Approvals;

/// <summary>What a passkey signed: that its holder was there, verified, and what they agreed to. Whoever has it can check it without a server.</summary>
/// <remarks>Web Authentication Level 2, sections 6.1 (authenticator data), 5.8.1 (client data) and 7.2 (verifying an assertion).</remarks>
/// <param name="Credential">The passkey's id.</param>
/// <param name="PublicKey">Its public key as it was at the time: a COSE key (RFC 9053), ES256 or RS256.</param>
/// <param name="AuthenticatorData">As the authenticator gave it.</param>
/// <param name="ClientData">The browser's JSON, byte for byte.</param>
/// <param name="Signature">Over <paramref name="AuthenticatorData"/> and the SHA-256 of <paramref name="ClientData"/>.</param>
/// <param name="Nonce">What made the challenge a new one.</param>
public sealed record PasskeyAssertion(byte[] Credential, byte[] PublicKey, byte[] AuthenticatorData, byte[] ClientData, byte[] Signature, string Nonce)
{
    private const int FlagsAt = 32;
    private const int LeastAuthenticatorData = 37;
    private const byte UserPresent = 0x01;
    private const byte UserVerified = 0x04;

    /// <summary>What a passkey is asked to sign for a yes: bound to the digest of what is approved, and to one asking by a nonce.</summary>
    public static byte[] Challenge(string digest, string nonce) => SHA256.HashData(Encoding.UTF8.GetBytes($"stint approve\n{digest}\n{nonce}"));

    /// <summary>What speaks against it as a yes to something; null when nothing does.</summary>
    /// <param name="digest">The digest of what was approved.</param>
    public string? Against(string digest)
    {
        if (AuthenticatorData.Length < LeastAuthenticatorData)
        {
            return "its authenticator data is cut short";
        }

        if ((AuthenticatorData[FlagsAt] & UserPresent) == 0 || (AuthenticatorData[FlagsAt] & UserVerified) == 0)
        {
            return "it does not say that its holder was there and verified";
        }

        try
        {
            using var client = JsonDocument.Parse(ClientData);
            if (Text(client, "type") != "webauthn.get" || Text(client, "challenge") != Base64Url.EncodeToString(Challenge(digest, Nonce)))
            {
                return "it was given to something else";
            }
        }
        catch (JsonException)
        {
            return "its client data cannot be read";
        }

        byte[] signed = [.. AuthenticatorData, .. SHA256.HashData(ClientData)];
        return CoseKey.Read(PublicKey) is not { } key ? "its public key cannot be read"
            : key.Verifies(signed, Signature) ? null
            : "its signature is not by that key";
    }

    private static string? Text(JsonDocument json, string name) =>
        json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}

/// <summary>A public key as authenticators write it (RFC 9053; the encoding is CTAP2's canonical CBOR): ES256 on P-256, or RS256.</summary>
public sealed class CoseKey
{
    private const long KeyType = 1, Algorithm = 3, CurveOrModulus = -1, XOrExponent = -2, Y = -3;
    private const long Ec2 = 2, Rsa = 3, P256 = 1;

    private readonly Dictionary<long, object> _members;

    private CoseKey(Dictionary<long, object> members) => _members = members;

    /// <summary>ES256 (COSE algorithm -7).</summary>
    public const int Es256 = -7;

    /// <summary>RS256 (COSE algorithm -257).</summary>
    public const int Rs256 = -257;

    /// <summary>Reads one; null for anything else.</summary>
    public static CoseKey? Read(ReadOnlySpan<byte> bytes)
    {
        var members = new Dictionary<long, object>();
        if (bytes.Length == 0 || bytes[0] >> 5 != 5 || ReadHead(ref bytes) is not { } count || count > 16)
        {
            return null;
        }

        for (var i = 0L; i < count; i++)
        {
            if (ReadValue(ref bytes) is not long name || ReadValue(ref bytes) is not { } value || !members.TryAdd(name, value))
            {
                return null;
            }
        }

        return bytes.Length == 0 ? new CoseKey(members) : null;
    }

    /// <summary>Whether this key made the signature.</summary>
    public bool Verifies(ReadOnlySpan<byte> over, ReadOnlySpan<byte> signature)
    {
        try
        {
            switch (Number(KeyType), Number(Algorithm))
            {
                case (Ec2, Es256) when Number(CurveOrModulus) == P256 && Bytes(XOrExponent) is { Length: 32 } x && Bytes(Y) is { Length: 32 } y:
                    using (var key = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = x, Y = y } }))
                    {
                        return key.VerifyData(over, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
                    }

                case (Rsa, Rs256) when Bytes(CurveOrModulus) is { Length: >= 256 } modulus && Bytes(XOrExponent) is { } exponent:
                    using (var key = RSA.Create(new RSAParameters { Modulus = modulus, Exponent = exponent }))
                    {
                        return key.VerifyData(over, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
                    }

                default:
                    return false;
            }
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private long? Number(long name) => _members.GetValueOrDefault(name) as long?;

    private byte[]? Bytes(long name) => _members.GetValueOrDefault(name) as byte[];

    /// <summary>A whole number or a text of bytes (RFC 8949, section 3); null for anything else.</summary>
    private static object? ReadValue(ref ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length == 0)
        {
            return null;
        }

        var kind = bytes[0] >> 5;
        if (ReadHead(ref bytes) is not { } number)
        {
            return null;
        }

        switch (kind)
        {
            case 0:
                return number;
            case 1:
                return -1 - number;
            case 2 when number <= bytes.Length:
                var value = bytes[..(int)number].ToArray();
                bytes = bytes[(int)number..];
                return value;
            default:
                return null;
        }
    }

    private static long? ReadHead(ref ReadOnlySpan<byte> bytes)
    {
        var low = bytes[0] & 31;
        var more = low switch { < 24 => 0, 24 => 1, 25 => 2, 26 => 4, _ => -1 };
        if (more < 0 || bytes.Length < 1 + more)
        {
            return null;
        }

        long number = more == 0 ? low : 0;
        for (var i = 1; i <= more; i++)
        {
            number = (number << 8) | bytes[i];
        }

        bytes = bytes[(1 + more)..];
        return number;
    }
}
