using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Stint.Core.Audit;

/// <summary>A SHA-256 in the log's tree: 32 bytes as a value, so that millions of them cost no objects.</summary>
[StructLayout(LayoutKind.Sequential)]
[SuppressMessage("Performance", "CA1823", Justification = "The four fields are read as bytes.")]
public readonly struct TreeHash : IEquatable<TreeHash>
{
    /// <summary>Its length in bytes.</summary>
    public const int Size = 32;

    private readonly ulong _a;
    private readonly ulong _b;
    private readonly ulong _c;
    private readonly ulong _d;

    /// <summary>Takes 32 bytes.</summary>
    /// <exception cref="FormatException">They are not 32.</exception>
    public static TreeHash Of(ReadOnlySpan<byte> bytes) =>
        bytes.Length == Size ? MemoryMarshal.Read<TreeHash>(bytes) : throw new FormatException($"A hash has {Size} bytes, not {bytes.Length}.");

    /// <summary>Reads base64, the one way of writing it: padding and unused bits as they must be. False for anything else.</summary>
    public static bool TryParse(ReadOnlySpan<char> base64, out TreeHash hash)
    {
        Span<byte> bytes = stackalloc byte[Size];
        hash = default;
        if (base64.Length != 44 || !Convert.TryFromBase64Chars(base64, bytes, out var written) || written != Size)
        {
            return false;
        }

        hash = Of(bytes);
        Span<char> again = stackalloc char[44];
        return Convert.TryToBase64Chars(bytes, again, out _) && base64.SequenceEqual(again);
    }

    /// <summary>Its bytes, in place.</summary>
    [UnscopedRef]
    public ReadOnlySpan<byte> AsSpan() => MemoryMarshal.AsBytes(new ReadOnlySpan<TreeHash>(in this));

    /// <summary>A copy of its bytes.</summary>
    public byte[] ToArray() => AsSpan().ToArray();

    /// <inheritdoc/>
    public bool Equals(TreeHash other) => _a == other._a && _b == other._b && _c == other._c && _d == other._d;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is TreeHash other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _a.GetHashCode();

    /// <summary>Base64, 44 characters.</summary>
    public override string ToString() => Convert.ToBase64String(AsSpan());

    /// <summary>Writes its base64.</summary>
    /// <param name="output">At least 44 bytes.</param>
    internal void WriteBase64(Span<byte> output) => Base64.EncodeToUtf8(AsSpan(), output, out _, out _);

    public static bool operator ==(TreeHash left, TreeHash right) => left.Equals(right);

    public static bool operator !=(TreeHash left, TreeHash right) => !left.Equals(right);
}
