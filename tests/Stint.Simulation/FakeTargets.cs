using Stint.Connectors;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Grants;

namespace Stint.Simulation;

/// <summary>All systems of a run, with the ways in which real ones fail: away, refusing, and worst, done but not said.</summary>
internal sealed class FakeTargets(Chance chance, SimulatedTime time, Faults faults) : IConnector
{
    private readonly Dictionary<(string Resource, string Account), Standing> _standing = [];
    private readonly Dictionary<string, (DateTimeOffset Until, bool Refuses)> _trouble = [];

    // The real kind's name and shape: what the catalog, the gate and the upstreams know of it is then the real thing.
    public string Kind => "postgres";

    public Guarantee Guarantee => Guarantee.Native;

    public KindShape Shape { get; } = ConnectorList.All.Find("postgres")!.Shape;

    /// <summary>How many of a thousand verbs fail without a reason.</summary>
    public int Flaky { get; set; }

    public long Verbs { get; private set; }

    public long FailedVerbs { get; private set; }

    /// <summary>Whether somebody at a target took something away by hand in this run.</summary>
    public bool SomethingWasLost { get; private set; }

    public IReadOnlyCollection<Standing> All => _standing.Values;

    /// <summary>The system is away, or says no, for so long.</summary>
    public void Trouble(string resource, TimeSpan length, bool refuses) => _trouble[resource] = (time.GetUtcNow() + length, refuses);

    public void Heal()
    {
        _trouble.Clear();
        Flaky = 0;
    }

    /// <summary>Somebody at the target removes an account by hand.</summary>
    public void LoseOne()
    {
        if (_standing.Count > 0)
        {
            SomethingWasLost = true;
            _standing.Remove(_standing.Keys.ElementAt(chance.Below(_standing.Count)));
        }
    }

    public Task<VerbOutcome> CheckAsync(Target target, CancellationToken cancellation) => Verb(target, "check", () => new VerbOutcome.Done());

    public Task<VerbOutcome> OpenAsync(Target target, Account account, CancellationToken cancellation) => Verb(target, "open", () =>
    {
        var key = (target.Resource.Name, account.Name);
        if (_standing.TryGetValue(key, out var there) && there.Fence > account.Fence)
        {
            return new VerbOutcome.Fenced();
        }

        if (account.Secret is null)
        {
            throw new InvalidOperationException("An account is opened without its secret.");
        }

        _standing[key] = new Standing(target.Resource.Name, account.Name, account.Assignment, account.NotAfter, account.Fence, account.Role.Ref);
        return new VerbOutcome.Done();
    });

    public Task<VerbOutcome> CloseAsync(Target target, Account account, CancellationToken cancellation) => Verb(target, "close", () =>
    {
        var key = (target.Resource.Name, account.Name);
        if (_standing.TryGetValue(key, out var there) && there.Fence > account.Fence)
        {
            return new VerbOutcome.Fenced();
        }

        _standing.Remove(key);
        return new VerbOutcome.Done();
    });

    public Task<VerbOutcome> CutAsync(Target target, Account account, string? backend, CancellationToken cancellation) => Verb(target, "cut", () => new VerbOutcome.Done());

    public Task<Listing> ListAsync(Target target, CancellationToken cancellation)
    {
        faults.Place("list");
        if (Away(target) is not null)
        {
            return Task.FromResult<Listing>(new Listing.Failed("It does not answer", null));
        }

        var accounts = _standing.Values.Where(standing => standing.Resource == target.Resource.Name)
            .Select(standing => new StandingAccount(standing.Account, standing.Assignment, standing.Until)).ToList();
        return Task.FromResult<Listing>(new Listing.Standing(accounts));
    }

    private Task<VerbOutcome> Verb(Target target, string verb, Func<VerbOutcome> effect)
    {
        Verbs++;
        faults.Place(verb + ", before its effect");
        if (Away(target) is { } no)
        {
            FailedVerbs++;
            return Task.FromResult(no);
        }

        var failing = chance.PerMille(Flaky);
        if (failing && chance.PerMille(500))
        {
            FailedVerbs++;
            return Task.FromResult<VerbOutcome>(new VerbOutcome.Unreachable("The connection broke before the verb"));
        }

        var outcome = effect();
        faults.Place(verb + ", after its effect");
        if (failing)
        {
            FailedVerbs++;
            return Task.FromResult<VerbOutcome>(new VerbOutcome.Unreachable("The connection broke behind the verb"));
        }

        return Task.FromResult(outcome);
    }

    private VerbOutcome? Away(Target target) =>
        !_trouble.TryGetValue(target.Resource.Name, out var trouble) || trouble.Until <= time.GetUtcNow() ? null
        : trouble.Refuses ? new VerbOutcome.Refused("It says no", "Ask its owner")
        : new VerbOutcome.Unreachable("It does not answer");
}

/// <summary>One account that stands at a system.</summary>
internal sealed record Standing(string Resource, string Account, AssignmentId? Assignment, DateTimeOffset Until, long Fence, RoleRef Role);
