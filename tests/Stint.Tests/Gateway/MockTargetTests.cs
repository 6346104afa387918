using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Stint.Core.Sessions;
using Stint.Gateway.Postgres;
using Xunit;

namespace Stint.Tests.Gateway;

/// <summary>A target and a client that do what real ones do not.</summary>
public sealed class MockTargetTests
{
    [Fact]
    public async Task StatementArrives_ItsRecordIsInTheFileAlready()
    {
        using var target = new MockTarget();
        await using var gateway = await TestGateway.StartAsync(target.Upstream);
        using var client = await LoginAsync(gateway, target);
        for (var round = 0; round < 20; round++)
        {
            var text = $"select 'statement {round:0000}'";
            foreach (var value in PostgresMessages.Frame((byte)'Q', PostgresMessages.Text(text)))
            {
                await client.SendAsync(new[] { value });
            }

            var (_, body) = await DoorTests.MessageAsync(target.Session!);
            var file = Directory.GetFiles(gateway.Recordings, "*.rec", SearchOption.AllDirectories).Single();
            Assert.Contains(text, Encoding.Latin1.GetString(await ReadSharedAsync(file)), StringComparison.Ordinal);
            Assert.Equal(text + "\0", Encoding.UTF8.GetString(body));
            await target.Session!.SendAsync((byte[])[.. PostgresMessages.Frame((byte)'C', PostgresMessages.Text("SELECT 0")), .. PostgresMessages.Frame((byte)'Z', "I"u8.ToArray())]);
            await DoorTests.MessageAsync(client);
            await DoorTests.MessageAsync(client);
        }
    }

    [Fact]
    public async Task TargetBreaksTheProtocol_ClientIsTold()
    {
        using var target = new MockTarget();
        await using var gateway = await TestGateway.StartAsync(target.Upstream);
        using var client = await LoginAsync(gateway, target);

        await target.Session!.SendAsync(new byte[] { (byte)'D', 0xff, 0xff, 0xff, 0xff });

        var (type, body) = await DoorTests.MessageAsync(client);
        Assert.Equal((byte)'E', type);
        Assert.Equal("08P01", PostgresMessages.ReadError(body).Code);
        Assert.Equal(SessionEndReason.ProtocolError, (await gateway.EndOfAsync(gateway.Gate.Sessions.Single().Id)).Reason);
    }

    [Fact]
    public async Task CutInTheMiddleOfAMessage_ClientGetsWholeMessagesAndTheEnd()
    {
        using var target = new MockTarget();
        await using var gateway = await TestGateway.StartAsync(target.Upstream);
        using var client = await LoginAsync(gateway, target);
        var row = PostgresMessages.Frame((byte)'D', new byte[1000]);
        await target.Session!.SendAsync((byte[])[.. row, .. row[..500]]);
        Assert.Equal((byte)'D', (await DoorTests.MessageAsync(client)).Type);

        gateway.Gate.Sessions.Single().Give(new SessionOrder.Cut(SessionEndReason.Killed, "Killed by bob.", null));

        var (type, body) = await DoorTests.MessageAsync(client);
        Assert.Equal((byte)'E', type);
        Assert.Equal(("57P01", "Killed by bob."), (PostgresMessages.ReadError(body).Code, PostgresMessages.ReadError(body).Message));
        Assert.Equal(0, await client.ReceiveAsync(new byte[1]).WaitAsync(TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public async Task TargetHangs_SessionEndsInTimeAllTheSame()
    {
        using var target = new MockTarget();
        await using var gateway = await TestGateway.StartAsync(target.Upstream, gate: gate => gate.For = TimeSpan.FromSeconds(4));
        using var client = await LoginAsync(gateway, target);
        await client.SendAsync(PostgresMessages.Frame((byte)'Q', PostgresMessages.Text("select forever")));

        var (type, _) = await DoorTests.MessageAsync(client);

        Assert.Equal((byte)'E', type);
        var session = gateway.Gate.Sessions.Single();
        Assert.InRange((await gateway.EndOfAsync(session.Id)).At, session.NotAfter, session.NotAfter.AddSeconds(7));
        Assert.Single(gateway.Gate.Cuts);
    }

    [Fact]
    public async Task CancelWithAWrongKey_ReachesNobody_AndTheRightOneCarriesTheTargetsKey()
    {
        using var target = new MockTarget();
        await using var gateway = await TestGateway.StartAsync(target.Upstream);
        using var client = await LoginAsync(gateway, target, minor: 2);
        Assert.Equal(32, target.ClientKey.Length);
        Assert.NotEqual(MockTarget.Process, target.ClientProcess);
        foreach (var key in new[] { RandomNumberGenerator.GetBytes(32), RandomNumberGenerator.GetBytes(4), target.ClientKey })
        {
            using var cancel = await DoorTests.RawAsync(gateway);
            await cancel.SendAsync(PostgresMessages.CancelRequest(target.ClientProcess, key));
            if (key == target.ClientKey)
            {
                var packet = await target.NextOpeningAsync();
                Assert.Equal(PostgresMessages.CancelRequest(MockTarget.Process, MockTarget.Key), packet);
            }
            else
            {
                Assert.Equal(0, await cancel.ReceiveAsync(new byte[1]).WaitAsync(TimeSpan.FromSeconds(5)));
            }
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    public async Task TargetAsksForTheSecretItself_ItIsNotGiven(int kind)
    {
        using var target = new MockTarget { Authentication = PostgresMessages.Authentication(kind, [1, 2, 3, 4]) };
        await using var gateway = await TestGateway.StartAsync(target.Upstream);
        using var client = await DoorTests.RawAsync(gateway);

        await ProveAsync(client, 0);

        var (type, body) = await DoorTests.MessageAsync(client);
        Assert.Equal((byte)'E', type);
        Assert.Contains("a login that this gateway does not give", PostgresMessages.ReadError(body).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnchorsFail_SessionEndsAfterItsPatience()
    {
        using var target = new MockTarget();
        await using var gateway = await TestGateway.StartAsync(
            target.Upstream,
            options => options with { AnchorEvery = TimeSpan.FromMilliseconds(100), AnchorPatience = TimeSpan.FromMilliseconds(300) },
            gate => gate.AnchorFails = new InvalidOperationException("away"));
        using var client = await LoginAsync(gateway, target);

        var (type, body) = await DoorTests.MessageAsync(client);

        Assert.Equal((byte)'E', type);
        Assert.Equal("58030", PostgresMessages.ReadError(body).Code);
    }

    [Fact]
    public async Task LiveSession_IsAnchoredEachTime()
    {
        using var target = new MockTarget();
        await using var gateway = await TestGateway.StartAsync(target.Upstream, options => options with { AnchorEvery = TimeSpan.FromMilliseconds(200) });
        using var client = await LoginAsync(gateway, target);
        for (var round = 0; round < 3; round++)
        {
            await client.SendAsync(PostgresMessages.Frame((byte)'Q', PostgresMessages.Text("select 1")));
            await Task.Delay(400);
        }

        client.Dispose();
        var records = await gateway.RecordsAsync();
        Assert.True(gateway.Gate.Anchors.Count >= 3, $"{gateway.Gate.Anchors.Count} anchors");
        Assert.Equal(3, records.OfType<RecordingRecord.Statement>().Count());
    }

    private static async Task<byte[]> ReadSharedAsync(string path)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var bytes = new byte[file.Length];
        await file.ReadExactlyAsync(bytes);
        return bytes;
    }

    private static async Task<Socket> LoginAsync(TestGateway gateway, MockTarget target, int minor = 0)
    {
        var client = await DoorTests.RawAsync(gateway);
        await ProveAsync(client, minor);
        while (true)
        {
            var (type, body) = await DoorTests.MessageAsync(client);
            Assert.NotEqual((byte)'E', type);
            if (type == (byte)'K')
            {
                target.ClientProcess = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(body);
                target.ClientKey = body[4..];
            }

            if (type == (byte)'Z')
            {
                return client;
            }
        }
    }

    private static async Task ProveAsync(Socket client, int minor)
    {
        await client.SendAsync(PostgresMessages.Startup((3 << 16) | minor, [new("user", TestGate.Login), new("database", "shop")]));
        await DoorTests.MessageAsync(client);
        var seat = new PostgresScram.ClientSeat(null, false, PostgresScram.Nonce());
        var first = Encoding.UTF8.GetBytes(seat.First);
        await client.SendAsync(PostgresMessages.Frame((byte)'p', PostgresMessages.Text(seat.Mechanism), PostgresMessages.Int(first.Length), first));
        var (_, answer) = await DoorTests.MessageAsync(client);
        var proof = seat.Prove(answer.AsSpan(4), (salt, rounds) => Rfc2898DeriveBytes.Pbkdf2(TestGate.Secret, salt, rounds, HashAlgorithmName.SHA256, 32))!;
        await client.SendAsync(PostgresMessages.Frame((byte)'p', Encoding.UTF8.GetBytes(proof)));
        var (_, final) = await DoorTests.MessageAsync(client);
        Assert.True(seat.Check(final.AsSpan(4)));
    }

    /// <summary>Lets everybody in, and then does what the test says.</summary>
    private sealed class MockTarget : IDisposable
    {
        public const int Process = 4711;
        public static readonly byte[] Key = [9, 8, 7, 6];

        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly System.Threading.Channels.Channel<byte[]> _openings = System.Threading.Channels.Channel.CreateUnbounded<byte[]>();

        public MockTarget()
        {
            _listener.Start();
            _ = AcceptAsync();
        }

        public byte[] Authentication { get; init; } = PostgresMessages.Authentication(0);

        public Socket? Session { get; private set; }

        public int ClientProcess { get; set; }

        public byte[] ClientKey { get; set; } = [];

        public Upstream Upstream => new("127.0.0.1", ((IPEndPoint)_listener.LocalEndpoint).Port, "shop", TargetServer.Account, TargetServer.Secret, "disable", null);

        public async Task<byte[]> NextOpeningAsync() => await _openings.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10));

        public void Dispose()
        {
            _listener.Stop();
            Session?.Dispose();
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    var socket = await _listener.AcceptSocketAsync();
                    var length = await DoorTests.ReadAsync(socket, 4);
                    byte[] packet = [.. length, .. await DoorTests.ReadAsync(socket, System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(length) - 4)];
                    if (PostgresMessages.ReadOpening(packet) is PostgresOpening.Cancel)
                    {
                        _openings.Writer.TryWrite(packet);
                        socket.Dispose();
                        continue;
                    }

                    Session = socket;
                    await socket.SendAsync((byte[])[.. Authentication, .. PostgresMessages.Frame((byte)'K', PostgresMessages.Int(Process), Key), .. PostgresMessages.Frame((byte)'Z', "I"u8.ToArray())]);
                }
            }
            catch (Exception over) when (over is SocketException or ObjectDisposedException)
            {
            }
        }
    }
}
