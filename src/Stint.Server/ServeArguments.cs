namespace Stint.Server;

/// <summary>What stood on the command line of <c>stint serve</c>. Null means that the flag was not given.</summary>
public sealed record ServeArguments
{
    /// <summary><c>--config FILE</c>; null for <c>STINT_CONFIG</c>, and without that for no file at all.</summary>
    public string? Config { get; init; }

    /// <summary><c>--data DIR</c>.</summary>
    public string? Data { get; init; }

    /// <summary><c>--catalog DIR</c>.</summary>
    public string? Catalog { get; init; }

    /// <summary><c>--listen ADDR:PORT</c>.</summary>
    public string? Listen { get; init; }

    /// <summary><c>--gateway-listen ADDR:PORT</c>.</summary>
    public string? GatewayListen { get; init; }

    /// <summary><c>--store sqlite|postgres</c>.</summary>
    public string? Store { get; init; }

    /// <summary><c>--store-url</c>.</summary>
    public string? StoreUrl { get; init; }

    /// <summary><c>--roles control,gateway</c>.</summary>
    public string? Roles { get; init; }

    /// <summary><c>--json</c>: answers and problems as one JSON object instead of sentences. A running server's log is not an answer.</summary>
    public bool Json { get; init; }

    /// <summary>The variables to read <c>STINT_…</c> from; null for the process's own.</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    /// <summary>Where plain sentences for the operator go; null for the console.</summary>
    public TextWriter? Output { get; init; }

    /// <summary>Where problems go; null for the console's error stream.</summary>
    public TextWriter? Errors { get; init; }

    /// <summary>The clock; null for the system's.</summary>
    public TimeProvider? Time { get; init; }
}
