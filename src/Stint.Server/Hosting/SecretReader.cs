namespace Stint.Server.Hosting;

/// <summary>Reads what other systems and this one both know: from a file, or from a variable.</summary>
internal static class SecretReader
{
    /// <summary>Blames a name that another system cannot have.</summary>
    public static void CheckName(SettingReader read, string key, string name, string whose)
    {
        if (name.Length > 40 || !name.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter is '-' or '_'))
        {
            read.Blame(read.FirstBelow(key), $"`{key}` names {whose} with other letters than a–z, 0–9, hyphens and underscores, or with more than 40");
        }
    }

    /// <summary><c>KEY.WORD_file</c> or <c>KEY.WORD_env</c>.</summary>
    /// <param name="read">The settings.</param>
    /// <param name="key">Below which it stands.</param>
    /// <param name="word">What it is called: <c>secret</c> or <c>token</c>.</param>
    /// <param name="least">Fewest characters.</param>
    /// <param name="where">Where a longer one is made.</param>
    /// <param name="environment">The variables.</param>
    /// <param name="optional">Whether it may be left out.</param>
    /// <returns>It, without white space around; null with a problem told.</returns>
    public static string? Read(SettingReader read, string key, string word, int least, string where, IReadOnlyDictionary<string, string> environment, bool optional = false)
    {
        var (byFile, byEnv) = ($"{key}.{word}_file", $"{key}.{word}_env");
        var (file, env) = (read.FilePath(byFile), read.Text(byEnv));
        if (file is not null && env is not null)
        {
            read.Blame(byEnv, $"`{byFile}` and `{byEnv}` both say where the {word} is; keep one");
            return null;
        }

        if (file is null && env is null)
        {
            if (!optional && !read.IsGiven(byFile) && !read.IsGiven(byEnv))
            {
                read.Blame(read.FirstBelow(key), $"`{key}` has no {word}; name it with `{byFile}` or `{byEnv}`");
            }

            return null;
        }

        var place = file is null ? byEnv : byFile;
        string? text;
        if (env is not null)
        {
            text = environment.GetValueOrDefault(env)?.Trim();
            if (string.IsNullOrEmpty(text))
            {
                read.Blame(place, $"`{place}` names {env}, which is not set");
                return null;
            }
        }
        else
        {
            try
            {
                if (DataFolder.ReadableByOthers(file!))
                {
                    read.Blame(place, $"`{place}` names {file}, which every user of this machine can read; chmod 0600 it");
                    return null;
                }

                text = File.ReadAllText(file!).Trim();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                read.Blame(place, $"`{place}` names {file}, which cannot be read; put the {word} there");
                return null;
            }
        }

        // NB. Never repeated: it is a secret, however bad.
        if (text.Length < least)
        {
            read.Blame(place, $"`{place}` holds a {word} of fewer than {least} characters, which can be guessed; make a longer one {where}");
            return null;
        }

        return text;
    }
}
