using System.Security.Cryptography;
using System.Text;

namespace Stint.Connectors.Postgres;

/// <summary>A SCRAM-SHA-256 verifier as PostgreSQL stores it (RFC 5802 section 3, RFC 5803; form: <c>SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey</c>).</summary>
/// <remarks>Made here, so that the password itself never stands in a statement: a server that logs its statements logs no secret.</remarks>
internal static class ScramVerifier
{
    /// <summary>What PostgreSQL itself uses. The secret has 256 random bits, so more rounds would only cost time at each login.</summary>
    public const int Iterations = 4096;

    private const int SaltBytes = 16;

    /// <summary>A fresh verifier with a random salt.</summary>
    /// <param name="secret">Printable ASCII, which SASLprep (RFC 4013) leaves as it is.</param>
    /// <exception cref="ArgumentException">It is empty or holds something else; the message does not show it.</exception>
    public static string Make(string secret) => Make(secret, RandomNumberGenerator.GetBytes(SaltBytes));

    internal static string Make(string secret, byte[] salt)
    {
        if (secret.Length == 0 || secret.Any(c => c is < '!' or > '~'))
        {
            throw new ArgumentException("An account's secret is printable ASCII without blanks.", nameof(secret));
        }

        var salted = Rfc2898DeriveBytes.Pbkdf2(Encoding.ASCII.GetBytes(secret), salt, Iterations, HashAlgorithmName.SHA256, SHA256.HashSizeInBytes);
        var stored = SHA256.HashData(HMACSHA256.HashData(salted, "Client Key"u8));
        var server = HMACSHA256.HashData(salted, "Server Key"u8);
        CryptographicOperations.ZeroMemory(salted);
        return $"SCRAM-SHA-256${Iterations}:{Convert.ToBase64String(salt)}${Convert.ToBase64String(stored)}:{Convert.ToBase64String(server)}";
    }
}
