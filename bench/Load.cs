using System.Globalization;

namespace Stint.Bench;

/// <summary>What wrk saw.</summary>
/// <param name="PerSecond">Answers a second.</param>
/// <param name="P50">Milliseconds.</param>
/// <param name="P99">Milliseconds.</param>
/// <param name="Answers">How many in all.</param>
internal sealed record Load(double PerSecond, double P50, double P99, long Answers)
{
    /// <summary>Asks one address over and over from wrk, which costs a tenth of what a client in .NET would.</summary>
    /// <param name="folder">Where its script may be written.</param>
    /// <param name="url">Whom.</param>
    /// <param name="connections">How many at once, each with one call under way.</param>
    /// <param name="seconds">How long.</param>
    /// <param name="token">Bearer token; null for none.</param>
    /// <param name="body">JSON to POST; null for a GET.</param>
    /// <exception cref="InvalidOperationException">An answer was an error.</exception>
    public static async Task<Load> RunAsync(string folder, string url, int connections, int seconds, string? token, string? body = null)
    {
        var script = Path.Combine(folder, "wrk.lua");
        await File.WriteAllTextAsync(script, $$"""
            {{(body is null ? "" : $"wrk.method = 'POST'\nwrk.body = '{body}'\nwrk.headers['Content-Type'] = 'application/json'")}}
            {{(token is null ? "" : $"wrk.headers['Authorization'] = 'Bearer {token}'")}}
            done = function(s, l, r)
              io.write(string.format('\nFIGURES %d %f %f %f %d\n', s.requests, s.duration / 1e6, l:percentile(50) / 1000, l:percentile(99) / 1000,
                s.errors.status + s.errors.timeout + s.errors.connect + s.errors.read))
            end
            """);
        var output = await Stage.RunAsync("wrk", ["-t1", $"-c{connections}", $"-d{seconds}s", "--timeout", "10s", "-s", script, url]);
        var words = output.Split('\n').First(line => line.StartsWith("FIGURES", StringComparison.Ordinal)).Split(' ');
        var figures = words[1..].Select(word => double.Parse(word, CultureInfo.InvariantCulture)).ToList();
        return figures[4] == 0
            ? new Load(figures[0] / figures[1], figures[2], figures[3], (long)figures[0])
            : throw new InvalidOperationException($"{figures[4]} of {figures[0]} answers of {url} were errors.");
    }
}
