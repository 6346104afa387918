using System.Text;
using Stint.Core;
using Stint.Server.Identity.Accounts;
using Xunit;

namespace Stint.Tests.Identity.Accounts;

public sealed class AccountPartsTests
{
    [Theory]
    [InlineData("correct horse battery staple", null)]
    [InlineData("løvfrø på en blå himmel", null)]
    [InlineData("kiefer zaun morgen lampe", null)]
    [InlineData("wq8#Zt4!mLx2", null)]
    [InlineData("eleven chars", null)]
    [InlineData("ten chars!", "at least 12")]
    [InlineData("Password12345!", "everybody tries first")]
    [InlineData("P@$$w0rd1234", "everybody tries first")]
    [InlineData("stint-admin-2026", "everybody tries first")]
    [InlineData("qwertyuiop123", "everybody tries first")]
    [InlineData("ann.miller-1987", "everybody tries first")]
    [InlineData("abcdefghijklmno", "everybody tries first")]
    [InlineData("aaaaaaaaaaaaaaaa", "repeats")]
    [InlineData("xy7xy7xy7xy7xy7", "repeats")]
    [InlineData("with a\tcontrol char", "control")]
    public void Password_LongAndUncommon_IsGood_AndNothingElse(string password, string? against)
    {
        var found = PasswordRules.Against(password, "ann", "Ann Miller");
        Assert.True(against is null ? found is null : found?.Contains(against, StringComparison.Ordinal) == true, found ?? "taken");
    }

    [Fact]
    public void Password_TooLong_IsRefusedBeforeAnythingIsDoneWithIt()
    {
        Assert.Null(PasswordRules.Against(string.Concat(Enumerable.Range(0, 128).Select(i => (char)(0x4E00 + i)))));
        Assert.Contains("at most 128", PasswordRules.Against(string.Concat(Enumerable.Range(0, 129).Select(i => (char)(0x4E00 + i)))), StringComparison.Ordinal);
        Assert.Contains("at most 128", PasswordRules.Against(new string('x', 1_000_000)), StringComparison.Ordinal);
    }

    // RFC 6238, appendix B, SHA-1: the last six of its eight digits.
    [Theory]
    [InlineData(59, "287082")]
    [InlineData(1111111109, "081804")]
    [InlineData(1111111111, "050471")]
    [InlineData(1234567890, "005924")]
    [InlineData(2000000000, "279037")]
    [InlineData(20000000000, "353130")]
    public void Totp_OfTheRfc(long seconds, string code)
    {
        var secret = Encoding.ASCII.GetBytes("12345678901234567890");
        var now = DateTimeOffset.FromUnixTimeSeconds(seconds);
        Assert.Equal(code, Totp.Code(secret, now));
        Assert.Equal(seconds / 30, Totp.StepOf(secret, $"{code[..3]} {code[3..]}", now, null));
        Assert.Equal(seconds / 30, Totp.StepOf(secret, code, now.AddSeconds(30), null));
        Assert.Equal(seconds / 30, Totp.StepOf(secret, code, now.AddSeconds(-30), null));
        Assert.Null(Totp.StepOf(secret, code, now.AddSeconds(61), null));
        Assert.Null(Totp.StepOf(secret, code, now, seconds / 30));
        Assert.Null(Totp.StepOf(secret, code + "0", now, null));
        Assert.Null(Totp.StepOf(secret, "", now, null));
    }

    [Fact]
    public void Totp_SecretAsAppsTakeIt()
    {
        Assert.Equal("GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ", Totp.Write(Encoding.ASCII.GetBytes("12345678901234567890")));
        Assert.Equal(
            "otpauth://totp/Stint%20s.example%3Aann?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Stint%20s.example&algorithm=SHA1&digits=6&period=30",
            Totp.Uri("Stint s.example", "ann", Encoding.ASCII.GetBytes("12345678901234567890")));
    }

    [Fact]
    public void Holdoff_GrowsIsBoundedAndForgets()
    {
        var time = new ManualTime(new DateTimeOffset(2026, 11, 22, 9, 0, 0, TimeSpan.Zero));
        var holdoff = new Holdoff<string>(3, time);
        for (var i = 0; i < 3; i++)
        {
            Assert.True(holdoff.Begin("ann"));
        }

        // From then on each try costs twice as long as the one before, and never more than a quarter of an hour.
        foreach (var wait in (int[])[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900])
        {
            Assert.True(holdoff.Begin("ann"));
            time.Advance(TimeSpan.FromSeconds(wait - 0.5));
            Assert.False(holdoff.Begin("ann"));
            Assert.True(holdoff.Begin("other" + wait));
            time.Advance(TimeSpan.FromSeconds(0.6));
        }

        time.Advance(TimeSpan.FromMinutes(30));
        for (var i = 0; i < 3; i++)
        {
            Assert.True(holdoff.Begin("ann"));
        }

        Assert.True(holdoff.Begin("ann"));
        Assert.False(holdoff.Begin("ann"));
        holdoff.Succeeded("ann");
        Assert.True(holdoff.Begin("ann"));
    }

    [Fact]
    public async Task Passwords_HashedAtTheCostOfTheDay_AndOlderOnesAreKnownForIt()
    {
        using var cheap = new Passwords(1_000);
        using var dear = new Passwords(2_000);
        var none = CancellationToken.None;
        var hash = (await cheap.HashAsync("correct horse battery staple", none))!;
        Assert.NotEqual(hash, await cheap.HashAsync("correct horse battery staple", none));
        Assert.Equal(PasswordCheck.Right, await cheap.CheckAsync(hash, "correct horse battery staple", none));
        Assert.Equal(PasswordCheck.RightAndOld, await dear.CheckAsync(hash, "correct horse battery staple", none));
        Assert.Equal(PasswordCheck.Wrong, await dear.CheckAsync(hash, "correct horse battery stable", none));
        Assert.Equal(PasswordCheck.Wrong, await dear.CheckAsync(null, "", none));
        Assert.True(Passwords.Iterations >= 210_000);

        // The iterations stand in the hash (format 1: PRF 2 is HMAC-SHA-512, then the count).
        using var real = new Passwords();
        var bytes = Convert.FromBase64String((await real.HashAsync("x", none))!);
        Assert.Equal((1, 2u, (uint)Passwords.Iterations), (bytes[0], System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(1)), System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(5))));
    }

    [Theory]
    [InlineData("\u0309\u1eb5\U0001d17e\u0072\u2dea\u24e9", "\u0309\u1eb5\U0001d17e\u0072\u2dea\u007a")]
    [InlineData("\ufb96\u0069\u0388\uf97b\u0733\U0002f906", "\u06b3\u0069\u0388\u7ce7\u0733\U00023d1e")]
    [InlineData("\uff53\U0001d514\u0484\U000110b9\u08e7\u3309", "\u0073\u0051\U000110b9\u0484\u08e7\u30aa\u30f3\u30b9")]
    [InlineData("\u065d\u1ce4\u0e3a\ua9b3\u0318\u1dd6", "\u1ce4\ua9b3\u0e3a\u0318\u065d\u1dd6")]
    [InlineData("\ufa35\U0001f236\u2f5d\u0345\u1cd8\u0344", "\u5351\u6709\u72ac\u1cd8\u0308\u0301\u0345")]
    [InlineData("\u1112\u1161\u11ab\u1100\u1173\u11af \ud55c\uae00 \u314f", "\ud55c\uae00 \ud55c\uae00 \u1161")]
    [InlineData("\u0041\u030a\u0301 \u2126 \u0958 \u1e9b\u0323", "\u01fa \u03a9 \u0915\u093c \u1e69")]
    [InlineData("plain ASCII", "plain ASCII")]
    public void Nfkc_IsAsTheStandardSays_AndAsOftenAsOneLikes(string text, string expected)
    {
        Assert.Equal(expected, Nfkc.Of(text));
        Assert.Equal(expected, Nfkc.Of(expected));
    }

    [Fact]
    public async Task Passwords_AreComposedAlike_WhateverKeyboardTypesThem()
    {
        using var passwords = new Passwords(1_000);
        var hash = (await passwords.HashAsync("caf\u00e9 \u2460 \ufb01sch ｗide", CancellationToken.None))!;
        foreach (var typed in (string[])["cafe\u0301 1 fisch wide", "cafe\u0301 \u2460 \ufb01sch ｗide", "caf\u00e9\u00a01 fisch wide"])
        {
            Assert.Equal(PasswordCheck.Right, await passwords.CheckAsync(hash, typed, CancellationToken.None));
        }

        Assert.Equal(PasswordCheck.Wrong, await passwords.CheckAsync(hash, "cafe 1 fisch wide", CancellationToken.None));
        Assert.Equal(PasswordCheck.Wrong, await passwords.CheckAsync(hash, "caf\ud800 1 fisch wide", CancellationToken.None));

        // What becomes too long, or too short, when it is composed, or is half a character, is no password.
        Assert.Contains("at most", PasswordRules.Against(new string('\ufdfa', 12)), StringComparison.Ordinal);
        Assert.Contains("at least", PasswordRules.Against("qe\u0301zja\u0301kwpmo"), StringComparison.Ordinal);
        Assert.Contains("half of one", PasswordRules.Against("correct horse \ud800 battery"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Passwords_AFlood_IsSentAwayAndDoesNotQueueForEver()
    {
        using var passwords = new Passwords(50_000);
        var all = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => passwords.CheckAsync(null, "x", CancellationToken.None)));
        Assert.Contains(PasswordCheck.Busy, all);
        Assert.Contains(PasswordCheck.Wrong, all);
        Assert.Equal(PasswordCheck.Wrong, await passwords.CheckAsync(null, "x", CancellationToken.None));
    }
}
