using System.Buffers.Binary;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Stint.Tests.Identity.Accounts;

/// <summary>An authenticator in software: one ES256 passkey, as a browser would hand its answers on.</summary>
internal sealed class SoftPasskey : IDisposable
{
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public byte[] Id { get; } = RandomNumberGenerator.GetBytes(32);

    public string UserHandle { get; private set; } = "";

    public uint Count { get; set; }

    /// <summary>Whether its holder showed a finger.</summary>
    public bool Verifies { get; set; } = true;

    public string Host { get; init; } = "localhost";

    /// <summary>The public key as COSE writes it.</summary>
    public byte[] PublicKey
    {
        get
        {
            var q = _key.ExportParameters(false).Q;
            return [0xA5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20, .. q.X!, 0x22, 0x58, 0x20, .. q.Y!];
        }
    }

    /// <summary>Answers <c>navigator.credentials.create</c>.</summary>
    public JsonObject Make(JsonNode options, string origin)
    {
        UserHandle = (string)options["user"]!["id"]!;
        byte[] data = [.. Data(0x41), .. new byte[16], 0, 32, .. Id, .. PublicKey];
        byte[] attestation = [0xA3, 0x63, .. "fmt"u8, 0x64, .. "none"u8, 0x67, .. "attStmt"u8, 0xA0, 0x68, .. "authData"u8, 0x58, (byte)data.Length, .. data];
        return Answer(new JsonObject
        {
            ["clientDataJSON"] = Text(Client("webauthn.create", (string)options["challenge"]!, origin)),
            ["attestationObject"] = Text(attestation),
            ["transports"] = new JsonArray("internal"),
        });
    }

    /// <summary>Answers <c>navigator.credentials.get</c>.</summary>
    public JsonObject Show(JsonNode options, string origin)
    {
        var client = Client("webauthn.get", (string)options["challenge"]!, origin);
        var data = Data(0x01);
        return Answer(new JsonObject
        {
            ["clientDataJSON"] = Text(client),
            ["authenticatorData"] = Text(data),
            ["signature"] = Text(Sign(data, client)),
            ["userHandle"] = UserHandle,
        });
    }

    public byte[] Data(byte flags)
    {
        var count = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(count, ++Count);
        return [.. SHA256.HashData(Encoding.UTF8.GetBytes(Host)), (byte)(flags | (Verifies ? 0x04 : 0)), .. count];
    }

    public byte[] Sign(byte[] data, byte[] client) => _key.SignData([.. data, .. SHA256.HashData(client)], HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

    public static byte[] Client(string type, string challenge, string origin) =>
        Encoding.UTF8.GetBytes(new JsonObject { ["type"] = type, ["challenge"] = challenge, ["origin"] = origin, ["crossOrigin"] = false }.ToJsonString());

    public void Dispose() => _key.Dispose();

    private JsonObject Answer(JsonObject response) => new()
    {
        ["id"] = Text(Id),
        ["rawId"] = Text(Id),
        ["type"] = "public-key",
        ["clientExtensionResults"] = new JsonObject(),
        ["response"] = response,
    };

    private static string Text(byte[] bytes) => Base64Url.EncodeToString(bytes);
}
