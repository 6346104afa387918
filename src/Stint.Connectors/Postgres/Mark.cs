using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Stint.Core.Grants;

namespace Stint.Connectors.Postgres;

/// <summary>What Stint writes as the comment of an account: whose it is, and which lease touched it last.</summary>
/// <param name="Installation">The installation that made it.</param>
/// <param name="Assignment">Its assignment; null when the comment does not say.</param>
/// <param name="Fence">The highest lease seen.</param>
/// <param name="Statements">Names the statements that ran for it; empty when none are known to have run.</param>
/// <param name="Subject">Who uses it, for the target's people.</param>
/// <param name="Role">As what, for the target's people.</param>
internal sealed record Mark(string Installation, string? Assignment, long Fence, string Statements, string Subject, string Role)
{
    private const string Start = "stint/1";

    public static Mark Of(string installation, Account account, string statements) =>
        new(installation, account.Assignment.Value, account.Fence, statements, account.Subject.Value, account.Role.Ref.ToString());

    /// <summary>Short name of a list of statements.</summary>
    public static string NameOf(IEnumerable<string> statements) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\0', statements))))[..16];

    /// <summary>The mark in a comment; null when it is not one. An account whose assignment is unreadable still has its installation.</summary>
    public static Mark? Read(string? comment)
    {
        var words = comment?.Split(' ') ?? [];
        if (words.Length == 0 || words[0] != Start)
        {
            return null;
        }

        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var word in words.Skip(1))
        {
            var equals = word.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
            {
                values[word[..equals]] = Uri.UnescapeDataString(word[(equals + 1)..]);
            }
        }

        return values.TryGetValue("installation", out var installation)
            ? new Mark(
                installation,
                values.GetValueOrDefault("assignment"),
                long.TryParse(values.GetValueOrDefault("fence"), NumberStyles.None, CultureInfo.InvariantCulture, out var fence) ? fence : 0,
                values.GetValueOrDefault("statements", ""),
                values.GetValueOrDefault("subject", ""),
                values.GetValueOrDefault("role", ""))
            : null;
    }

    /// <summary>One line; every value escaped, so that none can pretend to be another.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Start} installation={Escape(Installation)} assignment={Escape(Assignment ?? "")} fence={Fence} statements={Statements} subject={Escape(Subject)} role={Escape(Role)}");

    private static string Escape(string text) => Uri.EscapeDataString(text);
}
