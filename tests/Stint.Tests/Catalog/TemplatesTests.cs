using Stint.Core.Catalog;
using Stint.Core.Policies;
using Xunit;

namespace Stint.Tests.Catalog;

public sealed class TemplatesTests
{
    private const string Templates = """
        workflows:
          owners: { steps: [ { from: owners } ] }
        templates:
          careful: { for: { default: 10m, max: 1h }, reason: { ticket: '^INC-[0-9]+$' }, approve: { workflow: owners }, record: strict, begin_within: 30m }
        policies:
          read: { who: group:developers, roles: ['*/read-only'], approve: { auto: true } }
          own: { who: group:developers, roles: [orders-db/owner], template: careful }
        """;

    private static LoadedCatalog Good(string policies) => Yaml.Good(Yaml.Whole(policies));

    private static Policy Own(LoadedCatalog catalog) => catalog.Policies.Single(policy => policy.Name == "own");

    [Fact]
    public void Policy_TakesWhatItDoesNotSay()
    {
        var own = Own(Good(Templates));
        Assert.Equal((TimeSpan.FromMinutes(10), TimeSpan.FromHours(1), "^INC-[0-9]+$", "owners"), (own.DefaultFor, own.MaxFor, own.TicketPattern, own.Approve!.Name));
        Assert.Equal((RecordMode.Strict, TimeSpan.FromMinutes(30), "careful"), (own.Record, own.BeginWithin, own.Template));
    }

    [Theory]
    [InlineData("for: 5m")]
    [InlineData("approve: { auto: true }")]
    [InlineData("record: default")]
    [InlineData("reason: { required: true }")]
    public void Policy_WhatItSaysItself_WinsWhole(string says)
    {
        var own = Own(Good(Templates.Replace("template: careful", $"template: careful, {says}", StringComparison.Ordinal)));
        Assert.Equal(says == "for: 5m" ? TimeSpan.FromMinutes(5) : TimeSpan.FromHours(1), own.MaxFor);
        Assert.Equal(says.StartsWith("approve", StringComparison.Ordinal), own.Approve is null);
        Assert.Equal(says.StartsWith("record", StringComparison.Ordinal) ? RecordMode.Default : RecordMode.Strict, own.Record);
        Assert.Equal(says.StartsWith("reason", StringComparison.Ordinal), own.TicketPattern is null);
    }

    [Theory]
    [InlineData("template: careful", "template: carefull", "no template is called 'carefull'", "did you mean 'careful'?")]
    [InlineData("careful: {", "careful: { who: ann, ", "a template has no key 'who'", null)]
    [InlineData("max: 1h", "max: 1m", "is longer than 'max'", null)]
    [InlineData("approve: { workflow: owners }, ", "", "policy 'own' lacks 'approve'", "write approve:")]
    [InlineData("approve: { workflow: owners }", "approve: { workflow: ownrs }", "no workflow is called 'ownrs'", "did you mean 'owners'?")]
    public void Load_Wrong_IsSaidOnceWithItsPlace(string was, string becomes, string what, string? wayOut)
    {
        // A second policy takes it too: what is wrong with the template is still one problem.
        var text = Templates.Replace(was, becomes, StringComparison.Ordinal).Replace("policies:\n", "policies:\n  other: { who: group:leads, roles: [orders-db/owner], template: careful, approve: { auto: true } }\n", StringComparison.Ordinal);
        var problem = Assert.Single(Yaml.Load(Yaml.Whole(text)).Errors, error => error.ToString().Contains(what, StringComparison.Ordinal));
        Assert.Contains(wayOut ?? "", problem.ToString(), StringComparison.Ordinal);
        Assert.True(problem.Line > 1);
    }

    [Fact]
    public void Load_DenyWithATemplate_IsAnError() => Assert.Contains(
        "'template' has no meaning beside 'deny'",
        Yaml.Bad(Yaml.Whole(Templates.Replace("policies:\n", "policies:\n  never: { deny: group:contractors, template: careful }\n", StringComparison.Ordinal))).ToString(),
        StringComparison.Ordinal);

    [Fact]
    public void Load_TemplateThatNobodyTakes_IsAWarning() => Assert.Contains(
        Yaml.Load(Yaml.Whole(Templates.Replace("template: careful", "approve: { auto: true }", StringComparison.Ordinal))).Warnings,
        warning => warning.ToString().Contains("no policy takes template 'careful'", StringComparison.Ordinal));
}
