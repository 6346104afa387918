using System.Collections.Frozen;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Grants;
using Xunit;

namespace Stint.Tests.Connectors;

/// <summary>What every connector holds, also one at whose target nothing stands: its verbs can be repeated and come in any order.</summary>
public abstract class VerbContract
{
    private static int _next;

    protected abstract IConnector Connector { get; }

    /// <summary>A target that lets Stint do all that its roles need.</summary>
    protected abstract Task<Target> TargetAsync();

    protected static DateTimeOffset Later(int minutes) => TimeProvider.System.GetUtcNow().AddMinutes(minutes);

    protected static Account NewAccount(Target target, string role, string subject = "ann", int minutes = 30)
    {
        var number = Interlocked.Increment(ref _next);
        return new Account(
            new AssignmentId($"as-{number:x12}"),
            $"stint_t{Environment.ProcessId}_{number:x12}",
            new SubjectId(subject),
            target.Resource.Roles[role],
            Later(minutes),
            $"secret-{number:x12}-Zm9vYmFy",
            5,
            10);
    }

    protected static void IsDone(VerbOutcome outcome) => Assert.True(outcome is VerbOutcome.Done, outcome.ToString());

    [Fact]
    public async Task Close_AbsentOrTwice_IsDone()
    {
        var target = await TargetAsync();
        var account = NewAccount(target, "plain");
        IsDone(await Connector.CloseAsync(target, account, default));
        IsDone(await Connector.OpenAsync(target, account, default));
        IsDone(await Connector.CloseAsync(target, account, default));
        IsDone(await Connector.CloseAsync(target, account, default));
        IsDone(await Connector.CutAsync(target, account, null, default));
    }
}

/// <summary>What every connector holds that makes accounts, whatever it talks to.</summary>
public abstract class ConnectorContract : VerbContract
{
    /// <summary>Whether the account gets in with this secret.</summary>
    protected abstract Task<bool> LetsInAsync(Account account, string secret);

    /// <summary>Whether anything of that name stands at the target, asked with all power.</summary>
    protected abstract Task<bool> StandsAsync(string account);

    [Fact]
    public async Task Open_Once_LetsInUntilClosed()
    {
        var target = await TargetAsync();
        var account = NewAccount(target, "plain");

        IsDone(await Connector.OpenAsync(target, account, default));
        Assert.True(await LetsInAsync(account, account.Secret!));
        Assert.False(await LetsInAsync(account, "another-secret"));

        IsDone(await Connector.CloseAsync(target, account with { Secret = null, Fence = 11 }, default));
        Assert.False(await LetsInAsync(account, account.Secret!));
        Assert.False(await StandsAsync(account.Name));
    }

    [Fact]
    public async Task Open_Again_MovesDeadlineAndSecret()
    {
        var target = await TargetAsync();
        var account = NewAccount(target, "plain");
        IsDone(await Connector.OpenAsync(target, account, default));

        var later = account with { NotAfter = account.NotAfter.AddHours(1), Secret = "the-second-secret", Fence = 11 };
        IsDone(await Connector.OpenAsync(target, later, default));

        Assert.False(await LetsInAsync(account, account.Secret!));
        Assert.True(await LetsInAsync(account, later.Secret!));
        var listed = Assert.Single(await ListAsync(target), one => one.Name == account.Name);
        Assert.Equal(account.Assignment, listed.Assignment);
        Assert.True((listed.Until!.Value - later.NotAfter).Duration() < TimeSpan.FromMilliseconds(1));
        Assert.True(listed.Until <= later.NotAfter);
        IsDone(await Connector.CloseAsync(target, later, default));
    }

    [Fact]
    public async Task Open_DeadlinePassed_LetsNobodyIn()
    {
        var target = await TargetAsync();
        var account = NewAccount(target, "plain", minutes: -1);
        IsDone(await Connector.OpenAsync(target, account, default));
        Assert.Equal(Connector.Guarantee != Guarantee.Native, await LetsInAsync(account, account.Secret!));
        IsDone(await Connector.CloseAsync(target, account, default));
    }

    [Fact]
    public async Task List_TwoInstallations_EachSeesItsOwn()
    {
        var target = await TargetAsync();
        var other = target with { Installation = "the other's" };
        var mine = NewAccount(target, "plain");
        var theirs = NewAccount(target, "plain");
        IsDone(await Connector.OpenAsync(target, mine, default));
        IsDone(await Connector.OpenAsync(other, theirs, default));

        var here = await ListAsync(target);
        var there = await ListAsync(other);

        Assert.Contains(here, one => one.Name == mine.Name);
        Assert.DoesNotContain(here, one => one.Name == theirs.Name);
        Assert.Contains(there, one => one.Name == theirs.Name);
        Assert.DoesNotContain(there, one => one.Name == mine.Name);
        Assert.IsType<VerbOutcome.Refused>(await Connector.CloseAsync(target, theirs, default));
        Assert.True(await LetsInAsync(theirs, theirs.Secret!));
        IsDone(await Connector.CloseAsync(target, mine, default));
        IsDone(await Connector.CloseAsync(other, theirs, default));
    }

    [Fact]
    public async Task AnyVerb_OlderLease_IsFenced()
    {
        var target = await TargetAsync();
        var account = NewAccount(target, "plain");
        IsDone(await Connector.OpenAsync(target, account, default));

        var late = account with { Fence = 9, Secret = "the-late-secret" };
        Assert.IsType<VerbOutcome.Fenced>(await Connector.OpenAsync(target, late, default));
        Assert.IsType<VerbOutcome.Fenced>(await Connector.CloseAsync(target, late, default));

        Assert.True(await LetsInAsync(account, account.Secret!));
        IsDone(await Connector.CloseAsync(target, account, default));
    }

    [Theory]
    [InlineData("o'brien\"; DROP ROLE postgres; --")]
    [InlineData("ann installation=other assignment=as-x fence=999")]
    [InlineData("ünï☃😀\\' \n$1 {role}")]
    public async Task Open_HostileSubject_IsOnlyAName(string subject)
    {
        var target = await TargetAsync();
        var account = NewAccount(target, "plain", subject);
        IsDone(await Connector.OpenAsync(target, account, default));
        Assert.Equal(account.Assignment, Assert.Single(await ListAsync(target), one => one.Name == account.Name).Assignment);
        IsDone(await Connector.CloseAsync(target, account, default));
        Assert.False(await StandsAsync(account.Name));
    }

    [Fact]
    public async Task OpenAndClose_CutShortAnywhere_ConvergeWhenRepeated()
    {
        var target = await TargetAsync();
        var random = new Random(4711);
        for (var round = 0; round < 6; round++)
        {
            var account = NewAccount(target, "plain");
            await CutShortAsync(token => Connector.OpenAsync(target, account, token), random.Next(1, 60));
            IsDone(await Connector.OpenAsync(target, account with { Fence = 11 }, default));
            Assert.True(await LetsInAsync(account, account.Secret!));
            await CutShortAsync(token => Connector.CloseAsync(target, account with { Fence = 12 }, token), random.Next(1, 200));
            IsDone(await Connector.CloseAsync(target, account with { Fence = 13 }, default));
            Assert.False(await StandsAsync(account.Name));
        }
    }

    [Fact]
    public async Task Open_ManyAtOnce_OneAccountStands()
    {
        var target = await TargetAsync();
        var account = NewAccount(target, "plain");
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Connector.OpenAsync(target, account with { Fence = 10 + worker }, default)));
        Assert.All(outcomes, outcome => Assert.True(outcome is VerbOutcome.Done or VerbOutcome.Fenced, outcome.ToString()));
        Assert.Contains(outcomes, outcome => outcome is VerbOutcome.Done);
        Assert.Single(await ListAsync(target), one => one.Name == account.Name);
        IsDone(await Connector.CloseAsync(target, account with { Fence = 20 }, default));
    }

    protected async Task<IReadOnlyList<StandingAccount>> ListAsync(Target target)
    {
        var listing = await Connector.ListAsync(target, default);
        return Assert.IsType<Listing.Standing>(listing).Accounts;
    }

    private static async Task CutShortAsync(Func<CancellationToken, Task<VerbOutcome>> verb, int milliseconds)
    {
        using var cut = new CancellationTokenSource(milliseconds);
        try
        {
            await verb(cut.Token);
        }
        catch (OperationCanceledException)
        {
        }
    }
}

/// <summary>Secrets by name, for tests.</summary>
internal sealed class NamedSecrets(IReadOnlyDictionary<string, string> known) : ISecrets
{
    public string Reveal(SecretRef reference) =>
        known.TryGetValue(reference.Name, out var secret) ? secret : throw new SecretUnavailableException($"The variable {reference.Name} is not set.");
}

/// <summary>Settings written short.</summary>
internal static class Short
{
    public static Settings Settings(params (string Name, object Value)[] values) =>
        new(values.ToFrozenDictionary(one => one.Name, one => one.Value, StringComparer.Ordinal));

    public static Resource Resource(string name, Settings settings, params (string Name, Settings Settings)[] roles) => new()
    {
        Name = name,
        Kind = "postgres",
        Labels = FrozenDictionary<string, string>.Empty,
        Owners = FrozenSet<SubjectId>.Empty,
        Settings = settings,
        Roles = roles.ToFrozenDictionary(one => one.Name, one => new Role { Ref = new RoleRef(name, one.Name), Settings = one.Settings }, StringComparer.Ordinal),
    };
}
