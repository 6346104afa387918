using Stint.Core.Requests;
using Stint.Server.Identity;

namespace Stint.Server.Hosting;

/// <summary>Reads which other systems may say when tasks are done, or who is on call.</summary>
internal static class WebhooksReader
{
    private const int LeastSecret = 16;

    /// <summary><c>webhooks.NAME.preset</c>, <c>.secret_file</c> or <c>.secret_env</c>, <c>.tasks</c> and <c>.on_call</c>; every problem is told.</summary>
    public static IReadOnlyList<Sender> Read(SettingReader read, IReadOnlyDictionary<string, string> environment)
    {
        var senders = new List<Sender>();
        foreach (var name in read.NamesBelow("webhooks"))
        {
            var key = $"webhooks.{name}";
            SecretReader.CheckName(read, key, name, "a sender");

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

            var secret = SecretReader.Read(read, key, "secret", LeastSecret, "at the sender", environment);
            var onCall = read.Flag($"{key}.on_call") ?? false;
            if (onCall && preset is not null and not WebhookPreset.Plain)
            {
                read.Blame($"{key}.on_call", $"`{key}.on_call` is for the preset plain: no vendor's calls say who is on call");
            }

            var tasks = onCall && !read.IsGiven($"{key}.tasks") ? "" : Tasks(read, key, preset);
            if (preset is { } whose && secret is not null && tasks is not null)
            {
                senders.Add(new Sender(name, whose, secret, tasks) { TellsOnCall = onCall });
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
                read.Blame(read.FirstBelow(key), $"`{key}.tasks` is missing; say what the names of its tasks begin with, such as deploy:, or say `{key}.on_call`: true for one that tells who is on call");
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
}
