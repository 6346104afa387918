using Stint.Core.Grants;
using Xunit;

namespace Stint.Tests.Grants;

public class GrantMovesTests
{
    [Fact]
    public void Grant_EveryPair_IsAsWritten() =>
        MovesWalk.Pairs(
            GrantMoves.Table,
            "Ready>Opening Ready>Closed Opening>Open Opening>Closing Open>Closing Closing>Closed",
            "Closed");

    [Fact]
    public void Assignment_EveryPair_IsAsWritten() =>
        MovesWalk.Pairs(
            AssignmentMoves.Table,
            "Adding>Standing Adding>Removing Standing>Adding Standing>Removing Removing>Removed",
            "Removed");
}
