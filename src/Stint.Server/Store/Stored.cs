using System.Data.Common;

namespace Stint.Server.Store;

/// <summary>How values stand in the database.</summary>
internal static class Stored
{
    /// <summary>Microseconds since 1970, the rest cut off.</summary>
    public static long Micros(DateTimeOffset time) => Floor(time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks);

    /// <summary>Whole microseconds, the rest cut off.</summary>
    public static long Micros(TimeSpan span) => Floor(span.Ticks);

    /// <summary>The time as the store keeps it: UTC, whole microseconds. Never later than given.</summary>
    public static DateTimeOffset Round(DateTimeOffset time) => Time(Micros(time));

    /// <inheritdoc cref="Round(DateTimeOffset)"/>
    public static DateTimeOffset? Round(DateTimeOffset? time) => time is { } given ? Round(given) : null;

    /// <summary>The duration as the store keeps it.</summary>
    public static TimeSpan Round(TimeSpan span) => Span(Micros(span));

    public static DateTimeOffset Time(long micros) => new(DateTimeOffset.UnixEpoch.Ticks + (micros * TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);

    public static TimeSpan Span(long micros) => new(micros * TimeSpan.TicksPerMicrosecond);

    private static long Floor(long ticks) =>
        Math.DivRem(ticks, TimeSpan.TicksPerMicrosecond) is var (whole, rest) && rest < 0 ? whole - 1 : whole;
}

/// <summary>Reads a row's columns from left to right, so that the order of a column list is said once.</summary>
internal struct Columns(DbDataReader row)
{
    private int _next;

    public string Text() => row.GetString(_next++);

    public string? TextOrNull() => row.IsDBNull(_next) ? Skip<string>() : row.GetString(_next++);

    public long Number() => row.GetInt64(_next++);

    public long? NumberOrNull() => row.IsDBNull(_next) ? SkipValue<long>() : row.GetInt64(_next++);

    public bool Flag() => row.GetInt64(_next++) != 0;

    public DateTimeOffset Time() => Stored.Time(row.GetInt64(_next++));

    public DateTimeOffset? TimeOrNull() => row.IsDBNull(_next) ? SkipValue<DateTimeOffset>() : Stored.Time(row.GetInt64(_next++));

    public TimeSpan Span() => Stored.Span(row.GetInt64(_next++));

    public TimeSpan? SpanOrNull() => row.IsDBNull(_next) ? SkipValue<TimeSpan>() : Stored.Span(row.GetInt64(_next++));

    public byte[] Bytes() => row.GetFieldValue<byte[]>(_next++);

    public byte[]? BytesOrNull() => row.IsDBNull(_next) ? Skip<byte[]>() : row.GetFieldValue<byte[]>(_next++);

    private T? Skip<T>()
        where T : class
    {
        _next++;
        return null;
    }

    private T? SkipValue<T>()
        where T : struct
    {
        _next++;
        return null;
    }
}
