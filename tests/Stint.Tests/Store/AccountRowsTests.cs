using Stint.Core;
using Stint.Server.Store;
using Xunit;

namespace Stint.Tests.Store;

public sealed class AccountRowsTests
{
    public static TheoryData<string> Kinds => TestStore.Kinds;

    private static readonly SubjectId Ann = new("ann");
    private static readonly SubjectId Bob = new("bob");

    private static byte[] Hash(byte first) => [first, .. new byte[31]];

    private static Passkey Of(SubjectId person, byte id) => new()
    {
        Id = [id],
        Person = person,
        Name = "laptop",
        PublicKey = [1, 2],
        SignCount = 5,
        Transports = ["internal", "hybrid"],
        IsBackupEligible = true,
        IsBackedUp = false,
        MadeAt = TestStore.Now,
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Account_ItsPasskeysAndCodes_AreKeptUsedAndVoided(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var now = TestStore.Now;
        await test.WriteAsync(async work =>
        {
            Assert.True((await work.KeepAccountAsync(Ann, "handle-of-somebody-1", now)).Made);
            var (kept, made) = await work.KeepAccountAsync(Ann, "handle-of-somebody-2", now);
            Assert.Equal((false, "handle-of-somebody-1"), (made, kept.Handle));
            await work.KeepAccountAsync(Bob, "handle-of-somebody-3", now);
            Assert.Empty(await work.PersonsWithAWayInAsync());
            await work.SetPasswordAsync(Ann, "hash", now);
            Assert.True(await work.InsertAsync(Of(Ann, 1)));
            Assert.False(await work.InsertAsync(Of(Bob, 1)));
            Assert.True(await work.InsertAsync(Of(Bob, 2)));
            Assert.Equal([Ann, Bob], (await work.PersonsWithAWayInAsync()).OrderBy(one => one.Value, StringComparer.Ordinal));
            return true;
        });
        var read = Assert.Single(await test.ReadAsync(async reads => await reads.PasskeysAsync(Ann)));
        Assert.Equal(Of(Ann, 1) with { Id = read.Id, PublicKey = read.PublicKey, Transports = read.Transports }, read);
        Assert.Equal(["internal", "hybrid"], read.Transports);
        await test.WriteAsync(async work =>
        {
            // Of two who saw the same counter one is a copy.
            Assert.True(await work.UsePasskeyAsync(read, 6, true, now));
            Assert.False(await work.UsePasskeyAsync(read, 7, true, now));
            Assert.False(await work.RemovePasskeyAsync(Bob, [1], now));
            Assert.True(await work.RemovePasskeyAsync(Ann, [1], now));
            Assert.False(await work.RemovePasskeyAsync(Ann, [1], now));
            Assert.True(await work.HasPasskeyAsync([1]));
            Assert.False(await work.InsertAsync(Of(Bob, 1)));

            await work.SetTotpAsync(Ann, "sealed:v1:x", 10, now);
            Assert.True(await work.UseTotpAsync(Ann, "sealed:v1:x", 11));
            Assert.False(await work.UseTotpAsync(Ann, "sealed:v1:x", 11));
            Assert.False(await work.UseTotpAsync(Ann, "sealed:v1:y", 12));

            await work.ReplaceRecoveryCodesAsync(Ann, [Hash(1), Hash(2)], now);
            Assert.True(await work.HasRecoveryCodeAsync(Ann, Hash(1)));
            Assert.False(await work.HasRecoveryCodeAsync(Bob, Hash(1)));
            Assert.True(await work.UseRecoveryCodeAsync(Ann, Hash(1), now));
            Assert.False(await work.UseRecoveryCodeAsync(Ann, Hash(1), now));
            Assert.Equal(1, await work.RecoveryCodesLeftAsync(Ann));
            await work.ReplaceRecoveryCodesAsync(Ann, [Hash(3)], now);
            Assert.False(await work.UseRecoveryCodeAsync(Ann, Hash(2), now));
            Assert.Equal(1, await work.RecoveryCodesLeftAsync(Ann));

            await work.InsertAsync(new AccountLink(Hash(1), AccountLinkKind.SetUp, null, null, now, now.AddHours(24)));
            await work.InsertAsync(new AccountLink(Hash(2), AccountLinkKind.SetUp, null, null, now, now.AddHours(24)));
            Assert.Null(await work.FindLinkAsync(Hash(1)));
            Assert.True(await work.UseLinkAsync(Hash(2), Ann, now));
            Assert.False(await work.UseLinkAsync(Hash(2), Bob, now));
            await work.InsertLocalPersonAsync("zoe", now);
            await work.InsertLocalPersonAsync("zoe", now);
            Assert.Equal("zoe", Assert.Single(await work.DirectoryLinesAsync()).Key);
            Assert.Equal("local:zoe", Assert.Single(await work.DirectoryLinesAsync(["local:zoe", "x"])).Id);
            Assert.Equal(1, await work.DirectoryNumberAsync());
            await work.InsertAsync(new AccountLink(Hash(3), AccountLinkKind.Invite, Ann, Bob, now, now.AddHours(24)));
            return true;
        });
        foreach (var attack in (string[])
                 [
                     "UPDATE accounts SET person = 'eve' WHERE person = 'ann'",
                     "UPDATE accounts SET handle = 'handle-of-somebody-9' WHERE person = 'ann'",
                     "UPDATE accounts SET totp_step = 1 WHERE person = 'ann'",
                     "UPDATE accounts SET totp = 'PLAIN' WHERE person = 'ann'",
                     "UPDATE accounts SET password_at = NULL WHERE person = 'ann'",
                     "INSERT INTO accounts (person, handle, made_at) VALUES ('workload:ci', 'handle-of-somebody-8', 1)",
                     "DELETE FROM accounts",
                     "UPDATE passkeys SET removed_at = NULL WHERE person = 'ann'",
                     "UPDATE passkeys SET person = 'ann' WHERE person = 'bob'",
                     "UPDATE passkeys SET sign_count = 1 WHERE person = 'bob'",
                     "DELETE FROM passkeys",
                     "UPDATE recovery_codes SET used_at = NULL WHERE used_at IS NOT NULL",
                     "UPDATE recovery_codes SET voided_at = NULL WHERE voided_at IS NOT NULL",
                     "UPDATE recovery_codes SET person = 'bob'",
                     "DELETE FROM recovery_codes",
                     "UPDATE local_people SET name = 'eve'",
                     "DELETE FROM local_people",
                     "INSERT INTO local_people (name, made_at) VALUES ('Zed', 1)",
                     "UPDATE account_links SET used_at = NULL, used_by = NULL WHERE used_at IS NOT NULL",
                     "UPDATE account_links SET used_at = 1, used_by = 'eve' WHERE person = 'ann'",
                     "UPDATE account_links SET person = 'eve' WHERE person = 'ann'",
                     "UPDATE account_links SET expires_at = expires_at + 1 WHERE person = 'ann'",
                     "DELETE FROM account_links",
                 ])
        {
            await Assert.ThrowsAsync<StoreRefusedException>(() => test.AttackAsync(attack));
        }
    }
}
