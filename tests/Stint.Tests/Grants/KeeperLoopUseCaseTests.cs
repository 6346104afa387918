using Microsoft.Extensions.DependencyInjection;
using Stint.Core;
using Stint.Core.Grants;
using Stint.Server.Grants;
using Xunit;

namespace Stint.Tests.Grants;

public sealed class KeeperLoopUseCaseTests
{
    [Fact]
    public async Task Loop_OpensWhatIsBegun_AndEndsItWhenTheClockSaysSo()
    {
        await using var world = await World.NewAsync();
        using var loop = ActivatorUtilities.CreateInstance<KeeperLoop>(world.Services);
        await loop.StartAsync(CancellationToken.None);
        var id = (await world.AskedAsync(seconds: 60, wait: true)).Grant!.Grant.Id;
        var open = await UntilAsync(world, id, GrantState.Open);
        world.Time.Set(open.NotAfter!.Value - TimeSpan.FromMilliseconds(1));
        Assert.Equal(GrantState.Open, (await world.GrantAsync(id)).State);
        var closed = await UntilAsync(world, id, GrantState.Closed);
        Assert.Equal(EndReason.Expired, closed.End);
        Assert.Empty(world.Target.Standing);
        await loop.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task Loop_ConnectorThatThrows_DoesNotEndIt()
    {
        await using var world = await World.NewAsync();
        using var loop = ActivatorUtilities.CreateInstance<KeeperLoop>(world.Services);
        await loop.StartAsync(CancellationToken.None);
        world.Target.Before = (_, _) => throw new InvalidCastException("a bug");
        var first = (await world.AskedAsync(wait: true)).Grant!.Grant.Id;
        while (world.Target.Calls.IsEmpty)
        {
            await Task.Yield();
        }

        world.Target.Heal();
        await UntilAsync(world, first, GrantState.Open);
        Assert.False(loop.ExecuteTask!.IsCompleted);
        await loop.StopAsync(CancellationToken.None);
    }

    /// <summary>Lets the clock go on in small steps until the grant is there; at most some seconds of real time.</summary>
    private static async Task<Grant> UntilAsync(World world, GrantId id, GrantState state)
    {
        for (var step = 0; step < 2000; step++)
        {
            if (await world.GrantAsync(id) is var grant && grant.State == state)
            {
                return grant;
            }

            world.Time.Advance(TimeSpan.FromMilliseconds(20));
            await Task.Delay(5);
        }

        throw new TimeoutException($"{id} did not come to {state}.");
    }
}
