using System.Buffers.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Stint.Core.Approvals;

/// <summary>A proof as JSON: kept with the approval, and told in its fact. Its members do not change.</summary>
/// <remarks><c>{"kind":"fresh","proved_at":…,"by":…}</c>, with <c>cli</c> where a command line carried it, or <c>{"kind":"passkey","credential":…,"public_key":…,"authenticator_data":…,"client_data":…,"signature":…,"nonce":…}</c> with base64url.</remarks>
public static class ProofJson
{
    public static JsonObject ToNode(ApprovalProof proof) => proof switch
    {
        ApprovalProof.Fresh fresh => Fresh(fresh),
        ApprovalProof.Passkey { Assertion: var signed } => new JsonObject
        {
            ["kind"] = "passkey",
            ["credential"] = Base64Url.EncodeToString(signed.Credential),
            ["public_key"] = Base64Url.EncodeToString(signed.PublicKey),
            ["authenticator_data"] = Base64Url.EncodeToString(signed.AuthenticatorData),
            ["client_data"] = Base64Url.EncodeToString(signed.ClientData),
            ["signature"] = Base64Url.EncodeToString(signed.Signature),
            ["nonce"] = signed.Nonce,
        },
        _ => throw new InvalidOperationException("A proof of an unknown kind."),
    };

    public static string Write(ApprovalProof proof) => ToNode(proof).ToJsonString();

    /// <summary>Reads what <see cref="Write"/> wrote; null for anything else: a proof half understood proves nothing.</summary>
    public static ApprovalProof? Read(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return Read(document.RootElement);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <inheritdoc cref="Read(string)"/>
    public static ApprovalProof? Read(JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            return null;
        }

        if (Text(json, "kind") == "fresh" && Text(json, "by") is { } by
            && DateTimeOffset.TryParse(Text(json, "proved_at"), System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal, out var at))
        {
            return !json.TryGetProperty("cli", out _) ? new ApprovalProof.Fresh(at, by) : Text(json, "cli") is { } cli ? new ApprovalProof.Fresh(at, by, cli) : null;
        }

        return Text(json, "kind") == "passkey" && Bytes(json, "credential") is { } credential && Bytes(json, "public_key") is { } key
            && Bytes(json, "authenticator_data") is { } data && Bytes(json, "client_data") is { } client && Bytes(json, "signature") is { } signature && Text(json, "nonce") is { } nonce
            ? new ApprovalProof.Passkey(new PasskeyAssertion(credential, key, data, client, signature, nonce))
            : null;
    }

    private static JsonObject Fresh(ApprovalProof.Fresh fresh)
    {
        var json = new JsonObject
        {
            ["kind"] = "fresh",
            ["proved_at"] = fresh.At.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", System.Globalization.CultureInfo.InvariantCulture),
            ["by"] = fresh.By,
        };
        if (fresh.CommandLine is { } cli)
        {
            json["cli"] = cli;
        }

        return json;
    }

    private static string? Text(JsonElement json, string name) => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static byte[]? Bytes(JsonElement json, string name)
    {
        if (Text(json, name) is not { } text)
        {
            return null;
        }

        try
        {
            return Base64Url.DecodeFromChars(text);
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
