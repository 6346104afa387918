using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Stint.Core.Audit;

/// <summary>The public half of a log's key: ECDSA on P-256 over SHA-256, signature type 0x02 of C2SP signed-note.</summary>
/// <remarks>
/// For this type the key's short number is the first four bytes of the SHA-256 of its DER SubjectPublicKeyInfo (the
/// name is not part of it), and a signature is an ASN.1 sequence of r and s, as github.com/transparency-dev writes them.
/// </remarks>
public sealed class CheckpointKey : IEquatable<CheckpointKey>
{
    private const byte Ecdsa = 0x02;
    private const int SpkiLength = 91;

    /// <summary>How the SubjectPublicKeyInfo of every uncompressed key on P-256 begins (RFC 5480).</summary>
    private static ReadOnlySpan<byte> P256 =>
        [0x30, 0x59, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7, 3, 0x42, 0, 4];

    private readonly byte[] _spki;
    private readonly ECDsa _key;
    private readonly Lock _lock = new();

    private CheckpointKey(string name, byte[] spki, ECDsa key)
    {
        (Name, _spki, _key) = (name, spki, key);
        var hash = SHA256.HashData(spki);
        Id = BinaryPrimitives.ReadUInt32BigEndian(hash);
        Fingerprint = "sha256:" + Convert.ToHexStringLower(hash);
        Public = $"{name}+{Id.ToString("x8", CultureInfo.InvariantCulture)}+{Convert.ToBase64String([Ecdsa, .. spki])}";
    }

    /// <summary>Its name: the log's origin.</summary>
    public string Name { get; }

    /// <summary>Its short number in signature lines. It identifies, it proves nothing.</summary>
    public uint Id { get; }

    /// <summary>SHA-256 of the key itself, for comparing over the telephone: <c>sha256:</c> and 64 hexadecimal digits.</summary>
    public string Fingerprint { get; }

    /// <summary>The text by which it is handed on: <c>NAME+ID+BASE64</c>.</summary>
    public string Public { get; }

    /// <summary>The public half of a key.</summary>
    /// <exception cref="FormatException">The name cannot be a key's, or the key is not on P-256.</exception>
    public static CheckpointKey Of(string name, ECDsa key) => Import(name, key.ExportSubjectPublicKeyInfo());

    /// <summary>Reads <see cref="Public"/>.</summary>
    /// <exception cref="FormatException">It is not such a text; the message says why.</exception>
    public static CheckpointKey Parse(string text)
    {
        var parts = text.Split('+', 3);
        if (parts.Length != 3 || FromBase64(parts[2]) is not { Length: > 1 } bytes)
        {
            throw new FormatException("A log's public key is written NAME+ID+BASE64.");
        }

        if (bytes[0] != Ecdsa)
        {
            throw new FormatException("This key is of a type that Stint does not check: it checks ECDSA on P-256 (type 2).");
        }

        var key = Import(parts[0], bytes[1..]);
        return key.Public == text ? key : throw new FormatException("The number in the middle of this public key is not that of the key behind it.");
    }

    /// <summary>Why this key does not stand behind a head; null when it does.</summary>
    /// <remarks>Signatures of other keys are passed over, as signed-note demands; one of this key's that does not fit refuses the whole head.</remarks>
    public string? Refusal(SignedCheckpoint head)
    {
        var own = head.Signatures.Where(line => line.Name == Name && line.KeyId == Id).ToList();
        if (own.Count == 0)
        {
            return $"it is not signed by {Name} ({Id.ToString("x8", CultureInfo.InvariantCulture)})";
        }

        if (head.Head.Origin != Name)
        {
            return $"it is a head of {head.Head.Origin}, and the key is that of {Name}";
        }

        var data = head.Signed();
        lock (_lock)
        {
            return own.TrueForAll(line => Fits(data, line.Signature)) ? null : "its signature does not fit what it says";
        }
    }

    /// <inheritdoc/>
    public bool Equals(CheckpointKey? other) => other is not null && other.Public == Public;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as CheckpointKey);

    /// <inheritdoc/>
    public override int GetHashCode() => Public.GetHashCode(StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => Public;

    /// <exception cref="FormatException">It cannot be the name of a key or a log.</exception>
    internal static void EnsureName(string name)
    {
        if (name.Length == 0 || name.Any(code => char.IsWhiteSpace(code) || char.IsControl(code) || code == '+'))
        {
            throw new FormatException("The name of a log has no spaces, no plus sign and no control characters, and is not empty.");
        }
    }

    /// <summary>Reads base64 in the one way of writing it; null for anything else.</summary>
    internal static byte[]? FromBase64(string text)
    {
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var length) && Convert.ToBase64String(bytes, 0, length) == text
            ? bytes[..length]
            : null;
    }

    private static CheckpointKey Import(string name, byte[] spki)
    {
        EnsureName(name);

        // NB. Compared before it is imported: which other curves a platform knows, and how it refuses the rest, differs.
        if (spki.Length != SpkiLength || !spki.AsSpan().StartsWith(P256))
        {
            throw new FormatException("This is not a public key on P-256.");
        }

        var key = ECDsa.Create();
        try
        {
            key.ImportSubjectPublicKeyInfo(spki, out _);
            return new CheckpointKey(name, spki, key);
        }
        catch (CryptographicException bad)
        {
            key.Dispose();
            throw new FormatException("This is not a public key on P-256.", bad);
        }
    }

    private bool Fits(byte[] data, byte[] signature)
    {
        try
        {
            return _key.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        }
        catch (CryptographicException)
        {
            return false;
        }
    }
}

/// <summary>Signs heads. The private half stays with whoever made it.</summary>
/// <param name="key">The public half.</param>
/// <param name="sign">Signs bytes by ECDSA over SHA-256 and gives the ASN.1 sequence.</param>
public sealed class CheckpointSigner(CheckpointKey key, Func<byte[], byte[]> sign)
{
    /// <summary>The public half.</summary>
    public CheckpointKey Key => key;

    /// <summary>Signs with a key at hand.</summary>
    /// <param name="origin">The log's name.</param>
    /// <param name="key">On P-256, with its private half. The caller disposes of it, after the signer's last use.</param>
    public static CheckpointSigner Of(string origin, ECDsa key) => new(
        CheckpointKey.Of(origin, key),
        data => key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));

    /// <summary>A signed head of the log as it stands.</summary>
    public SignedCheckpoint Sign(MerkleFrontier frontier) => Sign(frontier.Size, frontier.Root());

    /// <summary>A signed head.</summary>
    /// <param name="size">How many facts it covers.</param>
    /// <param name="root">The root over them.</param>
    public SignedCheckpoint Sign(long size, TreeHash root)
    {
        var head = new Checkpoint(key.Name, size, root);
        return SignedCheckpoint.Of(head, key, sign(Encoding.UTF8.GetBytes(head.Text)));
    }
}

/// <summary>Which key a doubter takes for the log's: its whole text, its fingerprint, or none at all.</summary>
public sealed class KeyTrust
{
    private readonly string? _text;

    private KeyTrust(string? text) => _text = text;

    /// <summary>The doubter brought no key: whatever the file says about its own key has to do, and the report says so.</summary>
    public static KeyTrust Nothing { get; } = new(null);

    /// <summary>Whether a key was brought.</summary>
    public bool Given => _text is not null;

    /// <summary>Reads a public key's text or a fingerprint (<c>sha256:</c> and 64 hexadecimal digits).</summary>
    /// <exception cref="FormatException">It is neither.</exception>
    public static KeyTrust Parse(string text)
    {
        text = text.Trim();
        if (text.StartsWith("sha256:", StringComparison.Ordinal))
        {
            return text.Length == 71 && text[7..].All(char.IsAsciiHexDigit)
                ? new KeyTrust(text.ToLowerInvariant())
                : throw new FormatException("A fingerprint is 'sha256:' and 64 hexadecimal digits.");
        }

        return new KeyTrust(CheckpointKey.Parse(text).Public);
    }

    /// <summary>Whether a key is the one that was brought; true when none was.</summary>
    public bool Accepts(CheckpointKey key) => _text is null || _text == key.Fingerprint || _text == key.Public;
}
