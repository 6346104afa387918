using Microsoft.AspNetCore.Identity;
using Stint.Server.Store;

namespace Stint.Server.Identity.Accounts;

/// <summary>What the framework's passkey handler reads of accounts. It writes nothing: what it found right is put down by whoever asked it, with the fact.</summary>
internal sealed class PasskeyUsers(StintStore store) : IUserPasskeyStore<LocalAccount>
{
    public Task<LocalAccount?> FindByIdAsync(string userId, CancellationToken cancellationToken) =>
        store.ReadAsync(async reads => await reads.FindAccountAsync(userId), cancellationToken);

    public Task<string> GetUserIdAsync(LocalAccount user, CancellationToken cancellationToken) => Task.FromResult(user.Handle);

    public async Task<IList<UserPasskeyInfo>> GetPasskeysAsync(LocalAccount user, CancellationToken cancellationToken) =>
        [.. (await store.ReadAsync(async reads => await reads.PasskeysAsync(user.Person), cancellationToken)).Select(Shown)];

    public async Task<UserPasskeyInfo?> FindPasskeyAsync(LocalAccount user, byte[] credentialId, CancellationToken cancellationToken) =>
        (await GetPasskeysAsync(user, cancellationToken)).FirstOrDefault(passkey => passkey.CredentialId.AsSpan().SequenceEqual(credentialId));

    /// <summary>Somebody who has, or had, a passkey with that id: it is taken.</summary>
    public async Task<LocalAccount?> FindByPasskeyIdAsync(byte[] credentialId, CancellationToken cancellationToken) =>
        await store.ReadAsync(async reads => await reads.HasPasskeyAsync(credentialId), cancellationToken) ? Somebody : null;

    public Task<string?> GetUserNameAsync(LocalAccount user, CancellationToken cancellationToken) => Task.FromResult<string?>(user.Person.Value);

    public Task<string?> GetNormalizedUserNameAsync(LocalAccount user, CancellationToken cancellationToken) => GetUserNameAsync(user, cancellationToken);

    public Task AddOrUpdatePasskeyAsync(LocalAccount user, UserPasskeyInfo passkey, CancellationToken cancellationToken) => throw Never();

    public Task RemovePasskeyAsync(LocalAccount user, byte[] credentialId, CancellationToken cancellationToken) => throw Never();

    public Task<LocalAccount?> FindByNameAsync(string normalizedUserName, CancellationToken cancellationToken) => throw Never();

    public Task SetUserNameAsync(LocalAccount user, string? userName, CancellationToken cancellationToken) => throw Never();

    public Task SetNormalizedUserNameAsync(LocalAccount user, string? normalizedName, CancellationToken cancellationToken) => throw Never();

    public Task<IdentityResult> CreateAsync(LocalAccount user, CancellationToken cancellationToken) => throw Never();

    public Task<IdentityResult> UpdateAsync(LocalAccount user, CancellationToken cancellationToken) => throw Never();

    public Task<IdentityResult> DeleteAsync(LocalAccount user, CancellationToken cancellationToken) => throw Never();

    public void Dispose()
    {
        // The store is the server's.
    }

    private static LocalAccount Somebody { get; } = new() { Person = new Core.SubjectId("somebody"), Handle = "somebody", MadeAt = DateTimeOffset.UnixEpoch };

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
