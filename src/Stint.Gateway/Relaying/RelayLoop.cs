using System.Buffers;
using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Microsoft.Win32.SafeHandles;

namespace Stint.Gateway.Relaying;

/// <summary>A thread that waits for many sockets and goes on, itself, with what waited for them. Linux.</summary>
/// <remarks>
/// The runtime's own sockets hand every arrival from the thread that heard of it to one of the pool: on few cores, that and
/// the pool's spinning cost several times what carrying a query costs. Here the thread that hears carries. So nothing that
/// waits for anything but a socket may run on it; see <see cref="LoopStream.Inline"/>.
/// </remarks>
[SupportedOSPlatform("linux")]
internal sealed unsafe class RelayLoop : IDisposable
{
    /// <summary>Size of <see cref="Scratch"/>, at least.</summary>
    public const int ScratchSize = 32 * 1024;

    private const int Batch = 128;
    private const uint Interest = LibC.In | LibC.Out | LibC.PeerHungUp | LibC.EdgeTriggered;

    private readonly ConcurrentDictionary<long, LoopStream> _streams = new();
    private readonly int _epoll;
    private readonly SafeFileHandle _wake;
    private readonly Action<Exception>? _broken;
    private readonly Thread _thread;
    private List<LoopStream> _again = [];
    private List<LoopStream> _nowAgain = [];
    private long _lastToken;
    private volatile bool _disposed;

    /// <param name="broken">Told of what a stream threw, which is closed then; null for nobody.</param>
    /// <exception cref="IOException">The system has no descriptor left.</exception>
    public RelayLoop(Action<Exception>? broken = null)
    {
        _broken = broken;
        _epoll = LibC.EpollCreate(LibC.CloseOnExec);
        if (_epoll < 0)
        {
            throw LibC.Failure(Marshal.GetLastPInvokeError());
        }

        _wake = new SafeFileHandle(LibC.EventFd(0, LibC.CloseOnExec | LibC.NonBlocking), ownsHandle: true);
        if (_wake.IsInvalid || !Control(LibC.ControlAdd, _wake, 0, LibC.In))
        {
            var failed = Marshal.GetLastPInvokeError();
            _ = LibC.Close(_epoll);
            throw LibC.Failure(failed);
        }

        _thread = new Thread(Run) { IsBackground = true, Name = "relay" };
        _thread.Start();
    }

    /// <summary>What this thread reads into, one arrival after the other. From this thread only.</summary>
    public byte[] Scratch { get; private set; } = ArrayPool<byte>.Shared.Rent(ScratchSize);

    /// <summary>Gives the scratch away, with what is in it; another takes its place. Goes to the shared pool when it is used up.</summary>
    public byte[] TakeScratch()
    {
        var taken = Scratch;
        Scratch = ArrayPool<byte>.Shared.Rent(ScratchSize);
        return taken;
    }

    /// <summary>Whether the caller is this thread.</summary>
    public bool IsCurrent => Thread.CurrentThread == _thread;

    /// <summary>Watches a socket until <see cref="Remove"/>.</summary>
    /// <returns>What names it here; never 0.</returns>
    /// <exception cref="IOException">It cannot be watched.</exception>
    public long Add(LoopStream stream, SafeSocketHandle socket)
    {
        var token = Interlocked.Increment(ref _lastToken);
        _streams[token] = stream;
        if (!Control(LibC.ControlAdd, socket, token, Interest))
        {
            var failed = Marshal.GetLastPInvokeError();
            _streams.TryRemove(token, out _);
            throw LibC.Failure(failed);
        }

        return token;
    }

    /// <summary>Watches it no more. Before the socket is closed.</summary>
    public void Remove(long token, SafeSocketHandle socket)
    {
        _streams.TryRemove(token, out _);
        try
        {
            Control(LibC.ControlDelete, socket, 0, 0);
        }
        catch (ObjectDisposedException)
        {
            // Closed already: the system forgot it then.
        }
    }

    /// <summary>Comes back to a stream after the others had their turn. From this thread only.</summary>
    public void ComeBack(LoopStream stream) => _again.Add(stream);

    /// <summary>Ends the thread, without waiting for it: it may be the caller.</summary>
    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            var one = 1UL;
            LibC.Write(_wake, (byte*)&one, sizeof(ulong));
        }
    }

    private bool Control(int operation, SafeHandle socket, long token, uint events)
    {
        var change = stackalloc byte[16];
        *(uint*)change = events;
        Marshal.WriteInt64((nint)(change + LibC.EventData), token);
        return LibC.EpollControl(_epoll, operation, socket, change) == 0;
    }

    // NB. Nothing may escape from this thread: it would end the process, and with it everybody's session. What breaks is one
    // stream, and so its session ends.
    private void GoOn(LoopStream stream, uint events)
    {
        try
        {
            stream.Ready(events);
        }
        catch (Exception unforeseen)
        {
            _broken?.Invoke(unforeseen);
            stream.Dispose();
        }
    }

    private void Run()
    {
        var events = (byte*)NativeMemory.Alloc((nuint)(Batch * LibC.EventSize));
        try
        {
            while (!_disposed)
            {
                var count = LibC.EpollWait(_epoll, events, Batch, _again.Count > 0 ? 0 : -1);
                for (var at = 0; at < count; at++)
                {
                    var one = events + (at * LibC.EventSize);
                    if (_streams.TryGetValue(Marshal.ReadInt64((nint)(one + LibC.EventData)), out var stream))
                    {
                        GoOn(stream, *(uint*)one);
                    }
                }

                (_nowAgain, _again) = (_again, _nowAgain);
                foreach (var stream in _nowAgain)
                {
                    GoOn(stream, LibC.In);
                }

                _nowAgain.Clear();
            }
        }
        finally
        {
            // Whoever still waits is told by its own disposal: a gateway disposes its loops after its sessions.
            NativeMemory.Free(events);
            _wake.Dispose();
            _ = LibC.Close(_epoll);
        }
    }
}
