using System.Buffers;
using Stint.Core.Sessions;

namespace Stint.Gateway.Relaying;

internal sealed partial class RelaySession
{
    private async Task PumpClientAsync()
    {
        byte[]? buffer = null;
        var held = 0;
        try
        {
            while (true)
            {
                if (held == 0)
                {
                    // Waits without a buffer: an idle session holds none.
                    Give(ref buffer);
                    if (OperatingSystem.IsLinux() && _up is { } up)
                    {
                        if (await up.CarryAsync() is { } left)
                        {
                            buffer = left.Buffer;
                            await left.Writing;
                            held = await SentFromClientAsync(buffer, left.Total, left.Sent);
                            continue;
                        }
                    }
                    else
                    {
                        _ = await _client.Stream.ReadAsync(Memory<byte>.Empty);
                    }
                }

                buffer ??= ArrayPool<byte>.Shared.Rent(BufferSize);
                var read = await _client.Stream.ReadAsync(buffer.AsMemory(held, BufferSize - held));
                if (read == 0)
                {
                    Leave();
                    return;
                }

                Heard(read);
                if (await TakeFromClientAsync(buffer.AsMemory(0, held + read), held) is not { } send)
                {
                    held = 0;
                    continue;
                }

                held = await SentFromClientAsync(buffer, held + read, send);
            }
        }
        catch (Exception failed) when (IsBroken(failed))
        {
            Leave();
        }
        catch (Exception failed)
        {
            Log.PumpFailed(_host.Logger, Id.Value, failed);
            End(Broken);
        }
        finally
        {
            Give(ref buffer);
        }
    }

    private void Heard(int bytes)
    {
        Volatile.Write(ref _lastHeard, _host.Time.GetTimestamp());
        Volatile.Write(ref _rested, 0);
        if (!_ended)
        {
            Interlocked.Add(ref _fromClient, bytes);
        }
    }

    // What is not a whole message yet comes first in the buffer, and a client that is far ahead waits.
    private async ValueTask<int> SentFromClientAsync(byte[] buffer, int total, int sent)
    {
        var held = total - sent;
        buffer.AsSpan(sent, held).CopyTo(buffer);
        while (_tap.IsFull && !_ended)
        {
            await _answered.WaitAsync(TimeSpan.FromMilliseconds(50));
        }

        return held;
    }

    // Records, makes sure of it, sends. Null when nothing may be sent any more.
    private async ValueTask<int?> TakeFromClientAsync(ReadOnlyMemory<byte> bytes, int seen)
    {
        if (Take(bytes.Span, seen, out var strict) is not { } send || (strict && !await MadeSureAsync()))
        {
            return null;
        }

        if (send > 0 && !_ended)
        {
            // The target may be gone before the write that told it to go has come back.
            _goodbye |= _tap.ClientSaidGoodbye;
            await _server.Stream.WriteAsync(bytes[..send]);
        }

        return send;
    }

    // Records. How much may be sent on; null when nothing may any more. Strict: not before it is on the disk.
    private int? Take(ReadOnlySpan<byte> bytes, int seen, out bool strict)
    {
        int send;
        string? violation;
        strict = false;
        lock (_lock)
        {
            if (_ended)
            {
                return null;
            }

            var boundary = _tap.FromClient(bytes[seen..]);
            violation = _tap.Violation;
            send = boundary > 0 ? seen + boundary : bytes.Length < BufferSize ? 0 : bytes.Length;
            strict = _tap.MustWrite && _recording.IsStrict;
            if (_tap.MustWrite)
            {
                TryWrite();
                if (_tap.MustWrite)
                {
                    return null;
                }
            }
        }

        if (violation is not null)
        {
            End(new RelayEnd(SessionEndReason.ProtocolError, violation, null, Told: true));
            return null;
        }

        return send;
    }

    private async ValueTask<bool> MadeSureAsync()
    {
        var began = _host.Time.GetTimestamp();
        try
        {
            await _recording.SyncAsync();
            _host.Meter.SyncLatency.Record(_host.Time.GetElapsedTime(began).TotalSeconds);
            return !_ended;
        }
        catch (IOException failed)
        {
            _host.RecordingFailed(Id, failed);
            End(Unrecorded);
            return false;
        }
    }

    private void Leave()
    {
        // After its goodbye the target ends the connection when it has executed what came before.
        if (_goodbye)
        {
            return;
        }

        End(new RelayEnd(SessionEndReason.ClientLeft, "", null, Told: false));
    }

    private async Task PumpServerAsync()
    {
        byte[]? buffer = null;
        var held = 0;
        try
        {
            while (true)
            {
                if (held == 0)
                {
                    Give(ref buffer);
                    if (OperatingSystem.IsLinux() && _down is { } down)
                    {
                        if (await down.CarryAsync() is { } left)
                        {
                            buffer = left.Buffer;
                            await left.Writing;
                            if (left.Sent == Left.Nothing || (_ended && _clientAligned))
                            {
                                return;
                            }

                            held = left.Total - left.Sent;
                            buffer.AsSpan(left.Sent, held).CopyTo(buffer);
                            continue;
                        }
                    }
                    else
                    {
                        _ = await _server.Stream.ReadAsync(Memory<byte>.Empty);
                    }
                }

                buffer ??= ArrayPool<byte>.Shared.Rent(BufferSize);
                var read = await _server.Stream.ReadAsync(buffer.AsMemory(held, BufferSize - held));
                if (read == 0)
                {
                    End(TargetLeft());
                    return;
                }

                if (TakeFromServer(buffer.AsSpan(0, held + read), held) is not { } send)
                {
                    return;
                }

                if (send > 0)
                {
                    await SendToClientAsync(buffer.AsMemory(0, send), IsAligned(held + read, send));
                }

                held = held + read - send;
                buffer.AsSpan(send, held).CopyTo(buffer);
                if (_ended && _clientAligned)
                {
                    return;
                }
            }
        }
        catch (Exception failed) when (IsBroken(failed))
        {
            End(TargetLeft());
        }
        catch (Exception failed)
        {
            Log.PumpFailed(_host.Logger, Id.Value, failed);
            End(Broken);
        }
        finally
        {
            Give(ref buffer);
            _aligned.TrySetResult();
        }
    }

    // Whether the target's bytes end with a whole message where they are sent up to.
    private bool IsAligned(int total, int send) => total == send ? _tap.ServerAtBoundary : total > send;

    private int? TakeFromServer(ReadOnlySpan<byte> bytes, int seen)
    {
        string? violation;
        int boundary;
        var full = false;
        lock (_lock)
        {
            // What the target says after the end goes nowhere, save the rest of a message that is half out.
            if (_ended && _clientAligned)
            {
                return null;
            }

            full = _tap.IsFull;
            boundary = _tap.FromServer(bytes[seen..]);
            violation = _tap.Violation;
            full &= !_tap.IsFull;
            if (_recording.HasPending)
            {
                FlushLater();
            }
        }

        if (violation is not null)
        {
            End(new RelayEnd(SessionEndReason.ProtocolError, violation, null, Told: true));
            return null;
        }

        if (full && _answered.CurrentCount == 0)
        {
            _answered.Release();
        }

        return boundary > 0 ? seen + boundary : bytes.Length < BufferSize ? 0 : bytes.Length;
    }

    private async ValueTask SendToClientAsync(ReadOnlyMemory<byte> bytes, bool aligned)
    {
        if (!_clientWrite.Wait(0))
        {
            await _clientWrite.WaitAsync();
        }

        try
        {
            if (_ended && _clientAligned)
            {
                return;
            }

            _clientAligned = false;
            await _client.Stream.WriteAsync(bytes);
            _clientAligned = aligned;
            Interlocked.Add(ref _toClient, bytes.Length);
        }
        finally
        {
            _clientWrite.Release();
        }
    }

    private RelayEnd TargetLeft() => _goodbye
        ? new(SessionEndReason.ClientLeft, "", null, Told: false)
        : new(SessionEndReason.TargetLeft, $"The connection to {_session.Role.Resource} was ended by it.", "Connect again to go on while your access is open.", Told: !_tap.ServerSaidGoodbye);

    private static void Give(ref byte[]? buffer)
    {
        if (buffer is not null)
        {
            // What went through is none of the next session's business.
            ArrayPool<byte>.Shared.Return(buffer);
            buffer = null;
        }
    }
}
