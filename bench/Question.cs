namespace Stint.Bench;

/// <summary>One line of the table: our figure beside the peer's of the same run.</summary>
/// <param name="Case">What was measured.</param>
/// <param name="Unit">Of both figures.</param>
/// <param name="Ours">Median over the rounds.</param>
/// <param name="Peer">Median over the rounds; NaN when the line has none.</param>
/// <param name="PeerName">Who it is.</param>
/// <param name="Ratio">Median of the per-round ratios, ours to the peer's.</param>
/// <param name="Goal">In words; empty for a figure without one.</param>
/// <param name="Met">Whether it is reached; null without a goal.</param>
internal sealed record Row(string Case, string Unit, double Ours, double Peer, string PeerName, double Ratio, string Goal, bool? Met);

/// <summary>One question that the bench answers.</summary>
internal abstract class Question
{
    public abstract string Name { get; }

    public abstract string Asks { get; }

    public abstract Task<IReadOnlyList<Row>> AnswerAsync(int rounds);

    /// <summary>Words that a case's name must all hold to be measured; none for every case.</summary>
    public static IReadOnlyList<string> Only { get; set; } = [];

    /// <summary>Whether a case is asked for.</summary>
    protected static bool IsAsked(string name) => Only.All(word => name.Split(' ', ',').Contains(word));
}

/// <summary>Interleaves the candidates of a question in random order, round by round, so that the machine's moods fall on all alike.</summary>
internal sealed class Rounds(int rounds)
{
    private readonly Dictionary<string, List<double>> _figures = [];

    public async Task RunAsync(IReadOnlyList<(string Name, Func<Task<double>> Measure)> candidates)
    {
        for (var round = 0; round < rounds; round++)
        {
            var order = candidates.ToArray();
            Random.Shared.Shuffle(order);
            foreach (var (name, measure) in order)
            {
                if (!_figures.TryGetValue(name, out var list))
                {
                    _figures[name] = list = [];
                }

                list.Add(await measure());
            }
        }
    }

    public void Note(string name, double figure)
    {
        if (!_figures.TryGetValue(name, out var list))
        {
            _figures[name] = list = [];
        }

        list.Add(figure);
    }

    public double Median(string name) => Median(_figures[name]);

    public double MedianRatio(string ours, string peer) => Median([.. _figures[ours].Zip(_figures[peer], (o, p) => o / p)]);

    /// <summary>A line with a peer and a goal on the ratio.</summary>
    public Row Compare(string what, string unit, string ours, string peer, string goal, Func<double, bool>? met)
    {
        var ratio = MedianRatio(ours, peer);
        return new Row(what, unit, Median(ours), Median(peer), peer, ratio, goal, met?.Invoke(ratio));
    }

    /// <summary>A line with a goal on how much ours is above the peer's.</summary>
    public Row Added(string what, string unit, string ours, string peer, string goal, Func<double, bool>? met)
    {
        var more = Median([.. _figures[ours].Zip(_figures[peer], (o, p) => o - p)]);
        return new Row(what, unit + " +", more, Median(peer), peer, double.NaN, goal, met?.Invoke(more));
    }

    /// <summary>A line with a goal on the figure itself.</summary>
    public Row Alone(string what, string unit, string ours, string goal, Func<double, bool>? met)
    {
        var figure = Median(ours);
        return new Row(what, unit, figure, double.NaN, "", double.NaN, goal, met?.Invoke(figure));
    }

    private static double Median(List<double> figures)
    {
        var sorted = figures.Order().ToList();
        return sorted.Count % 2 == 1 ? sorted[sorted.Count / 2] : (sorted[(sorted.Count / 2) - 1] + sorted[sorted.Count / 2]) / 2;
    }
}
