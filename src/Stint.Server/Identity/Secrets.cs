using System.Security.Cryptography;
using System.Text;

namespace Stint.Server.Identity;

/// <summary>How secrets of ours are kept: as their SHA-256. They have 256 random bits, so that nothing slower is needed.</summary>
internal static class Secrets
{
    /// <summary>Longest that is worth hashing.</summary>
    public const int Longest = 128;

    public static byte[] HashOf(string secret) => SHA256.HashData(Encoding.UTF8.GetBytes(secret));

    /// <summary>The same of a text of at most <see cref="Longest"/> characters, without a garbage to collect: every call comes by here.</summary>
    /// <param name="secret">The text.</param>
    /// <param name="hash">32 bytes to write to.</param>
    public static void Hash(ReadOnlySpan<char> secret, Span<byte> hash)
    {
        Span<byte> text = stackalloc byte[Longest * 3];
        SHA256.HashData(text[..Encoding.UTF8.GetBytes(secret, text)], hash);
    }

    /// <summary>Whether a text may be a secret that begins so.</summary>
    public static bool MayBe(string text, string prefix) => text.Length <= Longest && text.StartsWith(prefix, StringComparison.Ordinal);
}
