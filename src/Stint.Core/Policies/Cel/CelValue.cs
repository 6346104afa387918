using System.Runtime.CompilerServices;

// These are the words of the language.
#pragma warning disable CA1720

namespace Stint.Core.Policies.Cel;

/// <summary>What a value of the language is.</summary>
public enum CelKind : byte
{
    /// <summary>Nobody has filled this slot yet; never the outcome of an evaluation.</summary>
    Unfilled,

    /// <summary>Known not to be there: reading it is an error, <c>has()</c> says false.</summary>
    Absent,

    /// <summary>Evaluating failed; the value is a <see cref="CelError"/>.</summary>
    Failure,

    /// <summary><c>null</c>.</summary>
    Null,

    /// <summary><c>true</c> or <c>false</c>.</summary>
    Truth,

    /// <summary><c>int</c>: 64 bits, signed.</summary>
    Signed,

    /// <summary><c>uint</c>: 64 bits, unsigned.</summary>
    Unsigned,

    /// <summary><c>double</c>.</summary>
    Floating,

    /// <summary><c>string</c>, counted in code points.</summary>
    Text,

    /// <summary><c>bytes</c>.</summary>
    Bytes,

    /// <summary><c>list</c>.</summary>
    List,

    /// <summary><c>map</c>.</summary>
    Map,

    /// <summary>A moment between the years 1 and 9999, in nanoseconds.</summary>
    Timestamp,

    /// <summary>A length of time in nanoseconds, up to 292 years.</summary>
    Duration,

    /// <summary>A type as a value, as <c>type(1)</c> gives it.</summary>
    Kind,

    /// <summary>A value that may be missing.</summary>
    Optional,

    /// <summary>A named shape with typed fields.</summary>
    Record,

    /// <summary>An IPv4 or IPv6 address.</summary>
    Address,

    /// <summary>An IPv4 or IPv6 network.</summary>
    Network,
}

/// <summary>One value of the language. Making one from a .NET value allocates nothing, except where said otherwise.</summary>
public readonly struct CelValue : IEquatable<CelValue>
{
    internal readonly object? Ref;
    internal readonly long Bits;
    internal readonly int Nanos;

    internal CelValue(CelKind kind, long bits, object? reference = null, int nanos = 0)
    {
        Kind = kind;
        Bits = bits;
        Ref = reference;
        Nanos = nanos;
    }

    /// <summary>What it is.</summary>
    public CelKind Kind { get; }

    /// <summary><c>null</c>.</summary>
    public static CelValue Null => new(CelKind.Null, 0);

    /// <summary>For a slot whose thing is known not to be there.</summary>
    public static CelValue Absent => new(CelKind.Absent, 0);

    /// <summary><c>true</c>.</summary>
    public static CelValue True => new(CelKind.Truth, 1);

    /// <summary><c>false</c>.</summary>
    public static CelValue False => new(CelKind.Truth, 0);

    /// <summary>A <c>bool</c>.</summary>
    public static CelValue From(bool value) => new(CelKind.Truth, value ? 1 : 0);

    /// <summary>An <c>int</c>.</summary>
    public static CelValue From(long value) => new(CelKind.Signed, value);

    /// <summary>A <c>uint</c>.</summary>
    public static CelValue From(ulong value) => new(CelKind.Unsigned, unchecked((long)value));

    /// <summary>A <c>double</c>.</summary>
    public static CelValue From(double value) => new(CelKind.Floating, BitConverter.DoubleToInt64Bits(value));

    /// <summary>A <c>string</c>; null becomes <see cref="Absent"/>.</summary>
    public static CelValue From(string? value) => value is null ? Absent : new(CelKind.Text, 0, value);

    /// <summary><c>bytes</c>; the array must not change afterwards.</summary>
    public static CelValue From(byte[] value) => new(CelKind.Bytes, 0, value);

    /// <summary>A <c>list</c>.</summary>
    public static CelValue From(CelList value) => new(CelKind.List, 0, value);

    /// <summary>A <c>map</c>.</summary>
    public static CelValue From(CelMap value) => new(CelKind.Map, 0, value);

    /// <summary>A <c>duration</c>, at .NET's 100 nanoseconds. Beyond 292 years it is cut to that.</summary>
    public static CelValue From(TimeSpan value)
    {
        var nanos = (Int128)value.Ticks * 100;
        return Duration((long)Int128.Clamp(nanos, long.MinValue, long.MaxValue));
    }

    /// <summary>A <c>timestamp</c>; its offset does not matter.</summary>
    public static CelValue From(DateTimeOffset value)
    {
        var ticks = value.UtcTicks;
        var seconds = Math.DivRem(ticks, TimeSpan.TicksPerSecond, out var rest);
        return Timestamp(seconds - CelTime.SecondsFromYearOne, (int)rest * 100);
    }

    /// <summary>A value that is there.</summary>
    public static CelValue Some(CelValue value) => new(CelKind.Optional, 0, new Holder(value));

    /// <summary>A value that is not there.</summary>
    public static CelValue None => new(CelKind.Optional, 0);

    internal static CelValue Duration(long nanoseconds) => new(CelKind.Duration, nanoseconds);

    internal static CelValue Timestamp(long seconds, int nanos) => new(CelKind.Timestamp, seconds, null, nanos);

    internal static CelValue Of(CelType type) => new(CelKind.Kind, 0, type);

    internal static CelValue Fail(CelError error) => new(CelKind.Failure, 0, error);

    internal bool IsFailure => Kind == CelKind.Failure;

    internal bool IsTrue => Kind == CelKind.Truth && Bits != 0;

    internal CelError Error => Unsafe.As<CelError>(Ref!);

    internal string String => Unsafe.As<string>(Ref!);

    internal byte[] Octets => Unsafe.As<byte[]>(Ref!);

    internal CelList List => Unsafe.As<CelList>(Ref!);

    internal CelMap Map => Unsafe.As<CelMap>(Ref!);

    internal CelRecord Record => Unsafe.As<CelRecord>(Ref!);

    internal CelType Type => Unsafe.As<CelType>(Ref!);

    internal ulong Unsigned => unchecked((ulong)Bits);

    internal double Floating => BitConverter.Int64BitsToDouble(Bits);

    /// <summary>Whether an optional holds a value.</summary>
    internal bool HasInner => Ref is not null;

    internal CelValue Inner => Unsafe.As<Holder>(Ref!).Value;

    /// <summary>The <c>bool</c>.</summary>
    /// <exception cref="InvalidOperationException">It is no <c>bool</c>.</exception>
    public bool AsBool() => Kind == CelKind.Truth ? Bits != 0 : throw Not("bool");

    /// <summary>The <c>int</c>.</summary>
    /// <exception cref="InvalidOperationException">It is no <c>int</c>.</exception>
    public long AsInt() => Kind == CelKind.Signed ? Bits : throw Not("int");

    /// <summary>The <c>string</c>.</summary>
    /// <exception cref="InvalidOperationException">It is no <c>string</c>.</exception>
    public string AsString() => Kind == CelKind.Text ? String : throw Not("string");

    /// <summary>The <c>duration</c>, cut to .NET's 100 nanoseconds.</summary>
    /// <exception cref="InvalidOperationException">It is no <c>duration</c>.</exception>
    public TimeSpan AsDuration() => Kind == CelKind.Duration ? TimeSpan.FromTicks(Bits / 100) : throw Not("duration");

    /// <summary>The <c>timestamp</c>, cut to .NET's 100 nanoseconds, at offset zero.</summary>
    /// <exception cref="InvalidOperationException">It is no <c>timestamp</c>.</exception>
    public DateTimeOffset AsTimestamp() => Kind == CelKind.Timestamp
        ? new DateTimeOffset(((Bits + CelTime.SecondsFromYearOne) * TimeSpan.TicksPerSecond) + (Nanos / 100), TimeSpan.Zero)
        : throw Not("timestamp");

    /// <summary>Equal as <c>==</c> of the language has it: numbers across their types, lists and maps by content.</summary>
    public bool Equals(CelValue other) => CelEquality.AreEqual(this, other, null);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is CelValue other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => CelEquality.Hash(this);

    /// <summary>Whether the two are equal, see <see cref="Equals(CelValue)"/>.</summary>
    public static bool operator ==(CelValue left, CelValue right) => left.Equals(right);

    /// <summary>Whether the two differ, see <see cref="Equals(CelValue)"/>.</summary>
    public static bool operator !=(CelValue left, CelValue right) => !left.Equals(right);

    /// <summary>As the language would write it; for messages, not for parsing.</summary>
    public override string ToString() => CelWriting.Literal(this);

    private InvalidOperationException Not(string wanted) => new($"A {CelType.Of(this)} is no {wanted}.");

    private sealed class Holder(CelValue value)
    {
        public readonly CelValue Value = value;
    }
}
