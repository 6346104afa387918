namespace Stint.Server.Identity;

/// <summary>What a person reads at a terminal and types into a browser: eight letters in two groups, <c>BDWP-HQRT</c>.</summary>
/// <remarks>Consonants alone (RFC 8628, section 6.1): none is read as another or as a digit, and no word comes of them. 20^8 are 34 bits, which suffices for ten minutes and few tries.</remarks>
internal static class UserCode
{
    private const string Alphabet = "BCDFGHJKLMNPQRSTVWXZ";
    private const int Letters = 8;

    public static string Make(IdSource ids)
    {
        Span<char> code = stackalloc char[Letters + 1];
        code[Letters / 2] = '-';
        for (var place = 0; place <= Letters;)
        {
            foreach (var chance in ids.Bytes(32))
            {
                // NB. What is left over of 256 would make some letters likelier than others.
                if (chance < 256 / Alphabet.Length * Alphabet.Length && place <= Letters)
                {
                    code[place] = Alphabet[chance % Alphabet.Length];
                    place += place == (Letters / 2) - 1 ? 2 : 1;
                }
            }
        }

        return new string(code);
    }

    /// <summary>What was typed, as it is made: small letters, spaces and dashes do not matter. Null for what can be none.</summary>
    public static string? Read(string? typed)
    {
        if (typed is not { Length: <= 40 })
        {
            return null;
        }

        var letters = string.Concat(typed.Where(letter => letter is not ('-' or ' '))).ToUpperInvariant();
        return letters.Length == Letters && letters.All(letter => Alphabet.Contains(letter, StringComparison.Ordinal)) ? $"{letters[..4]}-{letters[4..]}" : null;
    }
}
