using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Catalog;
using Stint.Core.Requests;
using Stint.Server.Approvals;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Audit;

/// <summary>Collects all that a doubter of one request needs into one file that can be checked with no server.</summary>
internal sealed class CollectEvidence(StintStore store, CurrentCatalog catalog, Checkpoints checkpoints, TimeProvider clock, ApprovalSteps steps)
{
    /// <summary>Signs the log as it stands, and writes the file under that head.</summary>
    public async Task<Outcome<byte[]>> CollectAsync(SubjectId who, RequestId id, CancellationToken cancellation)
    {
        var request = await store.ReadAsync(async reads => await reads.FindRequestAsync(id), cancellation);
        if (request is null || !await store.ReadAsync(async reads => await steps.MaySeeAsync(reads, who, request, clock.Now()), cancellation))
        {
            return new Outcome<byte[]>.NotFound();
        }

        // NB. It holds the whole catalog and every rule's part in the verdict: what exists and whom it is for, also for
        // those who may not know.
        if (!catalog.Now.MayReadAll(who))
        {
            return new Outcome<byte[]>.NotYours("only admins and auditors collect evidence: it holds the whole catalog", []);
        }

        var head = await checkpoints.SignAsync(cancellation);
        var file = await store.ReadAsync(
            async reads =>
            {
                var facts = (await reads.FactsOfAsync(id)).Concat(await BundleAsync(reads, request)).Where(fact => fact.Seq < head.Head.Size).ToList();
                var proved = new List<EvidenceFact>(facts.Count);
                foreach (var fact in facts)
                {
                    proved.Add(new EvidenceFact(fact.Body, await MerkleProofs.InclusionAsync(reads, fact.Seq, head.Head.Size, cancellation)));
                }

                var catalogs = new List<CatalogSource>();
                foreach (var version in Evidence.CatalogsNeeded(facts.Select(fact => fact.Body)))
                {
                    catalogs.Add(await reads.FindCatalogAsync(version) ?? throw new InvalidOperationException($"The catalog {version} was never kept."));
                }

                return Evidence.Write(id.Value, proved, head, checkpoints.Key, catalogs);
            },
            cancellation);
        await store.WriteAsync(
            work =>
            {
                work.Append(Facts.AuditExported(Actor.Person(who.Value), id, file.Length, Evidence.Format, clock.Now()));
                return Task.CompletedTask;
            },
            cancellation);
        return new Outcome<byte[]>.Done(file);
    }

    /// <summary>What its approvers were shown, for a part of a bundle; it is kept at the first of the bundle's requests.</summary>
    private static async ValueTask<IEnumerable<SealedFact>> BundleAsync(Reads reads, Request request)
    {
        if (request.Bundle is not { } bundle || await reads.RequestsOfAsync(bundle) is not [var first, ..] || first.Id == request.Id)
        {
            return [];
        }

        return (await reads.FactsOfAsync(first.Id)).Where(fact => fact.Kind == FactKinds.BundleAsked);
    }
}
