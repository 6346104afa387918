using System.Buffers.Binary;
using System.Text;
using Stint.Core.Sessions;
using Stint.Gateway.Postgres;
using Xunit;

namespace Stint.Tests.Gateway;

/// <summary>Bytes to records, without a network.</summary>
public sealed class PostgresTapTests
{
    [Fact]
    public void AnyCut_OfTheSameStream_GivesTheSameRecords()
    {
        var conversation = Conversation();
        var whole = Replay(conversation, int.MaxValue);
        Assert.True(whole.Records.Count > 25);
        for (var size = 1; size < 80; size++)
        {
            Assert.Equal(whole.Hash, Replay(conversation, size).Hash);
        }

        var longest = conversation.Max(step => step.Bytes.Length);
        for (var cut = 1; cut < longest; cut++)
        {
            Assert.Equal(whole.Hash, Replay(conversation, int.MaxValue, cut).Hash);
        }
    }

    [Fact]
    public void Conversation_EveryStatement_HasItsResult()
    {
        var records = Replay(Conversation(), int.MaxValue).Records;
        var statements = records.OfType<RecordingRecord.Statement>().ToDictionary(statement => statement.Seq);
        string Said(RecordingRecord.Result result) => $"{statements[result.Of].Text?.Value} {result.Outcome} {result.Rows} {result.Tag} {result.Error?.Sqlstate}".Trim();

        Assert.Equal(
            [
                "select 1; select 2 Completed 1 SELECT 1",
                "select 1; select 2 Completed 1 SELECT 1",
                "select $1 Suspended 2",
                "select $1 Completed 1 SELECT 1",
                "copy t from stdin Completed 2 COPY 2",
                "bad Failed   42601",
                "good Skipped",
                "late Skipped",
                "select $1 Completed 1 SELECT 1",
                "Empty",
                "function 1598 Completed",
                "copy t to stdout Completed 1 COPY 1",
                "select pg_sleep(9) Interrupted",
            ],
            records.OfType<RecordingRecord.Result>().Where(result => statements.ContainsKey(result.Of)).Select(Said));
        Assert.Equal(statements.Values.First(statement => statement.Portal == "p1").Seq, statements.Values.Last(statement => statement.Portal == "p1").Continues);
        Assert.Equal("7", statements.Values.First(statement => statement.Portal == "p1").Parameters[0].Value);
    }

    [Fact]
    public void RefusedPrepare_LeavesTheNameWithItsOldText()
    {
        var records = Replay(
            [
                Client(Parse("s", "select 'old'"), Sync()),
                Server(Simple('1'), Ready()),
                Client(Parse("s", "select 'new'"), Sync()),
                Server(Failure("42P05"), Ready()),
                Client(Bind("", "s"), Execute(""), Sync()),
                Server(Simple('2'), Complete("SELECT 1"), Ready()),
            ],
            int.MaxValue).Records;

        Assert.Equal("select 'old'", records.OfType<RecordingRecord.Statement>().Single().Text!.Value);
    }

    [Theory]
    [InlineData(new byte[] { (byte)'Q', 0xff, 0xff, 0xff, 0xff })]
    [InlineData(new byte[] { (byte)'Q', 0, 0, 0, 3 })]
    [InlineData(new byte[] { (byte)'Q', 0x40, 0, 0, 0 })]
    [InlineData(new byte[] { (byte)'Q', 0x80, 0, 0, 4 })]
    [InlineData(new byte[] { (byte)'p', 0, 0, 0, 4 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 8 })]
    public void ImpossibleMessage_StopsTheClient(byte[] bytes)
    {
        using var encoder = new RecordingEncoder();
        using var tap = new PostgresTap(encoder, TimeProvider.System, "UTF8");

        tap.FromClient(bytes);

        Assert.NotNull(tap.Violation);
    }

    [Fact]
    public void NegativeParameter_StopsTheClient()
    {
        using var encoder = new RecordingEncoder();
        using var tap = new PostgresTap(encoder, TimeProvider.System, "UTF8");

        tap.FromClient(PostgresMessages.Frame((byte)'B', [0, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xfe]));

        Assert.Equal("A parameter's length is negative.", tap.Violation);
    }

    [Fact]
    public void OtherEncoding_IsRecordedAsItReads()
    {
        var records = Replay([Server(PostgresMessages.Frame((byte)'S', "client_encoding\0LATIN1\0"u8.ToArray())), Client(PostgresMessages.Frame((byte)'Q', [0xe9, 0])), Client(PostgresMessages.Frame((byte)'Q', [0x41, 0xff, 0]))], int.MaxValue).Records;

        Assert.Equal(["é", "Aÿ"], records.OfType<RecordingRecord.Statement>().Select(statement => statement.Text!.Value));
    }

    internal static List<(bool FromClient, byte[] Bytes)> Conversation() =>
    [
        Client(Query("select 1; select 2")),
        Server(Simple('T', 0, 0), Row(), Complete("SELECT 1"), Simple('T', 0, 0), Row(), Complete("SELECT 1"), Ready()),
        Client(Parse("s1", "select $1", 23), Describe('S', "s1"), Bind("p1", "s1", "7"), Execute("p1"), Execute("p1"), Sync()),
        Server(Simple('1'), Simple('t', 0, 1, 0, 0, 0, 23), Simple('T', 0, 0), Simple('2'), Row(), Row(), Simple('s'), Row(), Complete("SELECT 1"), Ready()),
        Client(Parse("", "copy t from stdin"), Bind("", ""), Execute(""), Sync()),
        Server(Simple('1'), Simple('2'), Simple('G', 0, 0, 0)),
        Client(PostgresMessages.Frame((byte)'d', "1\n"u8.ToArray()), PostgresMessages.Frame((byte)'d', "2\n"u8.ToArray()), Simple('c'), Sync()),
        Server(Complete("COPY 2"), Ready()),
        Client(Parse("x", "bad"), Bind("", "x"), Execute(""), Parse("", "good"), Bind("", ""), Execute("")),
        Server(Failure("42601")),
        Client(Parse("", "late"), Bind("", ""), Execute(""), Sync(), Bind("", "s1", "8"), Execute(""), Sync()),
        Server(Ready(), Simple('2'), Row(), Complete("SELECT 1"), Ready()),
        Client(Query("")),
        Server(Simple('I'), Ready()),
        Client(PostgresMessages.Frame((byte)'F', [0, 0, 6, 0x3e, 0, 1, 0, 1, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1, 0, 1])),
        Server(Simple('V', 0, 0, 0, 1, 0x31), Ready()),
        Client(Query("copy t to stdout")),
        Server(Simple('H', 0, 0, 0), PostgresMessages.Frame((byte)'d', "1\n"u8.ToArray()), Simple('c'), Complete("COPY 1"), Ready()),
        Client(PostgresMessages.Frame((byte)'C', "Ss1\0"u8.ToArray()), Simple('H'), Sync()),
        Server(Simple('3'), Ready(), PostgresMessages.Frame((byte)'A', [0, 0, 0, 1, 0x61, 0, 0x62, 0])),
        Client(Query("select pg_sleep(9)")),
    ];

    private static (string Hash, List<RecordingRecord> Records) Replay(IEnumerable<(bool FromClient, byte[] Bytes)> conversation, int size, int cut = 0)
    {
        using var encoder = new RecordingEncoder();
        encoder.SessionStart(Frozen.Noon, Sessions.RecordingTests.Header);
        using var tap = new PostgresTap(encoder, Frozen.Clock, "UTF8");
        foreach (var (fromClient, bytes) in conversation)
        {
            var pieces = cut > 0 && cut < bytes.Length ? [bytes[..cut], bytes[cut..]] : bytes.Chunk(size).ToArray();
            foreach (var piece in pieces)
            {
                _ = fromClient ? tap.FromClient(piece) : tap.FromServer(piece);
            }
        }

        Assert.Null(tap.Violation);
        tap.End();
        var file = new MemoryStream([.. RecordingEncoder.Magic, .. encoder.Pending.Span]);
        var reader = new RecordingReader(file);
        var records = reader.ReadToEnd().ToList();
        Assert.Null(reader.Fault);
        return (Convert.ToHexString(encoder.Head), records);
    }

    private static (bool FromClient, byte[] Bytes) Client(params byte[][] messages) => (true, [.. messages.SelectMany(message => message)]);

    private static (bool FromClient, byte[] Bytes) Server(params byte[][] messages) => (false, [.. messages.SelectMany(message => message)]);

    private static byte[] Simple(char type, params byte[] body) => PostgresMessages.Frame((byte)type, body);

    private static byte[] Query(string sql) => PostgresMessages.Frame((byte)'Q', PostgresMessages.Text(sql));

    private static byte[] Parse(string name, string sql, params int[] types) =>
        PostgresMessages.Frame((byte)'P', [PostgresMessages.Text(name), PostgresMessages.Text(sql), Short(types.Length), .. types.Select(PostgresMessages.Int)]);

    private static byte[] Bind(string portal, string name, params string[] values) =>
        PostgresMessages.Frame((byte)'B', [PostgresMessages.Text(portal), PostgresMessages.Text(name), Short(0), Short(values.Length), .. values.SelectMany(value => new[] { PostgresMessages.Int(value.Length), Encoding.UTF8.GetBytes(value) }), Short(0)]);

    private static byte[] Describe(char kind, string name) => PostgresMessages.Frame((byte)'D', [(byte)kind], PostgresMessages.Text(name));

    private static byte[] Execute(string portal) => PostgresMessages.Frame((byte)'E', PostgresMessages.Text(portal), PostgresMessages.Int(0));

    private static byte[] Sync() => PostgresMessages.Frame((byte)'S');

    private static byte[] Ready() => PostgresMessages.Frame((byte)'Z', "I"u8.ToArray());

    private static byte[] Row() => PostgresMessages.Frame((byte)'D', [0, 1, 0, 0, 0, 1, 0x31]);

    private static byte[] Complete(string tag) => PostgresMessages.Frame((byte)'C', PostgresMessages.Text(tag));

    private static byte[] Failure(string code) => PostgresMessages.Error("ERROR", code, "no", null);

    private static byte[] Short(int value)
    {
        var bytes = new byte[2];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)value);
        return bytes;
    }

    internal sealed class Frozen : TimeProvider
    {
        public static readonly DateTimeOffset Noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

        public static Frozen Clock { get; } = new();

        public override DateTimeOffset GetUtcNow() => Noon;

        public override long GetTimestamp() => 0;
    }
}
