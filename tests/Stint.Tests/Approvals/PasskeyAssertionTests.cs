using System.Buffers.Text;
using System.Security.Cryptography;
using Stint.Core;
using Stint.Core.Approvals;
using Stint.Tests.Identity.Accounts;
using Xunit;

namespace Stint.Tests.Approvals;

/// <summary>A yes that a passkey signed, checked without a server, and counted only where it is one.</summary>
public sealed class PasskeyAssertionTests
{
    private const string Digest = "d1", Nonce = "n1";

    private static PasskeyAssertion Signed(SoftPasskey passkey, string digest = Digest, string nonce = Nonce, string type = "webauthn.get")
    {
        var client = SoftPasskey.Client(type, Base64Url.EncodeToString(PasskeyAssertion.Challenge(digest, nonce)), "https://stint.example");
        var data = passkey.Data(0x01);
        return new PasskeyAssertion(passkey.Id, passkey.PublicKey, data, client, passkey.Sign(data, client), nonce);
    }

    [Fact]
    public void Against_OverTheDigest_Holds_AndOverAnythingElseDoesNot()
    {
        using var passkey = new SoftPasskey();
        var signed = Signed(passkey);
        Assert.Null(signed.Against(Digest));
        Assert.Contains("something else", signed.Against("d2"), StringComparison.Ordinal);
        Assert.Contains("something else", (signed with { Nonce = "n2" }).Against(Digest), StringComparison.Ordinal);
        Assert.Contains("something else", Signed(passkey, type: "webauthn.create").Against(Digest), StringComparison.Ordinal);
        using var other = new SoftPasskey();
        Assert.Contains("not by that key", (signed with { PublicKey = other.PublicKey }).Against(Digest), StringComparison.Ordinal);
        byte[] flipped = [.. signed.AuthenticatorData];
        flipped[^1] ^= 1;
        Assert.Contains("not by that key", (signed with { AuthenticatorData = flipped }).Against(Digest), StringComparison.Ordinal);
        passkey.Verifies = false;
        Assert.Contains("verified", Signed(passkey).Against(Digest), StringComparison.Ordinal);
        Assert.Contains("cut short", (signed with { AuthenticatorData = [1] }).Against(Digest), StringComparison.Ordinal);
        Assert.NotNull((signed with { ClientData = [1, 2] }).Against(Digest));
        Assert.NotNull((signed with { ClientData = "[]"u8.ToArray() }).Against(Digest));
    }

    [Fact]
    public void Key_RsaIsTaken_AndWhatIsCutIsNone()
    {
        using var rsa = RSA.Create(2048);
        var key = rsa.ExportParameters(false);
        byte[] cose = [0xA4, 0x01, 0x03, 0x03, 0x39, 0x01, 0x00, 0x20, 0x59, 0x01, 0x00, .. key.Modulus!, 0x21, 0x43, .. key.Exponent!];
        byte[] over = [1, 2, 3];
        Assert.True(CoseKey.Read(cose)!.Verifies(over, rsa.SignData(over, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)));
        Assert.False(CoseKey.Read(cose)!.Verifies(over, rsa.SignData(over, HashAlgorithmName.SHA512, RSASignaturePadding.Pkcs1)));
        using var passkey = new SoftPasskey();
        var whole = passkey.PublicKey;
        for (var length = 0; length < whole.Length; length++)
        {
            Assert.True(CoseKey.Read(whole.AsSpan(0, length)) is null, $"{length} bytes of {whole.Length}");
        }

        Assert.Null(CoseKey.Read([.. whole, 0]));
        byte[] twice = [0xA2, 0x01, 0x02, 0x01, 0x03];
        Assert.Null(CoseKey.Read(twice));
    }

    [Fact]
    public void Json_WrittenAndRead_IsTheSame_AndHalfAProofIsNone()
    {
        using var passkey = new SoftPasskey();
        var read = Assert.IsType<ApprovalProof.Passkey>(ProofJson.Read(ProofJson.Write(new ApprovalProof.Passkey(Signed(passkey)))));
        Assert.Null(read.Assertion.Against(Digest));
        var at = new DateTimeOffset(2026, 11, 22, 9, 0, 0, TimeSpan.Zero).AddMicroseconds(7);
        Assert.Equal(new ApprovalProof.Fresh(at, "oidc:okta"), ProofJson.Read(ProofJson.Write(new ApprovalProof.Fresh(at, "oidc:okta"))));
        foreach (var bad in (string[])["", "1", "{}", """{"kind":"other"}""", """{"kind":"fresh","by":"x"}""", ProofJson.Write(read).Replace("signature", "sig", StringComparison.Ordinal), ProofJson.Write(read).Replace("\"nonce\":\"n1\"", "\"nonce\":1", StringComparison.Ordinal)])
        {
            Assert.Null(ProofJson.Read(bad));
        }
    }

    [Fact]
    public void Quorum_AYesWithoutTheProof_FillsNoPlaceThatDemandsIt()
    {
        using var passkey = new SoftPasskey();
        var (ann, bob, carol) = (new SubjectId("ann"), new SubjectId("bob"), new SubjectId("carol"));
        PinnedStep Step(StepUp stepUp) => new("s", "group:s", [bob, carol], 1) { StepUp = stepUp };
        Approval Yes(SubjectId by, ApprovalProof? proof) => new() { Request = new RequestId("req-1"), By = by, Yes = true, At = default, SawDigest = Digest, Via = "web", Proof = proof };
        Tally Count(StepUp stepUp, bool distinct, params Approval[] yeses) => Quorum.Count([Step(stepUp)], distinct, ann, Digest, yeses);
        var (fresh, signed) = (new ApprovalProof.Fresh(default, "password"), new ApprovalProof.Passkey(Signed(passkey)));
        foreach (var distinct in (bool[])[false, true])
        {
            Assert.IsType<Tally.Waiting>(Count(StepUp.Fresh, distinct, Yes(bob, null)));
            Assert.IsType<Tally.Complete>(Count(StepUp.Fresh, distinct, Yes(bob, fresh)));
            Assert.IsType<Tally.Complete>(Count(StepUp.Fresh, distinct, Yes(bob, signed)));
            Assert.IsType<Tally.Waiting>(Count(StepUp.Passkey, distinct, Yes(bob, fresh), Yes(carol, null)));
            Assert.IsType<Tally.Complete>(Count(StepUp.Passkey, distinct, Yes(bob, null), Yes(carol, signed)));
            Assert.IsType<Tally.Complete>(Count(StepUp.None, distinct, Yes(bob, null)));
            Assert.True(Quorum.CanBeMet([Step(StepUp.Passkey)], distinct, ann));
        }
    }
}
