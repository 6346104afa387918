using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;

namespace Stint.Server.Identity.Providers;

/// <summary>What one browser went to a provider with, kept in that browser alone, sealed, until it is back.</summary>
/// <param name="Provider">Name of the provider.</param>
/// <param name="State">What its answer has to carry.</param>
/// <param name="Nonce">What its token has to carry.</param>
/// <param name="Verifier">What the code is exchanged with (RFC 7636).</param>
/// <param name="Then">Where to afterwards; a path of ours.</param>
/// <param name="StartedAt">When.</param>
/// <param name="Session">The session that a fresh proof is for; null for a new one.</param>
internal sealed record ProviderFlow(string Provider, string State, string Nonce, string Verifier, string Then, DateTimeOffset StartedAt, string? Session)
{
    /// <summary>Name of the cookie.</summary>
    public const string Cookie = "provider";

    /// <summary>How long somebody may take to prove themselves there.</summary>
    public static readonly TimeSpan Lasts = TimeSpan.FromMinutes(15);

    /// <summary>Whether this is for proving oneself again.</summary>
    public bool Fresh => Session is not null;

    /// <summary>What is shown of the verifier (RFC 7636, section 4.2).</summary>
    public string Challenge => Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(Verifier)));

    /// <summary>Whether an answer is to this asking.</summary>
    public bool IsAnsweredBy(string state) => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(state), Encoding.UTF8.GetBytes(State));
}

[JsonSourceGenerationOptions(UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(ProviderFlow))]
internal sealed partial class ProviderFlowJson : JsonSerializerContext;
