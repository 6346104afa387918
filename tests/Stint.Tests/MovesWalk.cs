using Stint.Core;
using Xunit;

namespace Stint.Tests;

/// <summary>Walks every pair of states of a machine.</summary>
internal static class MovesWalk
{
    /// <param name="table">The table under test.</param>
    /// <param name="allowed">Every allowed move, <c>From>To</c>.</param>
    /// <param name="final">Every state that nothing leads out of.</param>
    public static void Pairs<TState>(Moves<TState> table, string allowed, string final)
        where TState : struct, Enum
    {
        var moves = allowed.Split(' ').ToHashSet(StringComparer.Ordinal);
        var states = Enum.GetValues<TState>();
        foreach (var from in states)
        {
            foreach (var to in states)
            {
                Assert.True(moves.Contains($"{from}>{to}") == table.Allows(from, to), $"{from} > {to}");
            }
        }

        Assert.Equal(moves.Count, table.All.Count);
        Assert.Equal(final.Split(' ').Order(StringComparer.Ordinal), states.Where(table.IsFinal).Select(state => state.ToString()).Order(StringComparer.Ordinal));

        // Zero is what an unread column or an unset field holds: it is no state, and nothing leads in or out.
        Assert.DoesNotContain(default, states);
        Assert.All(states, state => Assert.False(table.Allows(default, state) || table.Allows(state, default)));
    }
}
