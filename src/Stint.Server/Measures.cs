using System.Diagnostics.Metrics;

namespace Stint.Server;

/// <summary>What is measured, under one name: <c>Stint</c>.</summary>
internal static class Measures
{
    public const string Name = "Stint";

    private static readonly Meter Meter = new(Name);

    /// <summary>Askings, by <c>verdict</c> (<c>allow needs_approval deny unknown</c>).</summary>
    public static Counter<long> Requests { get; } = Meter.CreateCounter<long>("stint.requests", "{request}", "Askings by verdict");

    /// <summary>Break-glass that was let in.</summary>
    public static Counter<long> GlassBroken { get; } = Meter.CreateCounter<long>("stint.glass.broken", "{request}", "Emergencies that were let in at once");

    /// <summary>One-time codes that were tried, by <c>outcome</c> (<c>let_in refused</c>).</summary>
    public static Counter<long> GlassLogins { get; } = Meter.CreateCounter<long>("stint.glass.logins", "{try}", "One-time codes that were tried");

    /// <summary>Tokens of platforms that were shown, by <c>outcome</c> (<c>let_in refused</c>).</summary>
    public static Counter<long> Exchanges { get; } = Meter.CreateCounter<long>("stint.workloads.exchanges", "{token}", "Tokens of platforms that were shown");

    /// <summary>Rounds of pulling from the directory, by <c>outcome</c> (<c>good failed refused</c>).</summary>
    public static Counter<long> Pulls { get; } = Meter.CreateCounter<long>("stint.directory.pulls", "{pull}", "Rounds of pulling from the directory");

    /// <summary>Reviews that were not closed in time.</summary>
    public static Counter<long> ReviewsOverdue { get; } = Meter.CreateCounter<long>("stint.reviews.overdue", "{review}", "Reviews of break-glass that were not closed in time");

    /// <summary>From the asking to the last yes.</summary>
    public static Histogram<double> TimeToYes { get; } = Meter.CreateHistogram<double>("stint.requests.time_to_yes", "s", "From the asking to the last yes");

    /// <summary>From the deadline to the commit of the end.</summary>
    public static Histogram<double> EndLateness { get; } = Meter.CreateHistogram<double>("stint.grants.end_lateness", "ms", "From a deadline to the commit of the end");

    /// <summary>Connector verbs, by <c>verb</c> and <c>outcome</c>.</summary>
    public static Histogram<double> Verbs { get; } = Meter.CreateHistogram<double>("stint.targets.verb", "ms", "Verbs at targets");

    /// <summary>Removals that began to be called stuck.</summary>
    public static Counter<long> RemovalsStuck { get; } = Meter.CreateCounter<long>("stint.removals.stuck", "{removal}", "Removals that keep failing");

    /// <summary>Differences found between targets and open grants.</summary>
    public static Counter<long> Drift { get; } = Meter.CreateCounter<long>("stint.targets.drift", "{account}", "Accounts that stand and should not, or the reverse");

    /// <summary>Sessions that began and ended here, as +1 and −1.</summary>
    public static UpDownCounter<long> LiveSessions { get; } = Meter.CreateUpDownCounter<long>("stint.sessions.live", "{session}", "Live sessions");

    /// <summary>Statements that were recorded, counted at anchors and ends.</summary>
    public static Counter<long> Statements { get; } = Meter.CreateCounter<long>("stint.statements", "{statement}", "Recorded statements");
}
