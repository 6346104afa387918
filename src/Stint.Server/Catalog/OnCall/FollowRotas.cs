using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Logging;
using Stint.Core.Audit;
using Stint.Core.Catalog;
using Stint.Core.Catalog.Calendars;
using Stint.Server.Audit;
using Stint.Server.Store;

namespace Stint.Server.Catalog.OnCall;

/// <summary>Keeps up with who is on call where the catalog leaves that to others: asks their calendars, keeps the last good answer with its age, and lets it count.</summary>
internal sealed class FollowRotas(StintStore store, CurrentCatalog current, FetchCalendar fetch, TimeProvider clock, ILogger<FollowRotas> log) : IDisposable
{
    /// <summary>How often a calendar is asked, by whichever node comes first.</summary>
    public static readonly TimeSpan AskEvery = TimeSpan.FromMinutes(1);

    /// <summary>How long who was on call still may answer what they were asked then.</summary>
    public static readonly TimeSpan Remembered = TimeSpan.FromDays(1);

    private static readonly TimeSpan AtLeastEvery = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly Dictionary<string, (RotaTold Told, KnownShifts Known, IReadOnlyList<string> Notes)> _read = new(StringComparer.Ordinal);
    private IReadOnlyList<string> _problems = [];

    /// <summary>What is wrong with what others tell, in sentences.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>Looks at every wake, and from time to time.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var waiter = store.Wakes.Listen(Wakes.OnCall);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await AskAsync(stop);
                await LookAsync(stop);
            }
            catch (StoreUnavailableException)
            {
                // What is known stays, and grows old.
            }

            using var round = CancellationTokenSource.CreateLinkedTokenSource(stop);
            using var bound = new CancellationTokenSource(AtLeastEvery, clock);
            using var ends = bound.Token.Register(round.Cancel);
            try
            {
                await waiter.WaitAsync(round.Token);
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                // Time to look.
            }
        }
    }

    /// <summary>Asks each calendar that nobody asked a moment ago.</summary>
    public async Task AskAsync(CancellationToken cancellation)
    {
        foreach (var rota in Fed().Where(rota => rota.Feed!.Calendar is not null))
        {
            var (address, source, now) = (rota.Feed!.Calendar!, rota.Feed.Source, clock.Now());
            var before = await store.WriteAsync(
                async work => await work.TryRotaAsync(rota.Name, source, now, now - AskEvery) ? await work.FindRotaToldAsync(rota.Name) : null, cancellation);
            if (before is null)
            {
                continue;
            }

            var fetched = await fetch.GetAsync(address, before.Etag, cancellation);
            await store.WriteAsync(
                async work =>
                {
                    switch (fetched)
                    {
                        case Fetched.Text text:
                            await work.KeepRotaAsync(rota.Name, source, text.Body, text.Etag, now);
                            break;
                        case Fetched.Same:
                            await work.NoteRotaAsync(rota.Name, source, now, null);
                            break;
                        case Fetched.Failed failed:
                            await work.NoteRotaAsync(rota.Name, source, null, failed.Why);
                            break;
                        default:
                            throw new InvalidOperationException("An answer of a kind that nobody knows.");
                    }
                },
                cancellation);
            if (fetched is Fetched.Failed no && before.Trouble != no.Why)
            {
                log.CalendarFailed(rota.Name, no.Why);
            }
        }
    }

    /// <summary>Lets what is kept count here, and puts on record who is on call by it.</summary>
    public async Task LookAsync(CancellationToken cancellation)
    {
        await _one.WaitAsync(cancellation);
        try
        {
            var fed = Fed();
            if (fed.Count == 0)
            {
                _problems = [];
                return;
            }

            var told = (await store.ReadAsync(async reads => await reads.RotasToldAsync(), cancellation)).ToDictionary(one => one.Rota, StringComparer.Ordinal);
            var known = new Dictionary<string, KnownShifts>(StringComparer.Ordinal);
            var changed = _read.Keys.Except(fed.Select(rota => rota.Name)).ToList();
            changed.ForEach(name => _read.Remove(name));
            foreach (var rota in fed)
            {
                if (!told.TryGetValue(rota.Name, out var one) || one.Source != rota.Feed!.Source || one is not { Body: { } body, KnownAt: { } at })
                {
                    _read.Remove(rota.Name);
                    continue;
                }

                if (!_read.TryGetValue(rota.Name, out var read) || (read.Told.Body, read.Told.KnownAt) != (one.Body, one.KnownAt))
                {
                    _read[rota.Name] = read = Read(rota.Feed, one, body, at);
                }

                known[rota.Name] = read.Known;
            }

            current.Replace(known);
            await NoteAsync(told, cancellation);
            _problems = [.. Say(told)];
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private List<Rota> Fed() => [.. current.Now.Rotas.Values.Where(rota => rota.Feed is not null).OrderBy(rota => rota.Name, StringComparer.Ordinal)];

    private static (RotaTold, KnownShifts, IReadOnlyList<string>) Read(RotaFeed feed, RotaTold told, string body, DateTimeOffset at)
    {
        if (feed.Calendar is null)
        {
            return (told, new KnownShifts(told.Source, at, PushedShifts.Read(body)), []);
        }

        try
        {
            var calendar = ICalendar.Parse(body);
            return (told, new KnownShifts(told.Source, at, calendar.Between(at - Remembered, at + feed.Stale)), calendar.Notes);
        }
        catch (FormatException e)
        {
            return (told, new KnownShifts(told.Source, at, []), [$"It is no calendar that can be read: {e.Message}."]);
        }
    }

    private async Task NoteAsync(Dictionary<string, RotaTold> told, CancellationToken cancellation)
    {
        var now = clock.Now();
        foreach (var rota in Fed())
        {
            if (told.GetValueOrDefault(rota.Name) is not { } one || one.Source != rota.Feed!.Source)
            {
                continue;
            }

            var on = rota.On(now).Select(person => person.Value).ToList();
            var text = string.Join(' ', on);
            if (text == one.OnCall)
            {
                continue;
            }

            var before = one.OnCall.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var why = rota.KnownAt is { } at && now >= at + rota.Feed.Stale ? $"nothing was told since {Sentences.Day(at)}" : rota.Feed.Webhook is { } sender ? $"{sender} says so" : "the calendar says so";
            await store.WriteAsync(
                async work =>
                {
                    if (await work.NoteOnCallAsync(rota.Name, one.OnCall, text, rota.KnownAt))
                    {
                        work.Append(Facts.OnCallChanged(rota.Name, on.Except(before), before.Except(on), why, rota.Feed.Webhook is { } by ? Actor.Sender(by) : Actor.Server, now));
                        work.Wake(Wakes.Keeper);
                    }
                },
                cancellation);
        }
    }

    private IEnumerable<string> Say(Dictionary<string, RotaTold> told)
    {
        var now = clock.Now();
        foreach (var rota in Fed())
        {
            var one = told.GetValueOrDefault(rota.Name);
            if (rota.KnownAt is null || now >= rota.KnownAt + rota.Feed!.Stale)
            {
                yield return $"Nobody is on call in the rota {rota.Name}: nothing was told of it{(rota.KnownAt is { } at ? " since " + Sentences.Day(at) : " yet")}{(one?.Trouble is { } why ? $" ({why})" : "")}.";
            }
            else if (one?.Trouble is { } trouble)
            {
                yield return $"The calendar of the rota {rota.Name} cannot be had: {trouble}. What it said at {Sentences.Day(rota.KnownAt.Value)} counts until {Sentences.Day(rota.KnownAt.Value + rota.Feed!.Stale)}.";
            }

            if (_read.TryGetValue(rota.Name, out var read))
            {
                foreach (var note in read.Notes)
                {
                    yield return $"Rota {rota.Name}: {note}";
                }

                var who = read.Known.Shifts.Where(shift => shift.Until > now).Select(shift => shift.Who).Distinct(StringComparer.Ordinal).ToList();
                var resolved = RotaOverlay.Resolve(current.Now, who);
                if (who.Where(name => !resolved.ContainsKey(name)).Take(5).ToList() is { Count: > 0 } nobody)
                {
                    yield return $"Rota {rota.Name} names who is nobody here, or more than one: {string.Join(", ", nobody)}.";
                }
            }
        }
    }
}

/// <summary>Who is on call by what a sender pushed, as it is kept.</summary>
internal static class PushedShifts
{
    public static IReadOnlyList<NamedShift> Read(string body) => JsonSerializer.Deserialize(body, PushedJson.Default.ListNamedShift) ?? [];

    public static string Write(List<NamedShift> shifts) => JsonSerializer.Serialize(shifts, PushedJson.Default.ListNamedShift);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(List<NamedShift>))]
internal sealed partial class PushedJson : JsonSerializerContext;
