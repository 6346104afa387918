using Stint.Core;
using Stint.Core.Catalog;
using Xunit;

namespace Stint.Tests.Catalog;

public class CatalogLoaderTests
{
    [Fact]
    public void Load_WholeCatalog_HoldsWhatItSays()
    {
        var catalog = Yaml.Good(Yaml.Whole());

        var database = catalog.Resources["orders-db"];
        Assert.Equal("database", database.Kind);
        Assert.Equal([new SubjectId("bob")], database.Owners);
        Assert.Equal("db", database.Settings.Get("host", ""));
        Assert.Equal("high", database.Roles["owner"].Risk);
        Assert.Equal(["readers"], database.Roles["read-only"].Settings.Find<List<string>>("member_of")!);
        Assert.Equal(["own", "read"], catalog.Policies.Select(policy => policy.Name));
        Assert.Equal(TimeSpan.FromHours(4), catalog.Policies[1].MaxFor);
        Assert.Equal(new SubjectId("bob"), catalog.People["ann"].Manager);
        Assert.Equal(64, catalog.Version.Length);
    }

    [Fact]
    public void Load_Policy_KeepsItsOwnTextAndPlace()
    {
        var policy = Yaml.Good(Yaml.Whole()).Policies[1];

        Assert.StartsWith("read:", policy.Text, StringComparison.Ordinal);
        Assert.EndsWith("approve: { auto: true }", policy.Text, StringComparison.Ordinal);
        Assert.Equal(3, policy.Place.Column);
    }
}
