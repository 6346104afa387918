namespace Stint.Core;

/// <summary>The one table of moves of a state machine.</summary>
/// <remarks>The guarded update in the store and the constraint in the database say the same; tests walk all three.</remarks>
public sealed class Moves<TState>
    where TState : struct, Enum
{
    private readonly (TState From, TState To)[] _allowed;

    internal Moves(params (TState From, TState[] To)[] table)
    {
        _allowed = [.. table.SelectMany(row => row.To.Select(to => (row.From, to)))];
    }

    /// <summary>Whether one step leads from <paramref name="from"/> to <paramref name="to"/>. Staying is not a move.</summary>
    public bool Allows(TState from, TState to) => Array.IndexOf(_allowed, (from, to)) >= 0;

    /// <summary>Whether nothing leads out of <paramref name="state"/>.</summary>
    public bool IsFinal(TState state) => !_allowed.Any(move => EqualityComparer<TState>.Default.Equals(move.From, state));

    /// <summary>Every allowed pair.</summary>
    public IReadOnlyCollection<(TState From, TState To)> All => _allowed;
}
