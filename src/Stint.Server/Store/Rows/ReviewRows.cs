using System.Data.Common;
using Stint.Core;
using Stint.Core.Approvals;

namespace Stint.Server.Store;

/// <summary>Which reviews are wanted. What is null does not matter.</summary>
internal sealed record ReviewFilter
{
    public ReviewState? State { get; init; }

    /// <summary>Only those that concern this person: who broke the glass, who may review it, who was told.</summary>
    public SubjectId? Concerning { get; init; }
}

internal partial class Reads
{
    private protected const string ReviewColumns =
        "id, request_id, person, resource, role, state, version, opened_at, due_at, overdue_at, sources, reviewers, told, closed_at, closed_by, comment, handed_to";

    /// <summary>The review; null when there is none. Inside a write it stays as found until the commit.</summary>
    public ValueTask<Review?> FindReviewAsync(ReviewId id) =>
        Db.OneAsync($"SELECT {ReviewColumns} FROM reviews WHERE id = $1{Lock}", ReadReview, id.Value);

    /// <summary>The review of a request; null for one that is not break-glass.</summary>
    public ValueTask<Review?> FindReviewAsync(RequestId request) =>
        Db.OneAsync($"SELECT {ReviewColumns} FROM reviews WHERE request_id = $1", ReadReview, request.Value);

    /// <summary>The review of somebody's break-glass that nobody closed yet; null when there is none.</summary>
    public ValueTask<Review?> FindOpenReviewAsync(SubjectId person) =>
        Db.OneAsync($"SELECT {ReviewColumns} FROM reviews WHERE person = $1 AND state = 'open'{Lock}", ReadReview, person.Value);

    /// <summary>A page of reviews.</summary>
    public ValueTask<Paged<Review>> ReviewsAsync(ReviewFilter filter, Page page) => new Where()
        .And("state = ?", Words.Review[filter.State])
        .And("(person = ? OR id IN (SELECT review_id FROM review_people WHERE person = ?))", filter.Concerning?.Value)
        .PageAsync(Db, ReviewColumns, "reviews", ReadReview, page);

    /// <summary>Open reviews that are not closed in time and were not called overdue yet, the earliest first.</summary>
    public ValueTask<List<Review>> OverdueReviewsAsync(DateTimeOffset now, int limit) => Db.ListAsync(
        $"SELECT {ReviewColumns} FROM reviews WHERE state = 'open' AND overdue_at IS NULL AND due_at <= $1 ORDER BY due_at LIMIT $2{SkipLocked}",
        ReadReview,
        now,
        limit);

    /// <summary>Break-glass that somebody was told of and has not said that they saw, the newest first.</summary>
    public ValueTask<List<Review>> UnseenReviewsAsync(SubjectId person, int limit) => Db.ListAsync(
        $"SELECT {ReviewColumns} FROM reviews WHERE id IN (SELECT review_id FROM review_people WHERE person = $1 AND told = 1 AND seen_at IS NULL) ORDER BY seq DESC LIMIT $2",
        ReadReview,
        person.Value,
        limit);

    /// <summary>Whether a review of the request names somebody.</summary>
    public async ValueTask<bool> IsConcernedAsync(RequestId request, SubjectId who) => await Db.NumberAsync(
        "SELECT 1 FROM review_people WHERE person = $1 AND review_id IN (SELECT id FROM reviews WHERE request_id = $2)",
        who.Value,
        request.Value) is not null;

    private protected static Review ReadReview(DbDataReader row)
    {
        var c = new Columns(row);
        return new Review
        {
            Id = new ReviewId(c.Text()),
            Request = new RequestId(c.Text()),
            Person = new SubjectId(c.Text()),
            Role = new RoleRef(c.Text(), c.Text()),
            State = Words.Review.Read(c.Text()),
            Version = c.Number(),
            OpenedAt = c.Time(),
            DueAt = c.Time(),
            OverdueAt = c.TimeOrNull(),
            From = c.Text().Split('\n'),
            Reviewers = [.. c.Text().Split('\n').Select(name => new SubjectId(name))],
            Told = [.. c.Text().Split('\n').Select(name => new SubjectId(name))],
            ClosedAt = c.TimeOrNull(),
            ClosedBy = c.TextOrNull() is { } by ? new SubjectId(by) : null,
            Comment = c.TextOrNull(),
            HandedTo = c.TextOrNull() is { } handed ? [.. handed.Split('\n').Select(name => new SubjectId(name))] : [],
        };
    }
}

internal sealed partial class Work
{
    /// <summary>Keeps a new review. Its request stands approved in the store already.</summary>
    /// <returns>As it stands now, times rounded; null when another of the same person is open, on whichever node it was opened.</returns>
    public async ValueTask<Review?> InsertAsync(Review review)
    {
        var kept = review with { OpenedAt = Stored.Round(review.OpenedAt), DueAt = Stored.Round(review.DueAt) };
        var inserted = await Db.RunAsync(
            "INSERT INTO reviews (id, request_id, person, resource, role, state, version, opened_at, due_at, sources, reviewers, told) "
            + "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT (person) WHERE state = 'open' DO NOTHING",
            kept.Id.Value,
            kept.Request.Value,
            kept.Person.Value,
            kept.Role.Resource,
            kept.Role.Role,
            Words.Review[kept.State],
            kept.Version,
            kept.OpenedAt,
            kept.DueAt,
            string.Join('\n', kept.From),
            string.Join('\n', kept.Reviewers),
            string.Join('\n', kept.Told));
        if (inserted == 0)
        {
            return null;
        }

        foreach (var person in kept.Reviewers.Union(kept.Told))
        {
            await Db.LaterAsync(
                "INSERT INTO review_people (review_id, person, reviews, told) VALUES ($1, $2, $3, $4)",
                kept.Id.Value,
                person.Value,
                kept.Reviewers.Contains(person),
                kept.Told.Contains(person));
        }

        Wake(Wakes.Of(kept.Request));
        return kept;
    }

    /// <summary>Closes a review, or says that it is overdue, if it still is what the caller saw.</summary>
    /// <returns>As it stands now; null when somebody else was first.</returns>
    public async ValueTask<Review?> MoveAsync(Review seen, Review next)
    {
        Demand(seen.State == next.State || ReviewMoves.Table.Allows(seen.State, next.State), "review", seen.State, next.State);
        var kept = next with { Version = seen.Version + 1, OverdueAt = Stored.Round(next.OverdueAt), ClosedAt = Stored.Round(next.ClosedAt) };
        var moved = await Db.RunAsync(
            "UPDATE reviews SET state = $1, version = $2, overdue_at = $3, closed_at = $4, closed_by = $5, comment = $6, handed_to = $7 WHERE id = $8 AND state = $9 AND version = $10",
            Words.Review[kept.State],
            kept.Version,
            kept.OverdueAt,
            kept.ClosedAt,
            kept.ClosedBy?.Value,
            kept.Comment,
            kept.HandedTo.Count == 0 ? null : string.Join('\n', kept.HandedTo),
            seen.Id.Value,
            Words.Review[seen.State],
            seen.Version);
        if (moved == 0)
        {
            return null;
        }

        Wake(Wakes.Of(seen.Request));
        return kept;
    }

    /// <summary>Keeps that somebody who was told saw it.</summary>
    /// <returns>Whether they were told and had not said so before.</returns>
    public async ValueTask<bool> SeeAsync(ReviewId review, SubjectId who, DateTimeOffset now) =>
        await Db.RunAsync("UPDATE review_people SET seen_at = $1 WHERE review_id = $2 AND person = $3 AND told = 1 AND seen_at IS NULL", now, review.Value, who.Value) == 1;
}
