using Stint.Connectors.Ssh;
using Stint.Core;
using Stint.Core.Grants;
using Stint.Core.Policies;
using Stint.Server.Audit;
using Stint.Server.Grants;
using Stint.Server.Store;

namespace Stint.Server.Sessions;

/// <summary>A certificate for a holder's own key, and where it is good.</summary>
/// <param name="Grant">The grant, open.</param>
/// <param name="Kept">Its number, and how long it counts.</param>
/// <param name="Text">The certificate. It is no secret: without the holder's private key it is worth nothing.</param>
/// <param name="Settings">The host.</param>
/// <param name="Role">What the role says.</param>
internal sealed record CertificateInHand(Grant Grant, IssuedCertificate Kept, string Text, SshSettings Settings, SshRole Role);

/// <summary>Certifies the holder's own key for a host that trusts a CA. Begins the grant when it waits for that.</summary>
internal sealed class IssueCertificate(StintStore store, HeldGrant held, Targets targets, IdSource ids, TimeProvider clock)
{
    /// <summary>Most certificates of one grant within a minute: each is a process that signs, and a row that stays.</summary>
    public const int MostAMinute = 60;

    /// <summary>How far behind a host's clock may be.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    /// <summary>Whether hosts of a kind take certificates.</summary>
    public static bool Takes(string kind) => kind == SshSettings.Kind;

    /// <param name="who">The holder.</param>
    /// <param name="id">The grant.</param>
    /// <param name="publicKey">Their public key, as OpenSSH writes it.</param>
    /// <param name="cancellation">The caller left.</param>
    /// <param name="within">Runs in the write that keeps it, with what is given; what it throws undoes it. Null for nothing.</param>
    public async Task<Outcome<CertificateInHand>> IssueAsync(
        SubjectId who, GrantId id, string publicKey, CancellationToken cancellation, Func<Work, CertificateInHand, ValueTask>? within = null)
    {
        var (key, wrong) = SshPublicKey.Read(publicKey);
        if (key is null)
        {
            return new Outcome<CertificateInHand>.Invalid([new Problem("public_key", wrong!)]);
        }

        return await held.OpenAsync(who, id, Unfit, cancellation) switch
        {
            Outcome<Grant>.Done { Value: var open } => await IssueAsync(open, key, within, cancellation),
            Outcome<Grant>.NotFound => new Outcome<CertificateInHand>.NotFound(),
            Outcome<Grant>.NotYours not => new Outcome<CertificateInHand>.NotYours(not.Why, not.WhoCould),
            Outcome<Grant>.Refused refused => new Outcome<CertificateInHand>.Refused(refused.Why, refused.Remedy),
            var other => throw new InvalidOperationException($"Opening a grant cannot come to {other.GetType().Name}."),
        };
    }

    private Outcome<Grant>.Refused? Unfit(Grant grant)
    {
        if (targets.KindOf(grant.Role) is { } kind && !Takes(kind))
        {
            return new Outcome<Grant>.Refused($"{grant.Role.Resource} takes no certificates", Upstreams.Carries(kind) ? $"connect through the gateway with `stint connect {grant.Role}`" : null);
        }

        // NB. What shall be recorded strictly and can be recorded by nobody is not done.
        return grant.Record == RecordMode.Strict
            ? new Outcome<Grant>.Refused("it is to be recorded strictly, and nothing that is done with a certificate is recorded", null)
            : null;
    }

    private async Task<Outcome<CertificateInHand>> IssueAsync(Grant open, SshPublicKey key, Func<Work, CertificateInHand, ValueTask>? within, CancellationToken cancellation)
    {
        if (await store.ReadAsync(async reads => await reads.FindAssignmentAsync(open.Assignment!.Value), cancellation) is not { } assignment)
        {
            throw new InvalidOperationException($"The grant {open.Id} has no assignment.");
        }

        var (reach, why) = await targets.OfAsync(assignment, cancellation);
        if (reach is null || !Takes(reach.Connector.Kind))
        {
            return new Outcome<CertificateInHand>.Refused(why ?? $"{open.Role.Resource} took no certificates when this was opened", Sentences.AskAgain(open.Role));
        }

        // Signed before the write, for others would wait for it. Until it is kept nobody has it, and it is worth nothing.
        var settings = SshSettings.Of(reach.Target.Resource.Settings);
        var began = clock.Now();
        var until = Whole(began + settings.CertificateLife < open.NotAfter!.Value ? began + settings.CertificateLife : open.NotAfter.Value);
        var wish = new SshWish(key, ids.NextSerial(), open.Id, open.Subject, reach.Role, Whole(began - Skew), until);
        var outcome = await SshAuthority.CertifyAsync(reach.Target, wish, cancellation);
        if (outcome is not SshOutcome<SshCertificate>.Done { Value: var signed })
        {
            var refused = (SshOutcome<SshCertificate>.Refused)outcome;
            return new Outcome<CertificateInHand>.Refused($"no certificate could be signed: {refused.Why}", refused.Remedy);
        }

        return await store.WriteAsync<Outcome<CertificateInHand>>(
            async work =>
            {
                var now = clock.Now();
                if (await work.FindGrantAsync(open.Id) is not { } grant || !grant.IsUsableAt(now) || until <= now)
                {
                    return new Outcome<CertificateInHand>.Refused("it has ended", Sentences.AskAgain(open.Role));
                }

                if (await work.CountCertificatesAsync(grant.Id, now - TimeSpan.FromMinutes(1)) >= MostAMinute)
                {
                    return new Outcome<CertificateInHand>.Refused($"this grant got {MostAMinute} certificates within a minute", "wait a minute, or use one of them: each is good for more than one connection");
                }

                var kept = new IssuedCertificate
                {
                    Serial = wish.Serial,
                    Grant = grant.Id,
                    Authority = signed.Authority.Hash,
                    AuthorityKey = signed.Authority.Text,
                    Fingerprint = key.Fingerprint,
                    MadeAt = now,
                    NotBefore = wish.From,
                    NotAfter = until,
                };
                await work.InsertAsync(kept);
                var inHand = new CertificateInHand(grant, kept, signed.Text, settings, SshRole.Of(reach.Role.Settings));
                work.Append(Facts.CertificateIssued(grant, assignment.Id, kept, inHand.Role.Principals, now));
                if (within is not null)
                {
                    await within(work, inHand);
                }

                return new Outcome<CertificateInHand>.Done(inHand);
            },
            cancellation);
    }

    /// <summary>A certificate counts in whole seconds.</summary>
    private static DateTimeOffset Whole(DateTimeOffset moment) => DateTimeOffset.FromUnixTimeSeconds(moment.ToUnixTimeSeconds());
}
