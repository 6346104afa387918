namespace Stint.Core.Sessions;

/// <summary>The gateway's only way to the control plane. It asks; it never sees the store or a connector.</summary>
public interface ISessionGate
{
    /// <summary>What proves a login's secret; null for a login that is unknown or over. The gateway goes through the motions either way, so that the two look alike from outside.</summary>
    ValueTask<LoginVerifier?> FindLoginAsync(string login, CancellationToken cancellation);

    /// <summary>Asked after the login proved its secret. Admits to what is open, and opens and begins nothing: a grant that waits is begun where a login is made for it.</summary>
    ValueTask<GateAnswer> AdmitAsync(Knock knock, CancellationToken cancellation);

    /// <summary>Counts one run of a statement that may run so many times only, before it runs. Whatever cannot be counted is not allowed.</summary>
    /// <param name="session">Which session.</param>
    /// <param name="statement">Which of its statements, from 0.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    /// <returns>Whether it may run once more.</returns>
    ValueTask<bool> CountAsync(SessionId session, int statement, CancellationToken cancellation);

    /// <summary>Puts on record that a session was held to its statements.</summary>
    /// <param name="session">Which session.</param>
    /// <param name="why">Why the statement did not run.</param>
    /// <param name="count">How many did not run so far in the session.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    ValueTask HeldToAsync(SessionId session, StatementRefusal why, long count, CancellationToken cancellation);

    /// <summary>Puts the head of a recording under the audit log; at least every minute and at the close.</summary>
    ValueTask AnchorAsync(SessionId session, RecordingHead head, CancellationToken cancellation);

    /// <summary>Ends a connection at the target itself, and returns when it is seen gone or after trying.</summary>
    ValueTask CutAtTargetAsync(SessionId session, string? backend, CancellationToken cancellation);

    /// <summary>The session is over. Retried by the gate until it is on record; never on the connection's own token.</summary>
    ValueTask EndedAsync(SessionId session, SessionEnd end, CancellationToken cancellation);
}

/// <summary>A login's SCRAM-SHA-256 verifier (RFC 5803).</summary>
/// <param name="Iterations">PBKDF2 rounds.</param>
/// <param name="Salt">The salt.</param>
/// <param name="StoredKey">32 bytes.</param>
/// <param name="ServerKey">32 bytes.</param>
public sealed record LoginVerifier(int Iterations, byte[] Salt, byte[] StoredKey, byte[] ServerKey);

/// <summary>Somebody at the door, their secret proved.</summary>
/// <param name="Login">The login that proved its secret.</param>
/// <param name="Kind">Protocol kind they speak.</param>
/// <param name="Database">What they named as the thing to open (a database); null for the resource's own.</param>
/// <param name="Application">What the client calls itself; empty for nothing.</param>
/// <param name="From">Their address.</param>
/// <param name="Tls">Whether their side is encrypted.</param>
public sealed record Knock(string Login, string Kind, string? Database, string Application, string From, bool Tls);

/// <summary>Answer to a knock.</summary>
public abstract record GateAnswer
{
    private GateAnswer()
    {
    }

    /// <summary>Come in.</summary>
    public sealed record Admitted(AuthorizedSession Session) : GateAnswer;

    /// <summary>No, and why, in a sentence for the person.</summary>
    public sealed record Refused(GateRefusal Why, string Sentence, string? Hint) : GateAnswer;
}

/// <summary>Why a knock is refused.</summary>
public enum GateRefusal
{
    /// <summary>No open grant.</summary>
    NoOpenGrant = 1,

    /// <summary>The grant's connection limit is reached.</summary>
    TooManySessions = 2,

    /// <summary>This node drains.</summary>
    Draining = 3,

    /// <summary>Another database than the resource's.</summary>
    WrongDatabase = 4,

    /// <summary>The control plane cannot say: that is a no.</summary>
    Unavailable = 5,
}

/// <summary>Why a statement did not run in a session that is for exact statements.</summary>
public enum StatementRefusal
{
    /// <summary>Its text is none of those that were approved.</summary>
    NotListed = 1,

    /// <summary>Its text was approved, with other bind parameters.</summary>
    Parameters = 2,

    /// <summary>It ran as often as was approved, or that could not be counted.</summary>
    Times = 3,

    /// <summary>No statement is approved by a message of that sort: copied data, a function called by its number, a name that was prepared elsewhere.</summary>
    Form = 4,

    /// <summary>The session reads its bytes in another encoding than UTF-8 by now: they would mean other texts.</summary>
    Encoding = 5,
}

/// <summary>Where and as whom to dial. The holder never sees it.</summary>
/// <param name="Host">Host name or address.</param>
/// <param name="Port">TCP port.</param>
/// <param name="Database">Database to open; null where the kind has none.</param>
/// <param name="Account">Account name.</param>
/// <param name="Secret">Its password.</param>
/// <param name="Tls">As libpq names them: <c>disable allow prefer require verify-ca verify-full</c>.</param>
/// <param name="RootCertificates">PEM to trust for <c>verify-*</c>; null for the machine's own.</param>
public sealed record Upstream(string Host, int Port, string? Database, string Account, string Secret, string Tls, string? RootCertificates)
{
    /// <summary>Never the secret.</summary>
    public override string ToString() => $"{Account}@{Host}:{Port}/{Database}";
}

/// <summary>What the control plane tells a live session.</summary>
public abstract record SessionOrder
{
    private SessionOrder()
    {
    }

    /// <summary>End now, with this sentence for the person.</summary>
    public sealed record Cut(SessionEndReason Reason, string Sentence, string? Hint) : SessionOrder;

    /// <summary>A joined grant is open: the deadline is now this one.</summary>
    public sealed record Extend(DateTimeOffset NotAfter) : SessionOrder;
}

/// <summary>Head of a recording's hash chain.</summary>
/// <param name="File">Its path below the recordings folder.</param>
/// <param name="Records">How many records the chain holds.</param>
/// <param name="Bytes">Length of the file that they fill.</param>
/// <param name="Hash">The chain's last SHA-256, 32 bytes.</param>
/// <param name="Statements">How many statements were sent on: see <see cref="RecordingEncoder.Statements"/>.</param>
public sealed record RecordingHead(string File, long Records, long Bytes, byte[] Hash, long Statements);

/// <summary>How a session ended.</summary>
/// <param name="Reason">Why.</param>
/// <param name="Note">In words; null when the reason says it all.</param>
/// <param name="At">When its last byte could have flowed.</param>
/// <param name="Recording">Final head; null when no recording was begun.</param>
/// <param name="BytesFromClient">Bytes that the client sent.</param>
/// <param name="BytesToClient">Bytes that it got.</param>
public sealed record SessionEnd(SessionEndReason Reason, string? Note, DateTimeOffset At, RecordingHead? Recording, long BytesFromClient, long BytesToClient);
