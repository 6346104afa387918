using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Audit;
using Stint.Core.Catalog;
using Stint.Core.Requests;
using Stint.Server.Approvals;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Identity;

/// <summary>One thing that somebody who left was to do, and what became of it.</summary>
/// <param name="Kind"><c>approval</c> or <c>review</c>.</param>
/// <param name="Name">The request or the review.</param>
/// <param name="WhyNot">Why it was not handed over; null when it was.</param>
internal sealed record Handed(string Kind, string Name, string? WhyNot);

/// <summary>An admin names who answers and reviews from now on what somebody who left was to.</summary>
/// <remarks>What stands in the catalog is changed there and nowhere else: <see cref="HandOverPatch"/> writes that change.</remarks>
internal sealed class HandOver(StintStore store, CurrentCatalog catalog, CatalogVersions versions, ApprovalSteps steps, TimeProvider clock)
{
    private const int Most = 1_000;

    /// <summary>Why somebody cannot be named to take over; null when they can.</summary>
    public Problem? WrongHeir(SubjectId who, SubjectId left, string to) =>
        !Core.Catalog.Words.IsPersonName(to) || catalog.Now.People.GetValueOrDefault(to) is not { } heir ? new Problem("to", "is not a person whom the catalog names")
        : heir.Id == left ? new Problem("to", "is who left")
        : !catalog.Now.IsActive(heir.Id) ? new Problem("to", $"{heir.Id} is not active")

        // NB. Else an admin answers what no policy lets them answer.
        : heir.Id == who ? new Problem("to", "nobody hands over to themselves; another admin does it")
        : null;

    /// <summary>Hands over what waits.</summary>
    public async Task<Outcome<IReadOnlyList<Handed>>> HandOverAsync(SubjectId who, string person, string to, CancellationToken cancellation)
    {
        if (!catalog.Now.IsAdmin(who))
        {
            return new Outcome<IReadOnlyList<Handed>>.NotYours("only admins do this", []);
        }

        if (!Core.Catalog.Words.IsPersonName(person))
        {
            return new Outcome<IReadOnlyList<Handed>>.Invalid([new Problem("person", "is not the name of a person")]);
        }

        var left = catalog.Now.People.Values.FirstOrDefault(one => DirectoryPeople.Key(one.Id.Value) == DirectoryPeople.Key(person))?.Id ?? new SubjectId(person);
        if (WrongHeir(who, left, to) is { } wrong)
        {
            return new Outcome<IReadOnlyList<Handed>>.Invalid([wrong]);
        }

        return catalog.Now.IsActive(left)
            ? new Outcome<IReadOnlyList<Handed>>.Refused($"{left} is still here", $"while they are away, they say who answers for them: stint delegate {to}; when they leave: stint offboard {left} --hand-over-to {to}")
            : new Outcome<IReadOnlyList<Handed>>.Done(await AllAsync(who, left, new SubjectId(to), cancellation));
    }

    /// <summary>The change that puts somebody in a person's places in the catalog. Changes nothing; the person may still be here.</summary>
    public async Task<Outcome<HandOverChange>> PatchAsync(SubjectId who, string person, string to, CancellationToken cancellation)
    {
        if (!catalog.Now.IsAdmin(who))
        {
            return new Outcome<HandOverChange>.NotYours("only admins do this", []);
        }

        if (!Core.Catalog.Words.IsPersonName(person))
        {
            return new Outcome<HandOverChange>.Invalid([new Problem("person", "is not the name of a person")]);
        }

        var left = new SubjectId(person);
        if (WrongHeir(default, left, to) is { } wrong)
        {
            return new Outcome<HandOverChange>.Invalid([wrong]);
        }

        // NB. The files as they are written, without what the directory lays over them.
        var version = catalog.Now.Text.Version;
        var files = await versions.FilesAsync(version, cancellation) ?? throw new InvalidOperationException($"The catalog {version} was never kept.");
        var patch = HandOverPatch.Of(files, left, new SubjectId(to));
        return new Outcome<HandOverChange>.Done(new HandOverChange(version, patch, [.. versions.Load(patch.Source).Errors.Select(error => error.ToString())]));
    }

    private async Task<IReadOnlyList<Handed>> AllAsync(SubjectId who, SubjectId left, SubjectId to, CancellationToken cancellation)
    {
        var (requests, reviews) = await store.ReadAsync(
            async reads => (
                (await reads.RequestsAsync(new RequestFilter { State = RequestState.Pending, Now = clock.Now(), Involving = left }, new Page(Most))).Items.Where(request => request.Subject != left).ToList(),
                (await reads.ReviewsAsync(new ReviewFilter { State = ReviewState.Open }, new Page(Most))).Items.Where(review => review.Person != left && WasNamed(review, left)).ToList()),
            cancellation);
        var handed = new List<Handed>();
        foreach (var request in requests.DistinctBy(request => request.Bundle?.Value ?? request.Id.Value))
        {
            if (await AnswerAsync(request.Id, who, left, to, cancellation) is (true, var whyNot))
            {
                handed.Add(new Handed("approval", request.Bundle?.Value ?? request.Id.Value, whyNot));
            }
        }

        foreach (var review in reviews)
        {
            handed.Add(new Handed("review", review.Id.Value, await ReviewAsync(review.Id, who, left, to, cancellation)));
        }

        return handed;
    }

    private Task<(bool Waits, string? WhyNot)> AnswerAsync(RequestId id, SubjectId who, SubjectId left, SubjectId to, CancellationToken cancellation) => store.WriteAsync(
        async work =>
        {
            var now = Stored.Round(clock.Now());
            if (await work.FindRequestAsync(id) is not { State: RequestState.Pending } seen)
            {
                return (false, null);
            }

            List<Request> together = seen.Bundle is { } bundle ? [.. (await work.RequestsOfAsync(bundle)).Where(request => request.State == RequestState.Pending)] : [seen];
            return await steps.HandOverAsync(work, together, left, to, who, now);
        },
        cancellation);

    private Task<string?> ReviewAsync(ReviewId id, SubjectId who, SubjectId left, SubjectId to, CancellationToken cancellation) => store.WriteAsync(
        async work =>
        {
            var now = Stored.Round(clock.Now());
            if (await work.FindReviewAsync(id) is not { State: ReviewState.Open } seen)
            {
                return "it was closed meanwhile";
            }

            if (seen.Person == to)
            {
                return $"{to} broke the glass";
            }

            if (seen.Person == who)
            {
                return "you broke the glass; another admin hands it over";
            }

            if (WasNamed(seen, to))
            {
                return null;
            }

            var moved = await work.MoveAsync(seen, seen with { HandedTo = [.. seen.HandedTo, to] }) ?? throw new InvalidOperationException($"The review {seen.Id} moved inside its own lock.");
            work.Append(Facts.ReviewHandedOver(moved, left, to, Actor.Person(who.Value), now));
            return null;
        },
        cancellation);

    private static bool WasNamed(Review review, SubjectId person) => review.Reviewers.Contains(person) || review.HandedTo.Contains(person);
}

/// <summary>The change of the catalog that a hand-over needs.</summary>
/// <param name="Base">The version that it changes.</param>
/// <param name="Patch">The change.</param>
/// <param name="Problems">What is wrong with the changed catalog; empty when it loads.</param>
internal sealed record HandOverChange(string Base, HandOverPatch Patch, IReadOnlyList<string> Problems);
