using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using Stint.Gateway.Relaying;
using Xunit;

namespace Stint.Tests.Gateway;

/// <summary>A socket read and written through a loop of our own.</summary>
[SupportedOSPlatform("linux")]
public sealed class LoopStreamTests : IDisposable
{
    private readonly RelayLoop _loop = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Echo_MegabytesBothWays_ComeWholeAndInOrder(bool inline)
    {
        var (near, far) = await PairAsync();
        using var socket = near;
        await using var stream = new LoopStream(_loop, near.SafeHandle) { Inline = inline };
        var sent = new byte[5_000_000];
        new Random(7).NextBytes(sent);
        var echo = EchoAsync(stream);
        var writing = far.SendAsync(sent);
        var back = await DoorTests.ReadAsync(far, sent.Length);
        Assert.Equal(sent.Length, await writing);
        Assert.True(sent.AsSpan().SequenceEqual(back));
        far.Shutdown(SocketShutdown.Send);
        await echo.WaitAsync(TimeSpan.FromSeconds(10));
        far.Dispose();
    }

    [Fact]
    public async Task Inline_ContinuationsRunOnTheLoopsThread()
    {
        var (near, far) = await PairAsync();
        using var socket = near;
        using var other = far;
        await using var stream = new LoopStream(_loop, near.SafeHandle) { Inline = true };
        var heard = Task.Run(async () =>
        {
            _ = await stream.ReadAsync(Memory<byte>.Empty, CancellationToken.None);
            return _loop.IsCurrent;
        });
        await Task.Delay(100);
        await far.SendAsync(new byte[] { 1 });
        Assert.True(await heard.WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task Greedy_OneSocketNeverDry_DoesNotKeepTheOthersWaiting()
    {
        var (greedy, feeder) = await PairAsync();
        var (modest, asker) = await PairAsync();
        using var sockets = greedy;
        using var more = modest;
        using var far = asker;
        await using var flood = new LoopStream(_loop, greedy.SafeHandle) { Inline = true };
        await using var quiet = new LoopStream(_loop, modest.SafeHandle) { Inline = true };
        _ = Task.Run(async () =>
        {
            var sink = new byte[16];
            while (await flood.ReadAsync(sink) > 0)
            {
            }
        });
        _ = EchoAsync(quiet);
        _ = Task.Run(async () =>
        {
            var much = new byte[1 << 20];
            while (await feeder.SendAsync(much) > 0)
            {
            }
        });
        await Task.Delay(200);
        for (var round = 0; round < 20; round++)
        {
            await far.SendAsync(new byte[] { 42 });
            Assert.Equal(42, (await DoorTests.ReadAsync(far, 1).WaitAsync(TimeSpan.FromSeconds(5)))[0]);
        }

        feeder.Dispose();
    }

    [Fact]
    public async Task Dispose_WhoWaitsHearsOfIt()
    {
        var (near, far) = await PairAsync();
        using var socket = near;
        using var other = far;
        var stream = new LoopStream(_loop, near.SafeHandle) { Inline = true };
        var waiting = stream.ReadAsync(new byte[1]).AsTask();
        await stream.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting.WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task Cancel_TheReadEnds_AndTheNextOneLosesNothing()
    {
        var (near, far) = await PairAsync();
        using var socket = near;
        using var other = far;
        await using var stream = new LoopStream(_loop, near.SafeHandle);
        using var cancel = new CancellationTokenSource(50);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stream.ReadAsync(new byte[1], cancel.Token).AsTask().WaitAsync(TimeSpan.FromSeconds(10)));
        await far.SendAsync(new byte[] { 9 });
        var one = new byte[1];
        Assert.Equal(9, await stream.PeekAsync(CancellationToken.None));
        Assert.Equal(1, await stream.ReadAsync(one).AsTask().WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal(9, one[0]);
    }

    [Fact]
    public async Task SecondWriter_IsRefused_BeforeAByteOfItIsSent()
    {
        var (near, far) = await PairAsync();
        using var socket = near;
        using var other = far;
        await using var stream = new LoopStream(_loop, near.SafeHandle);
        var first = new byte[20_000_000];
        var writing = stream.WriteAsync(first).AsTask();
        Assert.False(writing.IsCompleted);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await stream.WriteAsync(new byte[] { 1 }));
        Assert.DoesNotContain((byte)1, await DoorTests.ReadAsync(far, first.Length));
        await writing.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(0, far.Available);
    }

    [Fact]
    public async Task Connect_NobodyListens_Fails()
    {
        using var taken = new Socket(SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var to = new IPEndPoint(IPAddress.Loopback, ((IPEndPoint)taken.LocalEndPoint!).Port);
        await Assert.ThrowsAnyAsync<IOException>(() => LoopStream.ConnectAsync(_loop, to, CancellationToken.None));
    }

    [Fact]
    public async Task Carry_EachArrival_IsCarriedOnTheLoopsThread_UntilTheCarrierHasEnough()
    {
        var (near, far) = await PairAsync();
        using var socket = near;
        using var other = far;
        await using var stream = new LoopStream(_loop, near.SafeHandle) { Inline = true };
        var carrier = new Counting(_loop, enough: 1000);
        await far.SendAsync(new byte[10]);
        _ = await stream.ReadAsync(new byte[10]);

        var carried = stream.CarryAsync(carrier).AsTask();
        for (var round = 0; round < 1000; round++)
        {
            Assert.False(carried.IsCompleted);
            await far.SendAsync(new byte[] { 7 });
        }

        await carried.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(1000, carrier.Bytes);
        Assert.True(carrier.AlwaysOnTheLoop);
        await far.SendAsync(new byte[] { 8 });
        Assert.Equal(1, await stream.ReadAsync(new byte[2]).AsTask().WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task Carry_SomethingIsThereAlready_IsNotLeftLying()
    {
        var (near, far) = await PairAsync();
        using var socket = near;
        using var other = far;
        await using var stream = new LoopStream(_loop, near.SafeHandle) { Inline = true };
        await far.SendAsync(new byte[] { 9 });
        while (near.Available == 0)
        {
            await Task.Delay(5);
        }

        await stream.CarryAsync(new Counting(_loop, enough: 1)).AsTask().WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Carry_Closed_WhoWaitsHearsOfIt()
    {
        var (near, far) = await PairAsync();
        using var socket = near;
        using var other = far;
        var stream = new LoopStream(_loop, near.SafeHandle) { Inline = true };
        var carried = stream.CarryAsync(new Counting(_loop, enough: int.MaxValue)).AsTask();
        await far.SendAsync(new byte[100]);

        await stream.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => carried.WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task Carry_ThrowsWhatNobodyForesaw_ThatStreamIsClosed_AndTheOthersGoOn()
    {
        var told = new TaskCompletionSource<Exception>();
        using var loop = new RelayLoop(told.SetResult);
        var (near, far) = await PairAsync();
        using var socket = near;
        using var other = far;
        await using var broken = new LoopStream(loop, near.SafeHandle) { Inline = true };
        var (near2, far2) = await PairAsync();
        using var socket2 = near2;
        using var other2 = far2;
        await using var whole = new LoopStream(loop, near2.SafeHandle) { Inline = true };
        _ = broken.CarryAsync(new Throwing()).AsTask();
        var reading = whole.ReadAsync(new byte[10]).AsTask();

        await far.SendAsync(new byte[1]);
        Assert.IsType<NotSupportedException>(await told.Task.WaitAsync(TimeSpan.FromSeconds(10)));
        await far2.SendAsync(new byte[3]);

        Assert.Equal(3, await reading.WaitAsync(TimeSpan.FromSeconds(10)));
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => _ = await broken.ReadAsync(new byte[1]));
    }

    public void Dispose() => _loop.Dispose();

    private sealed class Throwing : ILoopCarrier
    {
        public bool Carry(LoopStream from) => throw new NotSupportedException("nobody foresaw this");
    }

    private sealed class Counting(RelayLoop loop, int enough) : ILoopCarrier
    {
        public int Bytes { get; private set; }

        public bool AlwaysOnTheLoop { get; private set; } = true;

        public bool Carry(LoopStream from)
        {
            AlwaysOnTheLoop &= loop.IsCurrent;
            try
            {
                while (from.Receive(loop.Scratch) is var got and > 0)
                {
                    Bytes += got;
                }
            }
            catch (ObjectDisposedException)
            {
                return false;
            }

            return Bytes < enough;
        }
    }

    private static async Task EchoAsync(LoopStream stream)
    {
        var buffer = new byte[32 * 1024];
        while (await stream.ReadAsync(buffer) is var read and > 0)
        {
            await stream.WriteAsync(buffer.AsMemory(0, read));
        }
    }

    private static async Task<(Socket Near, Socket Far)> PairAsync()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        var accepting = listener.AcceptSocketAsync();
        await far.ConnectAsync(listener.LocalEndpoint);
        return (await accepting, far);
    }
}
