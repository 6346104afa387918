using Microsoft.Extensions.Logging;
using Stint.Core.Approvals;
using Stint.Core.Requests;

namespace Stint.Server.Approvals;

/// <summary>Tells the world of a break-glass once it is committed. Whoever is named sees it in every answer of theirs until they say so (<see cref="SeeGlass"/>); what goes out to people by other ways starts here.</summary>
internal sealed class TellGlass(ILogger<TellGlass> log)
{
    public void Tell(Request request, Review review)
    {
        Measures.GlassBroken.Add(1);
        Log.GlassBroken(log, request.Subject, request.Role, request.Id, string.Join(", ", review.Told), review.Id, review.DueAt, string.Join(", ", review.Reviewers));
    }
}
