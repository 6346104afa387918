using System.Globalization;
using System.Text;

namespace Stint.Core.Audit;

/// <summary>A head of the log: how many facts it has, and the root over them (C2SP tlog-checkpoint).</summary>
public sealed record Checkpoint
{
    /// <summary>A head without extension lines.</summary>
    /// <param name="origin">Which log: a URL without a scheme, such as <c>stint.example.com/log</c>.</param>
    /// <param name="size">How many facts it covers.</param>
    /// <param name="root">The root over them.</param>
    /// <exception cref="FormatException">The origin is empty or holds a space, a plus sign or a control character.</exception>
    public Checkpoint(string origin, long size, TreeHash root)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(size);
        CheckpointKey.EnsureName(origin);
        (Origin, Size, Root) = (origin, size, root);
    }

    public string Origin { get; }

    public long Size { get; }

    public TreeHash Root { get; }

    /// <summary>Lines that others may have added; Stint writes none.</summary>
    public IReadOnlyList<string> Extensions { get; private init; } = [];

    /// <summary>What is signed: its lines, each with its end.</summary>
    public string Text => string.Concat(
        string.Create(CultureInfo.InvariantCulture, $"{Origin}\n{Size}\n{Root}\n"),
        string.Concat(Extensions.Select(line => line + "\n")));

    /// <summary>Reads the text above the signatures.</summary>
    /// <exception cref="FormatException">It is not a checkpoint; the message says which line is wrong.</exception>
    internal static Checkpoint Parse(string text)
    {
        var lines = text.Split('\n');
        if (lines.Length < 4 || lines[^1].Length > 0 || lines[..^1].Any(line => line.Length == 0))
        {
            throw new FormatException("A log's head has at least three lines, none of them empty.");
        }

        if (!long.TryParse(lines[1], NumberStyles.None, CultureInfo.InvariantCulture, out var size)
            || lines[1] != size.ToString(CultureInfo.InvariantCulture))
        {
            throw new FormatException("The second line of a log's head is its size.");
        }

        if (!TreeHash.TryParse(lines[2], out var root))
        {
            throw new FormatException("The third line of a log's head is its root hash in base64.");
        }

        return new Checkpoint(lines[0], size, root) { Extensions = lines[3..^1] };
    }
}

/// <summary>One signature line of a note.</summary>
/// <param name="Name">The key's name.</param>
/// <param name="KeyId">The key's short number.</param>
/// <param name="Signature">What the key signed.</param>
public sealed record NoteSignature(string Name, uint KeyId, byte[] Signature);

/// <summary>A head with its signatures (C2SP signed-note).</summary>
public sealed record SignedCheckpoint
{
    /// <summary>Most signature lines that are read.</summary>
    public const int MaxSignatures = 32;

    /// <summary>Most characters of a note that are read.</summary>
    public const int MaxLength = 64 * 1024;

    private const string Dash = "\u2014 ";

    private SignedCheckpoint(string note, Checkpoint head, IReadOnlyList<NoteSignature> signatures) =>
        (Note, Head, Signatures) = (note, head, signatures);

    /// <summary>The whole note, as it is stored and sent.</summary>
    public string Note { get; }

    /// <summary>What it says. Believe it only after <see cref="CheckpointKey.Refusal"/> had nothing to say.</summary>
    public Checkpoint Head { get; }

    /// <summary>At least one.</summary>
    public IReadOnlyList<NoteSignature> Signatures { get; }

    /// <summary>Reads a note. Checks its form, not its signatures.</summary>
    /// <exception cref="FormatException">It is not a signed head; the message says why.</exception>
    public static SignedCheckpoint Parse(string note)
    {
        if (note.Length > MaxLength)
        {
            throw new FormatException("This signed head is too long.");
        }

        if (note.Any(code => code is < ' ' and not '\n'))
        {
            throw new FormatException("A signed head holds no control characters.");
        }

        var blank = note.LastIndexOf("\n\n", StringComparison.Ordinal);
        if (blank < 0 || note[^1] != '\n')
        {
            throw new FormatException("A signed head is a text, an empty line, and signature lines.");
        }

        var lines = note[(blank + 2)..].Split('\n')[..^1];
        if (lines.Length is 0 or > MaxSignatures)
        {
            throw new FormatException($"A signed head has 1 to {MaxSignatures} signature lines.");
        }

        return new SignedCheckpoint(note, Checkpoint.Parse(note[..(blank + 1)]), [.. lines.Select(ParseLine)]);
    }

    internal static SignedCheckpoint Of(Checkpoint head, CheckpointKey key, byte[] signature)
    {
        var note = $"{head.Text}\n{Dash}{key.Name} {Convert.ToBase64String([.. Bytes(key.Id), .. signature])}\n";
        return new SignedCheckpoint(note, head, [new NoteSignature(key.Name, key.Id, signature)]);
    }

    private static NoteSignature ParseLine(string line)
    {
        var parts = line.Split(' ');
        if (!line.StartsWith(Dash, StringComparison.Ordinal) || parts.Length != 3 || parts[1].Length == 0
            || CheckpointKey.FromBase64(parts[2]) is not { Length: > 4 } bytes)
        {
            throw new FormatException("A signature line is a dash, the key's name, and base64.");
        }

        return new NoteSignature(parts[1], System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes), bytes[4..]);
    }

    private static byte[] Bytes(uint id)
    {
        var bytes = new byte[4];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(bytes, id);
        return bytes;
    }

    /// <summary>The bytes that are signed.</summary>
    internal byte[] Signed() => Encoding.UTF8.GetBytes(Head.Text);
}
