using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Catalog;
using Stint.Core.Grants;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Grants;
using Stint.Server.Sessions;
using Stint.Server.Store;

namespace Stint.Server.Identity.Signals;

/// <summary>What came of being told something.</summary>
internal abstract record Signal
{
    private Signal()
    {
    }

    /// <summary>It is taken, and what it ends has ended; or it was taken before, or is nothing that concerns us.</summary>
    public sealed record Taken : Signal;

    /// <summary>It is not taken.</summary>
    /// <param name="Error">A word of RFC 8935, section 2.4.</param>
    /// <param name="Why">In a sentence with its full stop.</param>
    public sealed record Refused(string Error, string Why) : Signal;

    /// <summary>Nobody can tell now whether it counts; the transmitter tries again.</summary>
    public sealed record Later : Signal;
}

/// <summary>Takes what a transmitter tells of sessions and accounts (OpenID Shared Signals: CAEP and RISC), and ends what it ends before it is answered.</summary>
internal sealed class TakeSignal
{
    private const string Caep = "https://schemas.openid.net/secevent/caep/event-type/";
    private const string Risc = "https://schemas.openid.net/secevent/risc/event-type/";

    /// <summary>How long a token is remembered: longer than one is taken.</summary>
    private static readonly TimeSpan KeptFor = SecurityEventTokens.Oldest + TimeSpan.FromDays(1);

    private readonly StintStore _store;
    private readonly CurrentCatalog _catalog;
    private readonly SecurityEventTokens _tokens;
    private readonly EndLeavers _leavers;
    private readonly FollowDirectory _follow;
    private readonly SessionOrders _orders;
    private readonly KeeperOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly RefusalCount _refused;

    public TakeSignal(StintStore store, CurrentCatalog catalog, SecurityEventTokens tokens, EndLeavers leavers, FollowDirectory follow, SessionOrders orders, KeeperOptions options, TimeProvider clock, ILogger<TakeSignal> log)
    {
        (_store, _catalog, _tokens, _leavers, _follow, _orders, _options, _clock, _log) = (store, catalog, tokens, leavers, follow, orders, options, clock, log);
        _refused = new RefusalCount(store, clock, Facts.SignalRefused);
    }

    /// <summary>Takes a token.</summary>
    /// <param name="token">The token.</param>
    /// <param name="address">Where it comes from, as one counts addresses.</param>
    /// <param name="cancellation">Ends the waiting for the store; what has begun is done.</param>
    public async Task<Signal> TakeAsync(string token, IPAddress address, CancellationToken cancellation)
    {
        SecurityEventToken looked;
        try
        {
            looked = await _tokens.VerifyAsync(token, cancellation);
        }
        catch (KeysUnknownException)
        {
            return new Signal.Later();
        }

        if (looked is not SecurityEventToken.Verified verified)
        {
            var wrong = (SecurityEventToken.Wrong)looked;
            _log.SignalRefused(wrong.Why);
            await _refused.AddAsync(address, cancellation);
            return new Signal.Refused(wrong.Error, wrong.Why);
        }

        var effect = await _store.WriteAsync(work => TakeAsync(work, verified), cancellation);

        // NB. Whoever told of it may have gone: what has begun is done. After a crash the next start does it.
        foreach (var grants in effect.Ended.Where(grant => grant.Assignment is not null).GroupBy(grant => grant.Assignment!.Value))
        {
            await _orders.CutAndWaitAsync(grants.Key, [.. grants], _options.Goodbye, CancellationToken.None);
        }

        if (effect.Took)
        {
            await _follow.ChangedAsync(CancellationToken.None);
        }
        else if (effect.GaveBack)
        {
            await _follow.LookAsync(CancellationToken.None);
        }

        return new Signal.Taken();
    }

    private async Task<Effect> TakeAsync(Work work, SecurityEventToken.Verified verified)
    {
        var now = Stored.Round(_clock.Now());
        var effect = new Effect();
        List<string> kinds = [.. verified.Events.EnumerateObject().Select(one => one.Name).Where(IsKnown)];
        if (!await work.TakeSignalAsync(verified.From.Name, verified.Mark, now, KeptFor) || kinds.Count == 0)
        {
            return effect;
        }

        await work.AloneWithDirectoryAsync();
        foreach (var kind in kinds)
        {
            var people = await SignalSubjects.FindAsync(work, _catalog.Now, verified.From, SubjectOf(verified, kind));
            var count = 0;
            foreach (var person in people)
            {
                count += await ActAsync(work, verified, kind, person, effect, now);
            }

            work.Append(Facts.SignalTaken(verified.From.Name, Word(kind), people, count, now));
        }

        return effect;
    }

    private async Task<int> ActAsync(Work work, SecurityEventToken.Verified verified, string kind, SubjectId person, Effect effect, DateTimeOffset now)
    {
        var from = verified.From;
        var by = Actor.Sender(from.Name);
        var key = DirectoryPeople.Key(person.Value);

        // NB. What comes late is not the last word: of two that say otherwise of an account, the one counts that happened later. One that is gone for good is, whenever it is told.
        if (kind is Risc + "account-disabled" or Risc + "account-enabled" && !await work.IsLatestAsync(from.Name, key, verified.At))
        {
            return 0;
        }

        switch (kind)
        {
            case Caep + "session-revoked" or Risc + "sessions-revoked" or Risc + "credential-compromise":
                var (requests, grants) = await _leavers.EndHeldAsync(work, person, Reason(from, kind), by);
                effect.Ended.AddRange(grants);
                return requests + grants.Count + await WebSessions.EndAllAsync(work, person, "signal", null, now);
            case Caep + "credential-change":
                return await WebSessions.EndAllAsync(work, person, "signal", null, now);
            case Risc + "account-disabled" or Risc + "account-purged":
                var gone = new Offboarded(key, person.Value, Reason(from, kind), now, by.ToString());
                if (kind == Risc + "account-purged" && await work.FindOffboardedAsync(key) is { } disabled && disabled.By == gone.By && disabled.Reason != gone.Reason)
                {
                    // It does not come back with the account: whoever has the name next is somebody else.
                    await work.ReturnAsync(key);
                }

                if (!await work.InsertAsync(gone))
                {
                    return 0;
                }

                work.Append(Facts.PersonOffboarded(gone, by));
                effect.Took = true;
                return 1;
            case Risc + "account-enabled":
                // NB. What an admin did, another transmitter said, or was said of an account that is gone for good, is not this one's to take back.
                if (await work.FindOffboardedAsync(key) is not { } away || away.By != by.ToString() || away.Reason != Reason(from, Risc + "account-disabled") || !await work.ReturnAsync(key))
                {
                    return 0;
                }

                work.Append(Facts.PersonRestored(away.Person, by, Reason(from, kind), now));
                effect.GaveBack = true;
                return 1;
            default:
                throw new InvalidOperationException($"{kind} is no event that is known.");
        }
    }

    private static string Reason(Transmitter from, string kind) => $"{from.Name} says {Word(kind)}";

    private static bool IsKnown(string kind) => kind is Caep + "session-revoked" or Caep + "credential-change" or Risc + "sessions-revoked" or Risc + "credential-compromise"
        or Risc + "account-disabled" or Risc + "account-purged" or Risc + "account-enabled";

    private static string Word(string kind) => kind[(kind.LastIndexOf('/') + 1)..];

    /// <summary>Whom it is about; transmitters of before the Framework's final text say so within the event.</summary>
    private static JsonElement SubjectOf(SecurityEventToken.Verified verified, string kind) =>
        verified.Subject.ValueKind == JsonValueKind.Object ? verified.Subject : verified.Events.GetProperty(kind).TryGetProperty("subject", out var within) ? within : default;

    /// <summary>What is left to do once it is committed.</summary>
    private sealed class Effect
    {
        /// <summary>Grants that ended: their connections are cut.</summary>
        public List<Grant> Ended { get; } = [];

        /// <summary>Whether somebody may do nothing any more.</summary>
        public bool Took { get; set; }

        /// <summary>Whether somebody may again.</summary>
        public bool GaveBack { get; set; }
    }
}
