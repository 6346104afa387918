using Xunit;

namespace Stint.EndToEnd.Harness;

/// <summary>A shop with a running Stint in front of it and its people at their seats, for the tests of one class.</summary>
public sealed class OpenShop(RealServers servers) : IAsyncLifetime
{
    public Shop Shop { get; private set; } = null!;

    public StintServer Stint { get; private set; } = null!;

    public Seat Ann { get; private set; } = null!;

    /// <summary>Owns the database's resource.</summary>
    public Seat Bob { get; private set; } = null!;

    /// <summary>Administrator and auditor.</summary>
    public Seat Carol { get; private set; } = null!;

    /// <summary>A contractor.</summary>
    public Seat Eve { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Shop = await Shop.OpenAsync(await servers.PostgresAsync());
        Stint = Shop.Behind(new Dictionary<string, object>
        {
            ["limits"] = new Dictionary<string, object> { ["requests_per_minute"] = 100_000 },
        });
        await Stint.StartAsync();
        Ann = Shop.Seat(Stint, "ann");
        Bob = Shop.Seat(Stint, "bob");
        Carol = Shop.Seat(Stint, "carol");
        Eve = Shop.Seat(Stint, "eve");
    }

    public ValueTask DisposeAsync() => Stint is null ? ValueTask.CompletedTask : Stint.DisposeAsync();
}
