using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Stint.Server.Hosting;

/// <summary>A server certificate with the chain that is sent along.</summary>
internal sealed class LoadedCertificate(X509Certificate2 leaf, X509Certificate2Collection chain, bool selfMade) : IDisposable
{
    public X509Certificate2 Leaf { get; } = leaf;

    /// <summary>Intermediates of the file, without the leaf.</summary>
    public X509Certificate2Collection Chain { get; } = chain;

    /// <summary>Whether this server made it: clients must be told to trust it.</summary>
    public bool SelfMade { get; } = selfMade;

    /// <summary>SHA-256 of the certificate, in the pairs with colons that browsers and openssl show.</summary>
    public string Fingerprint => string.Join(':', Convert.ToHexString(Leaf.GetCertHash(HashAlgorithmName.SHA256)).Chunk(2).Select(pair => new string(pair)));

    public void Dispose()
    {
        Leaf.Dispose();
        foreach (var each in Chain)
        {
            each.Dispose();
        }
    }
}

/// <summary>Certificates in PEM files.</summary>
internal static class CertificateFile
{
    /// <summary>Loads certificate, chain and key.</summary>
    /// <returns>Null when they do not load; <paramref name="trouble"/> then says why and what to do, and never holds any of the key.</returns>
    public static LoadedCertificate? TryLoad(CertificateFiles files, out string? trouble, bool selfMade = false)
    {
        try
        {
            var certificates = File.ReadAllText(files.Certificate);
            var key = File.ReadAllText(files.Key);
            if (DataFolder.ReadableByOthers(files.Key))
            {
                trouble = $"{files.Key} can be read by every user of this machine; chmod 0600 it";
                return null;
            }

            var leaf = X509Certificate2.CreateFromPem(certificates, key);
            var chain = new X509Certificate2Collection();
            chain.ImportFromPem(certificates);
            foreach (var same in chain.Where(each => each.RawData.AsSpan().SequenceEqual(leaf.RawData)).ToList())
            {
                chain.Remove(same);
                same.Dispose();
            }

            trouble = null;
            return new LoadedCertificate(leaf, chain, selfMade);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            trouble = $"cannot be read ({e.Message}); name PEM files that this user may read";
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            trouble = $"{files.Certificate} and {files.Key} are not a certificate and its own unencrypted key in PEM; check that they belong together";
        }

        return null;
    }

    /// <summary>Makes a certificate for this machine that clients trust by being shown it, and writes both files.</summary>
    /// <param name="files">Where to; the key is for this user alone.</param>
    /// <param name="hosts">Names and addresses that it is for.</param>
    /// <param name="now">It holds from an hour before, for clocks that are behind, and for ten years.</param>
    public static LoadedCertificate Make(CertificateFiles files, IReadOnlyList<string> hosts, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={hosts[0]}, O=Stint", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in hosts.Distinct(StringComparer.OrdinalIgnoreCase))
        {
            if (IPAddress.TryParse(host, out var address))
            {
                names.AddIpAddress(address);
            }
            else
            {
                names.AddDnsName(host);
            }
        }

        request.CertificateExtensions.Add(names.Build());

        // NB. It is its own authority so that a client can name it as the root to trust, and it may sign nothing else.
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyCertSign, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1")], false));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using var made = request.CreateSelfSigned(now.AddHours(-1), now.AddYears(10));

        DataFolder.Ensure(Path.GetDirectoryName(files.Key)!);
        DataFolder.WriteSecret(files.Key, key.ExportPkcs8PrivateKeyPem() + "\n");
        File.WriteAllText(files.Certificate, made.ExportCertificatePem() + "\n");
        return TryLoad(files, out var trouble, selfMade: true)
            ?? throw new InvalidOperationException($"The certificate just made does not load: {trouble}");
    }
}
