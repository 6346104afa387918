using System.Text;
using Stint.Core;
using Stint.Core.Grants;
using Stint.Core.Sessions;
using Stint.Server;
using Stint.Server.Sessions;
using Stint.Server.Store;
using Xunit;

namespace Stint.Tests.Sessions;

/// <summary>Reading and searching what was recorded, through the use cases.</summary>
public sealed class RecordingUseCaseTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Read_InParts_GoesThroughALiveRecordingOnce_AndSaysWhenNothingFollows()
    {
        await using var world = await World.NewAsync();
        var session = await AdmittedAsync(world, World.Ann);
        var tape = new Tape(world, session);
        tape.Say(world.Now, "select 1", "select 2", "select 3");
        var first = await ReadAsync(world, World.Ann, session, 1, 4);
        Assert.Equal([1, 2, 3, 4], first.Records.Select(record => record.Seq));
        Assert.Equal(5, first.Next);
        Assert.False(first.Ended);
        var second = await ReadAsync(world, World.Ann, session, first.Next, 100);
        Assert.Equal([5, 6, 7], second.Records.Select(record => record.Seq));
        Assert.False(second.Ended);
        var nothing = await ReadAsync(world, World.Ann, session, second.Next, 100);
        Assert.Empty(nothing.Records);
        Assert.Equal(second.Next, nothing.Next);

        tape.Say(world.Now, "select 4");
        await EndAsync(world, session);
        var last = await ReadAsync(world, World.Ann, session, second.Next, 100);
        Assert.Equal(2, last.Records.Count);
        Assert.True(last.Ended);
    }

    [Fact]
    public async Task Read_WaitingForMore_AnswersWhenItIsWritten()
    {
        await using var world = await World.NewAsync();
        var session = await AdmittedAsync(world, World.Ann);
        var tape = new Tape(world, session);
        tape.Say(world.Now, "select 1");
        var waiting = world.Get<ReadRecording>().ReadAsync(World.Ann, session, 4, 100, TimeSpan.FromSeconds(30), None);
        await PassAsync(world, waiting, () => false, rounds: 5);
        Assert.False(waiting.IsCompleted);
        tape.Say(world.Now, "select 2");
        await PassAsync(world, waiting, () => waiting.IsCompleted, rounds: 1000);
        Assert.Equal(4, Assert.IsType<Outcome<RecordingPart>.Done>(await waiting).Value.Records[0].Seq);

        // Nothing comes: the time is over at last, and not before.
        var began = world.Now;
        var idle = world.Get<ReadRecording>().ReadAsync(World.Ann, session, 6, 100, TimeSpan.FromSeconds(3), None);
        await PassAsync(world, idle, () => idle.IsCompleted, rounds: 1000);
        Assert.Empty(Assert.IsType<Outcome<RecordingPart>.Done>(await idle).Value.Records);
        Assert.True(world.Now - began >= TimeSpan.FromSeconds(3));
    }

    [Fact]
    public async Task Read_CutByACrash_GivesEveryWholeRecord_AndAChangedOneIsSaid()
    {
        await using var world = await World.NewAsync();
        var session = await AdmittedAsync(world, World.Ann);
        var tape = new Tape(world, session);
        tape.Say(world.Now, "select 1", "select 2");
        await EndAsync(world, session);
        tape.Cut(10);
        var torn = await ReadAsync(world, World.Ann, session, 1, 100);
        Assert.Equal(4, torn.Records.Count);
        Assert.True(torn.Ended);
        Assert.Null(torn.Fault);

        tape.Flip();
        var changed = await ReadAsync(world, World.Ann, session, 1, 100);
        Assert.Contains("was changed", changed.Fault, StringComparison.Ordinal);
        Assert.Contains(session, (await SearchAsync(world, World.Ann, new StatementQuery())).Unread);
    }

    [Fact]
    public async Task Read_ByWhoMayNotSeeIt_IsAsIfItWereNotThere()
    {
        await using var world = await World.NewAsync();
        var session = await AdmittedAsync(world, World.Ann);
        new Tape(world, session).Say(world.Now, "select 1");
        foreach (var who in new[] { World.Ann, World.Bob, World.Dave, World.Root })
        {
            Assert.NotEmpty((await ReadAsync(world, who, session, 1, 100)).Records);
        }

        Assert.IsType<Outcome<RecordingPart>.NotFound>(await world.Get<ReadRecording>().ReadAsync(World.Eve, session, 1, 100, default, None));
        Assert.IsType<Outcome<RecordingPart>.NotFound>(await world.Get<ReadRecording>().ReadAsync(new SubjectId("nobody"), session, 1, 100, default, None));
    }

    [Theory]
    [InlineData("../outside.rec")]
    [InlineData("v1/../../outside.rec")]
    [InlineData("/OUTSIDE")]
    public async Task Read_RowThatNamesAFileOutside_OpensNothing(string name)
    {
        await using var world = await World.NewAsync();
        var session = await AdmittedAsync(world, World.Ann);
        var tape = new Tape(world, session);
        tape.Say(world.Now, "select 1");
        var outside = Path.Combine(world.Get<Installation>().DataFolder, "outside.rec");
        File.Copy(tape.File, outside);
        await world.Store.WriteAsync(
            async work =>
            {
                var seen = (await work.FindSessionAsync(session))!;
                return await work.MoveAsync(seen, seen with { Recording = new RecordingHead(name == "/OUTSIDE" ? outside : name, 3, 100, new byte[32], 1) });
            },
            None);
        Assert.Empty((await ReadAsync(world, World.Ann, session, 1, 100)).Records);
        Assert.Empty((await SearchAsync(world, World.Ann, new StatementQuery())).Items);
        await EndAsync(world, session);
        Assert.IsType<Outcome<RecordingPart>.Refused>(await world.Get<ReadRecording>().ReadAsync(World.Ann, session, 1, 100, default, None));
    }

    [Fact]
    public async Task Search_ByTextPersonTableTimeAndResource_AcrossLiveAndEndedSessions()
    {
        await using var world = await World.NewAsync();
        var began = world.Now;
        var anns = await AdmittedAsync(world, World.Ann);
        new Tape(world, anns).Say(world.Now, "select * from orders where note = 'Blue'", "select 1");
        await EndAsync(world, anns);
        world.Time.Advance(TimeSpan.FromMinutes(10));
        var eves = await AdmittedAsync(world, World.Eve);
        new Tape(world, eves).Say(world.Now, "delete from public.orders", "select 'orders'");

        Assert.Equal([eves, eves, anns, anns], (await SearchAsync(world, World.Dave, new StatementQuery())).Items.Select(found => found.Session.Id));
        Assert.Equal(anns, Assert.Single((await SearchAsync(world, World.Dave, new StatementQuery { Text = "BLUE" })).Items).Session.Id);
        Assert.Equal(2, (await SearchAsync(world, World.Dave, new StatementQuery { Table = "orders" })).Items.Count);
        Assert.Equal([eves, eves], (await SearchAsync(world, World.Dave, new StatementQuery { Person = World.Eve })).Items.Select(found => found.Session.Id));
        Assert.Equal([eves, eves], (await SearchAsync(world, World.Dave, new StatementQuery { Since = began.AddMinutes(5) })).Items.Select(found => found.Session.Id));
        Assert.Equal([anns, anns], (await SearchAsync(world, World.Dave, new StatementQuery { Until = began.AddMinutes(5) })).Items.Select(found => found.Session.Id));
        Assert.Empty((await SearchAsync(world, World.Dave, new StatementQuery { Resource = "billing-db" })).Items);

        // Others see their own, and owners what happens at what they own; asking for another person's gives nothing.
        Assert.Equal([anns, anns], (await SearchAsync(world, World.Ann, new StatementQuery())).Items.Select(found => found.Session.Id));
        Assert.Empty((await SearchAsync(world, World.Ann, new StatementQuery { Person = World.Eve })).Items);
        Assert.Empty((await SearchAsync(world, World.Bob, new StatementQuery())).Items);
        Assert.Equal(4, (await SearchAsync(world, World.Bob, new StatementQuery { Resource = "orders-db" })).Items.Count);
    }

    [Fact]
    public async Task Search_PageByPage_WhileSessionsBegin_ShowsEachStatementOnce()
    {
        await using var world = await World.NewAsync();
        var session = await AdmittedAsync(world, World.Ann);
        new Tape(world, session).Say(world.Now, [.. Enumerable.Range(0, 7).Select(i => $"select {i}")]);
        var seen = new List<string>();
        StatementPlace? place = null;
        var pages = 0;
        do
        {
            var page = await world.Get<FindStatements>().FindAsync(World.Ann, new StatementQuery { Person = World.Ann }, 2, place, None);
            seen.AddRange(page.Items.Where(found => found.Session.Id == session).Select(found => found.Hit.Statement.Text!.Value));
            place = page.Next is { } next ? StatementPlace.Parse(next.ToString()) : null;
            if (pages++ == 0)
            {
                // Newer than everything that is shown: it must not shift the place.
                new Tape(world, await AdmittedAsync(world, World.Ann)).Say(world.Now, "select 'new'", "select 'newer'");
            }
        }
        while (place is not null);
        Assert.Equal(Enumerable.Range(0, 7).Select(i => $"select {i}"), seen);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("x.ses-1.0")]
    [InlineData("1.ses-1.-4")]
    [InlineData("1.ses-1.99999999999999999999")]
    public void Place_ThatNobodyGave_IsNone(string text) => Assert.Null(StatementPlace.Parse(text));

    private static async Task PassAsync(World world, Task task, Func<bool> enough, int rounds)
    {
        for (var i = 0; i < rounds && !enough(); i++)
        {
            // The reading goes on on threads of its own between two looks.
            await Task.WhenAny(task, Task.Delay(5));
            world.Time.Advance(TimeSpan.FromMilliseconds(100));
        }
    }

    private static async Task<RecordingPart> ReadAsync(World world, SubjectId who, SessionId session, long from, int limit) =>
        Assert.IsType<Outcome<RecordingPart>.Done>(await world.Get<ReadRecording>().ReadAsync(who, session, from, limit, TimeSpan.Zero, None)).Value;

    private static Task<FoundStatements> SearchAsync(World world, SubjectId who, StatementQuery query) =>
        world.Get<FindStatements>().FindAsync(who, query, 200, null, None);

    private static async Task EndAsync(World world, SessionId session) =>
        await world.Get<SessionGate>().EndedAsync(session, new SessionEnd(SessionEndReason.ClientLeft, null, world.Now, null, 0, 0), None);

    private static async Task<SessionId> AdmittedAsync(World world, SubjectId who)
    {
        var held = await world.Store.ReadAsync(async reads => await reads.LiveGrantsAsync(who), None);
        var open = held.Find(grant => grant.State == GrantState.Open) ?? await world.OpenAsync(who: who);
        var login = Assert.IsType<Outcome<MintedLogin>.Done>(await world.Get<MintLogin>().MintAsync(who, open.Id, None)).Value.Login;
        return Assert.IsType<GateAnswer.Admitted>(await world.Get<SessionGate>().AdmitAsync(new Knock(login, "postgres", null, "psql", "10.0.0.9", true), None)).Session.Id;
    }

    /// <summary>Writes a session's recording where its gateway would.</summary>
    private sealed class Tape : IDisposable
    {
        private readonly RecordingEncoder _encoder = new();

        public Tape(World world, SessionId session)
        {
            File = Path.Combine(world.Get<Installation>().RecordingsFolder, "v1", world.Now.ToString("yyyy'/'MM'/'dd", null), session.Value + ".rec");
            Directory.CreateDirectory(Path.GetDirectoryName(File)!);
            System.IO.File.WriteAllBytes(File, RecordingEncoder.Magic.ToArray());
            _encoder.SessionStart(world.Now, RecordingTests.Header with { Session = session });
            Write();
        }

        public string File { get; }

        public void Say(DateTimeOffset at, params string[] statements)
        {
            foreach (var statement in statements)
            {
                var text = Encoding.UTF8.GetBytes(statement);
                var seq = _encoder.Simple(at, new EncodedText(text, text.Length, default, false, ""));
                _encoder.Result(at, seq, 0, StatementOutcome.Completed, 10, 1, "SELECT 1"u8, default, default);
            }

            Write();
        }

        public void Cut(int bytes)
        {
            using var file = new FileStream(File, FileMode.Open);
            file.SetLength(file.Length - bytes);
        }

        public void Flip()
        {
            using var file = new FileStream(File, FileMode.Open);
            file.Seek(-60, SeekOrigin.End);
            var was = file.ReadByte();
            file.Seek(-1, SeekOrigin.Current);
            file.WriteByte((byte)(was ^ 1));
        }

        public void Dispose() => _encoder.Dispose();

        private void Write()
        {
            using var file = new FileStream(File, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
            file.Write(_encoder.Pending.Span);
            _encoder.Taken();
        }
    }
}
