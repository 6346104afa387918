using System.Diagnostics.Metrics;

namespace Stint.Server.Store;

/// <summary>What the store measures, under the meter <c>Stint.Store</c>.</summary>
internal static class StoreMeter
{
    private static readonly Meter Meter = new("Stint.Store");

    /// <summary>From the begin of a transaction that appends facts to its durable commit.</summary>
    public static Histogram<double> Append { get; } = Meter.CreateHistogram<double>("stint.audit.append", "ms", "From the begin of a transaction with facts to its durable commit");

    /// <summary>Facts that were appended.</summary>
    public static Counter<long> Facts { get; } = Meter.CreateCounter<long>("stint.audit.facts", "{fact}", "Facts appended to the audit log");
}
