using Stint.Core;
using Stint.Core.Grants;
using Stint.Server.Audit;
using Stint.Server.Grants;
using Stint.Server.Store;

namespace Stint.Server.Sessions;

/// <summary>Gives the holder of a grant a way in. Begins the grant when it waits for that, and returns when it is open.</summary>
internal sealed class MintLogin(
    StintStore store,
    BeginGrant begin,
    FindGrants grants,
    Targets targets,
    IdSource ids,
    TimeProvider clock)
{
    /// <summary>Most logins of one grant. A holder who needs more lost them, or somebody else makes them.</summary>
    public const int Most = 20;

    /// <summary>How long the caller waits for the target.</summary>
    public static readonly TimeSpan Wait = TimeSpan.FromSeconds(10);

    /// <param name="who">The holder.</param>
    /// <param name="id">The grant.</param>
    /// <param name="cancellation">The caller left.</param>
    /// <param name="within">Runs in the write that keeps a new login; what it throws undoes it. Null for nothing.</param>
    public async Task<Outcome<MintedLogin>> MintAsync(SubjectId who, GrantId id, CancellationToken cancellation, Func<Work, ValueTask>? within = null)
    {
        var looked = await grants.GetAsync(who, id, cancellation);
        if (looked is not Outcome<GrantView>.Done { Value.Grant: var grant })
        {
            return new Outcome<MintedLogin>.NotFound();
        }

        if (grant.Subject != who)
        {
            return new Outcome<MintedLogin>.NotYours("only its holder gets a way in", [grant.Subject]);
        }

        if (targets.KindOf(grant.Role) is { } kind && !Upstreams.Carries(kind))
        {
            return new Outcome<MintedLogin>.Refused(
                $"nothing is connected to at {grant.Role.Resource}: what {grant.Role.Role} gives counts by itself in whatever you do while the grant is open",
                grant.State == GrantState.Ready ? $"open it with `stint begin {grant.Id}`" : "see what you may do with `stint whoami`");
        }

        if (grant.State == GrantState.Ready)
        {
            switch (await begin.BeginAsync(who, id, cancellation))
            {
                case Outcome<GrantView>.Refused refused:
                    return new Outcome<MintedLogin>.Refused(refused.Why, refused.Remedy);
                default:
                    break;
            }
        }

        return await OpenAsync(who, id, cancellation) is { } open
            ? await MintAsync(open, within, cancellation)
            : await NotOpenAsync(who, id, cancellation);
    }

    private async Task<Grant?> OpenAsync(SubjectId who, GrantId id, CancellationToken cancellation) => await Waiting.ForAsync(
        store,
        Wakes.Of(id),
        token => grants.GetAsync(who, id, token),
        outcome => outcome is not Outcome<GrantView>.Done { Value.Grant.State: GrantState.Ready or GrantState.Opening },
        Wait,
        clock,
        cancellation) is Outcome<GrantView>.Done { Value.Grant: { State: GrantState.Open } open } ? open : null;

    private async Task<Outcome<MintedLogin>> MintAsync(Grant open, Func<Work, ValueTask>? within, CancellationToken cancellation)
    {
        if (await store.ReadAsync(async reads => await reads.FindAssignmentAsync(open.Assignment!.Value), cancellation) is not { } assignment)
        {
            throw new InvalidOperationException($"The grant {open.Id} has no assignment.");
        }

        var (reach, why) = await targets.OfAsync(assignment, cancellation);
        if (reach is null)
        {
            return new Outcome<MintedLogin>.Refused(why!, null);
        }

        // The verifier is computed before the write: it takes a millisecond that others would wait for.
        var name = ids.NextLogin(open.Subject);
        var secret = ids.NextSecret();
        var verifier = ScramSecret.Verifier(secret, ids.Bytes(16));
        return await store.WriteAsync<Outcome<MintedLogin>>(
            async work =>
            {
                var now = clock.Now();
                if (await work.FindGrantAsync(open.Id) is not { } grant || !grant.IsUsableAt(now))
                {
                    return new Outcome<MintedLogin>.Refused("it has ended", Sentences.AskAgain(open.Role));
                }

                if ((await work.LoginsAsync(grant.Id)).Count(login => login.EndedAt is null) >= Most)
                {
                    return new Outcome<MintedLogin>.Refused($"this grant has {Most} logins already", "use one of them, or end the grant and ask again");
                }

                await work.InsertAsync(new Login
                {
                    Name = name,
                    Grant = grant.Id,
                    Subject = grant.Subject,
                    Role = grant.Role,
                    Verifier = verifier,
                    MadeAt = now,
                });
                work.Append(Facts.CredentialMinted(grant, assignment.Id, name, now));
                if (within is not null)
                {
                    await within(work);
                }

                return new Outcome<MintedLogin>.Done(new MintedLogin(grant, name, secret, reach.Connector.Kind, Upstreams.DatabaseOf(reach)));
            },
            cancellation);
    }

    private async Task<Outcome<MintedLogin>> NotOpenAsync(SubjectId who, GrantId id, CancellationToken cancellation)
    {
        if (await grants.GetAsync(who, id, cancellation) is not Outcome<GrantView>.Done { Value: var now })
        {
            return new Outcome<MintedLogin>.NotFound();
        }

        var why = now.Grant.State is GrantState.Ready or GrantState.Opening
            ? $"it is not open yet; the target did not answer within {Sentences.Span(Wait)}{(now.Trouble is { } trouble ? $" ({trouble})" : "")}"
            : now.Grant is { EndNote: { } note } ? $"it has ended: {note}" : "it has ended";
        return new Outcome<MintedLogin>.Refused(why, now.Grant.State == GrantState.Opening ? "try again in a moment" : Sentences.AskAgain(now.Grant.Role));
    }
}
