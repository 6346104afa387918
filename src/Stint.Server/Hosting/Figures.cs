using System.Diagnostics.Metrics;
using Stint.Core.Audit;
using Stint.Server.Identity;
using Stint.Server.Store;

namespace Stint.Server.Hosting;

/// <summary>Figures of the whole installation for collectors, and this node's lateness for people.</summary>
internal sealed class Figures : IDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(5);

    private readonly StintStore _store;
    private readonly Meter _meter = new("Stint.Node");
    private readonly MeterListener _listener = new();
    private readonly Lock _lock = new();
    private volatile Counts? _counts;
    private volatile DirectoryPull? _pull;
    private (double Last, double Worst, long Ends) _lateness;

    public Figures(StintStore store, DirectorySource source, TimeProvider time)
    {
        _store = store;
        Gauge("stint.grants.open", "{grant}", "Open grants", counts => counts.OpenGrants);
        Gauge("stint.grants.ready", "{grant}", "Approved grants that wait to be begun", counts => counts.ReadyGrants);
        Gauge("stint.requests.pending", "{request}", "Requests that wait for somebody's yes", counts => counts.PendingRequests);
        Gauge("stint.removals.stuck.now", "{removal}", "Removals that fail for longer than they may", counts => counts.StuckRemovals);
        Gauge("stint.sessions.all", "{session}", "Live sessions on all nodes", counts => counts.LiveSessions);
        Gauge("stint.reviews.open.now", "{review}", "Break-glass that nobody reviewed yet", counts => counts.OpenReviews);
        Gauge("stint.reviews.overdue.now", "{review}", "Break-glass that should have been reviewed by now", counts => counts.OverdueReviews);
        if (source.Actor == Actor.Ldap)
        {
            _meter.CreateObservableGauge(
                "stint.directory.age",
                () => _pull is { } pull ? [new Measurement<double>((time.Now() - (pull.GoodAt ?? pull.Since)).TotalSeconds)] : Array.Empty<Measurement<double>>(),
                "s",
                "Since the directory was last heard of");
        }

        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == Measures.Name && instrument.Name == "stint.grants.end_lateness")
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<double>((_, value, _, _) =>
        {
            lock (_lock)
            {
                _lateness = (value, Math.Max(_lateness.Worst, value), _lateness.Ends + 1);
            }
        });
        _listener.Start();
    }

    /// <summary>How late ends were committed on this node since it started, in milliseconds.</summary>
    public (double Last, double Worst, long Ends) Lateness
    {
        get
        {
            lock (_lock)
            {
                return _lateness;
            }
        }
    }

    /// <summary>Reads the store every few seconds, so that a collector's question never waits for it.</summary>
    public async Task RunAsync(TimeProvider time, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Every, time);
        do
        {
            try
            {
                (_counts, _pull) = await _store.ReadAsync(async reads => (await reads.CountsAsync(), await reads.FindPullAsync()), stop);
            }
            catch (StoreUnavailableException)
            {
                // The gauges say nothing rather than something old.
                (_counts, _pull) = (null, null);
            }
        }
        while (await timer.WaitForNextTickAsync(stop));
    }

    public void Dispose()
    {
        _listener.Dispose();
        _meter.Dispose();
    }

    private void Gauge(string name, string unit, string description, Func<Counts, long> of) => _meter.CreateObservableGauge(
        name,
        () => _counts is { } counts ? [new Measurement<long>(of(counts))] : Array.Empty<Measurement<long>>(),
        unit,
        description);
}
