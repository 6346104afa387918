using System.Text;
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
