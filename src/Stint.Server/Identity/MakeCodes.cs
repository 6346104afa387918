using Stint.Core;
using Stint.Core.Requests;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Identity;

/// <summary>One-time codes, as they are shown this once.</summary>
/// <param name="Codes">For paper.</param>
/// <param name="Voided">How many older ones count no longer.</param>
internal sealed record MadeCodes(IReadOnlyList<string> Codes, int Voided);

/// <summary>Somebody makes one-time codes, for a day on which nothing else lets them in. Those before are void.</summary>
internal sealed class MakeCodes(StintStore store, CurrentCatalog catalog, IdSource ids, TimeProvider clock)
{
    /// <summary>Most codes of one person.</summary>
    public const int Most = 20;

    /// <param name="who">Whose they are: only a person makes them, and only for themselves.</param>
    /// <param name="count">How many.</param>
    /// <param name="cancellation">Ends the waiting for the store.</param>
    /// <param name="within">Runs in the write that keeps them; what it throws undoes it. Null for nothing.</param>
    public async Task<Outcome<MadeCodes>> MakeAsync(SubjectId who, int count, CancellationToken cancellation, Func<Work, ValueTask>? within = null)
    {
        if (count is < 1 or > Most)
        {
            return new Outcome<MadeCodes>.Invalid([new Problem("count", $"must be from 1 to {Most}")]);
        }

        List<string> codes = [.. Enumerable.Range(0, count).Select(_ => BreakGlassCode.Write(ids.Bytes(BreakGlassCode.Letters)))];
        return await store.WriteAsync<Outcome<MadeCodes>>(
            async work =>
            {
                if (!catalog.Now.IsActive(who))
                {
                    return new Outcome<MadeCodes>.NotFound();
                }

                var now = clock.Now();
                var voided = await work.ReplaceCodesAsync(who, codes.ConvertAll(code => BreakGlassCode.Hash(who, BreakGlassCode.Read(code)!)), now);
                work.Append(Facts.BreakGlassCodesMade(who, count, now));
                if (within is not null)
                {
                    await within(work);
                }

                return new Outcome<MadeCodes>.Done(new MadeCodes(codes, voided));
            },
            cancellation);
    }
}
