using Stint.Core;
using Stint.Core.Grants;
using Stint.Server.Grants;
using Stint.Server.Store;

namespace Stint.Server.Sessions;

/// <summary>A grant that its holder wants to use now: begun when it waits for that, and open.</summary>
internal sealed class HeldGrant(StintStore store, BeginGrant begin, FindGrants grants, TimeProvider clock)
{
    /// <summary>How long the caller waits for the target.</summary>
    public static readonly TimeSpan Wait = TimeSpan.FromSeconds(10);

    /// <summary>Begins the grant when it waits for that, and returns when it is open.</summary>
    /// <param name="who">The holder.</param>
    /// <param name="id">The grant.</param>
    /// <param name="unfit">Why its role cannot be used that way, and what to do; null when it can. Asked before anything is begun.</param>
    /// <param name="cancellation">The caller left.</param>
    public async Task<Outcome<Grant>> OpenAsync(SubjectId who, GrantId id, Func<Grant, Outcome<Grant>.Refused?> unfit, CancellationToken cancellation)
    {
        var looked = await grants.GetAsync(who, id, cancellation);
        if (looked is not Outcome<GrantView>.Done { Value.Grant: var grant })
        {
            return new Outcome<Grant>.NotFound();
        }

        if (grant.Subject != who)
        {
            return new Outcome<Grant>.NotYours("only its holder gets a way in", [grant.Subject]);
        }

        if (unfit(grant) is { } refusal)
        {
            return refusal;
        }

        if (grant.State == GrantState.Ready)
        {
            switch (await begin.BeginAsync(who, id, cancellation))
            {
                case Outcome<GrantView>.Refused refused:
                    return new Outcome<Grant>.Refused(refused.Why, refused.Remedy);
                default:
                    break;
            }
        }

        return await WaitAsync(who, id, cancellation) is { } open
            ? new Outcome<Grant>.Done(open)
            : await NotOpenAsync(who, id, cancellation);
    }

    private async Task<Grant?> WaitAsync(SubjectId who, GrantId id, CancellationToken cancellation) => await Waiting.ForAsync(
        store,
        Wakes.Of(id),
        token => grants.GetAsync(who, id, token),
        outcome => outcome is not Outcome<GrantView>.Done { Value.Grant.State: GrantState.Ready or GrantState.Opening },
        Wait,
        clock,
        cancellation) is Outcome<GrantView>.Done { Value.Grant: { State: GrantState.Open } open } ? open : null;

    private async Task<Outcome<Grant>> NotOpenAsync(SubjectId who, GrantId id, CancellationToken cancellation)
    {
        if (await grants.GetAsync(who, id, cancellation) is not Outcome<GrantView>.Done { Value: var now })
        {
            return new Outcome<Grant>.NotFound();
        }

        var why = now.Grant.State is GrantState.Ready or GrantState.Opening
            ? $"it is not open yet; the target did not answer within {Sentences.Span(Wait)}{(now.Trouble is { } trouble ? $" ({trouble})" : "")}"
            : now.Grant is { EndNote: { } note } ? $"it has ended: {note}" : "it has ended";
        return new Outcome<Grant>.Refused(why, now.Grant.State == GrantState.Opening ? "try again in a moment" : Sentences.AskAgain(now.Grant.Role));
    }
}
