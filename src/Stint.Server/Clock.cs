using Stint.Core.Audit;

namespace Stint.Server;

/// <summary>Reads the clock as everything here keeps time.</summary>
internal static class Clock
{
    /// <summary>Now, in UTC, cut to microseconds: what is hashed is what is read back.</summary>
    public static DateTimeOffset Now(this TimeProvider clock) => CanonicalTime.Cut(clock.GetUtcNow());
}
