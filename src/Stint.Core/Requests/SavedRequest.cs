using Stint.Core.Catalog;

namespace Stint.Core.Requests;

/// <summary>An asking that somebody keeps to repeat it. It promises nothing: the policies decide afresh each time.</summary>
/// <param name="Name">Their own name for it.</param>
/// <param name="Asked">What is asked for: <c>RESOURCE/ROLE</c>, or the name of a bundle.</param>
/// <param name="ForSeconds">Wished duration; null for what the policies give.</param>
/// <param name="Reason">Justification; null for none.</param>
/// <param name="Ticket">The tracker's ticket; null for none.</param>
public sealed record SavedRequest(string Name, string? Asked, long? ForSeconds, string? Reason, string? Ticket)
{
    /// <summary>Most that one person keeps.</summary>
    public const int Most = 100;

    /// <summary>Whether it asks for a bundle and not for a role.</summary>
    public bool IsBundle => Asked?.Contains('/', StringComparison.Ordinal) == false;

    /// <summary>Everything that is wrong with its form; empty when nothing is.</summary>
    /// <param name="now">The moment.</param>
    public IReadOnlyList<AskingProblem> Problems(DateTimeOffset now)
    {
        var check = IsBundle
            ? new AskingTogether(Asked, ForSeconds, Reason, Ticket, null, false).Check(now)
            : new Asking(Asked, ForSeconds, Reason, Ticket, null, false, null).Check(now);
        List<AskingProblem> problems = [.. check is AskingCheck.Wrong wrong ? wrong.Problems : []];
        if (!Words.IsName(Name))
        {
            problems.Insert(0, new AskingProblem("name", "this cannot be the name of a saved request", "take letters, digits and . _ -, a letter or digit first, at most 63"));
        }

        return problems;
    }
}
