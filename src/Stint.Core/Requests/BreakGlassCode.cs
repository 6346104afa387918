using System.Security.Cryptography;
using System.Text;

namespace Stint.Core.Requests;

/// <summary>A one-time code for an emergency, as it is written on paper: 140 random bits and two letters that find a typing mistake, in six groups of five.</summary>
/// <remarks>The letters are Crockford's base 32, in which no letter can be read as another; capitals, spaces and dashes do not matter.</remarks>
public static class BreakGlassCode
{
    /// <summary>Random bytes that <see cref="Write"/> takes: one for each letter, five bits of each.</summary>
    public const int Letters = 28;

    /// <summary>Longest text that <see cref="Read"/> looks at.</summary>
    public const int MostTyped = 128;

    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
    private const int Group = 5;

    /// <summary>The code that random bytes make, for a person.</summary>
    /// <exception cref="ArgumentException">There are not <see cref="Letters"/> bytes.</exception>
    public static string Write(ReadOnlySpan<byte> random)
    {
        if (random.Length != Letters)
        {
            throw new ArgumentException($"A code is made of {Letters} bytes.", nameof(random));
        }

        Span<char> code = stackalloc char[Letters];
        for (var i = 0; i < Letters; i++)
        {
            code[i] = Alphabet[random[i] & 31];
        }

        var whole = new string(code) + Check(code);
        return string.Join('-', Enumerable.Range(0, whole.Length / Group).Select(i => whole.Substring(i * Group, Group)));
    }

    /// <summary>What somebody typed, as it is hashed: lower case, without dashes and spaces. Null when it cannot be a code: a letter is missing, or one was mistyped.</summary>
    public static string? Read(string? typed)
    {
        if (typed is null || typed.Length > MostTyped)
        {
            return null;
        }

        Span<char> code = stackalloc char[Letters + 2];
        var at = 0;
        foreach (var c in typed)
        {
            if (char.IsWhiteSpace(c) || c == '-')
            {
                continue;
            }

            var letter = char.ToLowerInvariant(c) switch { 'o' => '0', 'i' or 'l' => '1', var other => other };
            if (at == code.Length || !Alphabet.Contains(letter, StringComparison.Ordinal))
            {
                return null;
            }

            code[at++] = letter;
        }

        return at == code.Length && Check(code[..Letters]).AsSpan().SequenceEqual(code[Letters..]) ? new string(code) : null;
    }

    /// <summary>What is kept of a code: SHA-256 over the person and the code, so that nobody else's code opens theirs. With 140 random bits a plain hash cannot be searched.</summary>
    /// <param name="person">Whose it is.</param>
    /// <param name="code">As <see cref="Read"/> gives it.</param>
    public static byte[] Hash(SubjectId person, string code) => SHA256.HashData(Encoding.UTF8.GetBytes($"stint break-glass code\n{person.Value}\n{code}"));

    private static string Check(ReadOnlySpan<char> code)
    {
        Span<byte> letters = stackalloc byte[Letters];
        Encoding.ASCII.GetBytes(code, letters);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(letters, hash);
        return $"{Alphabet[hash[0] & 31]}{Alphabet[hash[1] & 31]}";
    }
}
