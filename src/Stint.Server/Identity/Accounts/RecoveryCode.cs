using System.Security.Cryptography;
using System.Text;
using Stint.Core;
using Stint.Core.Requests;

namespace Stint.Server.Identity.Accounts;

/// <summary>Codes that stand in for what somebody lost: each lets its owner in once. They look like those for emergencies, and are not.</summary>
internal static class RecoveryCode
{
    /// <summary>How many are made together; those before are void.</summary>
    public const int Count = 10;

    /// <summary>New ones.</summary>
    public static IReadOnlyList<string> Make(IdSource ids) => [.. Enumerable.Range(0, Count).Select(_ => BreakGlassCode.Write(ids.Bytes(BreakGlassCode.Letters)))];

    /// <summary>What is kept of a code. With 140 random bits a plain hash cannot be searched.</summary>
    /// <param name="person">Whose it is: nobody else's code lets them in.</param>
    /// <param name="code">As <see cref="BreakGlassCode.Read"/> gives it.</param>
    public static byte[] Hash(SubjectId person, string code) => SHA256.HashData(Encoding.UTF8.GetBytes($"stint recovery code\n{person.Value}\n{code}"));

    /// <summary>What is kept of codes that were just made.</summary>
    public static List<byte[]> Hashes(SubjectId person, IReadOnlyList<string> codes) => [.. codes.Select(code => Hash(person, BreakGlassCode.Read(code)!))];
}
