using System.Buffers.Text;
using System.Security.Cryptography;
using Stint.Core;
using Stint.Core.Catalog;

namespace Stint.Server;

/// <summary>Fills a span with random bytes. The running server uses <see cref="RandomNumberGenerator.Fill"/>; a simulation its seed.</summary>
internal delegate void FillRandom(Span<byte> bytes);

/// <summary>Makes names, secrets and jitter. The only source of chance in the server, so that a run can be replayed.</summary>
internal sealed class IdSource(FillRandom fill)
{
    /// <summary>Crockford's base32: no letter that can be read as another.</summary>
    private const string Alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

    public RequestId NextRequest() => new("req-" + Text(12));

    public GrantId NextGrant() => new("gr-" + Text(12));

    public AssignmentId NextAssignment() => new("as-" + Text(12));

    public SessionId NextSession() => new("ses-" + Text(12));

    public DelegationId NextDelegation() => new("del-" + Text(12));

    public OfferId NextOffer() => new("off-" + Text(12));

    public BundleId NextBundle() => new("bu-" + Text(12));

    public ReviewId NextReview() => new("rv-" + Text(12));

    public ChangeId NextChange() => new("chg-" + Text(12));

    public string NextSignIn() => "si-" + Text(12);

    public string NextToken() => "tok-" + Text(12);

    public string NextCliLogin() => "cli-" + Text(12);

    public ReportId NextReport() => new("rp-" + Text(12));

    /// <summary>A user or a group of the directory: 128 random bits, as RFC 9562 writes them.</summary>
    public string NextDirectory()
    {
        Span<byte> bytes = stackalloc byte[16];
        fill(bytes);
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x40);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true).ToString("D");
    }

    /// <summary>A holder's login at the gateway: readable, and different each time.</summary>
    public string NextLogin(SubjectId subject) => $"{subject.Value.Replace(':', '.')}-{Text(8)}";

    /// <summary>A certificate's number: not 0, and no larger than every reader of JSON can hold.</summary>
    public long NextSerial()
    {
        Span<byte> bytes = stackalloc byte[8];
        fill(bytes);
        return (long)(BitConverter.ToUInt64(bytes) >> 12) + 1;
    }

    /// <summary>256 bits, base64url.</summary>
    public string NextSecret() => Base64Url.EncodeToString(Bytes(32));

    public byte[] Bytes(int count)
    {
        var bytes = new byte[count];
        fill(bytes);
        return bytes;
    }

    /// <summary>A number in [0, 1), for jitter.</summary>
    public double NextFraction()
    {
        Span<byte> bytes = stackalloc byte[8];
        fill(bytes);
        return (BitConverter.ToUInt64(bytes) >> 11) * (1.0 / (1UL << 53));
    }

    private string Text(int length)
    {
        Span<byte> bytes = stackalloc byte[16];
        fill(bytes[..length]);
        Span<char> text = stackalloc char[length];
        for (var i = 0; i < length; i++)
        {
            text[i] = Alphabet[bytes[i] & 31];
        }

        return new string(text);
    }
}
