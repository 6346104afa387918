using System.Collections.Concurrent;
using Stint.Connectors.Postgres;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Grants;

namespace Stint.Tests;

/// <summary>A target in memory, with faults on demand. It keeps what stands, and every verb that was called.</summary>
internal sealed class FakeTarget : IConnector
{
    public string Kind => PostgresSettings.Kind;

    public Guarantee Guarantee => Guarantee.Native;

    public KindShape Shape => PostgresSettings.Shape;

    /// <summary>Accounts that stand, by name.</summary>
    public ConcurrentDictionary<string, Account> Standing { get; } = new(StringComparer.Ordinal);

    /// <summary>What was called: <c>open NAME</c>, <c>close NAME</c>, <c>cut NAME BACKEND</c>.</summary>
    public ConcurrentQueue<string> Calls { get; } = [];

    /// <summary>Called before each verb has an effect; what it gives is the outcome, null lets the verb happen.</summary>
    public Func<string, Account, Task<VerbOutcome?>> Before { get; set; } = (_, _) => Task.FromResult<VerbOutcome?>(null);

    public Task<VerbOutcome> CheckAsync(Target target, CancellationToken cancellation) => Task.FromResult<VerbOutcome>(new VerbOutcome.Done());

    public Task<VerbOutcome> OpenAsync(Target target, Account account, CancellationToken cancellation) => DoAsync("open", account, () => Standing[account.Name] = account);

    public Task<VerbOutcome> CloseAsync(Target target, Account account, CancellationToken cancellation) => DoAsync("close", account, () => Standing.TryRemove(account.Name, out _));

    public Task<VerbOutcome> CutAsync(Target target, Account account, string? backend, CancellationToken cancellation)
    {
        Calls.Enqueue($"cut {account.Name} {backend}");
        return Task.FromResult<VerbOutcome>(new VerbOutcome.Done());
    }

    /// <summary>Called when a listing was taken, before it is given to who asked.</summary>
    public Func<Task> Listed { get; set; } = () => Task.CompletedTask;

    public async Task<Listing> ListAsync(Target target, CancellationToken cancellation)
    {
        var standing = Standing.Values.Where(account => account.Role.Ref.Resource == target.Resource.Name)
            .Select(account => new StandingAccount(account.Name, account.Assignment, account.NotAfter))
            .ToList();
        await Listed();
        return new Listing.Standing(standing);
    }

    public void Fail(string verb, VerbOutcome with) => Before = (called, _) => Task.FromResult(called == verb ? with : null);

    public void Heal() => Before = (_, _) => Task.FromResult<VerbOutcome?>(null);

    private async Task<VerbOutcome> DoAsync(string verb, Account account, Action effect)
    {
        Calls.Enqueue($"{verb} {account.Name}");
        if (await Before(verb, account) is { } outcome)
        {
            return outcome;
        }

        effect();
        return new VerbOutcome.Done();
    }
}
