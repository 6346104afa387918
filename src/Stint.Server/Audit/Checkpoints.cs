using System.Text.Json;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Stint.Core.Audit;
using Stint.Server.Store;

namespace Stint.Server.Audit;

/// <summary>The store's log is not the one that this machine has a signed head of. Nothing may be served on it.</summary>
internal sealed class LogTamperedException(string message) : Exception(message);

/// <summary>Signs the log's head, keeps it, and witnesses it in a file beside the store.</summary>
/// <remarks>
/// Whoever can write the database can cut the log's end off together with its heads. The file <c>heads.log</c> is a
/// second place that they would have to reach: at the start, a log that is shorter than its last head, or another one,
/// is refused.
/// </remarks>
internal sealed class Checkpoints(StintStore store, CheckpointSigner signer, Installation installation, TimeProvider clock) : IDisposable
{
    /// <summary>Name of the witness file in the data folder: one signed head per line, as a JSON text.</summary>
    public const string WitnessName = "heads.log";

    private const long MostBytes = 1024 * 1024;

    private readonly SemaphoreSlim _one = new(1, 1);

    /// <summary>The log's public key.</summary>
    public CheckpointKey Key => signer.Key;

    private string WitnessPath => Path.Combine(installation.DataFolder, WitnessName);

    /// <summary>A signed head of the log as it stands; the one that stands already when the log has not grown.</summary>
    public async Task<SignedCheckpoint> SignAsync(CancellationToken cancellation)
    {
        await _one.WaitAsync(cancellation);
        try
        {
            var (head, last) = await store.ReadAsync(async reads => (await reads.LogHeadAsync(), await reads.LastCheckpointAsync()), cancellation);
            if (last is not null && last.Head.Size == head.Size && last.Head.Root == head.Root)
            {
                return last;
            }

            var signed = signer.Sign(head.Size, head.Root);
            await store.WriteAsync(async work => await work.InsertAsync(signed, clock.Now()), cancellation);
            await WitnessAsync(signed, cancellation);
            return signed;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Holds the store's log against the last head that this machine witnessed.</summary>
    /// <exception cref="LogTamperedException">It is shorter, or another one.</exception>
    public async Task CheckWitnessAsync(CancellationToken cancellation)
    {
        if (await LastWitnessedAsync(cancellation) is not { } witnessed)
        {
            return;
        }

        if (signer.Key.Refusal(witnessed) is { } why)
        {
            throw new LogTamperedException($"The last head in {WitnessPath} does not count: {why}. Either the file or the store's signing key is not this installation's. {WayOut}");
        }

        var head = witnessed.Head;
        var (now, root) = await store.ReadAsync(
            async reads =>
            {
                var log = await reads.LogHeadAsync();
                try
                {
                    return (log, log.Size >= head.Size ? await MerkleProofs.RootAsync(reads, head.Size, cancellation) : (TreeHash?)null);
                }
                catch (InvalidDataException)
                {
                    throw new LogTamperedException($"The audit log is not whole: {await FirstFaultAsync(reads, witnessed, cancellation)} {WayOut}");
                }
            },
            cancellation);
        if (root is null)
        {
            throw new LogTamperedException($"The audit log has {now.Size} facts, and this machine holds a signed head of {head.Size}: its end was cut off, or an older copy of the store was put in its place. {WayOut}");
        }

        if (root != head.Root)
        {
            throw new LogTamperedException($"The first {head.Size} facts of the audit log are not the ones that were signed: at least one was changed. `stint audit verify` names it. {WayOut}");
        }
    }

    public void Dispose() => _one.Dispose();

    /// <summary>What is wrong first, by the fact's own number.</summary>
    private async Task<string> FirstFaultAsync(Reads reads, SignedCheckpoint witnessed, CancellationToken cancellation)
    {
        var verifier = new LogVerifier(signer.Key, [witnessed], allowTail: true);
        for (long from = 0; ;)
        {
            var facts = await reads.FactsAsync(from, 2000);
            foreach (var fact in facts)
            {
                verifier.Add(fact.Seq, System.Text.Encoding.UTF8.GetBytes(fact.Body), fact.LeafHash.AsSpan());
            }

            if (facts.Count < 2000)
            {
                return verifier.Finish().Findings is [var first, ..] ? first.Sentence : "its stored hashes are damaged.";
            }

            cancellation.ThrowIfCancellationRequested();
            from = facts[^1].Seq + 1;
        }
    }

    private static string WayOut => $"If a backup was restored on purpose, move {WitnessName} away and start again; otherwise keep everything as it is and find out.";

    private async Task WitnessAsync(SignedCheckpoint signed, CancellationToken cancellation)
    {
        var line = JsonSerializer.Serialize(signed.Note, HeadJson.Default.String) + "\n";
        if (new FileInfo(WitnessPath) is { Exists: true, Length: > MostBytes })
        {
            // Only the last head counts. The new file is whole before it takes the old one's place.
            await File.WriteAllTextAsync(WitnessPath + ".new", line, cancellation);
            File.Move(WitnessPath + ".new", WitnessPath, overwrite: true);
            return;
        }

        await File.AppendAllTextAsync(WitnessPath, line, cancellation);
    }

    /// <summary>The last whole line; a torn one behind it was never finished.</summary>
    private async Task<SignedCheckpoint?> LastWitnessedAsync(CancellationToken cancellation)
    {
        if (!File.Exists(WitnessPath))
        {
            return null;
        }

        var text = await File.ReadAllTextAsync(WitnessPath, cancellation);
        var end = text.LastIndexOf('\n');
        if (end < 0)
        {
            return null;
        }

        var start = end == 0 ? -1 : text.LastIndexOf('\n', end - 1);
        try
        {
            return SignedCheckpoint.Parse(JsonSerializer.Deserialize(text[(start + 1)..end], HeadJson.Default.String) ?? "");
        }
        catch (Exception problem) when (problem is JsonException or FormatException)
        {
            throw new LogTamperedException($"The last line of {WitnessPath} is not a signed head. {WayOut}");
        }
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
internal sealed partial class HeadJson : System.Text.Json.Serialization.JsonSerializerContext;

/// <summary>Signs a head at most every second while the log grows.</summary>
internal sealed class CheckpointLoop(StintStore store, Checkpoints checkpoints, TimeProvider clock, ILogger<CheckpointLoop> log) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var waiter = store.Wakes.Listen(Wakes.Audit);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await checkpoints.SignAsync(stoppingToken);
                await waiter.WaitAsync(stoppingToken);
                await Task.Delay(Every, clock, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception problem)
            {
                Log.SigningFailed(log, problem);
                await Task.Delay(Every, clock, CancellationToken.None);
            }
        }
    }
}
