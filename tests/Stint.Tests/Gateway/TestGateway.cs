using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Stint.Core;
using Stint.Core.Sessions;
using Stint.Gateway;
using Xunit;

namespace Stint.Tests.Gateway;

/// <summary>A running gateway before a target, with a folder of its own.</summary>
internal sealed class TestGateway : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("stint-gwt-").FullName;

    public required GatewayHost Host { get; init; }

    public required TestGate Gate { get; init; }

    public required TestLoggers Loggers { get; init; }

    public required string Recordings { get; init; }

    public int Port => Host.Endpoints[0].Port;

    public string Dsn => $"host=127.0.0.1 port={Port} user={TestGate.Login} dbname=shop sslmode=disable";

    public static async Task<TestGateway> StartAsync(TargetServer target, Func<GatewayOptions, GatewayOptions>? options = null, Action<TestGate>? gate = null, TimeProvider? time = null) =>
        await StartAsync(new Upstream("127.0.0.1", target.Port, "shop", TargetServer.Account, TargetServer.Secret, "disable", null), options, gate, time);

    public static async Task<TestGateway> StartAsync(Upstream upstream, Func<GatewayOptions, GatewayOptions>? options = null, Action<TestGate>? gate = null, TimeProvider? time = null)
    {
        time ??= TimeProvider.System;
        var control = new TestGate(time) { Upstream = upstream };
        gate?.Invoke(control);
        var folder = Directory.CreateTempSubdirectory("stint-rec-").FullName;
        var loggers = new TestLoggers();
        var chosen = new GatewayOptions
        {
            PostgresListen = [new IPEndPoint(IPAddress.Loopback, 0)],
            Tls = GatewayTls.Off,
            RecordingFolder = folder,
            Node = "test-node",
        };
        return new TestGateway
        {
            Gate = control,
            Loggers = loggers,
            Recordings = folder,
            Host = await GatewayHost.StartAsync(options?.Invoke(chosen) ?? chosen, control, time, loggers),
        };
    }

    public Task<(int Code, string Output, string Error)> PsqlAsync(params string[] arguments) =>
        Programs.TryAsync("psql", ["-X", "-A", "-t", "-q", .. arguments, Dsn], ("PGPASSWORD", TestGate.Secret));

    /// <summary>Waits until a session's end is told.</summary>
    public async Task<SessionEnd> EndOfAsync(SessionId session)
    {
        for (var round = 0; round < 1000; round++)
        {
            if (Gate.Ends.TryGetValue(session, out var end))
            {
                return end;
            }

            await Task.Delay(10);
        }

        throw new TimeoutException($"{session} did not end in ten seconds.");
    }

    /// <summary>All records of the session, its chain checked against its anchors.</summary>
    public async Task<List<RecordingRecord>> RecordsAsync(SessionId session)
    {
        var end = await EndOfAsync(session);
        using var file = File.OpenRead(Path.Combine(Recordings, end.Recording!.File));
        var finding = RecordingCheck.Verify(file, [end.Recording, .. Gate.Anchors.Where(anchor => anchor.Session == session).Select(anchor => anchor.Head)]);
        Assert.True(finding.Sound, finding.Because);
        Assert.True(finding.Closed);
        Assert.Equal(0, finding.TornBytes);
        file.Position = 0;
        return [.. new RecordingReader(file).ReadToEnd()];
    }

    /// <summary>Records of the only session so far.</summary>
    public Task<List<RecordingRecord>> RecordsAsync() => RecordsAsync(Gate.Sessions.Single().Id);

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
        Directory.Delete(Recordings, recursive: true);
        Assert.DoesNotContain("canary", Loggers.Text, StringComparison.Ordinal);
    }

    public static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var made = request.CreateSelfSigned(DateTimeOffset.UnixEpoch.AddYears(50), DateTimeOffset.UnixEpoch.AddYears(100));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }
}

/// <summary>Keeps what was logged.</summary>
internal sealed class TestLoggers : ILoggerFactory, ILogger
{
    private readonly System.Text.StringBuilder _text = new();

    public string Text
    {
        get
        {
            lock (_text)
            {
                return _text.ToString();
            }
        }
    }

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_text)
        {
            _text.Append(logLevel).Append(' ').Append(formatter(state, exception)).Append(' ').AppendLine(exception?.ToString());
        }
    }

    public void Dispose()
    {
    }
}
