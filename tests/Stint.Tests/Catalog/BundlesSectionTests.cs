using Stint.Core.Catalog;
using Stint.Tests.Approvals;
using Xunit;

namespace Stint.Tests.Catalog;

public sealed class BundlesSectionTests
{
    [Fact]
    public void Load_ABundle_KeepsItsOrder()
    {
        var bundle = World.Load(BundleWorld.Catalog).Bundles["backend-onboarding"];
        Assert.Equal(["orders-db/read-only", "orders-db/owner", "staging-db/owner", "vault-db/secret"], bundle.Roles.Select(role => role.ToString()));
        Assert.Equal(("First week in the backend team", TimeSpan.FromHours(8)), (bundle.Description, bundle.For));
    }

    [Theory]
    [InlineData("x: {}", "bundle 'x' lacks 'roles'", "write roles:")]
    [InlineData("x: { roles: [] }", "'roles' names none", "write roles:")]
    [InlineData("x: { roles: orders-db/owner }", "the roles of a bundle are a list, and this is a text", "write roles:")]
    [InlineData("x: { roles: [orders-db/ovner] }", "no role is called 'orders-db/ovner'", "did you mean 'orders-db/owner'?")]
    [InlineData("x: { roles: ['*/owner'] }", "no role is called '*/owner'", "names each of its roles")]
    [InlineData("x: { roles: [orders-db/owner, orders-db/owner] }", "'orders-db/owner' stands in this bundle already", "keep one")]
    [InlineData("x: { roles: [orders-db/owner], for: 0s }", "'for' is not a duration", "write it as")]
    [InlineData("x: { roles: [orders-db/owner], approve: { auto: true } }", "a bundle has no key 'approve'", "there are: description, for, roles")]
    [InlineData("'a/b': { roles: [orders-db/owner] }", "'a/b' cannot name one of 'bundles'", "take letters")]
    public void Load_Wrong_SaysWhatAndTheWayOut(string bundle, string what, string wayOut)
    {
        var problems = Problems(BundleWorld.Catalog.Replace("bundles:\n", $"bundles:\n  {bundle}\n", StringComparison.Ordinal));
        Assert.Contains(problems, problem => problem.Contains(what, StringComparison.Ordinal) && problem.Contains(wayOut, StringComparison.Ordinal) && problem.StartsWith("all.yaml:", StringComparison.Ordinal));
    }

    [Fact]
    public void Check_NobodyMayAskForAnyOfIt_IsAnError()
    {
        var text = BundleWorld.With(("bundles:\n", "bundles:\n  vault: { roles: [vault-db/secret] }\n"), ("eve: { manager: bob }", "eve: { manager: bob, disabled: true }"));
        Assert.Contains(Problems(text), problem => problem.Contains("nobody may ask for any role of bundle 'vault'", StringComparison.Ordinal));
    }

    [Fact]
    public void Check_NobodyMayAskForAllOfIt_IsAWarning()
    {
        var text = BundleWorld.With(("vaulters: [eve]", "vaulters: [finn]"));
        Assert.Contains(Load(text).Warnings.Select(warning => warning.ToString()), warning => warning.Contains("nobody may ask for every role of bundle 'backend-onboarding'", StringComparison.Ordinal));
        Assert.DoesNotContain(Load(BundleWorld.Catalog).Warnings, warning => warning.ToString().Contains("bundle", StringComparison.Ordinal));
    }

    private static List<string> Problems(string text) => [.. Load(text).Errors.Select(error => error.ToString())];

    private static CatalogLoad Load(string text) => CatalogLoader.Load(
        new CatalogSource([new CatalogFile("all.yaml", text)]),
        new Dictionary<string, KindShape> { ["postgres"] = Stint.Connectors.Postgres.PostgresSettings.Shape });
}
