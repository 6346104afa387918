using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Stint.EndToEnd.Harness;

/// <summary>A small authority of this run's own: a root, an intermediate below it, and a certificate for 127.0.0.1 below that.</summary>
public sealed class Certificates
{
    private static readonly TimeSpan s_valid = TimeSpan.FromDays(30);

    private readonly string _folder = RunFolder.Make("certificates");

    public Certificates()
    {
        using var rootKey = NewKey();
        using var root = Sign("CN=a root", rootKey, authority: true, null);
        using var middleKey = NewKey();
        using var middle = Sign("CN=an intermediate", middleKey, authority: true, (root, rootKey));
        using var leafKey = NewKey();
        using var leaf = Sign("CN=stint", leafKey, authority: false, (middle, middleKey));
        File.WriteAllText(Root, root.ExportCertificatePem() + "\n");
        File.WriteAllText(Chain, leaf.ExportCertificatePem() + "\n" + middle.ExportCertificatePem() + "\n");
        File.WriteAllText(Key, leafKey.ExportPkcs8PrivateKeyPem() + "\n");
        File.SetUnixFileMode(Key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    /// <summary>What a client is told to trust.</summary>
    public string Root => Path.Combine(_folder, "root.crt");

    /// <summary>What a server shows: its certificate, and behind it the intermediate one that signed it.</summary>
    public string Chain => Path.Combine(_folder, "server.crt");

    public string Key => Path.Combine(_folder, "server.key");

    /// <summary>Puts another's certificate and key into these files, as a renewal does.</summary>
    public void TakeFrom(Certificates other)
    {
        File.Copy(other.Key, Key, overwrite: true);
        File.Copy(other.Chain, Chain, overwrite: true);
    }

    private static ECDsa NewKey() => ECDsa.Create(ECCurve.NamedCurves.nistP256);

    private static X509Certificate2 Sign(string subject, ECDsa key, bool authority, (X509Certificate2 Certificate, ECDsa Key)? signer)
    {
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(authority, false, 0, true));
        if (!authority)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddIpAddress(IPAddress.Loopback);
            request.CertificateExtensions.Add(names.Build());
        }

        var from = TimeProvider.System.GetUtcNow().AddHours(-1);
        return signer is var (issuer, issuerKey)
            ? request.Create(issuer.SubjectName, X509SignatureGenerator.CreateForECDsa(issuerKey), from, from + s_valid, RandomNumberGenerator.GetBytes(16))
            : request.CreateSelfSigned(from, from + s_valid);
    }
}
