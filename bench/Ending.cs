using System.Buffers.Binary;
using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Stint.Gateway.Postgres;

namespace Stint.Bench;

/// <summary>D1: how long after its deadline a client hears that its access is over.</summary>
internal sealed class Ending : Question
{
    private const int Sessions = 200;
    private const string Length = "12s";

    public override string Name => "end";

    public override string Asks => $"How late does each of {Sessions} idle sessions hear that its access is over?";

    public override async Task<IReadOnlyList<Row>> AnswerAsync(int rounds)
    {
        await using var stage = await Stage.SetAsync(new StageOptions { Connections = Sessions + 20 });
        var measured = new Rounds(rounds);
        for (var round = 0; round < rounds; round++)
        {
            var late = (await RoundAsync(stage)).Order().ToList();
            measured.Note("p50", late[late.Count / 2]);
            measured.Note("p99", late[(int)(late.Count * 0.99)]);
        }

        return
        [
            measured.Alone($"deadline to last words, p50 of {Sessions}", "ms", "p50", "≤ 2", late => late <= 2),
            measured.Alone($"deadline to last words, p99 of {Sessions}", "ms", "p99", "≤ 15", late => late <= 15),
        ];
    }

    private static async Task<IReadOnlyList<double>> RoundAsync(Stage stage)
    {
        var door = await stage.OpenAsync("db/write", Length);
        var end = DateTimeOffset.Parse((string)door["not_after"]!, CultureInfo.InvariantCulture);
        var sockets = new List<Socket>();
        try
        {
            while (sockets.Count < Sessions)
            {
                sockets.AddRange(await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => LoginAsync(door))));
            }

            if (TimeProvider.System.GetUtcNow() > end.AddSeconds(-1))
            {
                throw new InvalidOperationException($"{Sessions} sessions could not be opened within {Length}: this machine is too busy to say how late they end.");
            }

            return await Task.Factory.StartNew(() => Watch(sockets, end), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        finally
        {
            sockets.ForEach(socket => socket.Dispose());
        }
    }

    // One thread watches all of them: what the watching itself costs falls on nobody's account.
    private static List<double> Watch(List<Socket> sockets, DateTimeOffset end)
    {
        var late = new List<double>(sockets.Count);
        var waiting = sockets.ToList();
        var bytes = new byte[4096];
        while (waiting.Count > 0)
        {
            var ready = waiting.ToList();
            Socket.Select(ready, null, null, TimeSpan.FromSeconds(30));
            var now = TimeProvider.System.GetUtcNow();
            if (ready.Count == 0)
            {
                throw new InvalidOperationException($"{waiting.Count} sessions did not end within 30 s.");
            }

            foreach (var socket in ready)
            {
                if (socket.Receive(bytes) == 0 || bytes[0] == (byte)'E')
                {
                    late.Add((now - end).TotalMilliseconds);
                    waiting.Remove(socket);
                }
            }
        }

        return late;
    }

    private static async Task<Socket> LoginAsync(JsonObject door)
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
