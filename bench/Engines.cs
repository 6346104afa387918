using System.Diagnostics;
using System.Text;
using Stint.Connectors;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Policies;
using Asked = Stint.Core.Policies.Question;

namespace Stint.Bench;

/// <summary>B2: a decision over 1,000 policies and 10,000 resources beside other engines' decision of the same, and what reading that catalog takes.</summary>
internal sealed class Engines : Question
{
    private const int Policies = 1_000;
    private const int ResourcesEach = 10;
    private const int Times = 200_000;

    /// <summary>What Open Policy Agent's documentation gives a decision ("Policy Performance"): on the order of a millisecond.</summary>
    private const double OpaBudget = 1_000_000;

    public override string Name => "engines";

    public override string Asks => "What does a decision cost over 1,000 policies and 10,000 resources, beside other engines?";

    public override async Task<IReadOnlyList<Row>> AnswerAsync(int rounds)
    {
        var node = await Node.FindAsync("@cedar-policy/cedar-wasm", "casbin")
            ?? throw new InvalidOperationException("node's packages are missing; run eng/servers bench");
        var script = Path.Combine(Node.Root, "bench", "peers.cjs");
        byte[] large = Encoding.UTF8.GetBytes(Text(ResourcesEach));
        byte[] small = Encoding.UTF8.GetBytes(Text(1));
        var catalog = Load(large);
        var measured = new Rounds(rounds);
        await measured.RunAsync(
        [
            ("stint", () => Task.FromResult(Nanoseconds(catalog))),
            ("cedar-wasm", () => node.NanosecondsAsync(script, "cedar", "100")),
            ("OPA's budget", () => Task.FromResult(OpaBudget)),
            ("casbin", () => node.NanosecondsAsync(script, "casbin", "100")),
            ("large", () => Task.FromResult(Milliseconds(large))),
            ("small", () => Task.FromResult(Milliseconds(small))),
        ]);
        return
        [
            measured.Compare("a decision with its trace", "ns", "stint", "cedar-wasm", "≤ 1/1,000", ratio => ratio <= 1e-3),
            measured.Compare("a decision with its trace", "ns", "stint", "casbin", "≤ 1/1,000", ratio => ratio <= 1e-3),
            measured.Compare("a decision with its trace", "ns", "stint", "OPA's budget", "≤ 1", ratio => ratio <= 1),
            measured.Alone("reading and checking it all", "ms", "large", "≤ 2,000", took => took <= 2_000),
            measured.Alone("the same with 1,000 resources", "ms", "small", "", null),
        ];
    }

    private static double Nanoseconds(LoadedCatalog catalog)
    {
        var now = new DateTimeOffset(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
        var question = new Asked(new SubjectId("p500"), new RoleRef("db500-3", "read"), TimeSpan.FromMinutes(30), "because", null, null, now);
        var allowed = 0;
        for (var i = 0; i < 20_000; i++)
        {
            allowed += Decider.Decide(catalog, question) is Verdict.Allow ? 1 : 0;
        }

        var watch = Stopwatch.StartNew();
        for (var i = 0; i < Times; i++)
        {
            allowed += Decider.Decide(catalog, question) is Verdict.Allow ? 1 : 0;
        }

        return allowed == Times + 20_000 ? watch.Elapsed.TotalNanoseconds / Times : throw new InvalidOperationException("Something was not allowed.");
    }

    private static double Milliseconds(byte[] text)
    {
        var watch = Stopwatch.StartNew();
        Load(text);
        return watch.Elapsed.TotalMilliseconds;
    }

    private static string Text(int each)
    {
        var text = new StringBuilder("resources:\n");
        for (var i = 0; i < Policies * each; i++)
        {
            text.Append($"  db{i / each}-{i % each}:\n    kind: postgres\n    labels: {{ env: prod }}\n    settings: {{ host: h, database: d, username: u, password: {{ env: P }} }}\n    roles: {{ read: {{ member_of: [pg_read_all_data] }} }}\n");
        }

        text.Append("people:\n");
        for (var i = 0; i < Policies; i++)
        {
            text.Append($"  p{i}: {{}}\n");
        }

        text.Append("groups:\n");
        for (var i = 0; i < Policies; i++)
        {
            text.Append($"  g{i}: [p{i}]\n");
        }

        text.Append("policies:\n");
        for (var i = 0; i < Policies; i++)
        {
            text.Append($"  rule{i}: {{ who: 'group:g{i}', roles: ['db{i}-*/read'], where: resource.labels.env == \"prod\", for: {{ default: 30m, max: 4h }}, approve: {{ auto: true }} }}\n");
        }

        return text.ToString();
    }

    private static LoadedCatalog Load(byte[] text)
    {
        var load = CatalogLoader.Load([new("all.yaml", text)], ConnectorList.All.Shapes.ToDictionary(shape => shape.Kind));
        return load.Catalog ?? throw new InvalidOperationException(string.Join('\n', load.Errors.Take(5)));
    }
}
