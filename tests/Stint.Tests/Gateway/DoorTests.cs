using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Npgsql;
using Stint.Core.Sessions;
using Stint.Gateway;
using Stint.Gateway.Postgres;
using Xunit;

namespace Stint.Tests.Gateway;

/// <summary>What the gateway does with whoever has not logged in yet. No target is needed to refuse.</summary>
public sealed class DoorTests
{
    private static readonly Upstream Nowhere = new("127.0.0.1", 1, "shop", TargetServer.Account, TargetServer.Secret, "disable", null);

    [Fact]
    public async Task UnknownLogin_AndWrongSecret_LookAlike()
    {
        await using var gateway = await TestGateway.StartAsync(Nowhere);

        var wrong = await RefusedAsync(gateway, TestGate.Login, "wrong");
        var unknown = await RefusedAsync(gateway, "bob-00000000", TestGate.Secret);

        Assert.Equal(("28P01", "28P01"), (wrong.SqlState, unknown.SqlState));
        Assert.Equal(wrong.MessageText.Replace(TestGate.Login, "X", StringComparison.Ordinal), unknown.MessageText.Replace("bob-00000000", "X", StringComparison.Ordinal));
        Assert.Equal(wrong.Hint, unknown.Hint);
        Assert.Empty(gateway.Gate.Knocks);
    }

    [Fact]
    public async Task UnknownLogin_IsAskedForTheSameSaltEachTime_AndForOneOfTheUsualForm()
    {
        await using var gateway = await TestGateway.StartAsync(Nowhere);

        var first = await ServerFirstAsync(gateway, "bob-00000000");
        var again = await ServerFirstAsync(gateway, "bob-00000000");
        var known = await ServerFirstAsync(gateway, TestGate.Login);

        Assert.Equal(first.Salt, again.Salt);
        Assert.Equal(known.Salt.Length, first.Salt.Length);
        Assert.Equal(known.Rounds, first.Rounds);
    }

    [Fact]
    public async Task Refusal_OfTheGate_IsSaidWithItsHint()
    {
        await using var gateway = await TestGateway.StartAsync(Nowhere, gate: gate => gate.Refusal = new GateAnswer.Refused(GateRefusal.NoOpenGrant, "Your access ended at noon.", "stint request it"));

        var refused = await RefusedAsync(gateway, TestGate.Login, TestGate.Secret);

        Assert.Equal(("28000", "Your access ended at noon.", "stint request it"), (refused.SqlState, refused.MessageText, refused.Hint));
    }

    [Fact]
    public async Task TargetUnreachable_SaysSo_AndNothingOfTheAccount()
    {
        await using var gateway = await TestGateway.StartAsync(Nowhere);

        var refused = await RefusedAsync(gateway, TestGate.Login, TestGate.Secret);

        Assert.Equal("08001", refused.SqlState);
        Assert.DoesNotContain(TargetServer.Account, refused.MessageText, StringComparison.Ordinal);
        Assert.Equal(SessionEndReason.TargetRefused, (await gateway.EndOfAsync(gateway.Gate.Sessions.First().Id)).Reason);
    }

    [Theory]
    [InlineData("replication", "database", "0A000")]
    [InlineData("replication", "true", "0A000")]
    public async Task Replication_IsRefused(string name, string value, string code)
    {
        await using var gateway = await TestGateway.StartAsync(Nowhere);
        using var client = await RawAsync(gateway);

        await client.SendAsync(PostgresMessages.Startup(3 << 16, [new("user", TestGate.Login), new(name, value)]));

        Assert.Equal(code, (await ErrorAsync(client)).Code);
    }

    [Fact]
    public async Task TlsRequired_PlainStartup_IsRefusedInTheProtocol()
    {
        using var certificate = TestGateway.Certificate();
        await using var gateway = await TestGateway.StartAsync(Nowhere, options => options with { Tls = GatewayTls.Required, Certificate = () => SslStreamCertificateContext.Create(certificate, null, offline: true) });
        using var client = await RawAsync(gateway);

        await client.SendAsync(PostgresMessages.Startup(3 << 16, [new("user", TestGate.Login)]));

        Assert.Equal("28000", (await ErrorAsync(client)).Code);
    }

    [Fact]
    public async Task EncryptionRequests_AreAnswered()
    {
        await using var gateway = await TestGateway.StartAsync(Nowhere);
        using var client = await RawAsync(gateway);

        await client.SendAsync((byte[])[0, 0, 0, 8, .. PostgresMessages.Int(PostgresMessages.GssRequestCode)]);
        Assert.Equal((byte)'N', (await ReadAsync(client, 1))[0]);
        await client.SendAsync((byte[])[0, 0, 0, 8, .. PostgresMessages.Int(PostgresMessages.SslRequestCode)]);
        Assert.Equal((byte)'N', (await ReadAsync(client, 1))[0]);
        await client.SendAsync((byte[])[0, 0, 0, 8, .. PostgresMessages.Int(PostgresMessages.SslRequestCode)]);
        Assert.Equal("08P01", (await ErrorAsync(client)).Code);
    }

    [Fact]
    public async Task BytesBehindTheTlsRequest_AreNeverTakenForTheClients()
    {
        using var certificate = TestGateway.Certificate();
        await using var gateway = await TestGateway.StartAsync(Nowhere, options => options with { Tls = GatewayTls.Optional, Certificate = () => SslStreamCertificateContext.Create(certificate, null, offline: true) });
        using var client = await RawAsync(gateway);

        await client.SendAsync((byte[])[0, 0, 0, 8, .. PostgresMessages.Int(PostgresMessages.SslRequestCode), .. PostgresMessages.Startup(3 << 16, [new("user", TestGate.Login)])]);

        var (code, _) = await ErrorAsync(client);
        Assert.Equal("08P01", code);
        Assert.Empty(gateway.Gate.Knocks);
    }

    [Theory]
    [InlineData(196610, 196610)]
    [InlineData(196609, 196608)]
    [InlineData(196608 + 9999, 196610)]
    public async Task NewerMinorVersion_IsNegotiatedDown(int asked, int expected)
    {
        await using var gateway = await TestGateway.StartAsync(Nowhere);
        using var client = await RawAsync(gateway);

        await client.SendAsync(PostgresMessages.Startup(asked, [new("user", TestGate.Login), new("_pq_.shiny", "1")]));

        var (type, body) = await MessageAsync(client);
        Assert.Equal((byte)'v', type);
        Assert.Equal(expected, BinaryPrimitives.ReadInt32BigEndian(body));
        Assert.Equal(1, BinaryPrimitives.ReadInt32BigEndian(body.AsSpan(4)));
        Assert.Equal("_pq_.shiny\0", Encoding.UTF8.GetString(body, 8, body.Length - 8));
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 0x27, 0x11, 0, 3, 0, 0 })]
    [InlineData(new byte[] { 0x7f, 0xff, 0xff, 0xff, 0, 3, 0, 0 })]
    [InlineData(new byte[] { 0xff, 0xff, 0xff, 0xff, 0, 3, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 4, 0, 3, 0, 0 })]
    [InlineData(new byte[] { 0, 0, 0, 12, 0, 3, 0, 0, 1, 1, 1, 1 })]
    [InlineData(new byte[] { 0, 0, 0, 12, 0x04, 0xd2, 0x16, 0x2e, 0, 0, 0, 1 })]
    public async Task ImpossibleFirstPacket_IsRefusedAtOnce(byte[] packet)
    {
        await using var gateway = await TestGateway.StartAsync(Nowhere);
        using var client = await RawAsync(gateway);

        await client.SendAsync(packet);

        Assert.Equal("08P01", (await ErrorAsync(client)).Code);
    }

    [Fact]
    public async Task LongLoginMessage_IsRefusedWithoutBeingTaken()
    {
        await using var gateway = await TestGateway.StartAsync(Nowhere);
        using var client = await RawAsync(gateway);
        await client.SendAsync(PostgresMessages.Startup(3 << 16, [new("user", TestGate.Login)]));
        await MessageAsync(client);

        await client.SendAsync((byte[])[(byte)'p', 0x00, 0x10, 0x00, 0x00]);

        Assert.Equal("08P01", (await ErrorAsync(client)).Code);
    }

    [Fact]
    public async Task SilentClient_IsClosedWhenItsTimeIsOver()
    {
        await using var gateway = await TestGateway.StartAsync(Nowhere, options => options with { HandshakeTimeout = TimeSpan.FromMilliseconds(400) });
        using var silent = await RawAsync(gateway);
        using var slow = await RawAsync(gateway);

        var drip = Task.Run(async () =>
        {
            var packet = PostgresMessages.Startup(3 << 16, [new("user", new string('x', 500))]);
            try
            {
                foreach (var value in packet)
                {
                    await slow.SendAsync(new[] { value });
                    await Task.Delay(20);
                }
            }
            catch (SocketException)
            {
            }
        });

        Assert.Equal(0, await silent.ReceiveAsync(new byte[1]).WaitAsync(TimeSpan.FromSeconds(5)));
        await drip.WaitAsync(TimeSpan.FromSeconds(8));
    }

    [Fact]
    public async Task TooManyHandshakesOfOneAddress_TheNextIsTold()
    {
        await using var gateway = await TestGateway.StartAsync(Nowhere, options => options with { MaxHandshakesPerAddress = 3 });
        var waiting = new List<Socket>();
        for (var count = 0; count < 3; count++)
        {
            waiting.Add(await RawAsync(gateway));
        }

        await Task.Delay(200);
        using var next = await RawAsync(gateway);

        Assert.Equal("53300", (await ErrorAsync(next)).Code);
        waiting.ForEach(socket => socket.Dispose());
    }

    [Fact]
    public void Scram_ClientThatCouldBindAndWasOffered_MayNotSayThatItWasNot()
    {
        var verifier = TestGate.Verifier("secret");
        Assert.Null(PostgresScram.Answer(PostgresScram.Plain, "y,,n=,r=abcdefghijkl"u8, offeredBinding: true, verifier, "n"));
        Assert.NotNull(PostgresScram.Answer(PostgresScram.Plain, "y,,n=,r=abcdefghijkl"u8, offeredBinding: false, verifier, "n"));
        Assert.Null(PostgresScram.Answer(PostgresScram.Bound, "n,,n=,r=abcdefghijkl"u8, offeredBinding: true, verifier, "n"));
        Assert.Null(PostgresScram.Answer(PostgresScram.Bound, "p=tls-unique,,n=,r=abcdefghijkl"u8, offeredBinding: true, verifier, "n"));
        Assert.Null(PostgresScram.Answer(PostgresScram.Plain, "n,a=root,n=,r=abcdefghijkl"u8, offeredBinding: true, verifier, "n"));
    }

    [Fact]
    public void Scram_BothSeats_Agree_AndAnotherChannelDoesNot()
    {
        var verifier = TestGate.Verifier("secret");
        byte[] channel = [1, 2, 3];
        foreach (var (theirs, good) in new[] { (channel, true), ([9, 9, 9], false) })
        {
            var client = new PostgresScram.ClientSeat(theirs, true, PostgresScram.Nonce());
            var server = PostgresScram.Answer(client.Mechanism, Encoding.UTF8.GetBytes(client.First), true, verifier, PostgresScram.Nonce())!;
            var proof = client.Prove(Encoding.UTF8.GetBytes(server.First), (salt, rounds) => System.Security.Cryptography.Rfc2898DeriveBytes.Pbkdf2("secret", salt, rounds, System.Security.Cryptography.HashAlgorithmName.SHA256, 32))!;
            var final = server.Finish(Encoding.UTF8.GetBytes(proof), channel);
            Assert.Equal(good, final is not null);
            Assert.True(!good || client.Check(Encoding.UTF8.GetBytes(final!)));
            Assert.Null(server.Finish("p="u8, channel));
            Assert.Null(server.Finish(",p=AAAA"u8, channel));
        }
    }

    private static async Task<PostgresException> RefusedAsync(TestGateway gateway, string login, string secret)
    {
        await using var connection = new NpgsqlConnection($"Host=127.0.0.1;Port={gateway.Port};Username={login};Password={secret};Database=shop;Pooling=false;SSL Mode=Disable");
        return await Assert.ThrowsAnyAsync<PostgresException>(() => connection.OpenAsync());
    }

    private static async Task<(string Salt, string Rounds)> ServerFirstAsync(TestGateway gateway, string login)
    {
        using var client = await RawAsync(gateway);
        await client.SendAsync(PostgresMessages.Startup(3 << 16, [new("user", login)]));
        await MessageAsync(client);
        var first = "n,,n=,r=abcdefghijklmnop"u8.ToArray();
        await client.SendAsync(PostgresMessages.Frame((byte)'p', PostgresMessages.Text(PostgresScram.Plain), PostgresMessages.Int(first.Length), first));
        var (_, body) = await MessageAsync(client);
        var parts = Encoding.UTF8.GetString(body, 4, body.Length - 4).Split(',');
        return (parts[1], parts[2]);
    }

    internal static async Task<Socket> RawAsync(TestGateway gateway)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, gateway.Port));
        return socket;
    }

    internal static async Task<byte[]> ReadAsync(Socket socket, int count)
    {
        var bytes = new byte[count];
        for (var at = 0; at < count;)
        {
            var read = await socket.ReceiveAsync(bytes.AsMemory(at)).AsTask().WaitAsync(TimeSpan.FromSeconds(10));
            Assert.True(read > 0, "The gateway closed the connection.");
            at += read;
        }

        return bytes;
    }

    internal static async Task<(byte Type, byte[] Body)> MessageAsync(Socket socket)
    {
        var head = await ReadAsync(socket, 5);
        return (head[0], await ReadAsync(socket, BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1)) - 4));
    }

    private static async Task<(string Code, string Message)> ErrorAsync(Socket socket)
    {
        var (type, body) = await MessageAsync(socket);
        Assert.Equal((byte)'E', type);
        var (severity, code, message) = PostgresMessages.ReadError(body);
        Assert.Equal("FATAL", severity);
        return (code, message);
    }
}

/// <summary>TLS on both sides, with a real server and real clients.</summary>
[Collection(WithTarget.Name)]
public sealed class TlsTests(TargetServer target)
{
    [Fact]
    public async Task Psql_ChannelBindingRequired_ComesIn()
    {
        using var certificate = TestGateway.Certificate();
        await using var gateway = await TestGateway.StartAsync(Verified("verify-full"), options => options with { Tls = GatewayTls.Required, Certificate = () => SslStreamCertificateContext.Create(certificate, null, offline: true) });
        var root = Path.GetTempFileName();
        await File.WriteAllTextAsync(root, certificate.ExportCertificatePem());

        var output = await Programs.RunAsync("psql", ["-X", "-A", "-t", "-q", "-c", "select ssl from pg_stat_ssl where pid = pg_backend_pid()", $"host=127.0.0.1 port={gateway.Port} user={TestGate.Login} dbname=shop sslmode=verify-full sslrootcert={root} channel_binding=require"], ("PGPASSWORD", TestGate.Secret));

        File.Delete(root);
        Assert.Equal("t\n", output);
        Assert.True(gateway.Gate.Knocks.Single().Tls);
    }

    [Fact]
    public async Task DirectTls_WithItsName_IsTaken_AndWithoutIsNot()
    {
        using var certificate = TestGateway.Certificate();
        await using var gateway = await TestGateway.StartAsync(target, options => options with { Tls = GatewayTls.Optional, Certificate = () => SslStreamCertificateContext.Create(certificate, null, offline: true) });
        foreach (var (name, taken) in new[] { ("postgresql", true), ("http/1.1", false) })
        {
            using var socket = await DoorTests.RawAsync(gateway);
            await using var tls = new SslStream(new NetworkStream(socket), false, (_, presented, _, _) => presented!.GetCertHashString() == certificate.GetCertHashString());
            var opened = await Record.ExceptionAsync(async () =>
            {
                await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost", ApplicationProtocols = [new SslApplicationProtocol(name)] });
                await tls.WriteAsync(PostgresMessages.Startup(3 << 16, [new("user", TestGate.Login)]));
                var first = new byte[1];
                await tls.ReadExactlyAsync(first);
                Assert.Equal((byte)'R', first[0]);
            });
            Assert.Equal(taken, opened is null);
        }
    }

    [Theory]
    [InlineData("disable", true)]
    [InlineData("prefer", true)]
    [InlineData("require", true)]
    [InlineData("verify-ca", true)]
    [InlineData("verify-full", true)]
    public async Task Upstream_EveryMode_Connects(string mode, bool works)
    {
        await using var gateway = await TestGateway.StartAsync(Verified(mode));

        var (code, output, error) = await gateway.PsqlAsync("-c", "select ssl from pg_stat_ssl where pid = pg_backend_pid()");

        Assert.True(works == (code == 0), error);
        Assert.Equal(mode == "disable" ? "f\n" : "t\n", output);
    }

    [Theory]
    [InlineData("verify-ca", "127.0.0.1")]
    [InlineData("verify-full", "127.0.0.1")]
    public async Task Upstream_AnotherRoot_IsNotBelieved(string mode, string host)
    {
        using var other = TestGateway.Certificate();
        await using var gateway = await TestGateway.StartAsync(Verified(mode) with { Host = host, RootCertificates = other.ExportCertificatePem() });

        var (code, _, error) = await gateway.PsqlAsync("-c", "select 1");

        Assert.Equal(2, code);
        Assert.Contains("certificate was not accepted", error, StringComparison.Ordinal);
    }

    private Upstream Verified(string mode) => new("127.0.0.1", target.Port, "shop", TargetServer.Account, TargetServer.Secret, mode, target.Certificate);
}
