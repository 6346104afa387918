using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Stint.Core.Audit;

/// <summary>Writes a log as one file of JSON Lines: a header, the signed heads, then every fact with its leaf hash.</summary>
/// <remarks>The heads come first so that one pass over the facts can check them all, and so that a file that was cut off still says how long it should be.</remarks>
/// <param name="output">Where the bytes go. The writer never flushes.</param>
public sealed class ExportWriter(IBufferWriter<byte> output)
{
    /// <summary>What the header calls the form.</summary>
    public const string Format = "stint-log";

    /// <summary>The only version there is.</summary>
    public const int Version = 1;

    /// <summary>The first line.</summary>
    /// <param name="key">The log's key.</param>
    /// <param name="size">How many facts follow.</param>
    public void Header(CheckpointKey key, long size)
    {
        output.Write(CanonicalJson.Bytes(new JsonObject
        {
            ["format"] = Format,
            ["key"] = key.Public,
            ["origin"] = key.Name,
            ["size"] = size,
            ["version"] = Version,
        }));
        output.Write("\n"u8);
    }

    /// <summary>A signed head. All of them come before the first fact; the largest has the size that the header says.</summary>
    public void Head(SignedCheckpoint head)
    {
        output.Write("{\"head\":"u8);
        CanonicalJson.WriteText(output, head.Note);
        output.Write("}\n"u8);
    }

    /// <summary>A fact, in the order of the log.</summary>
    /// <param name="body">Its body as it is stored.</param>
    /// <param name="leafHash">Its leaf hash as it is stored, 32 bytes.</param>
    /// <exception cref="FormatException">The hash has another length, or the body holds a line's end: what is stored is damaged, verify the store itself.</exception>
    public void Fact(ReadOnlySpan<char> body, ReadOnlySpan<byte> leafHash)
    {
        if (body.Contains('\n'))
        {
            throw new FormatException("A stored fact holds a line's end, which no fact does: verify the store itself.");
        }

        output.Write("{\"fact\":"u8);
        var text = output.GetSpan(Encoding.UTF8.GetMaxByteCount(body.Length));
        output.Advance(Encoding.UTF8.GetBytes(body, text));
        output.Write(",\"hash\":\""u8);
        TreeHash.Of(leafHash).WriteBase64(output.GetSpan(44));
        output.Advance(44);
        output.Write("\"}\n"u8);
    }
}

/// <summary>What the verification of an export found.</summary>
/// <param name="Log">The log itself.</param>
/// <param name="Key">The key that the file names as the log's; null when it could not be read.</param>
/// <param name="KeyBrought">Whether the doubter brought that key. When not, the file vouches for itself only.</param>
public sealed record ExportReport(LogReport Log, CheckpointKey? Key, bool KeyBrought);

/// <summary>Checks an exported log with nothing but the file, the key and, if there is one, a head from earlier.</summary>
public static class ExportVerifier
{
    private const int MaxLine = (2 * Fact.MaxBodyBytes) + 1024;

    /// <summary>Reads a file to its end and verifies it.</summary>
    /// <param name="export">The file. Read once, forwards; not closed.</param>
    /// <param name="trust">The key that the doubter takes for the log's.</param>
    /// <param name="brought">A head that they kept from earlier; null for none.</param>
    /// <exception cref="IOException">Reading failed.</exception>
    public static ExportReport Verify(Stream export, KeyTrust trust, SignedCheckpoint? brought = null)
    {
        using var lines = new LineReader(export, MaxLine);
        CheckpointKey? key = null;
        try
        {
            if (!lines.Next(out var line))
            {
                return Broken(null, trust, "The file is empty.");
            }

            (key, var size) = ReadHeader(line);
            if (!trust.Accepts(key))
            {
                return Broken(key, trust, $"The file is signed by {key.Public}, which is not the key that you brought.");
            }

            var heads = new List<SignedCheckpoint>();
            var more = lines.Next(out line);
            for (; more && line.StartsWith("{\"head\":"u8); more = lines.Next(out line))
            {
                heads.Add(ReadHead(line, key));
            }

            if (heads.Count == 0 || heads.Max(head => head.Head.Size) != size)
            {
                return Broken(key, trust, "The heads in the file do not reach the size that its first line says.");
            }

            var verifier = new LogVerifier(key, heads, brought);
            try
            {
                for (; more; more = lines.Next(out line))
                {
                    AddFact(verifier, line);
                }
            }
            catch (FormatException bad)
            {
                verifier.Unreadable(bad.Message);
            }

            return new ExportReport(verifier.Finish(), key, trust.Given);
        }
        catch (FormatException bad)
        {
            return Broken(key, trust, $"Line {lines.Number} of the file cannot be read: {bad.Message}");
        }
    }

    private static void AddFact(LogVerifier verifier, ReadOnlySpan<byte> line)
    {
        ReadOnlySpan<byte> before = "{\"fact\":"u8;
        ReadOnlySpan<byte> between = ",\"hash\":\""u8;
        var hashAt = line.Length - 46;
        var bodyEnd = hashAt - between.Length;
        if (bodyEnd < before.Length || !line.StartsWith(before) || !line.EndsWith("\"}"u8) || !line[bodyEnd..hashAt].SequenceEqual(between))
        {
            verifier.Unreadable("its line in the file does not hold a fact and its hash");
            return;
        }

        var body = line[before.Length..bodyEnd];
        Span<char> base64 = stackalloc char[44];
        Encoding.Latin1.GetChars(line.Slice(hashAt, 44), base64);
        var hash = TreeHash.TryParse(base64, out var read) ? read.AsSpan() : default;
        verifier.AddInOrder(body, hash);
    }

    private static (CheckpointKey Key, long Size) ReadHeader(ReadOnlySpan<byte> line)
    {
        var header = CanonicalJson.Read(line.ToArray());
        if (header.ValueKind != JsonValueKind.Object
            || !header.TryGetProperty("format", out var format) || format.ValueKind != JsonValueKind.String || format.GetString() != ExportWriter.Format)
        {
            throw new FormatException("it is not the first line of an exported log.");
        }

        if (!header.TryGetProperty("version", out var version) || version.ValueKind != JsonValueKind.Number || version.GetInt64() != ExportWriter.Version)
        {
            throw new FormatException($"this export has a version that this program does not know; it knows {ExportWriter.Version}.");
        }

        if (header.GetPropertyCount() != 5
            || !header.TryGetProperty("key", out var text) || text.ValueKind != JsonValueKind.String
            || !header.TryGetProperty("origin", out var origin) || origin.ValueKind != JsonValueKind.String
            || !header.TryGetProperty("size", out var size) || size.ValueKind != JsonValueKind.Number)
        {
            throw new FormatException("it has exactly format, key, origin, size and version.");
        }

        var key = CheckpointKey.Parse(text.GetString()!);
        return key.Name == origin.GetString() ? (key, size.GetInt64()) : throw new FormatException("the key is not that of the origin.");
    }

    private static SignedCheckpoint ReadHead(ReadOnlySpan<byte> line, CheckpointKey key)
    {
        var head = CanonicalJson.Read(line.ToArray());
        if (head.ValueKind != JsonValueKind.Object || head.GetPropertyCount() != 1
            || !head.TryGetProperty("head", out var note) || note.ValueKind != JsonValueKind.String)
        {
            throw new FormatException("it has exactly a head.");
        }

        // NB. Lines of unknown keys are to be passed over, so a change in one would pass unseen: an export has none.
        var read = SignedCheckpoint.Parse(note.GetString()!);
        return read.Signatures.Count == 1 ? read : throw new FormatException($"a head in an export is signed by {key.Name} alone.");
    }

    private static ExportReport Broken(CheckpointKey? key, KeyTrust trust, string sentence) => new(
        new LogReport { Facts = 0, Covered = 0, Head = null, LeftOff = 0, Findings = [new LogFinding(LogFault.Malformed, null, null, null, null, sentence)] },
        key,
        trust.Given);
}
