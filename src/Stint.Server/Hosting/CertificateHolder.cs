using System.Net.Security;
using Microsoft.Extensions.Logging;

namespace Stint.Server.Hosting;

/// <summary>The certificate that a door shows now. New files replace it; bad new files do not.</summary>
internal sealed class CertificateHolder
{
    private readonly string _door;
    private readonly CertificateFiles _files;
    private readonly ILogger _log;
    private volatile Held _held;
    private (DateTime, long, DateTime, long) _seen;

    private CertificateHolder(string door, CertificateFiles files, LoadedCertificate first, ILogger log)
    {
        _door = door;
        _files = files;
        _log = log;
        _seen = Stamp();
        _held = new Held(first);

        // Beside the rest of the start, and not while the first client waits.
        _ = Task.Run(() => Context);
    }

    /// <summary>What is shown to the next client.</summary>
    public LoadedCertificate Now => _held.Certificate;

    /// <summary>The same, with its chain, as SslStream takes it. Made when first asked for, which takes a while: the machine's own authorities are read.</summary>
    public SslStreamCertificateContext Context => _held.Context.Value;

    /// <summary>Opens the files.</summary>
    /// <exception cref="StartException">They do not load.</exception>
    public static CertificateHolder Load(string door, CertificateFiles files, ILogger log) =>
        CertificateFile.TryLoad(files, out var trouble) is { } loaded
            ? new CertificateHolder(door, files, loaded, log)
            : throw new StartException($"The certificate of the {door} {trouble}");

    /// <summary>Opens the self-made pair in the data folder, making it when it is not there or over.</summary>
    public static CertificateHolder SelfMade(string door, string folder, IReadOnlyList<string> hosts, DateTimeOffset now, ILogger log, out bool made)
    {
        var files = SelfMadeFiles(folder);
        var loaded = File.Exists(files.Certificate) && File.Exists(files.Key) ? CertificateFile.TryLoad(files, out _, selfMade: true) : null;
        made = loaded is null || loaded.Leaf.NotAfter.ToUniversalTime() <= now.UtcDateTime;
        if (made)
        {
            loaded?.Dispose();
            loaded = CertificateFile.Make(files, hosts, now);
        }

        return new CertificateHolder(door, files, loaded!, log);
    }

    /// <summary>Where the self-made pair stands.</summary>
    public static CertificateFiles SelfMadeFiles(string data) => new(Path.Combine(data, "tls", "ca.pem"), Path.Combine(data, "tls", "key.pem"));

    /// <summary>Looks whether the files changed and takes the new ones when they are good.</summary>
    public void Refresh()
    {
        var stamp = Stamp();
        if (stamp == _seen)
        {
            return;
        }

        // NB. Certificate and key are two files and are seldom replaced in one instant: a pair that does not match is
        // looked at again next time, so the stamp is kept only once the pair loaded, and the trouble is said once.
        if (CertificateFile.TryLoad(_files, out var trouble, _held.Certificate.SelfMade) is not { } loaded)
        {
            if (_held.Trouble != trouble)
            {
                _log.CertificateBad(_door, trouble!);
                _held = _held with { Trouble = trouble };
            }

            return;
        }

        // The old one is not disposed of: a handshake under way may still hold it.
        _seen = stamp;
        _held = new Held(loaded);
        _log.CertificateReplaced(_door, loaded.Fingerprint);
    }

    private (DateTime, long, DateTime, long) Stamp()
    {
        var (certificate, key) = (new FileInfo(_files.Certificate), new FileInfo(_files.Key));
        return (certificate.LastWriteTimeUtc, certificate.Exists ? certificate.Length : -1, key.LastWriteTimeUtc, key.Exists ? key.Length : -1);
    }

    private sealed record Held(LoadedCertificate Certificate)
    {
        public Lazy<SslStreamCertificateContext> Context { get; } = new(() => SslStreamCertificateContext.Create(Certificate.Leaf, Certificate.Chain, offline: true));

        public string? Trouble { get; init; }
    }
}

/// <summary>The server cannot start. The message is for the operator: what is wrong and the way out.</summary>
internal sealed class StartException(string message) : Exception(message);
