using Stint.Core;
using Stint.Core.Grants;
using Stint.Server.Audit;
using Stint.Server.Grants;
using Stint.Server.Store;

namespace Stint.Server.Sessions;

/// <summary>Gives the holder of a grant a way in. Begins the grant when it waits for that, and returns when it is open.</summary>
internal sealed class MintLogin(
    StintStore store,
    HeldGrant held,
    Targets targets,
    IdSource ids,
    TimeProvider clock)
{
    /// <summary>Most logins of one grant. A holder who needs more lost them, or somebody else makes them.</summary>
    public const int Most = 20;

    /// <param name="who">The holder.</param>
    /// <param name="id">The grant.</param>
    /// <param name="cancellation">The caller left.</param>
    /// <param name="within">Runs in the write that keeps a new login; what it throws undoes it. Null for nothing.</param>
    public async Task<Outcome<MintedLogin>> MintAsync(SubjectId who, GrantId id, CancellationToken cancellation, Func<Work, ValueTask>? within = null) =>
        await held.OpenAsync(who, id, Unfit, cancellation) switch
        {
            Outcome<Grant>.Done { Value: var open } => await MintAsync(open, within, cancellation),
            Outcome<Grant>.NotFound => new Outcome<MintedLogin>.NotFound(),
            Outcome<Grant>.NotYours not => new Outcome<MintedLogin>.NotYours(not.Why, not.WhoCould),
            Outcome<Grant>.Refused refused => new Outcome<MintedLogin>.Refused(refused.Why, refused.Remedy),
            var other => throw new InvalidOperationException($"Opening a grant cannot come to {other.GetType().Name}."),
        };

    private Outcome<Grant>.Refused? Unfit(Grant grant) => targets.KindOf(grant.Role) switch
    {
        { } kind when Upstreams.Carries(kind) => null,
        { } kind when IssueCertificate.Takes(kind) => new Outcome<Grant>.Refused(
            $"no session leads to {grant.Role.Resource} through the gateway: its hosts take a certificate", $"get one with `stint ssh {grant.Role}`"),
        null => null,
        _ => new Outcome<Grant>.Refused(
            $"nothing is connected to at {grant.Role.Resource}: what {grant.Role} gives counts by itself in whatever you do while the grant is open",
            grant.State == GrantState.Ready ? $"open it with `stint begin {grant.Id}`" : "see what you may do with `stint whoami`"),
    };

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
}
