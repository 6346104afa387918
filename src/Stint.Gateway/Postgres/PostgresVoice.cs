using Stint.Core.Sessions;
using Stint.Gateway.Relaying;

namespace Stint.Gateway.Postgres;

/// <summary>What the relay has to say, in PostgreSQL's words.</summary>
internal sealed class PostgresVoice(PostgresUpstream upstream, PostgresUpstreamConnection connection) : IRelayVoice
{
    private static readonly byte[] Terminate = PostgresMessages.Frame((byte)'X');

    /// <inheritdoc/>
    public byte[] Goodbye => Terminate;

    /// <inheritdoc/>
    public string? Backend => connection.Process == 0 ? null : connection.Process.ToString(System.Globalization.CultureInfo.InvariantCulture);

    /// <inheritdoc/>
    public byte[] Farewell(RelayEnd end) => PostgresMessages.Error("FATAL", CodeOf(end.Reason), end.Sentence, end.Hint);

    /// <inheritdoc/>
    public byte[] Notice(string sentence, string? hint) => PostgresMessages.Notice("WARNING", PostgresStates.Warning, sentence, hint);

    /// <inheritdoc/>
    public Task CancelAtTargetAsync(CancellationToken cancellation) => upstream.CancelAsync(connection, cancellation);

    private static string CodeOf(SessionEndReason reason) => reason switch
    {
        SessionEndReason.Idle => PostgresStates.IdleSessionTimeout,
        SessionEndReason.RecordingFailed => PostgresStates.IoError,
        SessionEndReason.ProtocolError => PostgresStates.ProtocolViolation,
        _ => PostgresStates.AdminShutdown,
    };
}
