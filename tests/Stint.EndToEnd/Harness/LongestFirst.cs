using Stint.EndToEnd.Harness;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(LongestFirst))]

namespace Stint.EndToEnd.Harness;

/// <summary>Begins with the classes that take longest: begun last, each would run on alone with a processor idle.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] s_long = [nameof(KillTests), nameof(KillOverPostgresTests), nameof(ClockSetTests), nameof(ClockRateTests), nameof(PublishTests), nameof(CopyTests), nameof(SshTests), nameof(WebTests), nameof(WorkloadTests), nameof(GatewayNodeTests)];

    /// <inheritdoc/>
    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [
            .. testCollections.OrderBy(collection =>
            {
                var place = Array.FindIndex(s_long, name => collection.TestCollectionDisplayName.Contains("." + name, StringComparison.Ordinal));
                return place < 0 ? s_long.Length : place;
            }),
        ];
}
