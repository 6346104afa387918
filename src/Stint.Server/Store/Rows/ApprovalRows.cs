using System.Data.Common;
using Stint.Core;
using Stint.Core.Approvals;

namespace Stint.Server.Store;

internal partial class Reads
{
    /// <summary>What was answered to a request, in order.</summary>
    public ValueTask<List<Approval>> ApprovalsAsync(RequestId request) => Db.ListAsync(
        "SELECT request_id, person, yes, at, comment, shortened, saw_digest, via, for_person, delegation_id, offer_id, proof FROM approvals WHERE request_id = $1 ORDER BY seq",
        ReadApproval,
        request.Value);

    private static Approval ReadApproval(DbDataReader row)
    {
        var c = new Columns(row);
        return new Approval
        {
            Request = new RequestId(c.Text()),
            By = new SubjectId(c.Text()),
            Yes = c.Flag(),
            At = c.Time(),
            Comment = c.Text(),
            Shortened = c.SpanOrNull(),
            SawDigest = c.Text(),
            Via = c.Text(),
            For = c.TextOrNull() is { } absent ? new SubjectId(absent) : null,
            Delegation = c.TextOrNull() is { } delegation ? new DelegationId(delegation) : null,
            Offer = c.TextOrNull() is { } offer ? new OfferId(offer) : null,
            Proof = c.TextOrNull() is { } proof ? ProofJson.Read(proof) : null,
        };
    }
}

internal sealed partial class Work
{
    /// <summary>Keeps an answer. Find the request first in the same write, so that two answers at once see each other.</summary>
    /// <returns>As it stands now, times rounded; null when this person has answered already, or the place that they answer for is filled.</returns>
    public async ValueTask<Approval?> InsertAsync(Approval approval)
    {
        var kept = approval with
        {
            At = Stored.Round(approval.At),
            Shortened = approval.Shortened is { } shortened ? Stored.Round(shortened) : null,
        };
        var inserted = await Db.RunAsync(
            "INSERT INTO approvals (request_id, person, yes, at, comment, shortened, saw_digest, via, for_person, delegation_id, offer_id, proof) "
            + "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) ON CONFLICT DO NOTHING",
            kept.Request.Value,
            kept.By.Value,
            kept.Yes,
            kept.At,
            kept.Comment,
            kept.Shortened,
            kept.SawDigest,
            kept.Via,
            kept.For?.Value,
            kept.Delegation?.Value,
            kept.Offer?.Value,
            kept.Proof is { } proof ? ProofJson.Write(proof) : null);
        if (inserted == 0)
        {
            return null;
        }

        await Db.RunAsync("UPDATE request_approvers SET open = 0 WHERE request_id = $1 AND person IN ($2, $3)", kept.Request.Value, kept.By.Value, kept.Seat.Value);
        Wake(Wakes.Of(kept.Request));
        return kept;
    }
}
