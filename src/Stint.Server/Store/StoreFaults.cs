namespace Stint.Server.Store;

/// <summary>Where a test can make the world fail. What a hook throws is what the waiting writers get.</summary>
internal sealed record StoreFaults
{
    /// <summary>Everything is written, nothing committed; throwing undoes it.</summary>
    public Action? BeforeCommit { get; init; }

    /// <summary>It is committed and nobody knows yet; throwing leaves it committed and never acknowledged.</summary>
    public Action? AfterCommit { get; init; }
}
