using System.Text;
using Stint.Core;
using Stint.Core.Policies;
using Stint.Core.Sessions;
using Xunit;

namespace Stint.Tests.Sessions;

public sealed class RecordingTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    internal static RecordingHeader Header { get; } = new(
        new SessionId("ses-000000000001"),
        new SubjectId("ann"),
        new RoleRef("orders-db", "read-only"),
        new GrantId("gr-000000000001"),
        new RequestId("req-000000000001"),
        "postgres",
        "ann-7xk2m9qa",
        "shop",
        "psql",
        "127.0.0.1:4711",
        true,
        "node-1",
        RecordMode.Strict,
        Noon.AddHours(1));

    [Fact]
    public void Write_ThenRead_GivesBackEveryRecord()
    {
        var (bytes, head) = Sample();
        var reader = new RecordingReader(new MemoryStream(bytes));

        var records = reader.ReadToEnd().ToList();

        Assert.Null(reader.Fault);
        Assert.False(reader.Torn);
        Assert.Equal(head.Records, reader.Records);
        Assert.Equal(head.Bytes, reader.Bytes);
        Assert.Equal(Header, Assert.IsType<RecordingRecord.SessionStart>(records[0]).Header);
        var simple = Assert.IsType<RecordingRecord.Statement>(records[1]);
        Assert.Equal("select 'é'", simple.Text!.Value);
        var executed = Assert.IsType<RecordingRecord.Statement>(records[5]);
        Assert.Equal("select $1", executed.Text!.Value);
        Assert.Equal("s1", executed.Name);
        Assert.Equal(new RecordedParameter("int4", "7", 1, false), Assert.Single(executed.Parameters));
        var failed = Assert.IsType<RecordingRecord.Result>(records[6]);
        Assert.Equal(new RecordedError("22012", "division by zero"), failed.Error);
        Assert.Equal(TimeSpan.FromMicroseconds(1500), failed.Duration);
        Assert.Equal(2, head.Statements);
    }

    [Fact]
    public void Statements_SeveralInOneTextAndAPortalInParts_AreCountedAsTheDatabaseDoes()
    {
        using var encoder = new RecordingEncoder();
        encoder.SessionStart(Noon, Header);
        var three = encoder.Simple(Noon, new EncodedText("select 1; select 2; select 3"u8, 28, default, false, ""));
        for (var index = 0; index < 3; index++)
        {
            encoder.Result(Noon, three, index, StatementOutcome.Completed, 1, 1, "SELECT 1"u8, default, default);
        }

        var begun = encoder.Execute(Noon, ""u8, 0, 0);
        encoder.Result(Noon, begun, 0, StatementOutcome.Suspended, 1, 10, default, default, default);
        var rest = encoder.Execute(Noon, ""u8, 0, begun);
        encoder.Result(Noon, rest, 0, StatementOutcome.Completed, 1, 5, "SELECT 5"u8, default, default);
        using var file = new MemoryStream();
        file.Write(RecordingEncoder.Magic);
        file.Write(encoder.Pending.Span);
        file.Position = 0;
        var reader = new RecordingReader(file);

        Assert.Equal(9, reader.ReadToEnd().Count());

        Assert.Equal(4, encoder.Statements);
        Assert.Equal(4, reader.Statements);
    }

    [Fact]
    public void Verify_AnyByteChanged_IsFoundAndNamed()
    {
        var (bytes, head) = Sample();
        for (var at = 0; at < bytes.Length; at++)
        {
            var changed = bytes.ToArray();
            changed[at] ^= 0x40;

            var finding = RecordingCheck.Verify(new MemoryStream(changed), [head]);

            Assert.False(finding.Sound, $"byte {at}");
        }
    }

    [Fact]
    public void Verify_CutAtAnyPlace_IsFoundAgainstItsAnchor()
    {
        var (bytes, head) = Sample();
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.False(RecordingCheck.Verify(new MemoryStream(bytes[..length]), [head]).Sound, $"length {length}");
        }
    }

    [Fact]
    public void Verify_RewrittenWithANewChain_IsFoundAgainstItsAnchor()
    {
        var (_, head) = Sample();
        var (forged, _) = Sample("select 'forged'");

        Assert.True(RecordingCheck.Verify(new MemoryStream(forged), []).Sound);
        Assert.False(RecordingCheck.Verify(new MemoryStream(forged), [head]).Sound);
    }

    [Fact]
    public void Verify_TornTail_SaysWhereItEnds()
    {
        var (bytes, _) = Sample();

        var finding = RecordingCheck.Verify(new MemoryStream([.. bytes, 9, 0, 0, 0, 1, 2]), []);

        Assert.True(finding.Sound);
        Assert.Equal(6, finding.TornBytes);
        Assert.Equal(bytes.Length, finding.Bytes);
    }

    [Fact]
    public void Verify_RoomReservedBehindTheRecords_IsNoTornRecord()
    {
        var (bytes, head) = Sample();

        var finding = RecordingCheck.Verify(new MemoryStream([.. bytes, .. new byte[9000]]), [head]);

        Assert.True(finding.Sound, finding.Because);
        Assert.Equal(0, finding.TornBytes);
        Assert.Equal(bytes.Length, finding.Bytes);
    }

    [Fact]
    public void Verify_WriterDiedWhileItCopiedIntoReservedRoom_SaysHowFarItCame()
    {
        var (bytes, _) = Sample();

        var finding = RecordingCheck.Verify(new MemoryStream([.. bytes, 0, 0, 0, 0, 1, 2, .. new byte[9000]]), []);

        Assert.True(finding.Sound, finding.Because);
        Assert.Equal(6, finding.TornBytes);
    }

    [Fact]
    public void Verify_APageNeverReachedTheDisk_EndsThere_AndIsFoundAgainstItsAnchor()
    {
        var (bytes, head) = Sample(new string('x', 10_000));
        bytes.AsSpan(4096, 4096).Clear();

        Assert.True(RecordingCheck.Verify(new MemoryStream(bytes), []).TornBytes > 0);
        Assert.True(RecordingCheck.Verify(new MemoryStream(bytes), []).Sound);
        Assert.False(RecordingCheck.Verify(new MemoryStream(bytes), [head]).Sound);
    }

    [Fact]
    public void Next_ReservedRoomFills_GoesOn()
    {
        var (bytes, head) = Sample();
        var path = Path.GetTempFileName();
        try
        {
            using var writer = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            writer.SetLength(bytes.Length + 4096);
            var magic = RecordingEncoder.Magic.Length;
            writer.Write(bytes.AsSpan(0, magic));
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var reader = new RecordingReader(file);
            Assert.Null(reader.Next());
            Assert.True(reader.Reserved);
            writer.Write(bytes.AsSpan(magic));

            Assert.Equal(head.Records, reader.ReadToEnd().Count());

            Assert.Null(reader.Fault);
            Assert.True(reader.Reserved);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Next_FileGrows_GoesOn()
    {
        var (bytes, head) = Sample();
        var file = new MemoryStream();
        var reader = new RecordingReader(file);
        var records = 0;
        foreach (var value in bytes)
        {
            var position = file.Position;
            file.Position = file.Length;
            file.WriteByte(value);
            file.Position = position;
            records += reader.Next() is null ? 0 : 1;
        }

        Assert.Equal(head.Records, records);
        Assert.Null(reader.Fault);
    }

    [Theory]
    [InlineData("ALTER ROLE x PASSWORD 'hush'", "ALTER ROLE x PASSWORD '***'")]
    [InlineData("create user x with password E'hu\\'sh' login", "create user x with password E'***' login")]
    [InlineData("alter role x password 'a''b'; select 'hush'", "alter role x password '***'; select 'hush'")]
    [InlineData("alter role x password /* c /* d */ */ $q$hush$q$", "alter role x password /* c /* d */ */ '***'")]
    [InlineData("alter role x password -- c\n U&'hush' UESCAPE '!'", "alter role x password -- c\n U&'***' UESCAPE '!'")]
    [InlineData("do $$ begin execute 'alter role x password ''hush'' valid until ''2030'''; end $$", "do $$ begin execute 'alter role x password '***' valid until ''2030'''; end $$")]
    [InlineData("create user mapping for x server y options (user 'u', password 'hush')", "create user mapping for x server y options (user 'u', password '***')")]
    [InlineData("alter role x password 'never ends", "alter role x password '***'")]
    [InlineData("alter role x password '' login", "alter role x password '***' login")]
    [InlineData("select * from t where user_password='hush'", "select * from t where user_password='***'")]
    public void Mask_Passwords_AreReplaced(string text, string masked) =>
        Assert.Equal(masked, Encoding.UTF8.GetString(RecordingMask.Apply(Encoding.UTF8.GetBytes(text))!));

    [Theory]
    [InlineData("select password from users")]
    [InlineData("alter role x password null")]
    [InlineData("select passwords 'x'")]
    public void Mask_NoPassword_LeavesTheText(string text) => Assert.Null(RecordingMask.Apply(Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData("select * from orders", "orders", true)]
    [InlineData("select * from public . Orders o", "public.orders", true)]
    [InlineData("select * from public.orders", "orders", true)]
    [InlineData("select * from \"Orders\"", "orders", false)]
    [InlineData("select * from \"Orders\"", "\"Orders\"", true)]
    [InlineData("select 'orders' -- orders\n /* orders */", "orders", false)]
    [InlineData("select E'\\' orders '", "orders", false)]
    [InlineData("do $$ begin delete from orders; end $$", "orders", true)]
    [InlineData("select * from my_orders", "orders", false)]
    [InlineData("select 1orders", "orders", false)]
    public void Table_IsFoundOutsideStringsAndComments(string sql, string table, bool found)
    {
        var statement = new RecordingRecord.Statement(1, Noon, StatementProtocol.Simple, new RecordedText(sql, sql.Length, false, null, false), "", "", [], 0, 0, 0, 0);

        Assert.Equal(found, RecordingSearch.Fits(statement, new RecordingQuery(null, table, null, null)));
    }

    [Fact]
    public void Find_TextInAParameter_ComesWithItsResult()
    {
        var (bytes, _) = Sample();

        var hit = Assert.Single(RecordingSearch.Find(new RecordingReader(new MemoryStream(bytes)), new RecordingQuery("$1", null, Noon, null)));

        Assert.Equal(6, hit.Statement.Seq);
        Assert.Equal(StatementOutcome.Failed, Assert.Single(hit.Results).Outcome);
    }

    [Fact]
    public void Json_EveryRecord_IsAnObjectWithSeqAtAndType()
    {
        var (bytes, _) = Sample();
        foreach (var record in new RecordingReader(new MemoryStream(bytes)).ReadToEnd())
        {
            using var stream = new MemoryStream();
            using (var writer = new System.Text.Json.Utf8JsonWriter(stream))
            {
                RecordingJson.Write(writer, record);
            }

            using var json = System.Text.Json.JsonDocument.Parse(stream.ToArray());
            Assert.Equal(record.Seq, json.RootElement.GetProperty("seq").GetInt64());
            Assert.Equal(RecordingJson.TypeOf(record), json.RootElement.GetProperty("type").GetString());
        }
    }

    private static (byte[] Bytes, RecordingHead Head) Sample(string first = "select 'é'")
    {
        using var encoder = new RecordingEncoder();
        using var parameters = new RecordingParameters();
        var file = new MemoryStream();
        file.Write(RecordingEncoder.Magic);
        encoder.SessionStart(Noon, Header);
        var text = Encoding.UTF8.GetBytes(first);
        encoder.Simple(Noon, new EncodedText(text, text.Length, default, false, ""));
        encoder.Result(Noon, 2, 0, StatementOutcome.Completed, 10, 1, "SELECT 1"u8, default, default);
        encoder.Prepare(Noon, "s1"u8, new EncodedText("select $1"u8, 9, default, false, ""), [23u]);
        parameters.Begin(23, false, 1);
        parameters.Piece("7"u8);
        encoder.Bind(Noon, ""u8, "s1"u8, 4, parameters);
        encoder.Execute(Noon, ""u8, 5, 0);
        file.Write(encoder.Pending.Span);
        encoder.Taken();
        encoder.Result(Noon, 6, 0, StatementOutcome.Failed, 1500, -1, default, "22012"u8, "division by zero"u8);
        encoder.Copy(Noon, 6, CopyDirection.Out, 100, 3, true);
        encoder.ServerError(Noon, "57P01"u8, "terminating"u8);
        encoder.Cancel(Noon, "127.0.0.1:1");
        encoder.SessionClosed(Noon, SessionEndReason.ClientLeft, null, 10, 20);
        file.Write(encoder.Pending.Span);
        return (file.ToArray(), new RecordingHead("v1/x.rec", encoder.Records, encoder.Bytes, encoder.Head.ToArray(), encoder.Statements));
    }
}
