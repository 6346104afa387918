using System.Buffers.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;
using Stint.Core;
using Stint.Core.Approvals;
using Stint.Server.Store;

namespace Stint.Server.Identity.Accounts;

/// <summary>What a browser is asked for, and what has to be remembered of it until it answers.</summary>
/// <param name="Options">For <c>navigator.credentials</c>, as JSON.</param>
/// <param name="State">Sealed into a cookie of that browser alone.</param>
internal sealed record PasskeyAsk(string Options, string State);

/// <summary>A passkey that was made, not kept yet.</summary>
internal sealed record NewPasskey(string Handle, byte[] Id, byte[] PublicKey, long SignCount, IReadOnlyList<string> Transports, bool IsBackupEligible, bool IsBackedUp);

/// <summary>An assertion that was found right, not noted yet.</summary>
/// <param name="Account">Whose passkey it is.</param>
/// <param name="Before">The passkey as it was.</param>
/// <param name="SignCount">Its counter now.</param>
/// <param name="IsBackedUp">Whether it is copied to other devices by now.</param>
/// <param name="Credential">The answer, as the browser sent it.</param>
internal sealed record RightAssertion(LocalAccount Account, Passkey Before, long SignCount, bool IsBackedUp, string Credential);

/// <summary>Web Authentication, by ASP.NET Core Identity's handler: the holder is verified (PIN, finger, face) at each use, and names themselves.</summary>
/// <remarks>
/// NB. Passkeys have to be discoverable: one that has to be looked up by a name would tell strangers which names there are.
/// Two kinds of keys are taken, which every platform and security key has, and which evidence can be checked with later.
/// </remarks>
internal sealed class Passkeys(StintStore store, RelyingParty relying, IdSource ids, TimeProvider clock)
{
    /// <summary>How long a browser has to answer.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromMinutes(5);

    private const int MostCredential = 64 << 10;

    public RelyingParty Relying => relying;

    /// <summary>Asks for a new passkey of a person.</summary>
    /// <param name="person">Who.</param>
    /// <param name="called">What their device shows.</param>
    /// <param name="context">The call.</param>
    public async Task<PasskeyAsk> AskToMakeAsync(SubjectId person, string called, HttpContext context)
    {
        var account = await store.ReadAsync(async reads => await reads.FindAccountAsync(person), context.RequestAborted);
        var handle = account?.Handle ?? ids.NextSecret();
        var asked = await Handler().MakeCreationOptionsAsync(new PasskeyUserEntity { Id = handle, Name = person.Value, DisplayName = called.Length > 0 ? called : person.Value }, context);
        return new PasskeyAsk(asked.CreationOptionsJson, asked.AttestationState!);
    }

    /// <summary>Looks at a passkey that was made.</summary>
    /// <returns>Null when it is not what was asked for.</returns>
    public async Task<NewPasskey?> MadeAsync(string credential, string state, HttpContext context)
    {
        if (credential.Length > MostCredential)
        {
            return null;
        }

        var result = await Handler().PerformAttestationAsync(new PasskeyAttestationContext { CredentialJson = credential, AttestationState = state, HttpContext = context });
        return result is { Succeeded: true, Passkey: { IsUserVerified: true } made, UserEntity: { } user }
            ? new NewPasskey(user.Id, made.CredentialId, made.PublicKey, made.SignCount, made.Transports ?? [], made.IsBackupEligible, made.IsBackedUp)
            : null;
    }

    /// <summary>Asks for a proof by a passkey.</summary>
    /// <param name="person">Whose; null for whoever has one here.</param>
    /// <param name="challenge">What is to be signed; null for chance alone.</param>
    /// <param name="context">The call.</param>
    /// <returns>Null when that person has no passkey.</returns>
    public async Task<PasskeyAsk?> AskAsync(SubjectId? person, byte[]? challenge, HttpContext context)
    {
        LocalAccount? account = null;
        if (person is { } somebody)
        {
            (account, var any) = await store.ReadAsync(async reads => (await reads.FindAccountAsync(somebody), (await reads.PasskeysAsync(somebody)).Count > 0), context.RequestAborted);
            if (account is null || !any)
            {
                return null;
            }
        }

        var asked = await Handler().MakeRequestOptionsAsync(account, context);
        return challenge is null
            ? new PasskeyAsk(asked.RequestOptionsJson, asked.AssertionState!)
            : new PasskeyAsk(With(asked.RequestOptionsJson, Base64Url.EncodeToString(challenge)), With(asked.AssertionState!, Convert.ToBase64String(challenge)));
    }

    /// <summary>Looks at a proof; notes nothing.</summary>
    /// <returns>Null when it proves nothing.</returns>
    public async Task<RightAssertion?> ProvedAsync(string credential, string state, HttpContext context)
    {
        if (credential.Length > MostCredential)
        {
            return null;
        }

        var result = await Handler().PerformAssertionAsync(new PasskeyAssertionContext { CredentialJson = credential, AssertionState = state, HttpContext = context });
        if (!result.Succeeded || await store.ReadAsync(async reads => await reads.PasskeysAsync(result.User.Person), context.RequestAborted) is not { } passkeys)
        {
            return null;
        }

        return passkeys.Find(one => one.Id.AsSpan().SequenceEqual(result.Passkey.CredentialId)) is { } before
            ? new RightAssertion(result.User, before, result.Passkey.SignCount, result.Passkey.IsBackedUp, credential)
            : null;
    }

    /// <summary>Notes that a proof was given, in the write that goes by it.</summary>
    /// <returns>False when the passkey was removed meanwhile, or a copy of it was used.</returns>
    public async ValueTask<bool> NoteAsync(Work work, RightAssertion proof) => await work.UsePasskeyAsync(proof.Before, proof.SignCount, proof.IsBackedUp, Stored.Round(clock.Now()));

    /// <summary>What of a proof goes with an approval.</summary>
    public static PasskeyAssertion ForApproval(RightAssertion proof, string nonce)
    {
        var response = JsonNode.Parse(proof.Credential)!["response"]!;
        return new PasskeyAssertion(
            proof.Before.Id,
            proof.Before.PublicKey,
            Bytes(response["authenticatorData"]),
            Bytes(response["clientDataJSON"]),
            Bytes(response["signature"]),
            nonce);

        static byte[] Bytes(JsonNode? node) => Base64Url.DecodeFromChars((string)node!);
    }

    private static string With(string json, string challenge)
    {
        var node = JsonNode.Parse(json)!.AsObject();
        if (!node.ContainsKey("challenge"))
        {
            throw new InvalidOperationException("The framework writes the challenge elsewhere than it did.");
        }

        node["challenge"] = challenge;
        return node.ToJsonString();
    }

    private PasskeyHandler<LocalAccount> Handler()
    {
        var users = new UserManager<LocalAccount>(new PasskeyUsers(store), null!, null!, [], [], null!, null!, null!, Microsoft.Extensions.Logging.Abstractions.NullLogger<UserManager<LocalAccount>>.Instance);
        return new PasskeyHandler<LocalAccount>(users, Options.Create(new IdentityPasskeyOptions
        {
            ServerDomain = relying.Id,
            AuthenticatorTimeout = Timeout,
            UserVerificationRequirement = "required",
            ResidentKeyRequirement = "required",
            AttestationConveyancePreference = "none",
            IsAllowedAlgorithm = algorithm => algorithm is CoseKey.Es256 or CoseKey.Rs256,
            ValidateOrigin = origin => ValueTask.FromResult(!origin.CrossOrigin && relying.IsOwn(origin.Origin, origin.HttpContext)),
        }));
    }
}
