using System.Text.RegularExpressions;

namespace Stint.Core.Requests;

/// <summary>The name of a task in another system that access is bound to: <c>github:org/repo#12</c>, <c>gitlab:group/app!7</c>, <c>jira:OPS-7</c>, <c>pagerduty:PGR0VU2</c>, or any other <c>SYSTEM:NAME</c>.</summary>
public static partial class TaskName
{
    /// <summary>Longest name, in characters.</summary>
    public const int Longest = 200;

    /// <summary>The name in the one way in which it is kept and compared; null when it is none.</summary>
    /// <remarks>
    /// NB. Where the other system takes two spellings for one thing, so must we: access that was bound to
    /// <c>github:Org/Repo#12</c> has to end when <c>org/repo</c> closes its twelfth issue.
    /// </remarks>
    public static string? Normal(string? text)
    {
        if (text is null || text.Length > Longest || !Form().IsMatch(text))
        {
            return null;
        }

        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var system = text[..colon].ToLowerInvariant();
        var name = text[(colon + 1)..];
        return system switch
        {
            "github" or "gitlab" => $"{system}:{name.ToLowerInvariant()}",
            "jira" or "pagerduty" => $"{system}:{name.ToUpperInvariant()}",
            _ => $"{system}:{name}",
        };
    }

    // Visible ASCII but for what an address would have to escape twice.
    [GeneratedRegex(@"\A[A-Za-z][A-Za-z0-9-]{0,31}:[!#$&-;=@-Z_a-z~]{1,}\z")]
    private static partial Regex Form();
}
