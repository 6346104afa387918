using System.Buffers.Binary;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Stint.Gateway.Postgres;

namespace Stint.Bench;

/// <summary>A PostgreSQL client with nothing in it that could be late: one socket, and one thread that watches many.</summary>
internal static class RawClient
{
    /// <summary>Logs in so many times.</summary>
    public static async Task<List<Socket>> LoginAsync(JsonObject door, int count)
    {
        var sockets = new List<Socket>();
        while (sockets.Count < count)
        {
            sockets.AddRange(await Task.WhenAll(Enumerable.Range(0, Math.Min(20, count - sockets.Count)).Select(_ => LoginAsync(door))));
        }

        return sockets;
    }

    /// <summary>How long after a moment each heard its last words, in milliseconds.</summary>
    public static Task<List<double>> WatchAsync(IReadOnlyList<Socket> sockets, DateTimeOffset since) =>
        Task.Factory.StartNew(() => Watch(sockets, since), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Reads and forgets until the other side closes.</summary>
    public static async Task DrainAsync(Socket socket, CancellationToken stop)
    {
        var bytes = new byte[64 * 1024];
        try
        {
            while (await socket.ReceiveAsync(bytes, stop) > 0)
            {
            }
        }
        catch (Exception over) when (over is SocketException or OperationCanceledException)
        {
            // It is over, which is what was waited for.
        }
    }

    // One thread watches all of them: what the watching itself costs falls on nobody's account.
    private static List<double> Watch(IReadOnlyList<Socket> sockets, DateTimeOffset since)
    {
        var late = new List<double>(sockets.Count);
        var waiting = new HashSet<Socket>(sockets);
        var bytes = new byte[4096];
        while (waiting.Count > 0)
        {
            var ready = waiting.ToList();
            Socket.Select(ready, null, null, TimeSpan.FromSeconds(60));
            var now = TimeProvider.System.GetUtcNow();
            if (ready.Count == 0)
            {
                throw new InvalidOperationException($"{waiting.Count} sessions did not end within 60 s.");
            }

            foreach (var socket in ready)
            {
                if (socket.Receive(bytes) == 0 || bytes[0] == (byte)'E')
                {
                    late.Add((now - since).TotalMilliseconds);
                    waiting.Remove(socket);
                }
            }
        }

        return late;
    }

    /// <summary>Logs in once.</summary>
    public static async Task<Socket> LoginAsync(JsonObject door)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync((string)door["host"]!, (int)door["port"]!);
        await socket.SendAsync(PostgresMessages.Startup(3 << 16, [new("user", (string)door["login"]!), new("database", "shop")]));
        await MessageAsync(socket);
        var seat = new PostgresScram.ClientSeat(null, false, PostgresScram.Nonce());
        var first = Encoding.UTF8.GetBytes(seat.First);
        await socket.SendAsync(PostgresMessages.Frame((byte)'p', PostgresMessages.Text(seat.Mechanism), PostgresMessages.Int(first.Length), first));
        var (_, answer) = await MessageAsync(socket);
        var proof = seat.Prove(answer.AsSpan(4), (salt, times) => Rfc2898DeriveBytes.Pbkdf2((string)door["secret"]!, salt, times, HashAlgorithmName.SHA256, 32))
            ?? throw new InvalidOperationException("The gateway's SCRAM message is not one.");
        await socket.SendAsync(PostgresMessages.Frame((byte)'p', Encoding.UTF8.GetBytes(proof)));
        while (true)
        {
            switch (await MessageAsync(socket))
            {
                case ((byte)'Z', _):
                    return socket;
                case ((byte)'E', var error):
                    throw new InvalidOperationException($"A session was refused: {PostgresMessages.ReadError(error).Message}");
                default:
                    break;
            }
        }
    }

    private static async Task<(byte Type, byte[] Body)> MessageAsync(Socket socket)
    {
        var head = await ReadAsync(socket, 5);
        return (head[0], await ReadAsync(socket, BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1)) - 4));
    }

    private static async Task<byte[]> ReadAsync(Socket socket, int count)
    {
        var bytes = new byte[count];
        for (var read = 0; read < count;)
        {
            var more = await socket.ReceiveAsync(bytes.AsMemory(read));
            read += more > 0 ? more : throw new InvalidOperationException("The gateway closed a connection during login.");
        }

        return bytes;
    }
}
