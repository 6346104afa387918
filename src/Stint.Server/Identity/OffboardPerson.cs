using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Audit;
using Stint.Core.Catalog;
using Stint.Core.Requests;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Requests;
using Stint.Server.Store;

namespace Stint.Server.Identity;

/// <summary>What came of sending somebody away.</summary>
/// <param name="Gone">Who, why and by whom.</param>
/// <param name="Requests">What they had asked and nobody had decided: cancelled.</param>
/// <param name="Grants">What they held: ended.</param>
/// <param name="Delegations">Who answered for whom: ended.</param>
/// <param name="Remains">What is still under their name, and is somebody else's to take over.</param>
internal sealed record OffboardReport(
    Offboarded Gone,
    IReadOnlyList<RequestId> Requests,
    IReadOnlyList<GrantId> Grants,
    IReadOnlyList<DelegationId> Delegations,
    IReadOnlyList<Remaining> Remains)
{
    /// <summary>What went to somebody else at once; empty when nobody was named.</summary>
    public IReadOnlyList<Handed> Handed { get; init; } = [];
}

/// <summary>Something under the name of somebody who left.</summary>
/// <param name="Kind"><c>resource</c>, <c>review</c>, <c>approval</c>, <c>on_call</c>, <c>report</c> or <c>admin</c>.</param>
/// <param name="Name">Of a resource, a review, a request, a rota or a person.</param>
/// <param name="Others">Who else could do it now; empty for nobody.</param>
internal sealed record Remaining(string Kind, string Name, IReadOnlyList<SubjectId> Others);

/// <summary>An admin sends somebody away: at once, and whatever the catalog and the directory say, until an admin takes it back.</summary>
internal sealed class OffboardPerson(StintStore store, CurrentCatalog catalog, FollowDirectory follow, RequestViews views, TimeProvider clock, HandOver heirs)
{
    private const int LongestReason = 2_000;
    private const int MostListed = 1_000;

    public async Task<Outcome<OffboardReport>> OffboardAsync(SubjectId who, string person, string reason, CancellationToken cancellation, string? handOverTo = null)
    {
        if (Refuse<OffboardReport>(who, person, reason) is { } no)
        {
            return no;
        }

        var known = catalog.Now.People.Values.FirstOrDefault(one => DirectoryPeople.Key(one.Id.Value) == DirectoryPeople.Key(person));
        if (known is null)
        {
            return new Outcome<OffboardReport>.NotFound();
        }

        if (known.Id == who)
        {
            return new Outcome<OffboardReport>.Refused("nobody sends themselves away", "another admin does it");
        }

        // Before anything happens: who misspells a name sends nobody away.
        if (handOverTo is not null && heirs.WrongHeir(who, known.Id, handOverTo) is { } wrong)
        {
            return new Outcome<OffboardReport>.Invalid([wrong with { Field = "hand_over_to" }]);
        }

        var ended = await store.WriteAsync(
            async work =>
            {
                await work.AloneWithDirectoryAsync();
                var now = Stored.Round(clock.Now());
                var kept = new Offboarded(DirectoryPeople.Key(known.Id.Value), known.Id.Value, reason.Trim(), now, who.Value);
                if (!await work.InsertAsync(kept))
                {
                    return null;
                }

                work.Append(Facts.PersonOffboarded(kept));

                // NB. What they have is looked at before anybody can see that they are gone: then it ends.
                return new OffboardReport(
                    kept,
                    [.. (await work.PendingRequestsAsync(known.Id)).Select(request => request.Id)],
                    [.. (await work.LiveGrantsAsync(known.Id)).Select(grant => grant.Id)],
                    await EndDelegationsAsync(work, known.Id, now, who),
                    []);
            },
            cancellation);
        if (ended is null)
        {
            return new Outcome<OffboardReport>.LostRace($"{known.Id} was sent away before", null);
        }

        // NB. Whoever asked may be gone by now: what has begun is done.
        await follow.ChangedAsync(CancellationToken.None);
        var handed = handOverTo is null ? null : await heirs.HandOverAsync(who, known.Id.Value, handOverTo, CancellationToken.None);
        return new Outcome<OffboardReport>.Done(ended with
        {
            Remains = await RemainsAsync(known.Id, who, CancellationToken.None),
            Handed = (handed as Outcome<IReadOnlyList<Handed>>.Done)?.Value ?? [],
        });
    }

    /// <summary>Takes it back: from now on catalog and directory say again who they are. What ended stays ended.</summary>
    public async Task<Outcome<Offboarded>> RestoreAsync(SubjectId who, string person, string reason, CancellationToken cancellation)
    {
        if (Refuse<Offboarded>(who, person, reason) is { } no)
        {
            return no;
        }

        var back = await store.WriteAsync(
            async work =>
            {
                await work.AloneWithDirectoryAsync();
                var key = DirectoryPeople.Key(person);
                if (await work.FindOffboardedAsync(key) is not { } gone || !await work.ReturnAsync(key))
                {
                    return null;
                }

                work.Append(Facts.PersonRestored(gone.Person, who.Value, reason.Trim(), clock.Now()));
                return gone;
            },
            cancellation);
        if (back is null)
        {
            return new Outcome<Offboarded>.NotFound();
        }

        await follow.LookAsync(CancellationToken.None);
        return new Outcome<Offboarded>.Done(back);
    }

    private Outcome<T>? Refuse<T>(SubjectId who, string person, string reason)
    {
        if (!catalog.Now.IsAdmin(who))
        {
            return new Outcome<T>.NotYours("only admins do this", []);
        }

        List<Problem> problems = [];
        if (!Core.Catalog.Words.IsPersonName(person))
        {
            problems.Add(new Problem("person", "is not the name of a person"));
        }

        if (string.IsNullOrWhiteSpace(reason) || reason.Length > LongestReason || !Core.Catalog.Words.IsShowable(reason, newLines: true))
        {
            problems.Add(new Problem("reason", $"must have 1 to {LongestReason} characters that can be shown"));
        }

        return problems.Count > 0 ? new Outcome<T>.Invalid(problems) : null;
    }

    /// <summary>Nobody answers for somebody who left, nor do they for anybody.</summary>
    private static async ValueTask<IReadOnlyList<DelegationId>> EndDelegationsAsync(Work work, SubjectId person, DateTimeOffset now, SubjectId by)
    {
        var ended = new List<DelegationId>();
        foreach (var delegation in (await work.LiveDelegationsAsync(person, now)).Concat(await work.DelegationsToAsync(person, now)).DistinctBy(delegation => delegation.Id))
        {
            if (await work.EndAsync(delegation, now) is { } over)
            {
                work.Append(Facts.DelegationEnded(over, Actor.Person(by.Value)));
                ended.Add(over.Id);
            }
        }

        return ended;
    }

    private async Task<IReadOnlyList<Remaining>> RemainsAsync(SubjectId person, SubjectId admin, CancellationToken cancellation)
    {
        var now = catalog.Now;
        var remains = new List<Remaining>();
        if (now.Admins.Contains(person))
        {
            remains.Add(new Remaining("admin", person.Value, Active(now.Admins)));
        }

        remains.AddRange(now.Resources.Values.Where(resource => resource.Owners.Contains(person)).OrderBy(resource => resource.Name, StringComparer.Ordinal)
            .Select(resource => new Remaining("resource", resource.Name, Active(resource.Owners))));
        remains.AddRange(now.Rotas.Values.Where(rota => rota.People.Contains(person) || rota.StandIns.Any(standIn => standIn.Person == person)).OrderBy(rota => rota.Name, StringComparer.Ordinal)
            .Select(rota => new Remaining("on_call", rota.Name, Active(rota.People))));
        remains.AddRange(now.People.Values.Where(one => one.Manager == person && !one.Disabled).OrderBy(one => one.Id.Value, StringComparer.Ordinal).Take(MostListed)
            .Select(one => new Remaining("report", one.Id.Value, [])));
        remains.AddRange(await store.ReadAsync(
            async reads =>
            {
                var open = new List<Remaining>();
                foreach (var review in (await reads.ReviewsAsync(new ReviewFilter { State = ReviewState.Open, Concerning = person }, new Page(MostListed))).Items)
                {
                    if (review.Person != person && review.Reviewers.Contains(person))
                    {
                        open.Add(new Remaining("review", review.Id.Value, [.. Reviewers.Of(now, review).People]));
                    }
                }

                foreach (var request in (await reads.RequestsAsync(new RequestFilter { State = RequestState.Pending, Now = clock.Now(), Awaiting = person }, new Page(MostListed))).Items)
                {
                    var view = await views.OfAsync(reads, request, admin);
                    open.Add(new Remaining("approval", request.Id.Value, [.. view.Steps.SelectMany(step => step.Could).Where(could => could != person).Distinct().OrderBy(could => could.Value, StringComparer.Ordinal)]));
                }

                return open;
            },
            cancellation));
        return remains;

        IReadOnlyList<SubjectId> Active(IEnumerable<SubjectId> people) => [.. people.Where(one => one != person && now.IsActive(one)).Distinct().OrderBy(one => one.Value, StringComparer.Ordinal)];
    }
}
