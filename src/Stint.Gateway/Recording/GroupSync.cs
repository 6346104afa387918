namespace Stint.Gateway.Recording;

/// <summary>Brings files to the disk together: whoever comes while a round is under way shares the next one.</summary>
internal sealed class GroupSync
{
    private readonly Lock _lock = new();
    private Round? _next;
    private bool _running;

    /// <summary>Returns when all that was written to the file before the call is on the disk.</summary>
    /// <exception cref="IOException">It is not, and never will be.</exception>
    public Task SyncAsync(RecordingFile file)
    {
        lock (_lock)
        {
            _next ??= new Round();
            var done = _next.Add(file);
            if (!_running)
            {
                _running = true;
                _ = Task.Run(RunAsync, CancellationToken.None);
            }

            return done;
        }
    }

    private async Task RunAsync()
    {
        while (true)
        {
            Round round;
            lock (_lock)
            {
                if (_next is null)
                {
                    _running = false;
                    return;
                }

                round = _next;
                _next = null;
            }

            await round.RunAsync();
        }
    }

    // The file system commits once for files that ask at the same time: each round asks for all of them at once.
    private sealed class Round
    {
        private readonly Dictionary<RecordingFile, TaskCompletionSource> _files = [];

        public Task Add(RecordingFile file)
        {
            if (!_files.TryGetValue(file, out var done))
            {
                _files[file] = done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            return done.Task;
        }

        public async Task RunAsync()
        {
            if (_files.Count == 1)
            {
                var (file, done) = _files.First();
                SyncOne(file, done);
                return;
            }

            await Parallel.ForEachAsync(_files, new ParallelOptions { MaxDegreeOfParallelism = 8 }, (pair, _) =>
            {
                SyncOne(pair.Key, pair.Value);
                return ValueTask.CompletedTask;
            });
        }

        private static void SyncOne(RecordingFile file, TaskCompletionSource done)
        {
            try
            {
                file.Sync();
                done.SetResult();
            }
            catch (Exception failed) when (failed is IOException or ObjectDisposedException or UnauthorizedAccessException)
            {
                done.SetException(new IOException("A recording could not be brought to the disk.", failed));
            }
        }
    }
}
