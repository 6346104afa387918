using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Stint.Server.Api;

/// <summary>Where a search goes on, for the asker an opaque word. It holds for the search that it came of, and is no secret.</summary>
/// <param name="Limit">Most results of each part.</param>
/// <param name="After">The last name that was given out.</param>
internal sealed record SearchToken(int Limit, string After)
{
    /// <summary>Most characters of one.</summary>
    private const int Longest = 1_024;

    /// <summary>Writes it.</summary>
    /// <param name="search">Everything that the search asks.</param>
    public string Write(params ReadOnlySpan<string> search) =>
        Base64Url.EncodeToString(Encoding.UTF8.GetBytes($"{Limit.ToString(CultureInfo.InvariantCulture)} {Mark(search)} {After}"));

    /// <summary>Reads it; null when it is none, or one of another search.</summary>
    public static SearchToken? Read(string token, params ReadOnlySpan<string> search)
    {
        var bytes = new byte[Longest];
        return token.Length <= Longest
            && Base64Url.IsValid(token)
            && Base64Url.TryDecodeFromChars(token, bytes, out var length)
            && Encoding.UTF8.GetString(bytes, 0, length).Split(' ', 3) is [var limit, var mark, var after]
            && mark == Mark(search)
            && int.TryParse(limit, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number <= Answers.MostItems
            ? new SearchToken(number, after)
            : null;
    }

    private static string Mark(ReadOnlySpan<string> search)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var part in search)
        {
            hash.AppendData(SHA256.HashData(Encoding.UTF8.GetBytes(part)));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset().AsSpan(0, 8));
    }
}
