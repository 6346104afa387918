using Microsoft.Extensions.Logging;
using Stint.Core;

namespace Stint.Server.Grants;

internal static partial class Log
{
    [LoggerMessage(1, LogLevel.Warning, "The store could not be used; {Assignment} is taken up again when its lease is over.")]
    public static partial void WorkPostponed(ILogger log, Exception problem, AssignmentId assignment);

    [LoggerMessage(2, LogLevel.Error, "The work on {Assignment} failed unexpectedly; it is taken up again when its lease is over.")]
    public static partial void WorkFailed(ILogger log, Exception problem, AssignmentId assignment);

    [LoggerMessage(3, LogLevel.Error, "The keeper could not look for due work; it tries again in {Wait}.")]
    public static partial void LookFailed(ILogger log, Exception problem, TimeSpan wait);

    [LoggerMessage(4, LogLevel.Warning, "{Count} grants were overdue at the start and were ended first.")]
    public static partial void OverdueEnded(ILogger log, int count);

    [LoggerMessage(5, LogLevel.Warning, "{Resource} differs from its open grants: {Drift} ({Account}).")]
    public static partial void Drift(ILogger log, string resource, string account, string drift);

    [LoggerMessage(6, LogLevel.Warning, "{Count} sessions of nodes that died were ended in the store.")]
    public static partial void SessionsLost(ILogger log, int count);

    [LoggerMessage(8, LogLevel.Warning, "The review {Review} of the break-glass of {Person} ({Request}) is overdue; it waits for {Reviewers}.")]
    public static partial void ReviewOverdue(ILogger log, ReviewId review, SubjectId person, RequestId request, string reviewers);

    [LoggerMessage(7, LogLevel.Error, "The connector failed unexpectedly at the verb {Verb}; it is tried again.")]
    public static partial void VerbFailed(ILogger log, Exception problem, string verb);
}
