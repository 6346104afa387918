using Stint.Core.Requests;
using Xunit;

namespace Stint.Tests.Requests;

public class RequestMovesTests
{
    [Fact]
    public void Table_EveryPair_IsAsWritten() =>
        MovesWalk.Pairs(
            RequestMoves.Table,
            "Pending>Approved Pending>Denied Pending>Cancelled Pending>Lapsed",
            "Approved Denied Cancelled Lapsed");
}
