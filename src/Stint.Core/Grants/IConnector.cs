using Stint.Core.Catalog;

namespace Stint.Core.Grants;

/// <summary>Who ends the access when Stint itself is down.</summary>
public enum Guarantee
{
    /// <summary>The target does, by itself, at the deadline.</summary>
    Native = 1,

    /// <summary>Nobody reaches the target but through the gateway, and it cuts.</summary>
    Gateway = 2,

    /// <summary>Nobody: it ends when the keeper calls.</summary>
    Job = 3,
}

/// <summary>Gives and takes away access at one kind of system. Every verb can be repeated, and may be cut short anywhere.</summary>
public interface IConnector
{
    /// <summary>The kind, as the catalog writes it.</summary>
    string Kind { get; }

    /// <summary>How the end is enforced when Stint is down.</summary>
    Guarantee Guarantee { get; }

    /// <summary>What a resource and a role of this kind take: checked at load, published as JSON schema.</summary>
    KindShape Shape { get; }

    /// <summary>Whether the target answers and lets Stint do what its roles need; says which power is missing.</summary>
    Task<VerbOutcome> CheckAsync(Target target, CancellationToken cancellation);

    /// <summary>Makes the account stand with the role's power until <see cref="Account.NotAfter"/>, or moves that deadline.</summary>
    Task<VerbOutcome> OpenAsync(Target target, Account account, CancellationToken cancellation);

    /// <summary>Ends what the account does, then removes it and what it left, wherever it is. An account that is not there is a success.</summary>
    Task<VerbOutcome> CloseAsync(Target target, Account account, CancellationToken cancellation);

    /// <summary>Ends one connection of the account and sees it gone; the account stays.</summary>
    /// <param name="target">The system.</param>
    /// <param name="account">The account.</param>
    /// <param name="backend">The target's own name of the connection (a PostgreSQL backend's process id); null for all of the account's.</param>
    /// <param name="cancellation">Ends the trying.</param>
    Task<VerbOutcome> CutAsync(Target target, Account account, string? backend, CancellationToken cancellation);

    /// <summary>Every account that this installation of Stint made at the target and that still stands.</summary>
    Task<Listing> ListAsync(Target target, CancellationToken cancellation);
}

/// <summary>A system as the catalog describes it, and the way to its secrets.</summary>
/// <param name="Resource">The resource.</param>
/// <param name="Installation">Names this installation of Stint; marks what it made.</param>
/// <param name="Secrets">Resolves a secret named in the settings.</param>
public sealed record Target(Resource Resource, string Installation, ISecrets Secrets);

/// <summary>Resolves what the catalog only names.</summary>
public interface ISecrets
{
    /// <exception cref="SecretUnavailableException">It is not there or cannot be read; the message names it and never holds it.</exception>
    string Reveal(SecretRef reference);
}

/// <summary>A secret that the catalog names could not be read.</summary>
public sealed class SecretUnavailableException : Exception
{
    public SecretUnavailableException()
    {
    }

    public SecretUnavailableException(string message)
        : base(message)
    {
    }

    public SecretUnavailableException(string message, Exception inner)
        : base(message, inner)
    {
    }
}

/// <summary>An account to be at the target.</summary>
/// <param name="Assignment">Whose account.</param>
/// <param name="Name">Its name there; chosen by Stint, at most 63 bytes of <c>[a-z0-9_]</c>.</param>
/// <param name="Subject">The person, for the target's own logs and comments.</param>
/// <param name="Role">The role of the resource.</param>
/// <param name="NotAfter">When it ends by itself, where the target can.</param>
/// <param name="Secret">The password that the gateway uses upstream; never shown to a person. Null when closing.</param>
/// <param name="ConnectionLimit">The most connections at once.</param>
/// <param name="Fence">Grows with each lease; a target that remembers a higher one refuses.</param>
public sealed record Account(
    AssignmentId Assignment,
    string Name,
    SubjectId Subject,
    Role Role,
    DateTimeOffset NotAfter,
    string? Secret,
    int ConnectionLimit,
    long Fence);

/// <summary>What came of a connector's verb. Expected troubles are data; exceptions are bugs.</summary>
public abstract record VerbOutcome
{
    private VerbOutcome()
    {
    }

    /// <summary>It is so now.</summary>
    public sealed record Done : VerbOutcome;

    /// <summary>The target did not answer, or not in time; nobody knows whether something changed. Try again.</summary>
    public sealed record Unreachable(string Why) : VerbOutcome;

    /// <summary>The target answered no, and will until somebody does something.</summary>
    /// <param name="Why">What it refused.</param>
    /// <param name="Remedy">What to do, in words (the GRANT to run).</param>
    public sealed record Refused(string Why, string Remedy) : VerbOutcome;

    /// <summary>A newer lease has been here: this worker is late and must stop.</summary>
    public sealed record Fenced : VerbOutcome;
}

/// <summary>What a target lists.</summary>
public abstract record Listing
{
    private Listing()
    {
    }

    /// <summary>What stands.</summary>
    public sealed record Standing(IReadOnlyList<StandingAccount> Accounts) : Listing;

    /// <summary>Nothing ever stands at a target of this kind: there is nothing to hold against the open grants.</summary>
    public sealed record Nothing : Listing;

    /// <summary>It could not be listed.</summary>
    public sealed record Failed(string Why, string? Remedy) : Listing;
}

/// <summary>One account that stands at a target.</summary>
/// <param name="Name">Its name there.</param>
/// <param name="Assignment">The assignment that its mark names; null when the mark cannot be read.</param>
/// <param name="Until">Until when it works by itself; null for no end.</param>
public sealed record StandingAccount(string Name, AssignmentId? Assignment, DateTimeOffset? Until);
