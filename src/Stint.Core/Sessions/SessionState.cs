namespace Stint.Core.Sessions;

/// <summary>Where a session stands.</summary>
public enum SessionState
{
    /// <summary>Let in; bytes may flow.</summary>
    Live = 1,

    /// <summary>Over. Its recording is closed, or its node died and the recording ends where it ends.</summary>
    Ended = 2,
}

/// <summary>The moves of a session.</summary>
public static class SessionMoves
{
    /// <summary><c>Live → Ended</c>.</summary>
    public static Moves<SessionState> Table { get; } = new((SessionState.Live, [SessionState.Ended]));
}

/// <summary>Why a session ended.</summary>
public enum SessionEndReason
{
    /// <summary>The client said goodbye or closed its connection.</summary>
    ClientLeft = 1,

    /// <summary>The target closed the connection.</summary>
    TargetLeft = 2,

    /// <summary>The grant's time was over.</summary>
    Expired = 3,

    /// <summary>The holder handed the grant back.</summary>
    Returned = 4,

    /// <summary>The grant was taken away.</summary>
    Revoked = 5,

    /// <summary>Somebody ended this session alone.</summary>
    Killed = 6,

    /// <summary>Nothing was said for longer than allowed.</summary>
    Idle = 7,

    /// <summary>It could not be recorded.</summary>
    RecordingFailed = 8,

    /// <summary>The gateway shuts down.</summary>
    Draining = 9,

    /// <summary>One side spoke against the protocol.</summary>
    ProtocolError = 10,

    /// <summary>The node that carried it died; found at the next start.</summary>
    NodeLost = 11,

    /// <summary>The target could not be reached or let the grant's account not in.</summary>
    TargetRefused = 12,

    /// <summary>Its grant could not be checked: the store did not answer for too long.</summary>
    Unchecked = 13,
}
