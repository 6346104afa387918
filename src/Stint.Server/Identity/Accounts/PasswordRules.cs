using System.Text;
using Stint.Core;

namespace Stint.Server.Identity.Accounts;

/// <summary>What a password must be: long, and not what everybody tries first. No rule says which kinds of characters it has (NIST SP 800-63B, section 5.1.1.2).</summary>
internal static class PasswordRules
{
    /// <summary>Fewest characters.</summary>
    public const int Least = 12;

    /// <summary>Most characters.</summary>
    public const int Most = 128;

    private const int LeastOfOnesOwn = 8;
    private const int LeastDifferent = 5;
    private const int LongestName = 64;

    /// <summary>Words that guessing begins with, rows of the keyboard and the alphabet among them. Longer ones first, so that a part of one does not hide it.</summary>
    private static readonly string[] Common = [.. """
        administrator password passw0rd kennwort passwort motdepasse contrasena wachtwoord parola senha haslo welcome willkommen bienvenue letmein
        iloveyou princess sunshine football baseball basketball superman batman starwars dragon monkey shadow master michael jordan jennifer
        charlie andrew daniel thomas jessica ashley nicole hunter hockey killer soccer george matthew robert freedom whatever trustno1 mustang
        pokemon computer internet secret access admin login changeme default guest qwerty azerty test temp root user account summer winter spring
        autumn monday friday january february march april august september october november december love hello flower cookie cheese pepper
        ginger orange banana purple silver golden company server database postgres stint justintime justforastint
        qwertyuiop asdfghjkl zxcvbnm qazwsx 1q2w3e4r q1w2e3r4 abcdefghijklmnopqrstuvwxyz 01234567890123456789 98765432109876543210
        """.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).OrderByDescending(word => word.Length)];

    private static readonly string[] Rows = ["qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop", "qsdfghjklm", "abcdefghijklmnopqrstuvwxyz", "01234567890", "09876543210", "zyxwvutsrqponmlkjihgfedcba"];

    /// <summary>What is wrong with a password, for its owner to read; null for nothing.</summary>
    /// <param name="password">As it was typed.</param>
    /// <param name="person">Name of the person, and what else they are called: nobody's password.</param>
    public static string? Against(string password, params IEnumerable<string> person)
    {
        // NB. Before it is composed: a character may become many.
        if (password.Length > Most * 4)
        {
            return $"a password has at most {Most} characters";
        }

        password = Nfkc.Of(password);
        if (Characters(password) > Most)
        {
            return $"a password has at most {Most} characters";
        }

        if (Characters(password) < Least)
        {
            return $"a password has at least {Least} characters; a few words that have nothing to do with each other are easy to keep";
        }

        if (password.EnumerateRunes().Any(rune => Rune.IsControl(rune) || rune == Rune.ReplacementChar))
        {
            return "a password has no control characters, and none that are half of one";
        }

        var plain = Plain(password);
        if (plain.Distinct().Count() < LeastDifferent || IsRepeated(plain))
        {
            return "that repeats a few characters; it is among the first that are guessed";
        }

        var names = person.SelectMany(name => name.Split([' ', '.', '_', '-', '@'], StringSplitOptions.RemoveEmptyEntries)).Select(Plain).Where(name => name.Length is >= 3 and <= LongestName).Distinct().ToList();
        var rest = names.Concat(Common).Aggregate(plain, (left, word) => left.Replace(word, " ", StringComparison.Ordinal));
        return WithoutRows(rest).Count(c => c != ' ') < LeastOfOnesOwn
            ? "that is little more than words, names and rows of keys that everybody tries first; add words that nobody would expect"
            : null;
    }

    /// <summary>Letters and digits as a guesser counts them: small, and with the usual stand-ins taken back.</summary>
    private static string Plain(string text)
    {
        var plain = new StringBuilder(text.Length);
        foreach (var c in text.ToLowerInvariant())
        {
            plain.Append(c switch { '@' => 'a', '$' => 's', '!' => 'i', _ => c });
        }

        return plain.ToString();
    }

    private static int Characters(string text) => text.EnumerateRunes().Count();

    /// <summary>Whether the whole is one short text, again and again.</summary>
    private static bool IsRepeated(string text) =>
        Enumerable.Range(1, text.Length / 2).Any(length => Enumerable.Range(0, text.Length - length).All(i => text[i] == text[i + length]) && length < LeastOfOnesOwn);

    /// <summary>Takes out what runs along a row of keys or along the alphabet for four characters or more.</summary>
    private static string WithoutRows(string text)
    {
        var left = new StringBuilder();
        for (var i = 0; i < text.Length;)
        {
            var length = 1;
            while (i + length < text.Length && Rows.Any(row => row.Contains(text.Substring(i, length + 1), StringComparison.Ordinal)))
            {
                length++;
            }

            if (length < 4)
            {
                left.Append(text[i]);
                i++;
            }
            else
            {
                left.Append(' ');
                i += length;
            }
        }

        return left.ToString();
    }
}
