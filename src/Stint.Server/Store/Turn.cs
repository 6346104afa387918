namespace Stint.Server.Store;

/// <summary>One write that stands in line.</summary>
internal abstract class Turn
{
    private Exception? _failure;

    /// <summary>Whether it failed alone, its own changes undone.</summary>
    public bool Failed => _failure is not null;

    /// <summary>Says that its time has come. False when its caller went away first.</summary>
    public abstract bool Begins();

    /// <summary>Runs it, perhaps again.</summary>
    public Task RunAsync(Work work)
    {
        _failure = null;
        return ActAsync(work);
    }

    /// <summary>Notes that it failed alone.</summary>
    public void Fails(Exception failure) => _failure = failure;

    /// <summary>Tells its caller what came of it, now that it is durable.</summary>
    public void Answered()
    {
        if (_failure is { } failure)
        {
            Fail(failure);
        }
        else
        {
            Succeed();
        }
    }

    /// <summary>Tells its caller that it did not happen.</summary>
    public abstract void Fail(Exception failure);

    private protected abstract Task ActAsync(Work work);

    private protected abstract void Succeed();
}

/// <inheritdoc/>
internal sealed class Turn<T>(Func<Work, Task<T>> act, CancellationToken cancellation) : Turn
{
    // NB. The caller goes on elsewhere: what it does next must not run inside the commit of others.
    private readonly TaskCompletionSource<T> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private T? _result;

    public Task<T> Answer => _answer.Task;

    public override bool Begins()
    {
        if (cancellation.IsCancellationRequested)
        {
            _answer.TrySetCanceled(cancellation);
            return false;
        }

        return true;
    }

    public override void Fail(Exception failure) => _answer.TrySetException(failure);

    private protected override async Task ActAsync(Work work) => _result = await act(work);

    private protected override void Succeed() => _answer.TrySetResult(_result!);
}
