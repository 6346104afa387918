using System.Data.Common;
using Stint.Core;
using Stint.Core.Approvals;

namespace Stint.Server.Store;

internal partial class Reads
{
    private protected const string OfferColumns =
        "id, request_id, person, for_person, delegation_id, at, resource, role, lasts, start_at, comment, saw_digest, via, state, made_request";

    /// <summary>The counter-offers at a request, oldest first. Inside a write that holds the request they stay as found.</summary>
    public ValueTask<List<CounterOffer>> OffersAsync(RequestId request) =>
        Db.ListAsync($"SELECT {OfferColumns} FROM offers WHERE request_id = $1 ORDER BY seq", ReadOffer, request.Value);

    /// <summary>The counter-offer that a request was made of; null when it was asked by itself.</summary>
    public ValueTask<CounterOffer?> OfferThatMadeAsync(RequestId request) =>
        Db.OneAsync($"SELECT {OfferColumns} FROM offers WHERE made_request = $1", ReadOffer, request.Value);

    private static CounterOffer ReadOffer(DbDataReader row)
    {
        var c = new Columns(row);
        return new CounterOffer
        {
            Id = new OfferId(c.Text()),
            Request = new RequestId(c.Text()),
            By = new SubjectId(c.Text()),
            Seat = c.TextOrNull() is { } absent ? new SubjectId(absent) : null,
            Delegation = c.TextOrNull() is { } delegation ? new DelegationId(delegation) : null,
            At = c.Time(),
            Role = new RoleRef(c.Text(), c.Text()),
            For = c.Span(),
            StartAt = c.TimeOrNull(),
            Comment = c.Text(),
            SawDigest = c.Text(),
            Via = c.Text(),
            State = Words.Offer.Read(c.Text()),
            Made = c.TextOrNull() is { } made ? new RequestId(made) : null,
        };
    }
}

internal sealed partial class Work
{
    /// <summary>Keeps a counter-offer, in place of an earlier one of the same person. Hold the request.</summary>
    /// <returns>As it stands now, times rounded.</returns>
    public async ValueTask<CounterOffer> InsertAsync(CounterOffer offer)
    {
        var kept = offer with { At = Stored.Round(offer.At), For = Stored.Round(offer.For), StartAt = Stored.Round(offer.StartAt) };
        await Db.RunAsync("UPDATE offers SET state = 'replaced' WHERE request_id = $1 AND person = $2 AND state = 'open'", kept.Request.Value, kept.By.Value);
        await Db.RunAsync(
            $"INSERT INTO offers ({OfferColumns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, NULL)",
            kept.Id.Value,
            kept.Request.Value,
            kept.By.Value,
            kept.Seat?.Value,
            kept.Delegation?.Value,
            kept.At,
            kept.Role.Resource,
            kept.Role.Role,
            kept.For,
            kept.StartAt,
            kept.Comment,
            kept.SawDigest,
            kept.Via,
            Words.Offer[kept.State]);
        Wake(Wakes.Of(kept.Request));
        return kept;
    }

    /// <summary>Says that an offer was taken, and which request was made of it.</summary>
    /// <returns>As it stands now; null when it is open no longer.</returns>
    public async ValueTask<CounterOffer?> AcceptAsync(CounterOffer seen, RequestId made) =>
        await Db.RunAsync("UPDATE offers SET state = 'accepted', made_request = $1 WHERE id = $2 AND state = 'open'", made.Value, seen.Id.Value) == 1
            ? seen with { State = OfferState.Accepted, Made = made }
            : null;
}
