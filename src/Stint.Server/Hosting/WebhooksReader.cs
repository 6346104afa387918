using Stint.Core.Requests;
using Stint.Server.Identity;

namespace Stint.Server.Hosting;

/// <summary>Reads which other systems may say when tasks are done.</summary>
internal static class WebhooksReader
{
    private const int LeastSecret = 16;

    /// <summary><c>webhooks.NAME.preset</c>, <c>.secret_file</c> or <c>.secret_env</c>, and <c>.tasks</c>; every problem is told.</summary>
    public static IReadOnlyList<Sender> Read(SettingReader read, IReadOnlyDictionary<string, string> environment)
    {
        var senders = new List<Sender>();
        foreach (var name in read.NamesBelow("webhooks"))
        {
            var key = $"webhooks.{name}";
            if (name.Length > 40 || !name.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter is '-' or '_'))
            {
                read.Blame(read.FirstBelow(key), $"`{key}` names a sender with other letters than a–z, 0–9, hyphens and underscores, or with more than 40");
            }

            var preset = read.OneOf(
                $"{key}.preset",
                ("plain", WebhookPreset.Plain),
                ("github", WebhookPreset.GitHub),
                ("gitlab", WebhookPreset.GitLab),
                ("jira", WebhookPreset.Jira),
                ("pagerduty", WebhookPreset.PagerDuty));
            if (preset is null && !read.IsGiven($"{key}.preset"))
            {
                read.Blame(read.FirstBelow(key), $"`{key}.preset` is missing; say plain, github, gitlab, jira or pagerduty");
            }

            var secret = Secret(read, $"{key}.secret", environment);
            var tasks = Tasks(read, key, preset);
            if (preset is { } whose && secret is not null && tasks is not null)
            {
                senders.Add(new Sender(name, whose, secret, tasks));
            }
        }

        return senders;
    }

    private static string? Tasks(SettingReader read, string key, WebhookPreset? preset)
    {
        var usual = preset is { } whose ? Webhook.PrefixOf(whose) : null;
        if (read.Text($"{key}.tasks") is not { } given)
        {
            if (usual is null && preset is not null && !read.IsGiven($"{key}.tasks"))
            {
                read.Blame(read.FirstBelow(key), $"`{key}.tasks` is missing; say what the names of its tasks begin with, such as deploy:");
            }

            return usual;
        }

        // What a name may begin with is what a whole name would be with one more letter.
        if (TaskName.Normal(given + "0") is not { } whole)
        {
            read.Blame($"{key}.tasks", $"`{key}.tasks` is not the beginning of a task's name; write SYSTEM: or more of it, such as github:org/");
            return null;
        }

        var prefix = whole[..^1];
        if (usual is not null && !prefix.StartsWith(usual, StringComparison.Ordinal))
        {
            read.Blame($"{key}.tasks", $"`{key}.tasks` does not begin with {usual}, as every task of this preset does");
            return null;
        }

        return prefix;
    }

    /// <summary>The secret that <c>KEY_file</c> or <c>KEY_env</c> names; null when there is none, or it cannot be used, which is told.</summary>
    internal static string? Secret(SettingReader read, string key, IReadOnlyDictionary<string, string> environment, bool optional = false)
    {
        var (file, env) = (read.FilePath($"{key}_file"), read.Text($"{key}_env"));
        if (file is not null && env is not null)
        {
            read.Blame($"{key}_env", $"`{key}_file` and `{key}_env` both say where the secret is; keep one");
            return null;
        }

        if (file is null && env is null)
        {
            if (!optional && !read.IsGiven($"{key}_file") && !read.IsGiven($"{key}_env"))
            {
                var of = key[..key.LastIndexOf('.')];
                read.Blame(read.FirstBelow(of), $"`{of}` has no secret; name it with `{key}_file` or `{key}_env`");
            }

            return null;
        }

        var place = file is null ? $"{key}_env" : $"{key}_file";
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
                read.Blame(place, $"`{place}` names {file}, which cannot be read; put the secret there");
                return null;
            }
        }

        // NB. Never repeated: it is a secret, however bad.
        if (text.Length < LeastSecret)
        {
            read.Blame(place, $"`{place}` holds a secret of fewer than {LeastSecret} characters, which can be guessed; make a longer one");
            return null;
        }

        return text;
    }
}
