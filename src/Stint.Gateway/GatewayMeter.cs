using System.Diagnostics.Metrics;

namespace Stint.Gateway;

/// <summary>What the gateway counts, under the meter <c>Stint.Gateway</c>.</summary>
internal sealed class GatewayMeter : IDisposable
{
    private readonly Meter _meter = new("Stint.Gateway");

    public GatewayMeter()
    {
        LiveSessions = _meter.CreateUpDownCounter<long>("stint.gateway.sessions.live", "{session}", "Live sessions.");
        Sessions = _meter.CreateCounter<long>("stint.gateway.sessions", "{session}", "Sessions that ended, by reason.");
        Refused = _meter.CreateCounter<long>("stint.gateway.refused", "{connection}", "Connections refused before a session began, by reason.");
        Statements = _meter.CreateCounter<long>("stint.gateway.statements", "{statement}", "Statements sent on.");
        FromClient = _meter.CreateCounter<long>("stint.gateway.bytes.from_client", "By", "Bytes that clients sent.");
        ToClient = _meter.CreateCounter<long>("stint.gateway.bytes.to_client", "By", "Bytes that clients got.");
        SyncLatency = _meter.CreateHistogram<double>("stint.gateway.recording.sync", "s", "Time that strict statements waited for the disk.");
        WriteLatency = _meter.CreateHistogram<double>("stint.gateway.recording.write", "s", "Time that one in 64 writes of records took.");
        CutLateness = _meter.CreateHistogram<double>("stint.gateway.cut.lateness", "s", "From the deadline to the moment the client's last words were written.");
    }

    public UpDownCounter<long> LiveSessions { get; }

    public Counter<long> Sessions { get; }

    public Counter<long> Refused { get; }

    public Counter<long> Statements { get; }

    public Counter<long> FromClient { get; }

    public Counter<long> ToClient { get; }

    public Histogram<double> SyncLatency { get; }

    public Histogram<double> WriteLatency { get; }

    public Histogram<double> CutLateness { get; }

    public void Dispose() => _meter.Dispose();
}
