using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Stint.Gateway.Postgres;
using Xunit;

namespace Stint.Tests.Gateway;

/// <summary>A client that sends what it likes, message by message, and sees every answer.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly Socket _socket;

    private RawClient(Socket socket) => _socket = socket;

    /// <summary>Logs in, with startup parameters of its own.</summary>
    public static async Task<RawClient> OpenAsync(TestGateway gateway, params KeyValuePair<string, string>[] parameters)
    {
        var client = await ProvedAsync(gateway, parameters);
        var answers = await client.AnswersAsync();
        Assert.DoesNotContain(answers, answer => answer.StartsWith('E'));
        return client;
    }

    /// <summary>Logs in and is refused; what it was told.</summary>
    public static async Task<string> RefusedAsync(TestGateway gateway, params KeyValuePair<string, string>[] parameters)
    {
        using var client = await ProvedAsync(gateway, parameters);
        return Told(await DoorTests.MessageAsync(client._socket));
    }

    public static byte[] Query(string sql) => PostgresMessages.Frame((byte)'Q', PostgresMessages.Text(sql));

    public static byte[] Parse(string name, string sql, params uint[] types) => PostgresMessages.Frame(
        (byte)'P', PostgresMessages.Text(name), PostgresMessages.Text(sql), [(byte)(types.Length >> 8), (byte)types.Length], [.. types.SelectMany(type => PostgresMessages.Int((int)type))]);

    public static byte[] Bind(string portal, string statement, params string?[] values) => Bind(portal, statement, false, [.. values.Select(value => value is null ? null : Encoding.UTF8.GetBytes(value))]);

    public static byte[] Bind(string portal, string statement, bool binary, byte[]?[] values) => PostgresMessages.Frame(
        (byte)'B',
        PostgresMessages.Text(portal),
        PostgresMessages.Text(statement),
        [0, 1, 0, (byte)(binary ? 1 : 0), 0, (byte)values.Length],
        [.. values.SelectMany(value => value is null ? PostgresMessages.Int(-1) : (byte[])[.. PostgresMessages.Int(value.Length), .. value])],
        [0, 0]);

    public static byte[] Execute(string portal = "", int rows = 0) => PostgresMessages.Frame((byte)'E', PostgresMessages.Text(portal), PostgresMessages.Int(rows));

    public static byte[] Message(char type, params byte[] body) => PostgresMessages.Frame((byte)type, body);

    public static byte[] Sync { get; } = Message('S');

    /// <summary>Sends all of it at once.</summary>
    public async Task SendAsync(params byte[][] messages) => await _socket.SendAsync((byte[])[.. messages.SelectMany(message => message)]);

    /// <summary>Sends all of it, if there is room for it in time.</summary>
    public async Task<bool> TrySendAsync(byte[] message, TimeSpan patience)
    {
        var sent = _socket.SendAsync(message);
        return await Task.WhenAny(sent, Task.Delay(patience)) == sent;
    }

    /// <summary>Sends, and says what came back until the target was ready once.</summary>
    public async Task<List<string>> AskAsync(params byte[][] messages)
    {
        await SendAsync(messages);
        return await AnswersAsync();
    }

    /// <summary>What came up to the next ReadyForQuery: <c>D one,two</c>, <c>C TAG</c>, <c>E SQLSTATE message</c>, <c>Z state</c>, others by their letter.</summary>
    public async Task<List<string>> AnswersAsync()
    {
        var answers = new List<string>();
        while (true)
        {
            var message = await DoorTests.MessageAsync(_socket);
            if (message.Type is not ((byte)'S' or (byte)'N' or (byte)'T' or (byte)'R' or (byte)'K'))
            {
                answers.Add(Told(message));
            }

            if (message.Type is (byte)'Z')
            {
                return answers;
            }
        }
    }

    /// <summary>The next message, whatever it is.</summary>
    public async Task<string> NextAsync() => Told(await DoorTests.MessageAsync(_socket));

    public void Dispose() => _socket.Dispose();

    private static string Told((byte Type, byte[] Body) message) => (char)message.Type switch
    {
        'E' => PostgresMessages.ReadError(message.Body) is var (severity, code, text) ? $"E {severity} {code} {text}" : "E",
        'C' => $"C {Encoding.UTF8.GetString(message.Body.AsSpan(..^1))}",
        'Z' => $"Z {(char)message.Body[0]}",
        'D' => $"D {Encoding.UTF8.GetString(message.Body.AsSpan(6))}",
        var type => $"{type}",
    };

    private static async Task<RawClient> ProvedAsync(TestGateway gateway, KeyValuePair<string, string>[] parameters)
    {
        var client = await DoorTests.RawAsync(gateway);
        await client.SendAsync(PostgresMessages.Startup(3 << 16, [new("user", TestGate.Login), new("database", "shop"), .. parameters]));
        await DoorTests.MessageAsync(client);
        var seat = new PostgresScram.ClientSeat(null, false, PostgresScram.Nonce());
        var first = Encoding.UTF8.GetBytes(seat.First);
        await client.SendAsync(PostgresMessages.Frame((byte)'p', PostgresMessages.Text(seat.Mechanism), PostgresMessages.Int(first.Length), first));
        var (_, answer) = await DoorTests.MessageAsync(client);
        var proof = seat.Prove(answer.AsSpan(4), (salt, rounds) => Rfc2898DeriveBytes.Pbkdf2(TestGate.Secret, salt, rounds, HashAlgorithmName.SHA256, 32))!;
        await client.SendAsync(PostgresMessages.Frame((byte)'p', Encoding.UTF8.GetBytes(proof)));
        await DoorTests.MessageAsync(client);
        return new RawClient(client);
    }
}
