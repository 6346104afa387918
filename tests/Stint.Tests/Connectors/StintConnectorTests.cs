using Stint.Connectors;
using Stint.Connectors.Stint;
using Stint.Core.Catalog;
using Stint.Core.Grants;
using Xunit;

namespace Stint.Tests.Connectors;

/// <summary>What holds of every connector, for the one at whose target nothing ever stands.</summary>
public sealed class StintConnectorTests : VerbContract
{
    protected override IConnector Connector { get; } = ConnectorList.All.Find(StintRights.Kind)!;

    protected override Task<Target> TargetAsync() => Task.FromResult(new Target(
        Short.Resource("stint", Settings.Empty, ("plain", Settings.Empty)) with { Kind = StintRights.Kind }, "test", new NamedSecrets(new Dictionary<string, string>())));

    [Fact]
    public async Task List_WhateverWasOpened_HasNothingToCompare()
    {
        var target = await TargetAsync();
        IsDone(await Connector.CheckAsync(target, default));
        IsDone(await Connector.OpenAsync(target, NewAccount(target, "plain"), default));
        Assert.IsType<Listing.Nothing>(await Connector.ListAsync(target, default));
    }

    [Fact]
    public void Shape_HasItsThreeRolesAndNoSettings()
    {
        Assert.Equal((StintRights.Kind, Guarantee.Native, true), (StintSettings.Shape.Kind, Connector.Guarantee, StintSettings.Shape.OnlyOne));
        Assert.Equal(Enum.GetValues<StintRight>().Select(StintRights.NameOf), StintSettings.Shape.RoleNames);
        Assert.All(StintSettings.Shape.RoleNames!, name => Assert.Equal(name, StintRights.NameOf(StintRights.Find(name)!.Value)));
        Assert.Empty(StintSettings.Shape.Resource);
        Assert.Empty(StintSettings.Shape.Role);
    }
}
