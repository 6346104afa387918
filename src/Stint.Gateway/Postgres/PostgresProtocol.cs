using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Stint.Core.Sessions;
using Stint.Gateway.Recording;
using Stint.Gateway.Relaying;

namespace Stint.Gateway.Postgres;

/// <summary>The conversation with a PostgreSQL client, from accept to close. See README.md beside this file.</summary>
internal sealed class PostgresProtocol(RelayHost host) : IGatewayProtocol
{
    private static readonly TimeSpan RefusePatience = TimeSpan.FromSeconds(2);

    private readonly PostgresHandshake _handshake = new(host.Options, host.Gate);
    private readonly PostgresUpstream _upstream = new(host.Time);
    private readonly ConcurrentDictionary<int, Cancellable> _cancellable = new();

    private sealed record Cancellable(byte[] Key, RelaySession Session);

    /// <inheritdoc/>
    public string Kind => "postgres";

    /// <inheritdoc/>
    public Task RefuseAsync(Socket socket) =>
        SayAsync(new NetworkStream(socket, ownsSocket: false), socket, PostgresStates.TooManyConnections, "Too many connections are logging in at this gateway.", "Try again in a moment.");

    /// <inheritdoc/>
    public async Task ServeAsync(Socket socket, IDisposable place)
    {
        var from = ((IPEndPoint)socket.RemoteEndPoint!).ToString();
        using var timeout = new CancellationTokenSource(host.Options.HandshakeTimeout, host.Time);
        var side = host.Sockets.Accepted(socket);
        using var wire = side.Wire;
        PostgresOpened opened;
        try
        {
            opened = await _handshake.OpenAsync(side, timeout.Token);
        }
        catch (PostgresWireException wrong)
        {
            opened = new PostgresOpened.Refused(side.Stream, PostgresStates.ProtocolViolation, wrong.Message, null);
        }

        switch (opened)
        {
            case PostgresOpened.Cancel cancel:
                await CancelAsync(cancel.Value, from);
                break;
            case PostgresOpened.Refused refused:
                await RefuseAsync(refused, socket, from);
                break;
            case PostgresOpened.Client client:
                await LoginAsync(client.Value, side with { Stream = client.Value.Stream }, from, place, timeout.Token);
                break;
            default:
                break;
        }
    }

    private async Task LoginAsync(PostgresClient client, RelaySide side, string from, IDisposable place, CancellationToken cancellation)
    {
        PostgresOpened.Refused? refused;
        try
        {
            refused = host.IsDraining ? Drained(client) : await _handshake.ProveAsync(client, cancellation);
        }
        catch (PostgresWireException wrong)
        {
            refused = new PostgresOpened.Refused(client.Stream, PostgresStates.ProtocolViolation, wrong.Message, null);
        }
        catch (Exception failed) when (failed is not (IOException or SocketException or OperationCanceledException or ObjectDisposedException))
        {
            Log.GateFailed(host.Logger, failed);
            refused = Unavailable(client);
        }

        if (refused is not null)
        {
            await RefuseAsync(refused, side.Socket, from);
            return;
        }

        var answer = await AdmitAsync(client, from, cancellation);
        place.Dispose();
        switch (answer)
        {
            case GateAnswer.Admitted admitted:
                // NB. From here on a drain waits for it: whoever was let in is told when they are sent away again.
                host.Opening[admitted.Session.Id] = true;
                try
                {
                    await OpenAsync(client, side, from, admitted.Session, cancellation);
                }
                finally
                {
                    host.Opening.TryRemove(admitted.Session.Id, out _);
                }

                break;
            case GateAnswer.Refused no:
                await RefuseAsync(new PostgresOpened.Refused(client.Stream, CodeOf(no.Why), no.Sentence, no.Hint), side.Socket, from);
                break;
            default:
                break;
        }
    }

    private async Task<GateAnswer> AdmitAsync(PostgresClient client, string from, CancellationToken cancellation)
    {
        if (host.Live >= host.Options.MaxSessions)
        {
            return new GateAnswer.Refused(GateRefusal.TooManySessions, "This gateway carries as many sessions as it can.", "Try again in a moment, or at another node.");
        }

        var database = client.Startup.Find("database");
        var knock = new Knock(client.Login, Kind, string.IsNullOrEmpty(database) || database == client.Login ? null : database, client.Startup.Find("application_name") ?? "", from, client.Tls);
        try
        {
            return await host.Gate.AdmitAsync(knock, cancellation);
        }
        catch (Exception failed) when (failed is not OperationCanceledException)
        {
            Log.GateFailed(host.Logger, failed);
            return new GateAnswer.Refused(GateRefusal.Unavailable, "It cannot be said just now whether you may come in: that is a no.", "Try again in a moment.");
        }
    }

    private async Task OpenAsync(PostgresClient client, RelaySide side, string from, AuthorizedSession session, CancellationToken cancellation)
    {
        // The session is on record as live from here on: whatever comes, its end is told.
        SessionRecording recording;
        try
        {
            recording = SessionRecording.Begin(host.Options.RecordingFolder, Header(client, from, session), host.Time.GetUtcNow(), host.Sync, host.Options.OpenRecording);
            if (recording.IsStrict)
            {
                await recording.SyncAsync();
            }
        }
        catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
        {
            host.RecordingFailed(session.Id, failed);
            await NotBegunAsync(session, null, SessionEndReason.RecordingFailed, "The recording could not be begun.");
            await RefuseAsync(new PostgresOpened.Refused(client.Stream, PostgresStates.IoError, "Your session cannot be recorded, and nothing goes on unrecorded.", "Tell whoever runs this gateway."), side.Socket, from);
            return;
        }

        if (session.Statements is not null && PostgresSettled.Wrong(client.Startup.Parameters) is var (sentence, hint))
        {
            recording.Encoder.SessionClosed(host.Time.GetUtcNow(), SessionEndReason.ProtocolError, sentence, 0, 0);
            await NotBegunAsync(session, recording, SessionEndReason.ProtocolError, sentence);
            await RefuseAsync(new PostgresOpened.Refused(client.Stream, PostgresStates.InsufficientPrivilege, sentence, hint), side.Socket, from);
            return;
        }

        PostgresDialed dialed;
        try
        {
            dialed = await _upstream.DialAsync(session.Upstream, side, Forwarded(client, session), cancellation);
            if (session.Statements is not null && dialed is PostgresDialed.Connected { Connection: { } opened } && !PostgresGuard.IsUtf8(opened.Encoding))
            {
                opened.Side.Close();
                dialed = new PostgresDialed.Failed(PostgresStates.InsufficientPrivilege, "Your access is for exact statements, and the target does not read them as UTF-8.", null, "client_encoding is not UTF8 after login");
            }
        }
        catch (Exception failed) when (failed is OperationCanceledException or IOException or SocketException)
        {
            dialed = new PostgresDialed.Failed(PostgresStates.CannotConnect, "You were let in, but login took too long.", "Try again.", failed.Message);
        }

        if (dialed is not PostgresDialed.Connected { Connection: var connection })
        {
            var no = (PostgresDialed.Failed)dialed;
            Log.DialFailed(host.Logger, session.Id.Value, no.Detail);
            recording.Encoder.SessionClosed(host.Time.GetUtcNow(), SessionEndReason.TargetRefused, no.Sentence, 0, 0);
            await NotBegunAsync(session, recording, SessionEndReason.TargetRefused, no.Sentence);
            await RefuseAsync(new PostgresOpened.Refused(client.Stream, no.Code, no.Sentence, no.Hint), side.Socket, from);
            return;
        }

        await RelayAsync(client, side, session, recording, connection);
    }

    private async Task RelayAsync(PostgresClient client, RelaySide side, AuthorizedSession session, SessionRecording recording, PostgresUpstreamConnection connection)
    {
        var tap = new PostgresTap(recording.Encoder, host.Time, connection.Encoding);
        var voice = new PostgresVoice(_upstream, connection);
        var guard = session.Statements is null ? null : new PostgresGuard(connection.Side.Stream, session, host.Gate, host.Logger);
        var relay = new RelaySession(session, side, guard is null ? connection.Side : connection.Side with { Stream = guard }, tap, voice, recording, host);
        guard?.Watch(relay);
        var process = 0;
        byte[] key;
        do
        {
            process = RandomNumberGenerator.GetInt32(1, int.MaxValue);
            key = RandomNumberGenerator.GetBytes(client.Minor >= 2 ? 32 : 4);
        }
        while (!_cancellable.TryAdd(process, new Cancellable(key, relay)));

        try
        {
            var greeting = (byte[])[
                .. PostgresMessages.Authentication(0),
                .. connection.Greeting,
                .. PostgresMessages.Frame((byte)'K', PostgresMessages.Int(process), key),
                .. PostgresMessages.Frame((byte)'Z', "I"u8.ToArray())];
            relay.Greeting = greeting;
            await host.RunAsync(relay);
        }
        finally
        {
            _cancellable.TryRemove(process, out _);
            connection.Side.Close();
        }
    }

    private async Task CancelAsync(PostgresOpening.Cancel cancel, string from)
    {
        // Whether it fits or not, the client learns nothing: it never does (PostgreSQL documentation, "Canceling Requests in Progress").
        if (_cancellable.TryGetValue(cancel.Process, out var target) && CryptographicOperations.FixedTimeEquals(target.Key, cancel.Key))
        {
            await target.Session.CancelAsync(from);
        }
    }

    private async Task NotBegunAsync(AuthorizedSession session, SessionRecording? recording, SessionEndReason reason, string note)
    {
        RecordingHead? head = null;
        if (recording is not null)
        {
            try
            {
                recording.Write();
                await recording.SyncAsync();
            }
            catch (Exception failed) when (failed is IOException or UnauthorizedAccessException)
            {
                host.RecordingFailed(session.Id, failed);
            }

            head = recording.Head();
            recording.Dispose();
        }

        await host.ToldAsync(session.Id, new SessionEnd(reason, note, host.Time.GetUtcNow(), head, 0, 0));
    }

    private RecordingHeader Header(PostgresClient client, string from, AuthorizedSession session) => new(
        session.Id,
        session.Subject,
        session.Role,
        session.Grant,
        session.Request,
        Kind,
        client.Login,
        session.Upstream.Database ?? "",
        Bounded(client.Startup.Find("application_name") ?? ""),
        from,
        client.Tls,
        host.Options.Node,
        session.Record,
        session.NotAfter);

    private static string Bounded(string text) => text.Length > 256 ? text[..256] : text;

    // What the client asks for goes on, save who and where: those are the grant's. Names of the protocol's own were answered here.
    private static IEnumerable<KeyValuePair<string, string>> Forwarded(PostgresClient client, AuthorizedSession session)
    {
        var asked = client.Startup.Parameters.Where(parameter =>
            parameter.Key is not ("user" or "database" or "replication") && !parameter.Key.StartsWith("_pq_.", StringComparison.Ordinal));
        return session.Statements is null
            ? asked
            : asked.Where(parameter => !parameter.Key.Equals("client_encoding", StringComparison.OrdinalIgnoreCase)).Append(new("client_encoding", "UTF8"));
    }

    private static string CodeOf(GateRefusal why) => why switch
    {
        GateRefusal.NoOpenGrant => PostgresStates.InvalidAuthorization,
        GateRefusal.TooManySessions => PostgresStates.TooManyConnections,
        GateRefusal.Draining => PostgresStates.CannotConnectNow,
        GateRefusal.WrongDatabase => PostgresStates.InvalidCatalogName,
        GateRefusal.Unavailable => PostgresStates.CannotConnectNow,
        _ => PostgresStates.CannotConnectNow,
    };

    private static PostgresOpened.Refused Drained(PostgresClient client) =>
        new(client.Stream, PostgresStates.CannotConnectNow, "This gateway is shutting down.", "Connect again in a moment.");

    private static PostgresOpened.Refused Unavailable(PostgresClient client) =>
        new(client.Stream, PostgresStates.CannotConnectNow, "It cannot be said just now whether you may come in: that is a no.", "Try again in a moment.");

    private async Task RefuseAsync(PostgresOpened.Refused refused, Socket socket, string from)
    {
        Log.Refused(host.Logger, from, refused.Code);
        host.Meter.Refused.Add(1, new KeyValuePair<string, object?>("sqlstate", refused.Code));
        await SayAsync(refused.Stream, socket, refused.Code, refused.Sentence, refused.Hint);
    }

    private async Task SayAsync(Stream stream, Socket socket, string code, string sentence, string? hint)
    {
        using var patience = new CancellationTokenSource(RefusePatience, host.Time);
        try
        {
            await stream.WriteAsync(PostgresMessages.Error("FATAL", code, sentence, hint), patience.Token);
            socket.Shutdown(SocketShutdown.Send);

            // What the client still sends is read and thrown away: left unread, it would turn our words into a reset.
            var rest = new byte[4096];
            for (var reads = 0; reads < 16 && await stream.ReadAsync(rest, patience.Token) > 0; reads++)
            {
            }
        }
        catch (Exception failed) when (failed is IOException or SocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // It did not want to hear.
        }
    }
}
