using Stint.Cli;
using Xunit;

namespace Stint.Tests.Cli;

public sealed class BrowserTests
{
    [Fact]
    public void Page_LeadsToTheAddressWithWhatStandsBehindItsMark()
    {
        Assert.Contains("content=\"0;url=https://stint.example.com/catalog/replays/rp-1#str_a-b_c\"", Browser.Page("https://stint.example.com/catalog/replays/rp-1#str_a-b_c"), StringComparison.Ordinal);
        Assert.DoesNotContain("\"><script>", Browser.Page("https://x/#\"><script>"), StringComparison.Ordinal);
    }
}
