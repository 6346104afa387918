using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Audit;
using Stint.Core.Catalog;
using Stint.Server.Audit;
using Stint.Server.Store;

namespace Stint.Server.Catalog;

/// <summary>A change with its answers.</summary>
/// <param name="Change">The change.</param>
/// <param name="Answers">In their order.</param>
/// <param name="Open">Steps that still need somebody, while it waits; empty otherwise.</param>
internal sealed record ChangeView(CatalogChange Change, IReadOnlyList<Approval> Answers, IReadOnlyList<OpenStep> Open);

/// <summary>Changes of the catalog that need somebody's yes: proposed, answered, taken back.</summary>
internal sealed class CatalogChanges(StintStore store, CurrentCatalog current, CatalogVersions versions, ApplyCatalog apply, IdSource ids, TimeProvider clock)
{
    /// <summary>Most changes of one page: each carries a whole catalog.</summary>
    private const int MostOfPage = 50;

    /// <summary>Proposes a catalog to those whose yes the one that counts demands. The same proposal again is the same change while it waits; one that a folder made and that was denied is not proposed again.</summary>
    public async Task<Outcome<Changing>> ProposeAsync(LoadedCatalog next, Actor by, CatalogOrigin origin, LoadedCatalog basis, CancellationToken cancellation)
    {
        var workflow = basis.ChangeApproval ?? throw new InvalidOperationException("The catalog that counts demands nobody's yes.");
        return await store.WriteAsync<Outcome<Changing>>(
            async work =>
            {
                var now = clock.Now();
                var last = await work.LastEntryAsync();
                if (last?.Version == next.Version)
                {
                    return new Outcome<Changing>.Done(new Changing(last, null, true, 0));
                }

                if (last?.Version != basis.Version)
                {
                    work.Append(Facts.CatalogRefused(next.Version, basis.Version, "another catalog counts by now", origin.Note, by, now));
                    return new Outcome<Changing>.LostRace("another catalog counts by now; make a new plan and look at what it changes now", null);
                }

                await LapseAsync(work, now);
                var earlier = await work.LastChangeAsync(basis.Version, next.Version);
                if (earlier is { State: ChangeState.Pending } || (earlier is { State: ChangeState.Denied } && by == Actor.Operator))
                {
                    return new Outcome<Changing>.Done(new Changing(null, await ViewAsync(work, earlier), earlier.State == ChangeState.Pending, 0));
                }

                var change = new CatalogChange
                {
                    Id = ids.NextChange(),
                    State = ChangeState.Pending,
                    Version = 1,
                    Base = basis.Version,
                    Target = next.Version,
                    Files = next.Source,
                    ProposedBy = by.ToString(),
                    ProposedAt = now,
                    Origin = origin,
                    Steps = ChangeApproval.Pin(basis, Proposer(by), now),
                    Distinct = workflow.Distinct,
                    LapsesAt = now + workflow.LapsesAfter,
                    Digest = "",
                };
                if (!Quorum.CanBeMet(change.Steps, change.Distinct, Proposer(by) ?? default))
                {
                    return new Outcome<Changing>.Refused("nobody could approve it: who proposes a change never counts", "let somebody else propose it, or add approvers");
                }

                var kept = await work.InsertAsync(change with { Digest = CatalogChange.DigestOf(change) });
                work.Append(Facts.ChangeProposed(kept, by));
                return new Outcome<Changing>.Done(new Changing(null, await ViewAsync(work, kept), false, 0));
            },
            cancellation);
    }

    /// <summary>Answers a change. The last yes that was missing lets it take effect; one no ends it.</summary>
    /// <param name="who">Who answers.</param>
    /// <param name="id">Which change.</param>
    /// <param name="yes">Yes or no.</param>
    /// <param name="comment">Demanded of a no.</param>
    /// <param name="saw">The digest of what they were shown; a no may leave it out.</param>
    /// <param name="via">Where they answered.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    /// <param name="proved">How they proved themselves anew; null for not at all.</param>
    /// <param name="noteUse">Notes the use of the passkey that signed it, in the same write; false when it counts no longer. Null where none signed.</param>
    public async Task<Outcome<ChangeView>> AnswerAsync(
        SubjectId who, ChangeId id, bool yes, string? comment, string? saw, string via, CancellationToken cancellation, ApprovalProof? proved = null, Func<Work, ValueTask<bool>>? noteUse = null)
    {
        // Loading is not for the inside of a write. What was proposed never changes.
        var proposed = await store.ReadAsync(async reads => await reads.FindChangeAsync(id), cancellation);
        var next = proposed is { State: ChangeState.Pending } ? versions.Load(proposed.Files).Catalog : null;
        CatalogTaking? taking = null;
        var outcome = await store.WriteAsync<Outcome<ChangeView>>(
            async work =>
            {
                taking = null;
                var now = clock.Now();
                if (await work.FindChangeAsync(id) is not { } seen || !MaySee(who, seen))
                {
                    return new Outcome<ChangeView>.NotFound();
                }

                var answers = await work.AnswersAsync(id);
                if (NotAllowed(who, seen, answers) is { } no)
                {
                    return no;
                }

                if (await LostAsync(work, seen, answers, who, now) is { } lost)
                {
                    return lost;
                }

                if (Problems(yes, comment, saw) is { Count: > 0 } problems)
                {
                    return new Outcome<ChangeView>.Invalid(problems);
                }

                if (saw is not null && saw != seen.Digest)
                {
                    return new Outcome<ChangeView>.LostRace("what you saw is not what is proposed; look again", await ViewAsync(work, seen));
                }

                if (yes && (next is null || next.Version != seen.Target))
                {
                    return new Outcome<ChangeView>.Refused("its files do not load with this program, or are not those that were proposed", "let it be proposed again");
                }

                var demanded = yes ? StepUps.Of(seen.Steps, who) : StepUp.None;
                var proof = demanded == StepUp.None ? null : StepUps.Counting(proved, seen.Digest, now);
                if (!StepUps.IsMet(demanded, proof) || (proof is ApprovalProof.Passkey && (noteUse is null || !await noteUse(work))))
                {
                    return new Outcome<ChangeView>.Refused(
                        $"the catalog demands {StepUps.Say(demanded)}", $"{Approvals.StepUpPage.Advice} {Approvals.StepUpPage.Of(id)}{(demanded == StepUp.Fresh ? Approvals.StepUpPage.OrCommandLine : "")}");
                }

                var answer = new Approval { Request = new RequestId(id.Value), By = who, Yes = yes, At = now, Comment = comment?.Trim() ?? "", SawDigest = saw ?? seen.Digest, Via = via, Proof = proof };
                if (await work.InsertAnswerAsync(id, answer) is not { } kept)
                {
                    return new Outcome<ChangeView>.LostRace("you have answered already, and a person counts once", await ViewAsync(work, seen));
                }

                return new Outcome<ChangeView>.Done(await DecideAsync([.. answers, kept], kept));

                async Task<ChangeView> DecideAsync(IReadOnlyList<Approval> all, Approval given)
                {
                    var decided = Quorum.Count(seen.Steps, seen.Distinct, seen.Proposer ?? default, seen.Digest, all) switch
                    {
                        Tally.Refused => seen with { State = ChangeState.Denied, DecidedAt = now, Why = given.Comment },
                        Tally.Complete => await TakeAsync(),
                        _ => seen,
                    };
                    var moved = await work.MoveAsync(seen, decided) ?? throw new InvalidOperationException($"The change {id} moved inside its own lock.");
                    work.Append(Facts.ChangeAnswered(moved, given));
                    if (moved.State != ChangeState.Pending)
                    {
                        work.Append(Facts.ChangeEnded(moved, now, Actor.Person(who.Value)));
                    }

                    return await ViewAsync(work, moved);
                }

                async Task<CatalogChange> TakeAsync()
                {
                    taking = await apply.TakeAsync(work, next!, Actor.Person(who.Value), seen.Origin, id, seen.Base);
                    return taking is CatalogTaking.Stale
                        ? seen with { State = ChangeState.Stale, DecidedAt = now, Why = "another catalog took effect meanwhile" }
                        : seen with { State = ChangeState.Applied, DecidedAt = now };
                }
            },
            cancellation);
        if (outcome is Outcome<ChangeView>.Done && taking is not null)
        {
            await apply.FinishAsync(next!, taking, Actor.Person(who.Value), cancellation);
        }

        return outcome;
    }

    /// <summary>Takes a change back, by whoever proposed it, or by whoever may change the catalog when a folder did.</summary>
    public Task<Outcome<ChangeView>> WithdrawAsync(SubjectId who, ChangeId id, CancellationToken cancellation) => store.WriteAsync<Outcome<ChangeView>>(
        async work =>
        {
            var now = clock.Now();
            if (await work.FindChangeAsync(id) is not { } seen || !MaySee(who, seen))
            {
                return new Outcome<ChangeView>.NotFound();
            }

            if (seen.Proposer is { } proposer ? proposer != who : !current.Now.MayChangeCatalog(who))
            {
                return new Outcome<ChangeView>.NotYours("only who proposed a change takes it back", seen.Proposer is { } own ? [own] : []);
            }

            if (await LostAsync(work, seen, [], who, now) is { } lost)
            {
                return lost;
            }

            var moved = await work.MoveAsync(seen, seen with { State = ChangeState.Withdrawn, DecidedAt = now, Why = $"{who} took it back" })
                ?? throw new InvalidOperationException($"The change {id} moved inside its own lock.");
            work.Append(Facts.ChangeEnded(moved, now, Actor.Person(who.Value)));
            return new Outcome<ChangeView>.Done(await ViewAsync(work, moved));
        },
        cancellation);

    /// <summary>One change, for whoever may see it.</summary>
    public Task<Outcome<ChangeView>> GetAsync(SubjectId who, ChangeId id, CancellationToken cancellation) => store.ReadAsync<Outcome<ChangeView>>(
        async reads => await reads.FindChangeAsync(id) is { } found && MaySee(who, found)
            ? new Outcome<ChangeView>.Done(await ViewAsync(reads, found))
            : new Outcome<ChangeView>.NotFound(),
        cancellation);

    /// <summary>Changes, newest first. Whoever may not read the catalog gets those that wait for their answer.</summary>
    public Task<Paged<ChangeView>> ListAsync(SubjectId who, ChangeState? state, Page page, CancellationToken cancellation) => store.ReadAsync(
        async reads =>
        {
            var paged = current.Now.MayReadCatalog(who)
                ? await reads.ChangesAsync(state, page with { Limit = Math.Min(page.Limit, MostOfPage) })
                : new Paged<CatalogChange>(state is null or ChangeState.Pending ? [.. (await reads.PendingChangesAsync()).Where(change => MaySee(who, change))] : [], null);
            var views = new List<ChangeView>(paged.Items.Count);
            foreach (var change in paged.Items)
            {
                views.Add(await ViewAsync(reads, change));
            }

            return new Paged<ChangeView>(views, paged.Next);
        },
        cancellation);

    /// <summary>Ends the changes that nobody decided in time.</summary>
    public async Task LapseAsync(CancellationToken cancellation)
    {
        var now = clock.Now();
        if (await store.ReadAsync(async reads => await reads.AnyLapsedChangeAsync(now), cancellation))
        {
            await store.WriteAsync(work => LapseAsync(work, now), cancellation);
        }
    }

    private static async Task LapseAsync(Work work, DateTimeOffset now)
    {
        foreach (var waiting in await work.PendingChangesAsync())
        {
            if (waiting.LapsesAt <= now
                && await work.MoveAsync(waiting, waiting with { State = ChangeState.Lapsed, DecidedAt = now, Why = "nobody decided in time" }) is { } lapsed)
            {
                work.Append(Facts.ChangeEnded(lapsed, now, Actor.Server));
            }
        }
    }

    private bool MaySee(SubjectId who, CatalogChange change) =>
        current.Now.MayReadCatalog(who) || (current.Now.IsActive(who) && (change.Proposer == who || change.Steps.Any(step => step.Approvers.Contains(who))));

    /// <summary>Why this person may not answer, and who could; null when they may.</summary>
    private Outcome<ChangeView>.NotYours? NotAllowed(SubjectId who, CatalogChange change, IReadOnlyList<Approval> answers)
    {
        List<SubjectId> could =
        [
            .. change.Steps.SelectMany(step => step.Approvers)
                .Where(person => person != change.Proposer && current.Now.IsActive(person) && answers.All(answer => answer.By != person))
                .Distinct()
                .OrderBy(person => person.Value, StringComparer.Ordinal),
        ];

        // NB. Before everything else, and whatever the steps say: nobody answers their own change.
        if (change.Proposer == who)
        {
            return new Outcome<ChangeView>.NotYours("nobody answers their own change", could);
        }

        return current.Now.IsActive(who) && change.Steps.Any(step => step.Approvers.Contains(who))
            ? null
            : new Outcome<ChangeView>.NotYours("you are not among those whose yes it needs", could);
    }

    private static async Task<Outcome<ChangeView>.LostRace?> LostAsync(Work work, CatalogChange seen, IReadOnlyList<Approval> answers, SubjectId who, DateTimeOffset now)
    {
        if (seen.State != ChangeState.Pending)
        {
            return new Outcome<ChangeView>.LostRace($"it is {Facts.Word(seen.State)} already{(seen.Why is { } why ? $" ({why})" : "")}", await ViewAsync(work, seen));
        }

        if (seen.LapsesAt <= now)
        {
            return new Outcome<ChangeView>.LostRace("it lapsed: nobody decided in time", await ViewAsync(work, seen));
        }

        return answers.Any(answer => answer.By == who) ? new Outcome<ChangeView>.LostRace("you have answered already, and a person counts once", await ViewAsync(work, seen)) : null;
    }

    private static List<Problem> Problems(bool yes, string? comment, string? saw)
    {
        var problems = Approvals.Answers.Check(comment, null);
        if (!yes && string.IsNullOrWhiteSpace(comment))
        {
            problems.Add(new Problem("comment", "a no needs its reason: whoever proposed it reads it"));
        }

        if (yes && string.IsNullOrEmpty(saw))
        {
            problems.Add(new Problem("saw_digest", "a yes names the digest of what it says yes to"));
        }

        return problems;
    }

    private static async Task<ChangeView> ViewAsync(Reads reads, CatalogChange change)
    {
        var answers = await reads.AnswersAsync(change.Id);
        return new ChangeView(
            change,
            answers,
            change.State == ChangeState.Pending && Quorum.Count(change.Steps, change.Distinct, change.Proposer ?? default, change.Digest, answers) is Tally.Waiting waiting ? waiting.Open : []);
    }

    private static SubjectId? Proposer(Actor by) =>
        by.ToString() is var text && text.StartsWith("person:", StringComparison.Ordinal) ? new SubjectId(text["person:".Length..]) : null;
}
