using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Catalog;
using Stint.Core.Requests;
using Stint.Server.Catalog;
using Stint.Server.Requests;

namespace Stint.Server.Approvals;

/// <summary>What a yes and a no have in common.</summary>
internal static class Answers
{
    /// <summary>Longest comment, in characters.</summary>
    public const int MaxComment = 4000;

    /// <summary>Why this person may not answer, and who could; null when they may.</summary>
    public static Outcome<RequestView>? NotAllowed(LoadedCatalog catalog, SubjectId who, Request request, IReadOnlyList<Approval> approvals)
    {
        var steps = Rights.Steps(request);
        var could = steps.SelectMany(step => step.Approvers)
            .Where(person => person != request.Subject && catalog.IsActive(person) && !AnsweredBy(person, approvals))
            .Distinct()
            .OrderBy(person => person.Value, StringComparer.Ordinal)
            .ToList();

        // NB. Before everything else, and whatever the steps say: nobody answers for themselves.
        if (who == request.Subject)
        {
            return new Outcome<RequestView>.NotYours("nobody answers their own request", could);
        }

        // NB. Pinned steps name people as they were. Who left since must not answer; who is only an admin never could.
        if (!catalog.IsActive(who) || !steps.Any(step => step.Approvers.Contains(who)))
        {
            return new Outcome<RequestView>.NotYours("you are not among those whose yes it needs", could);
        }

        return null;
    }

    public static bool AnsweredBy(SubjectId who, IReadOnlyList<Approval> approvals) => approvals.Any(approval => approval.By == who);

    public static List<Problem> Check(string? comment, TimeSpan? length)
    {
        var problems = new List<Problem>();
        if (comment?.Length > MaxComment)
        {
            problems.Add(new Problem("comment", $"a comment has at most {MaxComment} characters"));
        }

        if (length < TimeSpan.FromSeconds(1))
        {
            problems.Add(new Problem("for_seconds", "the shortest access is one second"));
        }

        return problems;
    }
}
