using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Stint.Core.Catalog;

/// <summary>From the bytes of files to a source, and from a source to its version.</summary>
public static class CatalogFiles
{
    /// <summary>Most files of one catalog.</summary>
    public const int MaxFiles = 1_000;

    /// <summary>Most characters of all files together.</summary>
    public const int MaxTotal = 16 * 1024 * 1024;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Decodes files: UTF-8, a byte order mark taken off.</summary>
    /// <param name="files">Names below the catalog's folder, with their bytes.</param>
    /// <returns>The files that could be decoded, and a problem for each that could not.</returns>
    public static (CatalogSource Source, IReadOnlyList<CatalogProblem> Problems) Decode(IEnumerable<KeyValuePair<string, byte[]>> files)
    {
        var read = new List<CatalogFile>();
        var problems = new List<CatalogProblem>();
        foreach (var (name, bytes) in files.OrderBy(file => file.Key, StringComparer.Ordinal))
        {
            ReadOnlySpan<byte> body = bytes;
            body = body.StartsWith("\uFEFF"u8) ? body[3..] : body;
            try
            {
                read.Add(new CatalogFile(name, Strict.GetString(body)));
            }
            catch (DecoderFallbackException trouble)
            {
                var before = body[..Math.Clamp(trouble.Index, 0, body.Length)];
                var line = before.Count((byte)'\n') + 1;
                problems.Add(new CatalogProblem(name, line, before.Length - before.LastIndexOf((byte)'\n'), "the file is not UTF-8", "save it as UTF-8"));
            }
        }

        return (new CatalogSource(read), problems);
    }

    /// <summary>What is wrong with the names of files that did not come from a folder: each once, below the folder, and one that a person can read.</summary>
    public static IReadOnlyList<CatalogProblem> CheckNames(CatalogSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        var problems = new List<CatalogProblem>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in source.Files.Select(file => file.Name))
        {
            var known = Words.Short(name);
            if (name.Length is 0 or > 255 || !Words.IsShowable(name, newLines: false) || name.Contains('\\', StringComparison.Ordinal)
                || name.Split('/').Any(part => part.Length == 0 || part.StartsWith('.'))
                || !(name.EndsWith(".yaml", StringComparison.Ordinal) || name.EndsWith(".yml", StringComparison.Ordinal)))
            {
                problems.Add(new CatalogProblem("", 0, 0, $"'{known}' cannot name a file of a catalog", "write its path below the folder with forward slashes, ending in .yaml or .yml, without hidden parts"));
            }
            else if (!seen.Add(name))
            {
                problems.Add(new CatalogProblem("", 0, 0, $"the file '{known}' stands twice", "send each once"));
            }
        }

        return problems;
    }

    /// <summary>SHA-256, in lower-case hexadecimal, over the canonical form of the files.</summary>
    /// <remarks>
    /// Canonical: the line <c>stint-catalog-v1</c> and a new line; then, in the ordinal order of the names, each file's name
    /// and its text, both as UTF-8 behind their length in bytes (8 bytes, big-endian), line ends as a bare new line.
    /// </remarks>
    public static string Version(CatalogSource source)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData("stint-catalog-v1\n"u8);
        Span<byte> length = stackalloc byte[8];
        foreach (var file in source.Files.OrderBy(file => file.Name, StringComparer.Ordinal))
        {
            foreach (var part in (ReadOnlySpan<string>)[file.Name, file.Text.Replace("\r\n", "\n", StringComparison.Ordinal)])
            {
                var bytes = Encoding.UTF8.GetBytes(part);
                BinaryPrimitives.WriteInt64BigEndian(length, bytes.Length);
                hash.AppendData(length);
                hash.AppendData(bytes);
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
