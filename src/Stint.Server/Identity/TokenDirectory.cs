using System.Collections.Frozen;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Stint.Core.Catalog;
using Stint.Server.Catalog;

namespace Stint.Server.Identity;

/// <summary>Whose token it is, by the catalog that counts now.</summary>
internal sealed class TokenDirectory(CurrentCatalog catalog)
{
    private Index? _index;

    /// <returns>The person; null when the token is nobody's, or its person is disabled.</returns>
    public Person? Find(ReadOnlySpan<char> token)
    {
        if (token.Length is 0 or > Secrets.Longest)
        {
            return null;
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Secrets.Hash(token, hash);

        // NB. Finding by the hash tells an observer of time at most something about a hash, which they cannot choose
        // without the token; the whole of it is then compared in constant time.
        if (!Current().ByHash.TryGetValue(new Digest(hash), out var found) || !CryptographicOperations.FixedTimeEquals(hash, found.Hash))
        {
            return null;
        }

        return found.Person.Disabled ? null : found.Person;
    }

    private Index Current()
    {
        var now = catalog.Now;
        var index = Volatile.Read(ref _index);
        if (index is null || !ReferenceEquals(index.Of, now))
        {
            index = new Index(now);
            Volatile.Write(ref _index, index);
        }

        return index;
    }

    private readonly record struct Digest(UInt128 High, UInt128 Low)
    {
        public Digest(ReadOnlySpan<byte> hash)
            : this(MemoryMarshal.Read<UInt128>(hash), MemoryMarshal.Read<UInt128>(hash[16..]))
        {
        }
    }

    private sealed class Index(LoadedCatalog of)
    {
        public LoadedCatalog Of { get; } = of;

        public FrozenDictionary<Digest, (byte[] Hash, Person Person)> ByHash { get; } = of.People.Values
            .SelectMany(person => person.TokenHashes.Select(hash => (hash, person)))
            .Where(pair => pair.hash.Length == SHA256.HashSizeInBytes)
            .GroupBy(pair => new Digest(pair.hash))
            // NB. One token of two persons proves neither.
            .Where(group => group.Select(pair => pair.person.Id).Distinct().Count() == 1)
            .ToFrozenDictionary(group => group.Key, group => group.First());
    }
}
