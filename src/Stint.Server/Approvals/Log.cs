using Microsoft.Extensions.Logging;
using Stint.Core;

namespace Stint.Server.Approvals;

internal static partial class Log
{
    [LoggerMessage(20, LogLevel.Warning, "{Person} BROKE THE GLASS for {Role} ({Request}). Told: {Told}. The review {Review} is due at {Due:u}, by {Reviewers}.")]
    public static partial void GlassBroken(ILogger log, SubjectId person, RoleRef role, RequestId request, string told, ReviewId review, DateTimeOffset due, string reviewers);

    [LoggerMessage(21, LogLevel.Warning, "{By} raised a concern about the break-glass of {Person} ({Request}, {Review}).")]
    public static partial void ConcernRaised(ILogger log, SubjectId by, SubjectId person, RequestId request, ReviewId review);
}
