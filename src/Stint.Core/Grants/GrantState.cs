namespace Stint.Core.Grants;

/// <summary>Where a grant stands. The names are what the store and the API write.</summary>
public enum GrantState
{
    /// <summary>Approved and waiting to be begun. Nothing stands at the target for it.</summary>
    Ready = 1,

    /// <summary>Its intent is committed and the target is being changed. Access may already work, or may not yet.</summary>
    Opening = 2,

    /// <summary>Access works, until <see cref="Grant.NotAfter"/> at the latest.</summary>
    Open = 3,

    /// <summary>It ended: nothing new is let in, and the target is being changed back. Something may still stand there.</summary>
    Closing = 4,

    /// <summary>Over, and what only it wanted is gone from the target.</summary>
    Closed = 5,
}

/// <summary>Why a grant ended.</summary>
public enum EndReason
{
    /// <summary>Its time was over.</summary>
    Expired = 1,

    /// <summary>Its holder handed it back.</summary>
    Returned = 2,

    /// <summary>Somebody with the right to took it away, or the policy no longer allowed it at its opening.</summary>
    Revoked = 3,

    /// <summary>Its holder left.</summary>
    Offboarded = 4,

    /// <summary>It was not begun in time.</summary>
    Lapsed = 5,

    /// <summary>The target could not be changed so that access works.</summary>
    Failed = 6,

    /// <summary>The system itself is gone, and somebody with the right to said so.</summary>
    TargetGone = 7,
}

/// <summary>The moves of a grant.</summary>
public static class GrantMoves
{
    /// <summary><c>Ready → Opening → Open → Closing → Closed</c>; <c>Ready → Closed</c>; <c>Opening → Closing</c>.</summary>
    public static Moves<GrantState> Table { get; } = new(
        (GrantState.Ready, [GrantState.Opening, GrantState.Closed]),
        (GrantState.Opening, [GrantState.Open, GrantState.Closing]),
        (GrantState.Open, [GrantState.Closing]),
        (GrantState.Closing, [GrantState.Closed]));
}
