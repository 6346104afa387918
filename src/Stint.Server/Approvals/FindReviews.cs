using Stint.Core;
using Stint.Core.Approvals;
using Stint.Server.Catalog;
using Stint.Server.Grants;
using Stint.Server.Store;

namespace Stint.Server.Approvals;

/// <summary>Which reviews somebody wants to see.</summary>
internal sealed record ReviewQuery
{
    /// <summary>Null for any.</summary>
    public ReviewState? State { get; init; }

    /// <summary>Only open ones that the caller may close.</summary>
    public bool AwaitingMe { get; init; }

    /// <summary>Only those that the caller was told of and has not said that they saw.</summary>
    public bool Unseen { get; init; }
}

/// <summary>Looks reviews up: for whom they concern, owners of the resource, and whoever may read everything.</summary>
internal sealed class FindReviews(StintStore store, CurrentCatalog catalog, GrantViews grants)
{
    /// <summary>Most that wait for one person, or that one person did not see; there is one open review for each person.</summary>
    private const int Most = 200;

    public Task<Outcome<ReviewView>> GetAsync(SubjectId who, ReviewId id, CancellationToken cancellation) => store.ReadAsync<Outcome<ReviewView>>(
        async reads => await reads.FindReviewAsync(id) is { } found && await MaySeeAsync(reads, who, found)
            ? new Outcome<ReviewView>.Done(await OfAsync(reads, found, who))
            : new Outcome<ReviewView>.NotFound(),
        cancellation);

    public Task<Paged<ReviewView>> ListAsync(SubjectId who, ReviewQuery query, Page page, CancellationToken cancellation) => store.ReadAsync(
        async reads =>
        {
            var found = query.Unseen ? new Paged<Review>(await reads.UnseenReviewsAsync(who, Most), null)
                : query.AwaitingMe ? new Paged<Review>(await AwaitingAsync(reads, who), null)
                : await reads.ReviewsAsync(new ReviewFilter { State = query.State, Concerning = catalog.Now.MayReadAll(who) ? null : who }, page);
            var views = new List<ReviewView>(found.Items.Count);
            foreach (var review in found.Items)
            {
                views.Add(await OfAsync(reads, review, who));
            }

            return new Paged<ReviewView>(views, found.Next);
        },
        cancellation);

    /// <summary>The open review of somebody's own break-glass; null for none.</summary>
    public Task<ReviewView?> FindOwnAsync(SubjectId who, CancellationToken cancellation) => store.ReadAsync(
        async reads => await reads.FindOpenReviewAsync(who) is { } open ? await OfAsync(reads, open, who) : null,
        cancellation);

    /// <summary>Whether somebody may see a review.</summary>
    public async ValueTask<bool> MaySeeAsync(Reads reads, SubjectId who, Review review)
    {
        var current = catalog.Now;
        return current.MaySee(who, review.Person, review.Role.Resource)
            || (current.IsActive(who) && (await reads.IsConcernedAsync(review.Request, who) || Reviewers.Of(current, review).People.Contains(who)));
    }

    /// <summary>Puts a review together with what was done under it.</summary>
    public async ValueTask<ReviewView> OfAsync(Reads reads, Review review, SubjectId who)
    {
        var request = await reads.FindRequestAsync(review.Request) ?? throw new InvalidOperationException($"The review {review.Id} has no request.");
        var grant = await reads.FindGrantAsync(review.Request);
        return new ReviewView(
            review,
            request,
            grant is null ? null : await grants.OfAsync(reads, grant),
            grant is null ? [] : await reads.SessionsOfAsync(grant.Id),
            review.State == ReviewState.Open ? Reviewers.Of(catalog.Now, review).People : [],
            (await reads.UnseenReviewsAsync(who, Most)).Exists(unseen => unseen.Id == review.Id));
    }

    private async ValueTask<List<Review>> AwaitingAsync(Reads reads, SubjectId who)
    {
        var open = await reads.ReviewsAsync(new ReviewFilter { State = ReviewState.Open }, new Page(1_000));
        var current = catalog.Now;
        return [.. open.Items.Where(review => Reviewers.Of(current, review).People.Contains(who)).Take(Most)];
    }
}
