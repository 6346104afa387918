using Stint.Core;
using Stint.Server.Audit;
using Stint.Server.Store;

namespace Stint.Server.Approvals;

/// <summary>Somebody who was told of a break-glass says that they saw it, and is no longer told.</summary>
internal sealed class SeeGlass(StintStore store, TimeProvider clock, FindReviews views)
{
    public async Task<Outcome<ReviewView>> SeeAsync(SubjectId who, ReviewId id, CancellationToken cancellation) => await store.WriteAsync<Outcome<ReviewView>>(
        async work =>
        {
            if (await work.FindReviewAsync(id) is not { } review || !await views.MaySeeAsync(work, who, review))
            {
                return new Outcome<ReviewView>.NotFound();
            }

            if (!review.Told.Contains(who))
            {
                return new Outcome<ReviewView>.NotYours("you were not told of it", review.Told);
            }

            // Said twice is said once.
            var now = clock.Now();
            if (await work.SeeAsync(id, who, now))
            {
                work.Append(Facts.GlassSeen(review, who, now));
            }

            return new Outcome<ReviewView>.Done(await views.OfAsync(work, review, who));
        },
        cancellation);
}
