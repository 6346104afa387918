using Stint.Core.Sessions;
using Xunit;

namespace Stint.Tests.Sessions;

public class SessionMovesTests
{
    [Fact]
    public void Session_EveryPair_IsAsWritten() => MovesWalk.Pairs(SessionMoves.Table, "Live>Ended", "Ended");
}
