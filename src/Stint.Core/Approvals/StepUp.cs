namespace Stint.Core.Approvals;

/// <summary>How an approver has to prove themselves anew before their yes counts. The larger value is the stricter.</summary>
public enum StepUp
{
    /// <summary>Being signed in is enough.</summary>
    None = 0,

    /// <summary>They signed in, or proved themselves again, at most <see cref="StepUps.FreshFor"/> ago.</summary>
    Fresh = 1,

    /// <summary>A passkey of theirs signs what they approve.</summary>
    Passkey = 2,
}

/// <summary>The words for it, and what they mean.</summary>
public static class StepUps
{
    /// <summary>How old a proof may be to be fresh.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromMinutes(10);

    /// <summary>As the catalog and the API write it; null for none.</summary>
    public static string? Word(StepUp stepUp) => stepUp switch
    {
        StepUp.None => null,
        StepUp.Fresh => "fresh",
        StepUp.Passkey => "passkey",
        _ => throw new InvalidOperationException($"{stepUp} is not a way to prove oneself anew."),
    };

    /// <summary>Reads such a word; null for one that is none.</summary>
    public static StepUp? Read(string word) => word switch
    {
        "fresh" => StepUp.Fresh,
        "passkey" => StepUp.Passkey,
        _ => null,
    };

    /// <summary>What is demanded, for people, without a full stop.</summary>
    public static string Say(StepUp stepUp) => stepUp switch
    {
        StepUp.Fresh => "a yes given at most 10 minutes after signing in",
        StepUp.Passkey => "a yes signed with the approver's passkey",
        _ => "no further proof",
    };

    /// <summary>What it adds to "a yes from owners".</summary>
    public static string Added(StepUp stepUp) => stepUp switch
    {
        StepUp.Fresh => ", given right after signing in",
        StepUp.Passkey => ", signed with a passkey",
        _ => "",
    };

    /// <summary>Whether a proof is enough.</summary>
    public static bool IsMet(StepUp demanded, ApprovalProof? proof) => demanded == StepUp.None || (proof is not null && proof.Kind >= demanded);

    /// <summary>A proof as far as it is one of a yes to this, now; null when it is none.</summary>
    /// <param name="proof">What somebody came with.</param>
    /// <param name="digest">What they say yes to.</param>
    /// <param name="at">When.</param>
    public static ApprovalProof? Counting(ApprovalProof? proof, string digest, DateTimeOffset at) => proof switch
    {
        ApprovalProof.Passkey signed when signed.Assertion.Against(digest) is null => proof,
        ApprovalProof.Fresh fresh when fresh.At <= at && at - fresh.At <= FreshFor => proof,
        _ => null,
    };

    /// <summary>The strictest that steps demand of those whose place somebody may take; all steps when they stand in none.</summary>
    public static StepUp Of(IEnumerable<PinnedStep> steps, SubjectId seat)
    {
        var all = steps.ToList();
        var own = all.Where(step => step.Approvers.Contains(seat)).ToList();
        return (own.Count > 0 ? own : all).Select(step => step.StepUp).DefaultIfEmpty(StepUp.None).Max();
    }
}

/// <summary>How somebody proved themselves anew for one yes.</summary>
public abstract record ApprovalProof
{
    private ApprovalProof()
    {
    }

    public abstract StepUp Kind { get; }

    /// <summary>They had just signed in.</summary>
    /// <param name="At">When they proved who they are.</param>
    /// <param name="By">With what: <c>passkey</c>, <c>password</c>, <c>oidc:NAME</c>.</param>
    /// <param name="CommandLine">Name of the command line's login that carried it here from the browser; null for the browser itself.</param>
    public sealed record Fresh(DateTimeOffset At, string By, string? CommandLine = null) : ApprovalProof
    {
        public override StepUp Kind => StepUp.Fresh;
    }

    /// <summary>Their passkey signed it.</summary>
    /// <param name="Assertion">What the authenticator answered.</param>
    public sealed record Passkey(PasskeyAssertion Assertion) : ApprovalProof
    {
        public override StepUp Kind => StepUp.Passkey;
    }
}
