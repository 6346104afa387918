using Stint.Core.Policies;

namespace Stint.Core.Sessions;

/// <summary>One record of a session's recording, as a reader sees it.</summary>
/// <param name="Seq">Its place in the recording, from 1.</param>
/// <param name="At">When it was written, whole microseconds.</param>
public abstract record RecordingRecord(long Seq, DateTimeOffset At)
{
    /// <summary>The recording's first record: who, under what, from where.</summary>
    public sealed record SessionStart(long Seq, DateTimeOffset At, RecordingHeader Header) : RecordingRecord(Seq, At);

    /// <summary>A text was handed to the target for later execution. It was not executed by this.</summary>
    /// <param name="Name">Name of the prepared statement; empty for the unnamed one.</param>
    /// <param name="Text">What was prepared.</param>
    /// <param name="ParameterTypes">Type numbers (OIDs) that the client named; 0 where it left the choice to the target.</param>
    public sealed record Prepare(long Seq, DateTimeOffset At, string Name, RecordedText Text, IReadOnlyList<uint> ParameterTypes) : RecordingRecord(Seq, At);

    /// <summary>Values were bound to a prepared text. It was not executed by this.</summary>
    /// <param name="Portal">Name of the portal; empty for the unnamed one.</param>
    /// <param name="StatementName">Name of the prepared statement.</param>
    /// <param name="Of">The <see cref="Prepare"/> it binds; 0 when the text was prepared by a statement of its own (<c>PREPARE</c>).</param>
    /// <param name="Text">The prepared text; null when <paramref name="Of"/> is 0.</param>
    public sealed record Bind(long Seq, DateTimeOffset At, string Portal, string StatementName, long Of, RecordedText? Text, IReadOnlyList<RecordedParameter> Parameters, int OmittedParameters) : RecordingRecord(Seq, At);

    /// <summary>A statement was sent on to be executed. Its record stood before its last byte left.</summary>
    /// <param name="Protocol">How it was sent.</param>
    /// <param name="Text">Its text; null when a portal was executed that no record knows (a cursor of the target's).</param>
    /// <param name="Prepared">The <see cref="Prepare"/> that its text came with; 0 for none.</param>
    /// <param name="Bound">The <see cref="Bind"/> that its parameters came with; 0 for none.</param>
    /// <param name="Continues">The statement whose suspended portal this one goes on with; 0 for none.</param>
    public sealed record Statement(
        long Seq,
        DateTimeOffset At,
        StatementProtocol Protocol,
        RecordedText? Text,
        string Name,
        string Portal,
        IReadOnlyList<RecordedParameter> Parameters,
        int OmittedParameters,
        long Prepared,
        long Bound,
        long Continues) : RecordingRecord(Seq, At);

    /// <summary>What became of a statement. A text with several statements has one result for each that the target answered.</summary>
    /// <param name="Of">The statement (or <see cref="Prepare"/> or <see cref="Bind"/>, when those failed).</param>
    /// <param name="Index">Which of the statement's results, from 0.</param>
    /// <param name="Duration">From the statement's record to the target's answer as it passed, whole microseconds.</param>
    /// <param name="Rows">Rows that went to the client, or that the target says it changed; null when it says nothing.</param>
    /// <param name="Tag">The target's command tag; null when there was none.</param>
    /// <param name="Error">What the target objected; null when it did not.</param>
    public sealed record Result(long Seq, DateTimeOffset At, long Of, int Index, StatementOutcome Outcome, TimeSpan Duration, long? Rows, string? Tag, RecordedError? Error) : RecordingRecord(Seq, At);

    /// <summary>How much a COPY carried. Its data is not recorded.</summary>
    /// <param name="Rows">CopyData messages: one is one row as servers send it; clients may cut otherwise.</param>
    public sealed record Copy(long Seq, DateTimeOffset At, long Of, CopyDirection Direction, long Bytes, long Rows, bool Finished) : RecordingRecord(Seq, At);

    /// <summary>The target said something that answers no statement, and ended the session by it.</summary>
    public sealed record ServerError(long Seq, DateTimeOffset At, RecordedError Error) : RecordingRecord(Seq, At);

    /// <summary>A cancel request for this session was passed on.</summary>
    public sealed record Cancel(long Seq, DateTimeOffset At, string From) : RecordingRecord(Seq, At);

    /// <summary>The last record. A recording without it was cut off with its node.</summary>
    public sealed record SessionClosed(long Seq, DateTimeOffset At, SessionEndReason Reason, string? Note, long Statements, long BytesFromClient, long BytesToClient) : RecordingRecord(Seq, At);
}

/// <summary>What stands at the head of a recording.</summary>
/// <param name="From">Client's address.</param>
/// <param name="Tls">Whether the client's side was encrypted.</param>
/// <param name="Mode">How surely a statement was kept before it left.</param>
public sealed record RecordingHeader(
    SessionId Session,
    SubjectId Subject,
    RoleRef Role,
    GrantId Grant,
    RequestId Request,
    string Kind,
    string Login,
    string Database,
    string Application,
    string From,
    bool Tls,
    string Node,
    RecordMode Mode,
    DateTimeOffset NotAfter);

/// <summary>A text as it was kept. Texts may hold personal data.</summary>
/// <param name="Value">The text, or its beginning. Bytes that its encoding cannot read appear as <c>\xHH</c>.</param>
/// <param name="Bytes">Length of the whole text as it was sent, in bytes.</param>
/// <param name="Truncated">Whether <paramref name="Value"/> is only the beginning.</param>
/// <param name="Sha256">SHA-256 of the whole text when it was truncated, lower-case hexadecimal; else null.</param>
/// <param name="Masked">Whether a password literal was replaced.</param>
public sealed record RecordedText(string Value, long Bytes, bool Truncated, string? Sha256, bool Masked);

/// <summary>A parameter. Its value is personal data.</summary>
/// <param name="Type">Type's name where it is a common one, else its number; <c>unknown</c> when nobody named it.</param>
/// <param name="Value">The value read as its type says; bytes as <c>\x…</c>; null for NULL.</param>
/// <param name="Bytes">Length as sent; −1 for NULL.</param>
/// <param name="Truncated">Whether <paramref name="Value"/> is only the beginning.</param>
public sealed record RecordedParameter(string Type, string? Value, int Bytes, bool Truncated);

/// <summary>An error of the target.</summary>
/// <param name="Sqlstate">Five characters.</param>
/// <param name="Message">Primary message.</param>
public sealed record RecordedError(string Sqlstate, string Message);

/// <summary>How a statement was sent.</summary>
public enum StatementProtocol
{
    /// <summary>A text of one or several statements.</summary>
    Simple = 1,

    /// <summary>Prepared, bound, executed.</summary>
    Extended = 2,

    /// <summary>A function called by its number.</summary>
    Function = 3,
}

/// <summary>What became of a statement.</summary>
public enum StatementOutcome
{
    /// <summary>The target executed it.</summary>
    Completed = 1,

    /// <summary>The target began it, or refused to, with an error.</summary>
    Failed = 2,

    /// <summary>The target did not look at it: an earlier one of its pipeline failed.</summary>
    Skipped = 3,

    /// <summary>The session ended before the target answered. It may or may not have been executed.</summary>
    Interrupted = 4,

    /// <summary>As many rows as were asked for came; more may be fetched.</summary>
    Suspended = 5,

    /// <summary>There was nothing to execute in the text.</summary>
    Empty = 6,
}

/// <summary>Which way a COPY goes.</summary>
public enum CopyDirection
{
    /// <summary>From the client into the target.</summary>
    In = 1,

    /// <summary>From the target to the client.</summary>
    Out = 2,
}
