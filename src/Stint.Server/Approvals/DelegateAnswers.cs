using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Audit;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Approvals;

/// <summary>Somebody says who answers for them while they are away, and takes it back.</summary>
internal sealed class DelegateAnswers(StintStore store, CurrentCatalog catalog, IdSource ids, TimeProvider clock)
{
    /// <summary>How far ahead it may begin.</summary>
    public static readonly TimeSpan Furthest = TimeSpan.FromDays(366);

    /// <summary>Names who answers.</summary>
    /// <param name="who">Who will be away; nobody names a delegate for another.</param>
    /// <param name="to">Who answers for them.</param>
    /// <param name="from">From when; null for now.</param>
    /// <param name="until">Until when.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    public async Task<Outcome<Delegation>> MakeAsync(SubjectId who, SubjectId to, DateTimeOffset? from, DateTimeOffset until, CancellationToken cancellation) =>
        await store.WriteAsync<Outcome<Delegation>>(
            async work =>
            {
                var now = clock.Now();
                var begin = from is { } given && given > now ? given : now;
                var problems = Check(who, to, from, begin, until, now);
                if (problems.Count > 0)
                {
                    return new Outcome<Delegation>.Invalid(problems);
                }

                bool Meets(Delegation other) => other.From < until && begin < other.Until;
                if ((await work.LiveDelegationsAsync(who, now)).Find(Meets) is { } own)
                {
                    return new Outcome<Delegation>.Refused(
                        $"{own.Delegate} answers for you from {Sentences.Day(own.From)} until {Sentences.Day(own.Until)} already, and one person answers at a time",
                        $"end that one first: stint delegate --end {own.Id}");
                }

                // NB. Answers are not handed on: whoever is away themselves would leave the place empty, or need a third.
                if ((await work.LiveDelegationsAsync(to, now)).Find(Meets) is { } theirs)
                {
                    return new Outcome<Delegation>.Refused(
                        $"{to} is away from {Sentences.Day(theirs.From)} until {Sentences.Day(theirs.Until)}, and nobody answers at second hand",
                        "name somebody who is there");
                }

                var made = await work.InsertAsync(new Delegation { Id = ids.NextDelegation(), Person = who, Delegate = to, From = begin, Until = until, MadeAt = now });
                work.Append(Facts.DelegationMade(made, Actor.Person(who.Value)));
                return new Outcome<Delegation>.Done(made);
            },
            cancellation);

    /// <summary>Ends a delegation early: whoever is back, whoever no longer wants to answer, and admins. Answers that were given stay.</summary>
    public async Task<Outcome<Delegation>> EndAsync(SubjectId who, DelegationId id, CancellationToken cancellation) =>
        await store.WriteAsync<Outcome<Delegation>>(
            async work =>
            {
                var now = clock.Now();
                if (await work.FindDelegationAsync(id) is not { } seen || !(seen.Person == who || seen.Delegate == who || catalog.Now.MayReadAll(who)))
                {
                    return new Outcome<Delegation>.NotFound();
                }

                if (seen.Person != who && seen.Delegate != who && !catalog.Now.IsAdmin(who))
                {
                    return new Outcome<Delegation>.NotYours("only the two whom it names, and admins, end it", [seen.Person, seen.Delegate]);
                }

                if (seen.EndedAt is not null || seen.Until <= now)
                {
                    return new Outcome<Delegation>.LostRace("it is over already", seen);
                }

                if (await work.EndAsync(seen, now) is not { } ended)
                {
                    return new Outcome<Delegation>.LostRace("it is over already", await work.FindDelegationAsync(id));
                }

                work.Append(Facts.DelegationEnded(ended, Actor.Person(who.Value)));
                return new Outcome<Delegation>.Done(ended);
            },
            cancellation);

    private List<Problem> Check(SubjectId who, SubjectId to, DateTimeOffset? from, DateTimeOffset begin, DateTimeOffset until, DateTimeOffset now)
    {
        var problems = new List<Problem>();
        if (to == who)
        {
            problems.Add(new Problem("delegate", "you answer for yourself anyway; name somebody else"));
        }
        else if (!catalog.Now.IsActive(to))
        {
            // NB. One sentence for who is not there and who is disabled.
            problems.Add(new Problem("delegate", "there is nobody of that name who could answer"));
        }

        if (from < now - TimeSpan.FromMinutes(5))
        {
            problems.Add(new Problem("from", "it begins in the past; leave it out for now"));
        }

        if (begin - now > Furthest)
        {
            problems.Add(new Problem("from", "it begins more than a year ahead"));
        }

        if (until <= begin)
        {
            problems.Add(new Problem("until", "it ends before it begins, or at once"));
        }
        else if (until - begin > Delegation.Longest)
        {
            problems.Add(new Problem("until", $"it lasts at most {Delegation.Longest.Days} days"));
        }

        return problems;
    }
}
