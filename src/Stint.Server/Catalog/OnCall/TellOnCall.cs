using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Catalog.Calendars;
using Stint.Server.Store;

namespace Stint.Server.Catalog.OnCall;

/// <summary>What a sender says of who is on call.</summary>
/// <param name="Rota">In which rota.</param>
/// <param name="Persons">Who: names or addresses; empty for nobody.</param>
/// <param name="Until">Until before when; null until something else is told.</param>
internal sealed record OnCallTold(string? Rota, IReadOnlyList<string>? Persons, DateTimeOffset? Until);

/// <summary>Another system says who is on call now.</summary>
internal sealed class TellOnCall(StintStore store, CurrentCatalog catalog, FollowRotas follow, TimeProvider clock)
{
    /// <summary>How long calls are remembered, as those about tasks are: one that somebody recorded counts no second time.</summary>
    public static readonly TimeSpan RememberedFor = TimeSpan.FromDays(90);

    private const int MostPersons = 20;
    private static readonly TimeSpan Furthest = TimeSpan.FromDays(92);

    /// <param name="sender">Who says so; it was proved.</param>
    /// <param name="told">What.</param>
    /// <param name="signedAt">When they signed it.</param>
    /// <param name="digest">SHA-256 of what they signed.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    /// <returns>Who is on call now.</returns>
    public async Task<Outcome<IReadOnlyList<SubjectId>>> TellAsync(string sender, OnCallTold told, DateTimeOffset signedAt, byte[] digest, CancellationToken cancellation)
    {
        var now = clock.Now();
        var rota = told.Rota is { } named ? catalog.Now.Rotas.GetValueOrDefault(named) : null;
        if (rota?.Feed?.Webhook != sender)
        {
            return new Outcome<IReadOnlyList<SubjectId>>.NotYours($"{sender} tells of the rotas alone that the catalog gives it", []);
        }

        if (Problems(told, now) is { Count: > 0 } problems)
        {
            return new Outcome<IReadOnlyList<SubjectId>>.Invalid(problems);
        }

        var at = Stored.Round(signedAt < now ? signedAt : now);
        var taken = await store.WriteAsync(
            async work =>
            {
                if (!await work.TakeDeliveryAsync(sender, digest, now, RememberedFor))
                {
                    return "this call was taken already";
                }

                var source = rota.Feed.Source;
                await work.TryRotaAsync(rota.Name, source, now, now);
                var before = await work.FindRotaToldAsync(rota.Name);
                if (before?.KnownAt > at)
                {
                    // NB. A call that was on its way for longer does not undo one that was signed after it.
                    return "something newer was told already";
                }

                List<NamedShift> shifts =
                [
                    .. (before?.Body is { } body ? PushedShifts.Read(body) : []).Where(shift => shift.Until > at - FollowRotas.Remembered && shift.From < at)
                        .Select(shift => shift.Until > at ? shift with { Until = at } : shift),
                    .. told.Persons!.Distinct(StringComparer.OrdinalIgnoreCase).Select(person => new NamedShift(at, told.Until ?? at + Furthest, person)),
                ];
                await work.KeepRotaAsync(rota.Name, source, PushedShifts.Write(shifts), null, at);
                return null;
            },
            cancellation);
        if (taken is not null)
        {
            return new Outcome<IReadOnlyList<SubjectId>>.LostRace(taken, null);
        }

        // NB. Whoever told it may be gone by now: what was told counts here when they hear that it does.
        await follow.LookAsync(CancellationToken.None);
        return new Outcome<IReadOnlyList<SubjectId>>.Done(catalog.Now.Rotas.GetValueOrDefault(rota.Name)?.On(clock.Now()) ?? []);
    }

    private List<Problem> Problems(OnCallTold told, DateTimeOffset now)
    {
        var problems = new List<Problem>();
        if (told.Persons is not { Count: <= MostPersons } persons)
        {
            problems.Add(new Problem("persons", $"must be a list of at most {MostPersons} names or addresses; empty for nobody"));
        }
        else
        {
            var known = RotaOverlay.Resolve(catalog.Now, persons.Where(person => person is not null));
            problems.AddRange(persons.Select((person, i) => (person, i)).Where(one => one.person is null || !known.ContainsKey(one.person))
                .Select(one => new Problem($"persons[{one.i}]", "is nobody here, or more than one; give the name or the address by which the catalog or the directory knows one person")));
        }

        if (told.Until is { } until && (until <= now || until > now + Furthest))
        {
            problems.Add(new Problem("until", $"must be later than now, and at most {Furthest.TotalDays:F0} days away"));
        }

        return problems;
    }
}
