using System.Text;
using System.Text.RegularExpressions;

namespace Stint.Connectors.Postgres;

/// <summary>Puts names and texts into statements so that they stay names and texts.</summary>
internal static partial class Sql
{
    /// <summary>NAMEDATALEN - 1. The server cuts longer names silently, and then means another object.</summary>
    public const int LongestName = 63;

    /// <summary>A name between double quotes.</summary>
    /// <exception cref="ArgumentException">No server can have an object of this name; see <see cref="WrongName"/>.</exception>
    public static string Name(string name) => WrongName(name) is { } wrong
        ? throw new ArgumentException(wrong, nameof(name))
        : $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>A text between single quotes. Holds only under <c>standard_conforming_strings = on</c>, which every connection here sets.</summary>
    public static string Text(string text) => text.Contains('\0', StringComparison.Ordinal)
        ? throw new ArgumentException("A text for PostgreSQL cannot hold the character NUL.", nameof(text))
        : $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    /// <summary>What keeps a text from being a name; null for nothing.</summary>
    public static string? WrongName(string name)
    {
        if (name.Length == 0)
        {
            return "a name cannot be empty";
        }

        if (name.Contains('\0', StringComparison.Ordinal))
        {
            return "a name cannot hold the character NUL";
        }

        return Encoding.UTF8.GetByteCount(name) > LongestName ? $"a name has at most {LongestName} bytes" : null;
    }

    /// <summary>A role's statement with its placeholders filled in: quoted names, nothing else.</summary>
    public static string Fill(string template, string role, string database) => Placeholder().Replace(template, match => match.Value switch
    {
        "{role}" => Name(role),
        "{database}" => Name(database),
        _ => throw new ArgumentException($"unknown placeholder {match.Value}", nameof(template)),
    });

    /// <summary>What is wrong with a role's statement; null for nothing.</summary>
    public static string? WrongTemplate(string template)
    {
        if (string.IsNullOrWhiteSpace(template))
        {
            return "a statement cannot be empty";
        }

        if (template.Contains('\0', StringComparison.Ordinal))
        {
            return "a statement cannot hold the character NUL";
        }

        var stranger = Placeholder().Matches(template).Select(match => match.Value).FirstOrDefault(found => found is not ("{role}" or "{database}"));
        if (stranger is not null)
        {
            return $"unknown placeholder {stranger}; there are {{role}} and {{database}}";
        }

        // The statements of a role run in one transaction with what makes the account: it stands whole or not at all.
        return TransactionWord().Match(template) is { Success: true } word
            ? $"{word.Value.Trim().ToUpperInvariant()} is not possible here: the statements of a role run inside one transaction"
            : null;
    }

    [GeneratedRegex(@"\{[A-Za-z_]+\}", RegexOptions.CultureInvariant)]
    private static partial Regex Placeholder();

    [GeneratedRegex(@"^\s*(BEGIN|START|COMMIT|END|ROLLBACK|ABORT|SAVEPOINT|RELEASE|PREPARE\s+TRANSACTION|VACUUM|CREATE\s+DATABASE|DROP\s+DATABASE)\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex TransactionWord();
}
