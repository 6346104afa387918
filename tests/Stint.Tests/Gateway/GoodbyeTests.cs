using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Stint.Core.Sessions;
using Stint.Gateway.Postgres;
using Xunit;

namespace Stint.Tests.Gateway;

/// <summary>A target behind TLS that stops reading: what is being written to it is still on its way when the session ends.</summary>
public sealed class GoodbyeTests
{
    [Fact]
    public async Task TargetBehindTlsReadsNoMore_TheEndIsOnRecordAllTheSame()
    {
        using var target = new StuckTarget();
        await using var gateway = await TestGateway.StartAsync(target.Upstream);
        using var client = await RawClient.OpenAsync(gateway);
        await client.SendAsync(RawClient.Query("copy orders from stdin"));
        Assert.Equal("G", await client.NextAsync());

        // A divisor of every buffer's size: what the gateway holds when it can write no more ends with a whole message.
        var data = RawClient.Message('d', new byte[4096 - 5]);
        while (await client.TrySendAsync(data, TimeSpan.FromMilliseconds(300)))
        {
        }

        var session = gateway.Gate.Sessions.Single();
        session.Give(new SessionOrder.Cut(SessionEndReason.Killed, "Killed by bob.", null));

        Assert.Equal("E FATAL 57P01 Killed by bob.", await client.NextAsync());
        Assert.Equal(SessionEndReason.Killed, (await gateway.EndOfAsync(session.Id)).Reason);
        Assert.Equal(SessionEndReason.Killed, (await gateway.RecordsAsync()).OfType<RecordingRecord.SessionClosed>().Single().Reason);
    }

    /// <summary>Lets everybody in over TLS, takes a COPY, and then reads nothing.</summary>
    private sealed class StuckTarget : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly List<IDisposable> _open = [];

        public StuckTarget()
        {
            _listener.Server.ReceiveBufferSize = 4096;
            _listener.Start();
            _ = AcceptAsync();
        }

        public Upstream Upstream => new("127.0.0.1", ((IPEndPoint)_listener.LocalEndpoint).Port, "shop", TargetServer.Account, TargetServer.Secret, "require", null);

        public void Dispose()
        {
            _listener.Stop();
            _open.ForEach(one => one.Dispose());
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    var socket = await _listener.AcceptSocketAsync();
                    _open.Add(socket);
                    await LetInAsync(new NetworkStream(socket));
                }
            }
            catch (Exception over) when (over is SocketException or ObjectDisposedException or IOException)
            {
                // The test is over.
            }
        }

        private async Task LetInAsync(NetworkStream plain)
        {
            await plain.ReadExactlyAsync(new byte[8]);
            plain.WriteByte((byte)'S');
            var tls = new SslStream(plain);
            _open.Add(tls);
            using var certificate = TestGateway.Certificate();
            await tls.AuthenticateAsServerAsync(certificate);
            if (PostgresMessages.ReadOpening(await PacketAsync(tls)) is PostgresOpening.Cancel)
            {
                await tls.DisposeAsync();
                return;
            }

            await tls.WriteAsync((byte[])[
                .. PostgresMessages.Authentication(0), .. PostgresMessages.Frame((byte)'K', PostgresMessages.Int(1), [9, 8, 7, 6]), .. PostgresMessages.Frame((byte)'Z', "I"u8.ToArray())]);
            Assert.Equal('Q', tls.ReadByte());
            await PacketAsync(tls);
            await tls.WriteAsync(PostgresMessages.Frame((byte)'G', [0, 0, 1, 0, 0]));
        }

        private static async Task<byte[]> PacketAsync(SslStream tls)
        {
            var length = new byte[4];
            await tls.ReadExactlyAsync(length);
            var rest = new byte[BinaryPrimitives.ReadInt32BigEndian(length) - 4];
            await tls.ReadExactlyAsync(rest);
            return [.. length, .. rest];
        }
    }
}
