using System.Security.Cryptography;
using System.Text;
using Stint.Core.Audit;
using Xunit;

namespace Stint.Tests.Audit;

public class CheckpointTests
{
    [Fact]
    public void Sign_AHead_WritesTheSignedNoteThatVerifies()
    {
        using var log = TestLog.Of(3);
        var note = log.Heads[0].Note;
        var lines = note.Split('\n');

        Assert.Equal([TestLog.Origin, "3", log.Frontier.Root().ToString(), ""], lines[..4]);
        Assert.StartsWith($"\u2014 {TestLog.Origin} ", lines[4]);
        Assert.Equal(6, lines.Length);
        var read = SignedCheckpoint.Parse(note);
        Assert.Equal(log.Heads[0].Head.Root, read.Head.Root);
        Assert.Null(log.Key.Refusal(read));

        // What the type byte 0x02 promises to other programs: id from the SPKI alone, ASN.1 signature over the text.
        using var key = ECDsa.Create();
        var spki = Convert.FromBase64String(log.Key.Public.Split('+', 3)[2])[1..];
        key.ImportSubjectPublicKeyInfo(spki, out _);
        var signature = Convert.FromBase64String(lines[4].Split(' ')[2]);
        Assert.Equal(SHA256.HashData(spki)[..4], signature[..4]);
        Assert.True(key.VerifyData(Encoding.UTF8.GetBytes(string.Join('\n', lines[..3]) + "\n"), signature[4..], HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence));
    }

    [Fact]
    public void Parse_ThePublicText_GivesTheSameKey()
    {
        using var log = TestLog.Of(1);
        var key = CheckpointKey.Parse(log.Key.Public);
        Assert.Equal(log.Key, key);
        Assert.Null(key.Refusal(log.Heads[0]));
        Assert.True(KeyTrust.Parse(key.Public).Accepts(log.Key));
        Assert.True(KeyTrust.Parse(key.Fingerprint.ToUpperInvariant().Replace("SHA256", "sha256", StringComparison.Ordinal)).Accepts(log.Key));
        using var other = TestLog.Of(1);
        Assert.False(KeyTrust.Parse(other.Key.Public).Accepts(log.Key));
        Assert.False(KeyTrust.Parse(other.Key.Fingerprint).Accepts(log.Key));
        Assert.True(KeyTrust.Nothing.Accepts(log.Key));
        Assert.False(KeyTrust.Nothing.Given);
    }

    [Fact]
    public void Parse_APublicTextWithAnyByteChanged_IsRefusedOrAnotherKey()
    {
        using var log = TestLog.Of(1);
        var text = log.Key.Public;
        for (var i = 0; i < text.Length; i++)
        {
            foreach (var to in "A/+0 ")
            {
                var changed = text[..i] + to + text[(i + 1)..];
                if (changed == text)
                {
                    continue;
                }

                try
                {
                    Assert.NotNull(CheckpointKey.Parse(changed).Refusal(log.Heads[0]));
                }
                catch (FormatException)
                {
                    // Refused in words, as it should be.
                }
            }
        }
    }

    [Fact]
    public void Parse_AKeyOnAnotherCurve_IsRefused()
    {
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        Assert.Throws<FormatException>(() => CheckpointKey.Of("log", other));
        var text = $"log+00000000+{Convert.ToBase64String([1, .. new byte[32]])}";
        Assert.Contains("ECDSA on P-256", Assert.Throws<FormatException>(() => CheckpointKey.Parse(text)).Message);
    }

    [Fact]
    public void Parse_ANoteWithAnyByteChanged_NeverVerifies()
    {
        using var log = TestLog.Of(3);
        var bytes = Encoding.UTF8.GetBytes(log.Heads[0].Note);
        for (var i = 0; i < bytes.Length; i++)
        {
            foreach (var flip in new byte[] { 1, 2, 0x20, 0x80 })
            {
                var changed = bytes.ToArray();
                changed[i] ^= flip;
                string? why;
                try
                {
                    why = log.Key.Refusal(SignedCheckpoint.Parse(Encoding.UTF8.GetString(changed)));
                }
                catch (FormatException bad)
                {
                    why = bad.Message;
                }

                Assert.False(string.IsNullOrEmpty(why), $"byte {i} xor {flip} passed");
            }
        }
    }

    [Fact]
    public void Refusal_WithSignaturesOfOthers_PassesThemOver()
    {
        using var log = TestLog.Of(3);
        var withOther = log.Heads[0].Note + $"\u2014 witness.example.com {Convert.ToBase64String(new byte[68])}\n";
        Assert.Null(log.Key.Refusal(SignedCheckpoint.Parse(withOther)));

        var second = log.Signer.Sign(2, Merkle.EmptyRoot).Note.Split('\n')[4];
        Assert.NotNull(log.Key.Refusal(SignedCheckpoint.Parse(log.Heads[0].Note + second + "\n")));
    }

    [Fact]
    public void Parse_ExtensionLines_AreKeptAndSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var text = $"{TestLog.Origin}\n5\n{Merkle.EmptyRoot}\nan extension\n";
        var own = CheckpointKey.Of(TestLog.Origin, key);
        var id = Convert.FromHexString(own.Public.Split('+')[1]);
        var signature = key.SignData(Encoding.UTF8.GetBytes(text), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
        var read = SignedCheckpoint.Parse($"{text}\n\u2014 {TestLog.Origin} {Convert.ToBase64String([.. id, .. signature])}\n");
        Assert.Equal(["an extension"], read.Head.Extensions);
        Assert.Null(own.Refusal(read));
    }

    [Theory]
    [InlineData("")]
    [InlineData("log\n1\n\n")]
    [InlineData("log\n01\nAAAA\n\n\u2014 log AAAAAAA=\n")]
    [InlineData("log\n-1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n\u2014 log AAAAAAA=\n")]
    [InlineData("log\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFV=\n\n\u2014 log AAAAAAA=\n")]
    [InlineData("lo g\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n\u2014 log AAAAAAA=\n")]
    [InlineData("log\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n- log AAAAAAA=\n")]
    [InlineData("log\r\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n\u2014 log AAAAAAA=\n")]
    [InlineData("log\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n\u2014 log AAAAAAA=")]
    public void Parse_WhatIsNoSignedHead_IsRefused(string note) =>
        Assert.Throws<FormatException>(() => SignedCheckpoint.Parse(note));

    [Theory]
    [InlineData("sha256:12")]
    [InlineData("log")]
    [InlineData("log+1+2")]
    public void Trust_InNothingReadable_IsRefused(string text) => Assert.Throws<FormatException>(() => KeyTrust.Parse(text));
}
