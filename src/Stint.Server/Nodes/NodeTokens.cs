using System.Net;
using System.Security.Cryptography;
using System.Text;
using Stint.Server.Identity;

namespace Stint.Server.Nodes;

/// <summary>Which gateway node a secret belongs to. Only hashes are kept.</summary>
/// <param name="hashes">SHA-256 of each node's secret, by the node's name.</param>
/// <param name="failuresPerMinute">Wrong secrets that are answered, per address.</param>
/// <param name="time">The clock.</param>
internal sealed class NodeTokens(IReadOnlyDictionary<string, byte[]> hashes, int failuresPerMinute, TimeProvider time)
{
    private readonly RateLimit<IPAddress> _failures = new(failuresPerMinute, time);

    private const int Longest = 128;

    /// <summary>Names of all gateway nodes that may link up.</summary>
    public IReadOnlyCollection<string> Names { get; } = [.. hashes.Keys];

    /// <summary>Counts a wrong secret.</summary>
    /// <returns>How long the address has to wait; null when it is answered.</returns>
    public TimeSpan? Failed(IPAddress address) => _failures.Take(address);

    /// <returns>The node; null when the secret is nobody's.</returns>
    public string? Find(ReadOnlySpan<char> secret)
    {
        if (secret.Length is 0 or > Longest)
        {
            return null;
        }

        Span<byte> text = stackalloc byte[Longest * 3];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text[..Encoding.UTF8.GetBytes(secret, text)], hash);
        string? found = null;

        // NB. All of them, each in constant time: how long it takes says nothing of which one nearly was it.
        foreach (var (name, known) in hashes)
        {
            found = CryptographicOperations.FixedTimeEquals(hash, known) ? name : found;
        }

        return found;
    }
}
