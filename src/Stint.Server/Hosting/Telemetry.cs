using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Stint.Server.Hosting;

/// <summary>Sends metrics and traces to an OTLP address (protobuf over HTTP), when one is configured.</summary>
internal sealed class Telemetry : IDisposable
{
    private const int EveryMilliseconds = 10_000;

    private readonly MeterProvider _metrics;
    private readonly TracerProvider _traces;

    private Telemetry(MeterProvider metrics, TracerProvider traces)
    {
        _metrics = metrics;
        _traces = traces;
    }

    /// <summary>Starts sending; null when nothing is configured, and then nothing is collected.</summary>
    /// <param name="address">The collector's base address, such as <c>http://127.0.0.1:4318</c>.</param>
    /// <param name="node">Names this process.</param>
    /// <param name="version">Of the program.</param>
    public static Telemetry? Start(Uri? address, string node, string version)
    {
        if (address is null)
        {
            return null;
        }

        var resource = ResourceBuilder.CreateEmpty().AddService("stint", serviceVersion: version, serviceInstanceId: node);
        var metrics = Sdk.CreateMeterProviderBuilder()
            .SetResourceBuilder(resource)
            .AddMeter("Stint", "Stint.*")
            .AddOtlpExporter((exporter, reader) =>
            {
                To(exporter, address, "v1/metrics");
                reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = EveryMilliseconds;
            })
            .Build();
        var traces = Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(resource)
            .AddSource("Stint", "Stint.*")
            // NB. What a caller sends as its trace does not choose what is sampled here.
            .SetSampler(new AlwaysOnSampler())
            .AddOtlpExporter(exporter => To(exporter, address, "v1/traces"))
            .Build();
        return new Telemetry(metrics, traces);
    }

    /// <summary>Sends what is there; bounded by 5 s each.</summary>
    public void Dispose()
    {
        _traces.ForceFlush(5_000);
        _metrics.ForceFlush(5_000);
        _traces.Dispose();
        _metrics.Dispose();
    }

    private static void To(OtlpExporterOptions exporter, Uri address, string path)
    {
        exporter.Protocol = OtlpExportProtocol.HttpProtobuf;
        exporter.Endpoint = new Uri(address.AbsoluteUri.TrimEnd('/') + "/" + path);
        exporter.TimeoutMilliseconds = 5_000;
    }
}
