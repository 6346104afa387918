using Microsoft.Extensions.Logging;
using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Grants;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Approvals;

/// <summary>A reviewer says what they make of a break-glass, once what was done can be seen to its end.</summary>
internal sealed class CloseReview(StintStore store, CurrentCatalog catalog, TimeProvider clock, FindReviews views, ILogger<CloseReview> log)
{
    /// <param name="who">Who reviews it.</param>
    /// <param name="id">The review.</param>
    /// <param name="outcome"><see cref="ReviewState.Accepted"/> or <see cref="ReviewState.Concern"/>.</param>
    /// <param name="comment">What was found; must not be empty.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    public async Task<Outcome<ReviewView>> CloseAsync(SubjectId who, ReviewId id, ReviewState outcome, string? comment, CancellationToken cancellation)
    {
        var problems = Answers.Check(comment, null);
        if (string.IsNullOrWhiteSpace(comment))
        {
            problems.Add(new Problem("comment", "say what you looked at and what you found: whoever reads the evidence reads it"));
        }

        var closed = await store.WriteAsync<Outcome<ReviewView>>(
            async work =>
            {
                var now = clock.Now();
                if (await work.FindReviewAsync(id) is not { } seen || !await views.MaySeeAsync(work, who, seen))
                {
                    return new Outcome<ReviewView>.NotFound();
                }

                var (people, named) = Reviewers.Of(catalog.Now, seen);
                if (!people.Contains(who))
                {
                    return new Outcome<ReviewView>.NotYours(
                        seen.Person == who ? "nobody reviews their own break-glass"
                        : people.Count == 0 ? "nobody could review it any more: the catalog names nobody else" : "only those whom the catalog names review it",
                        people);
                }

                if (problems.Count > 0)
                {
                    return new Outcome<ReviewView>.Invalid(problems);
                }

                if (seen.State != ReviewState.Open)
                {
                    return await LostAsync(work, seen, who);
                }

                // NB. A review before the end would say yes to what nobody has seen yet.
                if (await work.FindGrantAsync(seen.Request) is { State: GrantState.Ready or GrantState.Opening or GrantState.Open } running)
                {
                    return new Outcome<ReviewView>.Refused(
                        running.NotAfter is { } end ? $"access under {running.Id} is open until {Sentences.Day(end)}, and what is done until then is reviewed as well" : $"access under {running.Id} is being opened",
                        $"review it once it is over; owners of {seen.Role.Resource} and admins end it at once with: stint revoke {running.Id}");
                }

                var next = seen with { State = outcome, ClosedAt = now, ClosedBy = who, Comment = comment!.Trim() };
                if (await work.MoveAsync(seen, next) is not { } moved)
                {
                    return await LostAsync(work, seen, who);
                }

                work.Append(Facts.ReviewClosed(moved, moved.HandedTo.Contains(who) && !moved.Reviewers.Contains(who) ? "handed_over" : named ? "named" : "nobody_left"));

                // Whoever reviewed it has seen it.
                if (await work.SeeAsync(id, who, now))
                {
                    work.Append(Facts.GlassSeen(moved, who, now));
                }

                return new Outcome<ReviewView>.Done(await views.OfAsync(work, moved, who));
            },
            cancellation);
        if (closed is Outcome<ReviewView>.Done { Value.Review: { State: ReviewState.Concern } concern })
        {
            Log.ConcernRaised(log, who, concern.Person, concern.Request, concern.Id);
        }

        return closed;
    }

    private async ValueTask<Outcome<ReviewView>> LostAsync(Work work, Review seen, SubjectId who)
    {
        var now = await work.FindReviewAsync(seen.Id) ?? seen;
        return new Outcome<ReviewView>.LostRace($"{now.ClosedBy?.Value ?? "somebody"} reviewed it already", await views.OfAsync(work, now, who));
    }
}
