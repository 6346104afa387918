using System.Security.Cryptography;
using System.Text;
using Stint.Core.Sessions;

namespace Stint.Server.Sessions;

/// <summary>Makes what proves a secret without holding it (RFC 5802 §3, RFC 7677).</summary>
internal static class ScramSecret
{
    /// <summary>RFC 7677's least. The secret has 256 bits of chance: more rounds would slow the holder down and no searcher.</summary>
    public const int Iterations = 4096;

    public static LoginVerifier Verifier(string secret, byte[] salt)
    {
        var salted = Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(secret), salt, Iterations, HashAlgorithmName.SHA256, 32);
        var stored = SHA256.HashData(HMACSHA256.HashData(salted, "Client Key"u8));
        var server = HMACSHA256.HashData(salted, "Server Key"u8);
        CryptographicOperations.ZeroMemory(salted);
        return new LoginVerifier(Iterations, salt, stored, server);
    }
}
