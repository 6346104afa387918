using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Stint.Server.Store.Sealing;

/// <summary>Seals secrets for the store and the catalog: AES-256-GCM under the master key, bound to what they are for.</summary>
/// <remarks>
/// <c>sealed:v1:KEY:BYTES</c>, where KEY names the master key (8 hexadecimal digits) and BYTES is the base64url of a
/// random nonce (12 bytes), the ciphertext and the tag (16 bytes). The purpose is authenticated with it: a text that
/// was sealed as one secret does not open as another.
/// </remarks>
internal sealed class Sealer(MasterKey master)
{
    private const string Prefix = "sealed:v1:";
    private const int NonceBytes = 12, TagBytes = 16;

    /// <summary>Whether a text has the form; it may still not open.</summary>
    public static bool IsSealed(string text) => text.StartsWith(Prefix, StringComparison.Ordinal) && text.Length > Prefix.Length + 9 && text[Prefix.Length + 8] == ':';

    /// <summary>Seals a text.</summary>
    /// <param name="secret">The secret.</param>
    /// <param name="purpose">What it is for (<c>assignment:as-…</c>); the same must be said to open it.</param>
    public string Seal(string secret, string purpose) => Seal(Encoding.UTF8.GetBytes(secret), purpose);

    /// <inheritdoc cref="Seal(string, string)"/>
    public string Seal(ReadOnlySpan<byte> secret, string purpose)
    {
        var key = master.Keys[0];
        var name = NameOf(key);
        var bytes = new byte[NonceBytes + secret.Length + TagBytes];
        var nonce = bytes.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(key, TagBytes);
        aes.Encrypt(nonce, secret, bytes.AsSpan(NonceBytes, secret.Length), bytes.AsSpan(NonceBytes + secret.Length), BoundTo(name, purpose));
        return $"{Prefix}{name}:{Base64Url.EncodeToString(bytes)}";
    }

    /// <summary>Opens a sealed text.</summary>
    /// <exception cref="SealException">It is not one, was sealed under another key or for another purpose, or was changed. The message never holds the secret.</exception>
    public string Open(string text, string purpose) => Encoding.UTF8.GetString(OpenBytes(text, purpose));

    /// <inheritdoc cref="Open"/>
    public byte[] OpenBytes(string text, string purpose)
    {
        if (!IsSealed(text))
        {
            throw new SealException("This is not a sealed secret: it begins with 'sealed:v1:'.");
        }

        var name = text.Substring(Prefix.Length, 8);
        var key = master.Keys.FirstOrDefault(key => NameOf(key) == name)
            ?? throw new SealException($"This secret was sealed under the master key {name}, which this server does not have.");
        try
        {
            var bytes = Base64Url.DecodeFromChars(text.AsSpan(Prefix.Length + 9));
            if (bytes.Length < NonceBytes + TagBytes)
            {
                throw new SealException("This sealed secret was cut short.");
            }

            var secret = new byte[bytes.Length - NonceBytes - TagBytes];
            using var aes = new AesGcm(key, TagBytes);
            aes.Decrypt(
                bytes.AsSpan(0, NonceBytes),
                bytes.AsSpan(NonceBytes, secret.Length),
                bytes.AsSpan(NonceBytes + secret.Length),
                secret,
                BoundTo(name, purpose));
            return secret;
        }
        catch (Exception problem) when (problem is CryptographicException or FormatException)
        {
            throw new SealException("This sealed secret was changed, or it was sealed for something else.", problem);
        }
    }

    /// <summary>A mark of a text that says nothing of it to whoever lacks the master key: 32 bytes, the same for the same text and purpose.</summary>
    public byte[] Mark(string text, string purpose) =>
        HMACSHA256.HashData(HKDF.DeriveKey(HashAlgorithmName.SHA256, master.Keys[0], 32, info: "stint mark"u8.ToArray()), Encoding.UTF8.GetBytes($"{purpose}\n{text}"));

    /// <summary>Whether a text was sealed under an older key and shall be sealed anew.</summary>
    public bool IsOld(string text) => IsSealed(text) && text.Substring(Prefix.Length, 8) != NameOf(master.Keys[0]);

    /// <summary>Names a key without telling anything of it: the start of a hash of it.</summary>
    private static string NameOf(byte[] key) => Convert.ToHexStringLower(SHA256.HashData([.. "stint master key"u8, .. key]).AsSpan(0, 4));

    private static byte[] BoundTo(string key, string purpose) => Encoding.UTF8.GetBytes($"{Prefix}{key}:{purpose}");
}

/// <summary>A sealed secret does not open.</summary>
internal sealed class SealException(string message, Exception? inner = null) : Exception(message, inner);
