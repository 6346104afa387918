using Stint.Core.Policies.Cel;
using Xunit;

namespace Stint.Tests.Policies.Cel;

/// <summary>The guide's page about conditions says what there is.</summary>
public sealed class CelGuideTests
{
    private static readonly string Page = File.ReadAllText(Path.Combine(CelWorld.Checkout(), "docs", "guide", "conditions.md"));

    [Fact]
    public void Page_EveryFunction_IsNamed()
    {
        var missing = CelLibrary.Names.Select(key => key.Name[(key.Name.LastIndexOf('.') + 1)..]).Distinct().Where(name => !Page.Contains(name, StringComparison.Ordinal)).ToList();
        Assert.Empty(missing);
    }

    [Fact]
    public void Page_EveryExample_CompilesAsACondition()
    {
        var lines = Page.Split("```").Where((_, i) => i % 2 == 1).Where(block => block.StartsWith("cel\n", StringComparison.Ordinal)).SelectMany(block => block.Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1)).ToList();
        Assert.NotEmpty(lines);
        Assert.All(lines, line => Assert.Empty(CelWorld.Problems(line, CelType.Bool)));
    }

    [Fact]
    public void Page_Bounds_AreThoseThatHold()
    {
        var limits = CelLimits.Default;
        foreach (var number in new[] { limits.Source, limits.Depth, limits.Nodes, limits.Steps, limits.Text, limits.Elements, (int)limits.Match.TotalMilliseconds })
        {
            Assert.Contains(number.ToString("N0", System.Globalization.CultureInfo.InvariantCulture), Page, StringComparison.Ordinal);
        }
    }
}
