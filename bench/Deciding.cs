using System.Diagnostics;
using System.Text;
using Stint.Connectors;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Policies;
using Asked = Stint.Core.Policies.Question;

namespace Stint.Bench;

/// <summary>B1: what a decision costs with its explanation, by the number of policies.</summary>
internal sealed class Deciding : Question
{
    private const int Times = 200_000;

    public override string Name => "decide";

    public override string Asks => "What does a decision cost, and does it grow with the policies?";

    public override async Task<IReadOnlyList<Row>> AnswerAsync(int rounds)
    {
        int[] sizes = [1, 100, 1000];
        var catalogs = sizes.ToDictionary(size => size, Load);
        var now = new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
        var measured = new Rounds(rounds);
        await measured.RunAsync([.. sizes.Select<int, (string, Func<Task<double>>)>(size => ($"{size}", () => Task.FromResult(Nanoseconds(catalogs[size], size, now))))]);
        return
        [
            .. sizes.Select(size => measured.Alone($"{size} policies, with its trace", "ns", $"{size}", "≤ 250", cost => cost <= 250)),
            measured.Compare("1,000 policies beside 1", "ns", "1000", "1", "≤ 2×", ratio => ratio <= 2),
        ];
    }

    private static double Nanoseconds(LoadedCatalog catalog, int size, DateTimeOffset now)
    {
        var question = new Asked(new SubjectId($"p{size / 2}"), new RoleRef($"db{size / 2}", "read"), TimeSpan.FromMinutes(30), "because", null, null, now);
        var decided = 0;
        for (var i = 0; i < 20_000; i++)
        {
            decided += Decider.Decide(catalog, question).DecidedBy.Count;
        }

        var watch = Stopwatch.StartNew();
        for (var i = 0; i < Times; i++)
        {
            decided += Decider.Decide(catalog, question) is Verdict.Allow ? 1 : 0;
        }

        return decided == 0 ? throw new InvalidOperationException("Nothing was allowed.") : watch.Elapsed.TotalNanoseconds / Times;
    }

    private static LoadedCatalog Load(int policies)
    {
        var text = new StringBuilder("resources:\n");
        for (var i = 0; i < policies; i++)
        {
            text.Append($"  db{i}:\n    kind: postgres\n    owners: [person:boss]\n    settings: {{ host: h, database: d, username: u, password: {{ env: P }} }}\n    roles: {{ read: {{ member_of: [pg_read_all_data] }} }}\n");
        }

        text.Append("people:\n  boss: {}\n");
        for (var i = 0; i < policies; i++)
        {
            text.Append($"  p{i}: {{}}\n");
        }

        text.Append("policies:\n");
        for (var i = 0; i < policies; i++)
        {
            text.Append($"  rule{i}: {{ who: 'person:p{i}', roles: ['db{i}/read'], for: {{ default: 30m, max: 4h }}, approve: {{ auto: true }} }}\n");
        }

        var kinds = ConnectorList.All.Shapes.ToDictionary(shape => shape.Kind);
        var load = CatalogLoader.Load([new("all.yaml", Encoding.UTF8.GetBytes(text.ToString()))], kinds);
        return load.Catalog ?? throw new InvalidOperationException(string.Join('\n', load.Errors));
    }
}
