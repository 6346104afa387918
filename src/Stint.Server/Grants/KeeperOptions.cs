namespace Stint.Server.Grants;

/// <summary>Bounds of the keeper.</summary>
internal sealed record KeeperOptions
{
    /// <summary>Most verbs at once on this node. One makes a run repeatable.</summary>
    public int Parallel { get; init; } = 32;

    /// <summary>Most verbs at once at one target, all nodes together.</summary>
    public int PerTarget { get; init; } = 8;

    /// <summary>Longest time for a verb.</summary>
    public TimeSpan VerbTime { get; init; } = TimeSpan.FromSeconds(45);

    /// <summary>How long work belongs to one node; longer than a verb and its commits.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a target that does not answer may keep a grant opening.</summary>
    public TimeSpan OpeningTime { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>How long a removal may fail before somebody is told.</summary>
    public TimeSpan StuckAfter { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long sessions get to say goodbye before their account is taken away.</summary>
    public TimeSpan Goodbye { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Most connections of one account at its target.</summary>
    public int ConnectionsPerGrant { get; init; } = 10;

    /// <summary>Most ends in one transaction.</summary>
    public int SweepBatch { get; init; } = 1000;
}
