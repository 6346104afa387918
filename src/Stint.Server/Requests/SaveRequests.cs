using Stint.Core;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Server.Audit;
using Stint.Server.Store;

namespace Stint.Server.Requests;

/// <summary>Each person's own askings, kept under names of theirs, and the last one of a kind. Nobody sees another's.</summary>
internal sealed class SaveRequests(StintStore store, TimeProvider clock)
{
    /// <summary>How many are proposed to be asked again, and among how many they are looked for.</summary>
    private const int Lately = 6, Looked = 50;

    /// <summary>In the order of their names.</summary>
    public Task<List<SavedRequest>> ListAsync(SubjectId who, CancellationToken cancellation) => store.ReadAsync(async reads => await reads.SavedAsync(who), cancellation);

    /// <summary>Keeps one, in place of what its name stood for.</summary>
    public async Task<Outcome<SavedRequest>> SaveAsync(SubjectId who, SavedRequest given, CancellationToken cancellation)
    {
        var now = clock.Now();
        if (given.Problems(now) is { Count: > 0 } problems)
        {
            return new Outcome<SavedRequest>.Invalid([.. problems.Select(problem => new Problem(problem.Field, problem.WayOut is null ? problem.What : $"{problem.What}; {problem.WayOut}"))]);
        }

        var saved = given with { Reason = Given(given.Reason?.Trim()), Ticket = Given(given.Ticket?.Trim(' ')) };
        return await store.WriteAsync<Outcome<SavedRequest>>(
            async work =>
            {
                var all = await work.SavedAsync(who);
                if (all.Count >= SavedRequest.Most && !all.Exists(one => one.Name == saved.Name))
                {
                    return new Outcome<SavedRequest>.Refused($"a person keeps at most {SavedRequest.Most} requests", "forget one with stint request --forget NAME");
                }

                if (!all.Contains(saved))
                {
                    await work.SaveAsync(who, saved, now);
                    work.Append(Facts.AskingSaved(who, saved, now));
                }

                return new Outcome<SavedRequest>.Done(saved);
            },
            cancellation);
    }

    /// <summary>Forgets one.</summary>
    /// <returns>As it was.</returns>
    public Task<Outcome<SavedRequest>> ForgetAsync(SubjectId who, string name, CancellationToken cancellation) => store.WriteAsync<Outcome<SavedRequest>>(
        async work =>
        {
            if (await work.FindSavedAsync(who, name) is not { } saved || !await work.ForgetAsync(who, name))
            {
                return new Outcome<SavedRequest>.NotFound();
            }

            work.Append(Facts.AskingForgotten(who, saved, clock.Now()));
            return new Outcome<SavedRequest>.Done(saved);
        },
        cancellation);

    /// <summary>What to ask again: one that is kept under a name, or the last asking for a role or a bundle, or the last of all.</summary>
    /// <param name="who">Who asks.</param>
    /// <param name="what">A name, <c>RESOURCE/ROLE</c>, or a bundle's name; null for whatever was asked last.</param>
    /// <param name="cancellation">The caller left.</param>
    /// <returns>Under its name, which is empty for one that is not kept.</returns>
    public Task<Outcome<SavedRequest>> AgainAsync(SubjectId who, string? what, CancellationToken cancellation) => store.ReadAsync<Outcome<SavedRequest>>(
        async reads =>
        {
            // NB. Asked again without them it would be for the whole role.
            var named = RoleRef.Parse(what);
            if ((what is null || named is not null) && await reads.LastAskedAsync(who, named) is { Statements: not null } exact)
            {
                return new Outcome<SavedRequest>.Refused($"{exact.Id} was for exact statements, which are not kept to be repeated", $"say them again: stint request {exact.Role} --statement 'SQL'");
            }

            var found = what is null ? await LastAsync(reads, who, null)
                : named is { } role ? await LastAsync(reads, who, role)
                : await reads.FindSavedAsync(who, what) ?? (await reads.LastAskedAsync(who, what) is { } bundle ? Of(bundle) : null);
            return found is null ? new Outcome<SavedRequest>.NotFound() : new Outcome<SavedRequest>.Done(found);
        },
        cancellation);

    /// <summary>What somebody asked for lately, each role once, newest first: to be asked again as it was. Without what is not repeated by a click: emergencies, exact statements, series, extensions and tasks.</summary>
    public async Task<IReadOnlyList<SavedRequest>> LatelyAsync(SubjectId who, CancellationToken cancellation) =>
    [
        .. (await store.ReadAsync(async reads => await reads.RequestsAsync(new RequestFilter { Subject = who }, new Page(Looked)), cancellation)).Items
            .Where(request => request is { BreakGlass: false, Statements: null, Recurrence: null, OccurrenceOf: null, Extends: null, Task: null, Bundle: null, StartAt: null } && request.Verdict is not Verdict.Deny)
            .DistinctBy(request => request.Role)
            .Take(Lately)
            .Select(request => new SavedRequest("", request.Role.ToString(), (long)request.For.TotalSeconds, Given(request.Reason), request.Ticket)),
    ];

    private static async ValueTask<SavedRequest?> LastAsync(Reads reads, SubjectId who, RoleRef? role)
    {
        if (await reads.LastAskedAsync(who, role) is not { } last)
        {
            return null;
        }

        // What was asked last was the whole; whoever names a role means that role.
        return role is null && last.Bundle is { } bundle && await reads.FindBundleAsync(bundle) is { } asking
            ? Of(asking)

            // NB. A denied asking has no length of its own: the policies give it again.
            : new SavedRequest("", last.Role.ToString(), last.Verdict is Verdict.Deny ? null : (long)last.For.TotalSeconds, Given(last.Reason), last.Ticket);
    }

    private static SavedRequest Of(BundleAsking asking) =>
        new("", asking.Name, asking.For is { } length ? (long)length.TotalSeconds : null, Given(asking.Reason), asking.Ticket);

    private static string? Given(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
