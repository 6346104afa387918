using System.Collections.Concurrent;
using Stint.EndToEnd.Harness;
using Xunit;

[assembly: AssemblyFixture(typeof(RealServers))]

namespace Stint.EndToEnd.Harness;

/// <summary>The real servers of this run: each started when first asked for, once, and stopped at the end.</summary>
public sealed class RealServers : IAsyncDisposable
{
    private readonly ConcurrentDictionary<int, Lazy<Task<PostgresServer>>> _postgres = new();

    /// <summary>PostgreSQL of one major version, 14 to 18.</summary>
    public Task<PostgresServer> PostgresAsync(int version = 15) =>
        _postgres.GetOrAdd(version, v => new Lazy<Task<PostgresServer>>(() => PostgresServer.StartAsync(v))).Value;

    public async ValueTask DisposeAsync()
    {
        var started = _postgres.Values.Where(server => server.Value.IsCompletedSuccessfully);
        await Task.WhenAll(started.Select(async server => await (await server.Value).StopAsync()));

        if (RunFolder.IsOwn)
        {
            Directory.Delete(RunFolder.Path, recursive: true);
        }
    }
}
