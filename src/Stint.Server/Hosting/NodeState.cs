namespace Stint.Server.Hosting;

/// <summary>Whether this node takes work, and how it came to stop.</summary>
internal sealed class NodeState : IDisposable
{
    private readonly CancellationTokenSource _draining = new();
    private readonly TaskCompletionSource _stop = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _exitCode;
    private volatile bool _ready;

    /// <summary>Set once everything that must precede the first answer is done.</summary>
    public bool IsReady => _ready && !IsDraining;

    public bool IsDraining => _draining.IsCancellationRequested;

    /// <summary>Ends what only waits (a long poll, an event stream) when the node begins to drain.</summary>
    public CancellationToken Draining => _draining.Token;

    /// <summary>Completes when somebody wants the node to stop.</summary>
    public Task StopWanted => _stop.Task;

    /// <summary>What the process answers with; not 0 once anything fatal happened.</summary>
    public int ExitCode => Volatile.Read(ref _exitCode);

    public void SetReady() => _ready = true;

    public void BeginDrain() => _draining.Cancel();

    /// <summary>Asks for a stop that is nobody's fault.</summary>
    public void Stop() => _stop.TrySetResult();

    /// <summary>Asks for a stop because something broke that nobody caught.</summary>
    public void Fail()
    {
        Interlocked.CompareExchange(ref _exitCode, 1, 0);
        _stop.TrySetResult();
    }

    public void Dispose() => _draining.Dispose();
}
