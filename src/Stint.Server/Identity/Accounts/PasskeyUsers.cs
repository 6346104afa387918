using Microsoft.AspNetCore.Identity;
using Stint.Server.Store;

namespace Stint.Server.Identity.Accounts;

/// <summary>What the framework's passkey handler reads of accounts. It writes nothing: what it found right is put down by whoever asked it, with the fact.</summary>
internal sealed class PasskeyUsers(StintStore store) : IUserPasskeyStore<Account>
{
    public Task<Account?> FindByIdAsync(string userId, CancellationToken cancellationToken) =>
        store.ReadAsync(async reads => await reads.FindAccountAsync(userId), cancellationToken);

    public Task<string> GetUserIdAsync(Account user, CancellationToken cancellationToken) => Task.FromResult(user.Handle);

    public async Task<IList<UserPasskeyInfo>> GetPasskeysAsync(Account user, CancellationToken cancellationToken) =>
        [.. (await store.ReadAsync(async reads => await reads.PasskeysAsync(user.Person), cancellationToken)).Select(Shown)];

    public async Task<UserPasskeyInfo?> FindPasskeyAsync(Account user, byte[] credentialId, CancellationToken cancellationToken) =>
        (await GetPasskeysAsync(user, cancellationToken)).FirstOrDefault(passkey => passkey.CredentialId.AsSpan().SequenceEqual(credentialId));

    /// <summary>Somebody who has, or had, a passkey with that id: it is taken.</summary>
    public async Task<Account?> FindByPasskeyIdAsync(byte[] credentialId, CancellationToken cancellationToken) =>
        await store.ReadAsync(async reads => await reads.HasPasskeyAsync(credentialId), cancellationToken) ? Somebody : null;

    public Task<string?> GetUserNameAsync(Account user, CancellationToken cancellationToken) => Task.FromResult<string?>(user.Person.Value);

    public Task<string?> GetNormalizedUserNameAsync(Account user, CancellationToken cancellationToken) => GetUserNameAsync(user, cancellationToken);

    public Task AddOrUpdatePasskeyAsync(Account user, UserPasskeyInfo passkey, CancellationToken cancellationToken) => throw Never();

    public Task RemovePasskeyAsync(Account user, byte[] credentialId, CancellationToken cancellationToken) => throw Never();

    public Task<Account?> FindByNameAsync(string normalizedUserName, CancellationToken cancellationToken) => throw Never();

    public Task SetUserNameAsync(Account user, string? userName, CancellationToken cancellationToken) => throw Never();

    public Task SetNormalizedUserNameAsync(Account user, string? normalizedName, CancellationToken cancellationToken) => throw Never();

    public Task<IdentityResult> CreateAsync(Account user, CancellationToken cancellationToken) => throw Never();

    public Task<IdentityResult> UpdateAsync(Account user, CancellationToken cancellationToken) => throw Never();

    public Task<IdentityResult> DeleteAsync(Account user, CancellationToken cancellationToken) => throw Never();

    public void Dispose()
    {
        // The store is the server's.
    }

    private static Account Somebody { get; } = new() { Person = new Core.SubjectId("somebody"), Handle = "somebody", MadeAt = DateTimeOffset.UnixEpoch };

    private static UserPasskeyInfo Shown(Passkey passkey) => new(
        passkey.Id,
        passkey.PublicKey,
        passkey.MadeAt,
        (uint)passkey.SignCount,
        [.. passkey.Transports],
        isUserVerified: true,
        passkey.IsBackupEligible,
        passkey.IsBackedUp,
        attestationObject: [],
        clientDataJson: []);

    private static InvalidOperationException Never() => new("The passkey handler changes nothing by itself.");
}
