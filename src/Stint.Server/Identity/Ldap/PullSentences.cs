using Stint.Server.Store;

namespace Stint.Server.Identity.Ldap;

/// <summary>What is wrong with the pulling from the directory, in words.</summary>
internal static class PullSentences
{
    public static IEnumerable<string> Of(DirectoryPull? pull)
    {
        if (pull is null)
        {
            yield break;
        }

        if (pull.Leaving is { } leaving)
        {
            yield return $"The directory tells that {leaving} of {pull.LeavingOf} people leave or lose a group at once. Nothing of it was taken over, and nothing is until that is settled. "
                + (pull.Confirmed is null ? "If it is right, an admin confirms it (`stint people pull` says who they are and how); if not, see what Stint's account may read there." : "An admin has confirmed it: the next look takes it over.");
        }

        if (pull.Silent)
        {
            yield return $"The directory was last heard of {(pull.GoodAt is { } good ? "at " + Sentences.Day(good) : "never")}{(pull.Trouble is { } why ? $": {why}" : "")}. Whoever left since then still has what they had here.";
        }
        else if (pull.Trouble is { } trouble && pull.Leaving is null)
        {
            yield return $"The last look at the directory failed: {trouble}. What it told before counts.";
        }

        foreach (var note in pull.Notes)
        {
            yield return note;
        }
    }
}
