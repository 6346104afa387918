using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using Stint.Core.Sessions;
using Stint.Gateway.Postgres;
using Xunit;

namespace Stint.Tests.Gateway;

/// <summary>Bytes that nobody who means well sends. STINT_FUZZ_MESSAGES=N feeds more of them; STINT_FUZZ_SEED=N begins elsewhere.</summary>
public sealed class PostgresFuzzTests(ITestOutputHelper output)
{
    /// <summary>Messages of one stream: after a wrong length most of what follows is a body, and nothing is learned from it.</summary>
    private const int PerStream = 6;

    private const int StreamsPerBatch = 64;
    private const long MostBeforeLogin = 64 * 1024;

    private static readonly TimeSpan s_longest = TimeSpan.FromMilliseconds(100);
    private static readonly int[] s_lengths = [0, 1, 3, 4, 5, -1, -4, int.MinValue, int.MaxValue, 0x3fffffff, 0x40000000, 0x3ffffffe, 0x0000ffff, 0x00010000, 0x01000000];

    [Fact]
    public void TenMillionMutatedMessages_NeverThrowNorHang_AndLeaveAReadableRecording()
    {
        var goal = Goal(10_000_000);
        var (messages, violations, records) = (0L, 0L, 0L);
        var watch = Stopwatch.StartNew();
        Parallel.For(0, (int)(goal / (PerStream * StreamsPerBatch)) + 1, () => new Sessions(), (batch, _, sessions) =>
        {
            // A batch that took long may have been kept from its processor: only one that takes long each time hangs.
            for (var attempt = 1; ; attempt++)
            {
                sessions.Run(Seed + (ulong)batch, isSampled: batch % 512 == 0);
                if (sessions.Slowest < s_longest)
                {
                    return sessions;
                }

                Assert.True(attempt < 4, $"A message took {sessions.Slowest.TotalMilliseconds:0} ms. Replay: STINT_FUZZ_SEED={Seed + (ulong)batch} STINT_FUZZ_MESSAGES=1");
            }
        }, sessions =>
        {
            Interlocked.Add(ref messages, sessions.Messages);
            Interlocked.Add(ref violations, sessions.Violations);
            Interlocked.Add(ref records, sessions.Records);
        });
        output.WriteLine($"{messages:N0} messages, {violations:N0} streams refused, {records:N0} records, {watch.Elapsed.TotalSeconds:0.0} s");

        Assert.True(messages >= goal, $"{messages} messages");

        // Luck that is never good, or never bad, tests one side only.
        Assert.InRange(violations, goal / PerStream / 20, goal / PerStream);
        Assert.True(records > goal / 4, $"{records} records");
    }

    [Fact]
    public void MutatedLogins_NeverThrow_AndTakeLessThan64KiB()
    {
        var goal = Goal(1_000_000);
        var watch = Stopwatch.StartNew();
        var verifier = TestGate.Verifier("secret");
        byte[][] openings =
        [
            PostgresMessages.Startup(3 << 16, [new("user", "ann"), new("database", "shop"), new("application_name", "psql")]),
            PostgresMessages.Startup((3 << 16) | 2, [new("user", "ann"), new("_pq_.x", "1")]),
            PostgresMessages.CancelRequest(7, [1, 2, 3, 4]),
            [0, 0, 0, 8, 4, 210, 22, 47],
        ];
        byte[][] answers =
        [
            PostgresMessages.Frame((byte)'p', PostgresMessages.Text(PostgresScram.Plain), PostgresMessages.Int(32), "n,,n=,r=fyko+d2lbbFgONRv9qkxdawL"u8.ToArray()),
            PostgresMessages.Frame((byte)'p', "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="u8.ToArray()),
            PostgresMessages.Error("FATAL", "28P01", "password authentication failed", "hint"),
        ];
        Parallel.For(0, (int)(goal / 1000), batch =>
        {
            var luck = new Luck(Seed + (ulong)batch);
            var scratch = new byte[512];
            for (var i = 0; i < 1000; i++)
            {
                var before = GC.GetAllocatedBytesForCurrentThread();
                if (luck.Below(2) == 0)
                {
                    var length = Mutate(luck, openings[luck.Below(openings.Length)], scratch, 0);
                    _ = PostgresMessages.ReadOpening(scratch.AsSpan(0, length));
                }
                else
                {
                    var length = Mutate(luck, answers[luck.Below(answers.Length)], scratch, 1);
                    var read = PostgresMessages.TryRead(new ReadOnlySequence<byte>(scratch, 0, length), 2048, out _, out _, out var message);
                    if (read == ReadResult.Message)
                    {
                        Assert.InRange(message.Body.Length, 0, 2048);
                        var body = message.Body.ToArray();
                        _ = PostgresMessages.ReadError(body);
                        _ = PostgresScram.Answer(PostgresScram.Plain, body, false, verifier, "3rfcNHYJY1ZVvWVs7j");
                        _ = new PostgresScram.ClientSeat(null, false, "fyko+d2lbbFgONRv9qkxdawL").Prove(body, (_, rounds) =>
                        {
                            Assert.True(rounds > 0);
                            return new byte[32];
                        });
                    }
                    else if (length >= 5 && BinaryPrimitives.ReadInt32BigEndian(scratch.AsSpan(1)) is < 4 or > 2052)
                    {
                        Assert.Equal(ReadResult.TooLong, read);
                    }
                }

                var taken = GC.GetAllocatedBytesForCurrentThread() - before;
                Assert.True(taken < MostBeforeLogin, $"{taken} bytes. Replay: STINT_FUZZ_SEED={Seed + (ulong)batch} STINT_FUZZ_MESSAGES=1");
            }
        });
        output.WriteLine($"{goal:N0} packets, {watch.Elapsed.TotalSeconds:0.0} s");
    }

    [Fact]
    public async Task FirstPackets_WithEveryLengthThatIsNone_AreRefusedBeforeAnythingIsHeld()
    {
        foreach (var length in s_lengths.Where(length => length is < 8 or > PostgresMessages.MaxStartup))
        {
            // All of it is there to be read, so nothing waits and all of it happens on this thread.
            var before = GC.GetAllocatedBytesForCurrentThread();
            await using var stream = new MemoryStream([.. PostgresMessages.Int(length), 0, 0, 0, 0]);
            await Assert.ThrowsAsync<PostgresWireException>(async () => await PostgresWire.ReadOpeningAsync(stream, CancellationToken.None));
            await using var framed = new MemoryStream([(byte)'p', .. PostgresMessages.Int(length is >= 4 and < 2052 ? -length : length), 0, 0, 0, 0]);
            await Assert.ThrowsAsync<PostgresWireException>(async () => await PostgresWire.ReadAsync(framed, 2048, CancellationToken.None));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, MostBeforeLogin);
        }
    }

    private static ulong Seed { get; } = ulong.Parse(Environment.GetEnvironmentVariable("STINT_FUZZ_SEED") ?? "20261127", CultureInfo.InvariantCulture);

    private static long Goal(long everyday) =>
        Environment.GetEnvironmentVariable("STINT_FUZZ_MESSAGES") is { } given ? long.Parse(given, CultureInfo.InvariantCulture) : everyday;

    /// <summary>Copies a message and spoils it, in place.</summary>
    /// <param name="lengthAt">Where its length field is.</param>
    /// <returns>How long it is then.</returns>
    private static int Mutate(Luck luck, ReadOnlySpan<byte> message, Span<byte> scratch, int lengthAt)
    {
        message.CopyTo(scratch);
        var length = message.Length;
        for (var times = luck.Below(3); times > 0; times--)
        {
            var at = luck.Below(length);
            switch (luck.Below(8))
            {
                case 0:
                    scratch[at] = (byte)luck.Next();
                    break;
                case 1:
                    scratch[at] ^= (byte)(1 << luck.Below(8));
                    break;
                case 2:
                    // Shorter, and its length field says so: what is inside does not reach its end.
                    length = Math.Max(lengthAt + 4, at);
                    BinaryPrimitives.WriteInt32BigEndian(scratch[lengthAt..], length - lengthAt);
                    break;
                case 3 when length >= lengthAt + 4 && luck.Below(4) == 0:
                    BinaryPrimitives.WriteInt32BigEndian(scratch[lengthAt..], s_lengths[luck.Below(s_lengths.Length)]);
                    break;
                case 4 when at + 4 <= length && at > lengthAt + 4:
                    BinaryPrimitives.WriteInt32BigEndian(scratch[at..], s_lengths[luck.Below(s_lengths.Length)]);
                    break;
                case 5 when at > lengthAt + 4:
                    scratch[at] = 0;
                    break;
                case 6 when length + 16 < scratch.Length && at > lengthAt + 4:
                    // Longer: some bytes stand twice.
                    var more = Math.Min(16, length - at);
                    scratch.Slice(at, length - at).CopyTo(scratch[(at + more)..]);
                    length += more;
                    BinaryPrimitives.WriteInt32BigEndian(scratch[lengthAt..], length - lengthAt);
                    break;
                case 7 when luck.Below(8) == 0:
                    length = Math.Max(1, at);
                    break;
                default:
                    break;
            }
        }

        return length;
    }

    /// <summary>Feeds streams of spoiled messages, each to a session of its own.</summary>
    private sealed class Sessions
    {
        private static readonly (bool FromClient, byte[] Bytes)[] s_messages = [.. PostgresTapTests.Conversation().SelectMany(step => Cut(step.Bytes).Select(message => (step.FromClient, message)))];

        private readonly byte[] _scratch = new byte[4096];

        public long Messages { get; private set; }

        public long Violations { get; private set; }

        public long Records { get; private set; }

        public TimeSpan Slowest { get; private set; }

        public void Run(ulong seed, bool isSampled)
        {
            var luck = new Luck(seed);
            Slowest = TimeSpan.Zero;
            for (var stream = 0; stream < StreamsPerBatch; stream++)
            {
                using var encoder = new RecordingEncoder();
                using var tap = new PostgresTap(encoder, PostgresTapTests.Frozen.Clock, "UTF8");
                var began = Stopwatch.GetTimestamp();

                // From somewhere in a real conversation, so that what a message answers to is mostly there.
                var at = luck.Below(s_messages.Length);
                for (var i = 0; i < PerStream; i++, at = (at + 1) % s_messages.Length)
                {
                    var (fromClient, message) = s_messages[at];
                    var length = Mutate(luck, message, _scratch, 1);
                    var boundary = fromClient ? tap.FromClient(_scratch.AsSpan(0, length)) : tap.FromServer(_scratch.AsSpan(0, length));
                    if (boundary < 0 || boundary > length)
                    {
                        Assert.Fail($"A boundary of {boundary} in {length} bytes. Replay: STINT_FUZZ_SEED={seed} STINT_FUZZ_MESSAGES=1");
                    }

                    Messages++;
                }

                var refused = tap.Violation is not null;
                tap.End();
                Violations += refused ? 1 : 0;
                Records += encoder.Records;
                Slowest = Max(Slowest, Stopwatch.GetElapsedTime(began));
                if (isSampled)
                {
                    Readable(encoder);
                }
            }
        }

        private static void Readable(RecordingEncoder encoder)
        {
            using var file = new MemoryStream([.. RecordingEncoder.Magic, .. encoder.Pending.Span]);
            var reader = new RecordingReader(file);
            while (reader.Next() is not null)
            {
            }

            Assert.Null(reader.Fault);
            Assert.Equal(encoder.Records, reader.Records);
        }

        private static IEnumerable<byte[]> Cut(byte[] bytes)
        {
            for (var at = 0; at < bytes.Length;)
            {
                var length = 1 + BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(at + 1));
                yield return bytes[at..(at + length)];
                at += length;
            }
        }

        private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;
    }

    /// <summary>SplitMix64: the same seed is the same luck for years.</summary>
    private sealed class Luck(ulong seed)
    {
        private ulong _state = seed * 0x9E3779B97F4A7C15;

        public ulong Next()
        {
            _state += 0x9E3779B97F4A7C15;
            var z = _state;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }

        public int Below(int bound) => (int)((Next() >> 32) * (ulong)bound >> 32);
    }
}
