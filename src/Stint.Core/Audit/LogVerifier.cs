using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Stint.Core.Audit;

/// <summary>Reads a log once, from its first fact to its last, and names what was changed, dropped, doubled, moved, cut off or slipped in.</summary>
/// <remarks>
/// Three things are held against each other: a body, the leaf hash stored beside it (and in a tile), and the signed
/// heads. Whoever changed a body alone is named exactly. Whoever also changed every stored hash of it is found by the
/// next signed head, and named as one of the facts since the head before.
/// </remarks>
public sealed class LogVerifier
{
    /// <summary>Most findings that are kept; the rest are counted.</summary>
    public const int MaxFindings = 100;

    private static readonly string[] Subjects = ["request", "grant", "session", "assignment", "catalog", "node"];

    private readonly List<(SignedCheckpoint Signed, bool Brought)> _heads = [];
    private readonly bool _allowTail;
    private readonly MerkleFrontier _tree = new();
    private readonly TreeHash[] _newest = new TreeHash[Tile.Width];
    private readonly LogBatch _batch = new();
    private long _size;
    private readonly List<LogFinding> _findings = [];
    private readonly List<Gap> _gaps = [];
    private int _nextHead;
    private long _covered;
    private SignedCheckpoint? _head;
    private long _expected;
    private long _read;
    private long _leftOff;
    private bool _broken;
    private long _unreadable = -1;
    private (string? Kind, string? About) _firstBehind;

    /// <summary>Starts before the first fact.</summary>
    /// <param name="key">The log's key.</param>
    /// <param name="heads">The heads that come with the log, in any order. Signatures are checked here.</param>
    /// <param name="brought">A head that the doubter kept from earlier; null for none. What it covered must still be there.</param>
    /// <param name="allowTail">Whether facts behind the newest head are in order: they are, in a log that is being written.</param>
    public LogVerifier(CheckpointKey key, IEnumerable<SignedCheckpoint> heads, SignedCheckpoint? brought = null, bool allowTail = false)
    {
        _allowTail = allowTail;
        var all = heads.Select(head => (head, false)).ToList();
        if (brought is not null)
        {
            all.Add((brought, true));
        }

        foreach (var (head, isBrought) in all)
        {
            if (key.Refusal(head) is { } why)
            {
                Find(LogFault.HeadNotSigned, null, null, default, $"{Capital(Name(head, isBrought))} does not count: {why}.");
            }
            else
            {
                _heads.Add((head, isBrought));
            }
        }

        _heads.Sort((a, b) => a.Signed.Head.Size.CompareTo(b.Signed.Head.Size));
        CheckHeads();
    }

    /// <summary>Takes the next fact, in the order in which they are stored.</summary>
    /// <param name="seq">The place that it is stored under.</param>
    /// <param name="body">Its body, UTF-8.</param>
    /// <param name="storedHash">The leaf hash that is stored beside it.</param>
    public void Add(long seq, ReadOnlySpan<byte> body, ReadOnlySpan<byte> storedHash) => Hold(seq, body, storedHash);

    /// <summary>Takes the next fact of a file, which has no place but the one that its body says: that one is believed only when the hash beside it fits.</summary>
    internal void AddInOrder(ReadOnlySpan<byte> body, ReadOnlySpan<byte> storedHash) => Hold(null, body, storedHash);

    private void Hold(long? stored, ReadOnlySpan<byte> body, ReadOnlySpan<byte> storedHash)
    {
        _batch.Add(stored, body, storedHash);
        if (_batch.IsFull)
        {
            TakeHeld();
        }
    }

    /// <summary>Looks at what was held back to be hashed together. What it finds is the same as one by one, in the same order.</summary>
    private void TakeHeld()
    {
        _batch.Hash();
        for (var i = 0; i < _batch.Count; i++)
        {
            Take(_batch.SeqOf(i), _batch.BodyOf(i), _batch.StoredOf(i), _batch.LeafOf(i));
        }

        _batch.Clear();
    }

    private void Take(long? stored, ReadOnlySpan<byte> body, ReadOnlySpan<byte> storedHash, TreeHash leaf)
    {
        _read++;
        var hashFits = leaf.AsSpan().SequenceEqual(storedHash);
        var place = PlaceIn(body);
        var seq = stored ?? (hashFits && place is { } said ? said : _expected);
        if (!hashFits)
        {
            Find(LogFault.Changed, seq, seq, Describe(body), "it is not what was hashed when it was written");
        }
        else if (place is null)
        {
            Find(LogFault.Malformed, seq, seq, default, "it is not the body of a fact");
        }
        else if (place != seq)
        {
            Find(LogFault.Reordered, seq, seq, Describe(body), Say($"what stands in place {seq} was written as fact {place}"));
        }

        if (seq != _expected)
        {
            if (seq < _expected)
            {
                Late(seq, body);
                return;
            }

            var first = _unreadable == _expected ? _expected + 1 : _expected;
            if (first < seq)
            {
                _gaps.Add(new Gap(first, seq - 1, seq, _findings.Count));
            }

            _broken = true;
        }

        _expected = seq + 1;

        // NB. Where only the body was changed, its stored hash still fits the heads: going on with that one tells this
        // fault apart from others behind it.
        Append(hashFits || storedHash.Length != TreeHash.Size ? leaf : TreeHash.Of(storedHash), body);
    }

    /// <summary>Holds a stored tile of level 0 against the hashes just read. Call it right after its last fact; it is a second witness that names a fact whose body and hash were both changed.</summary>
    /// <param name="index">The tile's number.</param>
    /// <param name="hashes">What is stored.</param>
    public void CheckTile(long index, ReadOnlySpan<byte> hashes)
    {
        TakeHeld();
        if (_broken || _size != (index + 1) * Tile.Width)
        {
            return;
        }

        if (hashes.Length != Tile.Width * TreeHash.Size)
        {
            Find(LogFault.Malformed, index * Tile.Width, _expected - 1, default, "the stored tile with their hashes is damaged");
            return;
        }

        var stored = MemoryMarshal.Cast<byte, TreeHash>(hashes);
        for (var i = 0; i < Tile.Width; i++)
        {
            if (stored[i] != _newest[i])
            {
                var seq = (index * Tile.Width) + i;
                Find(LogFault.Changed, seq, seq, default, "its stored hash is another than the tree's tile has");
            }
        }
    }

    /// <summary>Where the next fact should stand there is something that cannot be read.</summary>
    internal void Unreadable(string why)
    {
        TakeHeld();
        _broken = true;
        if (_unreadable != _expected)
        {
            _unreadable = _expected;
            Find(LogFault.Malformed, _expected, _expected, default, why);
        }
    }

    /// <summary>Says that no more facts come.</summary>
    public LogReport Finish()
    {
        TakeHeld();

        // NB. Only now is it known which of the skipped facts never came.
        for (var i = _gaps.Count - 1; i >= 0; i--)
        {
            var (first, last, _, at) = _gaps[i];
            _findings.Insert(Math.Min(at, _findings.Count), Build(LogFault.Dropped, first, last, default, first == last ? "it is missing" : "they are missing"));
        }

        var largest = _heads.Count > 0 ? _heads[^1] : default;
        if (largest.Signed is null)
        {
            Find(LogFault.NoHead, null, null, default, "The log has no signed head that counts, so nothing says that these facts are the ones that were written.");
        }
        else if (_expected < largest.Signed.Head.Size)
        {
            var size = largest.Signed.Head.Size;
            Find(LogFault.Truncated, _expected, size - 1, default,
                Say($"{Name(largest.Signed, largest.Brought)} covers {size} facts, and the log ends before fact {_expected}"));
        }
        else if (_expected > largest.Signed.Head.Size && !_allowTail)
        {
            var size = largest.Signed.Head.Size;
            Find(LogFault.AfterHead, size, _expected - 1, _firstBehind, Say($"the newest signed head covers only {size} facts"));
        }

        var kept = _findings.Take(MaxFindings).ToList();
        return new LogReport { Facts = _read, Covered = _covered, Head = _head, Findings = kept, LeftOff = _leftOff + _findings.Count - kept.Count };
    }

    private void Append(TreeHash leaf, ReadOnlySpan<byte> body)
    {
        if (_heads.Count > 0 && _expected - 1 == _heads[^1].Signed.Head.Size)
        {
            _firstBehind = Describe(body);
        }

        if (!_broken)
        {
            _newest[_size % Tile.Width] = leaf;
            _size++;
            if (_size % Tile.Width == 0)
            {
                Fold();
            }

            CheckHeads();
        }
    }

    /// <summary>Brings the tree up to the facts that were taken: a whole tile by its root, which is hashed level by level, or what is there of one leaf by leaf.</summary>
    private void Fold()
    {
        if (_size - _tree.Size == Tile.Width)
        {
            _tree.AppendWhole(TileBuilder.Root(MemoryMarshal.AsBytes<TreeHash>(_newest)), Tile.Width);
            return;
        }

        while (_tree.Size < _size)
        {
            _tree.Append(_newest[_tree.Size % Tile.Width]);
        }
    }

    private void CheckHeads()
    {
        while (!_broken && _nextHead < _heads.Count && _heads[_nextHead].Signed.Head.Size == _size)
        {
            Fold();
            var (signed, brought) = _heads[_nextHead++];
            if (signed.Head.Root != _tree.Root())
            {
                _broken = true;
                var last = Math.Max(_covered, _size - 1);
                Find(LogFault.HeadDiffers, Math.Min(_covered, last), last, default,
                    Say($"together they do not have the root that {Name(signed, brought)} was signed over, so at least one was changed along with its stored hash"));
                return;
            }

            (_covered, _head) = (_size, signed);
        }
    }

    private void Late(long seq, ReadOnlySpan<byte> body)
    {
        _broken = true;
        var at = _gaps.FindIndex(gap => gap.First <= seq && seq <= gap.Last);
        if (at < 0)
        {
            Find(LogFault.Duplicated, seq, seq, Describe(body), "it stands in the log a second time");
            return;
        }

        var gap = _gaps[at];
        if (gap.Jumped is { } jumped)
        {
            Find(LogFault.Reordered, jumped, jumped, default, "it stands in front of facts that were written before it");
        }

        Find(LogFault.Reordered, seq, seq, Describe(body), "it stands behind facts that were written after it");
        _gaps.RemoveAt(at);
        _gaps.InsertRange(at, new[] { gap with { Last = seq - 1, Jumped = null }, gap with { First = seq + 1, Jumped = null } }.Where(rest => rest.First <= rest.Last));
    }

    private void Find(LogFault fault, long? first, long? last, (string? Kind, string? About) what, string why) => Keep(Build(fault, first, last, what, why));

    private void Keep(LogFinding finding)
    {
        if (_findings.Count < MaxFindings)
        {
            _findings.Add(finding);
        }
        else
        {
            _leftOff++;
        }
    }

    private static LogFinding Build(LogFault fault, long? first, long? last, (string? Kind, string? About) what, string why)
    {
        if (first is null)
        {
            return new LogFinding(fault, null, null, null, null, why);
        }

        var detail = string.Join(", ", new[] { what.Kind, what.About }.Where(part => part is not null));
        var name = first == last ? Say($"Fact {first}") : Say($"Facts {first} to {last}");
        return new LogFinding(fault, first, last, what.Kind, what.About, $"{name}{(detail.Length > 0 ? $" ({detail})" : "")}: {why}.");
    }

    private static string Name(SignedCheckpoint signed, bool brought) =>
        brought ? Say($"the head that you brought (size {signed.Head.Size})") : Say($"the head of size {signed.Head.Size}");

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];

    /// <summary>The place that a body says it has. It comes last in a body, so that it can be read without parsing.</summary>
    private static long? PlaceIn(ReadOnlySpan<byte> body)
    {
        ReadOnlySpan<byte> label = ",\"seq\":"u8;
        if (body.Length < label.Length + 2 || body[^1] != (byte)'}')
        {
            return null;
        }

        var digits = body[..^1];
        var from = digits.Length;
        while (from > 0 && char.IsAsciiDigit((char)digits[from - 1]))
        {
            from--;
        }

        return digits[..from].EndsWith(label)
            && long.TryParse(digits[from..], NumberStyles.None, CultureInfo.InvariantCulture, out var place)
            && (digits[from] != (byte)'0' || from == digits.Length - 1)
            ? place
            : null;
    }

    private static (string? Kind, string? About) Describe(ReadOnlySpan<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body.ToArray());
            var root = document.RootElement;
            var kind = root.GetProperty("kind").GetString();
            var fields = root.GetProperty("fields");
            foreach (var subject in Subjects)
            {
                if (fields.TryGetProperty(subject, out var value) && value.ValueKind == JsonValueKind.String)
                {
                    return (kind is null ? null : EvidencePhrases.Plain(kind), $"{subject} {EvidencePhrases.Plain(value.GetString()!)}");
                }
            }

            return (kind is null ? null : EvidencePhrases.Plain(kind), null);
        }
        catch (Exception unreadable) when (unreadable is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return default;
        }
    }

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    /// <summary>Places that were skipped.</summary>
    /// <param name="First">The first.</param>
    /// <param name="Last">The last.</param>
    /// <param name="Jumped">The fact that came instead, until it is named; null after.</param>
    /// <param name="At">How many findings there were before.</param>
    private readonly record struct Gap(long First, long Last, long? Jumped, int At);
}
