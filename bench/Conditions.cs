using System.Diagnostics;
using System.Globalization;
using Stint.Core.Policies.Cel;

namespace Stint.Bench;

/// <summary>B3: what a condition costs that no index helps, beside another implementation of the language in node.</summary>
internal sealed class Conditions : Question
{
    private const int Times = 2_000_000;

    private static readonly (string Name, string Source)[] Cases =
    [
        ("labels, flag and group", "resource.labels.env == \"prod\" && subject.on_call && \"oncall\" in subject.groups"),
        ("office hours in a zone", "now.getDayOfWeek(\"Europe/Berlin\") in [1, 2, 3, 4, 5] && now.getHours(\"Europe/Berlin\") >= 8"),
        ("a macro over 3 groups", "subject.groups.exists(g, g.startsWith(\"on\")) && request.for <= duration(\"2h\")"),
    ];

    public override string Name => "conditions";

    public override string Asks => "What does one evaluation of a condition cost?";

    public override async Task<IReadOnlyList<Row>> AnswerAsync(int rounds)
    {
        var measured = new Rounds(rounds);
        var (environment, inputs) = Setting();
        var programs = Cases.ToDictionary(one => one.Name, one => CelCompiler.Compile(one.Source, environment, CelType.Bool) is CelCompilation.Compiled compiled
            ? compiled.Program
            : throw new InvalidOperationException($"{one.Source} does not compile."));
        var node = await Node.FindAsync("@bufbuild/cel");
        var candidates = new List<(string, Func<Task<double>>)>();
        foreach (var (name, source) in Cases)
        {
            candidates.Add((name, () => Task.FromResult(Nanoseconds(programs[name], inputs))));
            if (node is not null)
            {
                candidates.Add(($"{name}, cel-es", () => node.NanosecondsAsync("-e", Script, source)));
            }
        }

        candidates.Add(("compile", () => Task.FromResult(Compiling(environment))));
        await measured.RunAsync(candidates);
        var rows = new List<Row>();
        foreach (var (name, _) in Cases)
        {
            rows.Add(measured.Alone(name, "ns", name, name == Cases[0].Name ? "≤ 50" : "", name == Cases[0].Name ? cost => cost <= 50 : null));
            if (node is not null)
            {
                rows.Add(measured.Compare($"{name}, beside", "ns", name, $"{name}, cel-es", "", null) with { PeerName = "cel-es" });
            }

            measured.Note($"{name}, bytes", Bytes(programs[name], inputs));
            rows.Add(measured.Alone($"{name}, allocated", "bytes", $"{name}, bytes", name == Cases[0].Name ? "0" : "", name == Cases[0].Name ? bytes => bytes == 0 : null));
        }

        rows.Add(measured.Alone("compiling the first", "µs", "compile", "≤ 50", cost => cost <= 50));
        return rows;
    }

    private static (CelEnvironment, CelInputs) Setting()
    {
        var subject = new CelShape("subject", [new("groups", CelType.List(CelType.String), ""), new("on_call", CelType.Bool, "")]);
        var resource = new CelShape("resource", [new("labels", CelType.Map(CelType.String, CelType.String), "")]);
        var request = new CelShape("request", [new("for", CelType.Duration, "")]);
        var environment = CelEnvironment.Of(
            new CelField("subject", CelType.Of(subject), ""),
            new CelField("resource", CelType.Of(resource), ""),
            new CelField("request", CelType.Of(request), ""),
            new CelField("now", CelType.Timestamp, ""));
        var inputs = new CelInputs(environment);
        inputs.Set("subject.groups", CelValue.From(CelList.OfSet(["developers", "oncall", "reviewers"])));
        inputs.Set("subject.on_call", CelValue.True);
        inputs.Set("resource.labels", CelValue.From(CelMap.Of([new KeyValuePair<string, string>("env", "prod"), new("team", "shop")])));
        inputs.Set("request.for", CelValue.From(TimeSpan.FromMinutes(30)));
        inputs.Set("now", CelValue.From(new DateTimeOffset(2026, 7, 1, 12, 0, 0, TimeSpan.Zero)));
        return (environment, inputs);
    }

    private static double Nanoseconds(CelProgram program, CelInputs inputs)
    {
        var met = 0;
        for (var i = 0; i < Times / 10; i++)
        {
            met += program.Test(inputs, out _) == CelTruth.True ? 1 : 0;
        }

        var watch = Stopwatch.StartNew();
        for (var i = 0; i < Times; i++)
        {
            met += program.Test(inputs, out _) == CelTruth.True ? 1 : 0;
        }

        return met == Times + (Times / 10) ? watch.Elapsed.TotalNanoseconds / Times : throw new InvalidOperationException("A condition was not met.");
    }

    private static double Bytes(CelProgram program, CelInputs inputs)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1_000; i++)
        {
            program.Test(inputs, out _);
        }

        return (GC.GetAllocatedBytesForCurrentThread() - before) / 1_000.0;
    }

    private static double Compiling(CelEnvironment environment)
    {
        const int Compilations = 2_000;
        var watch = Stopwatch.StartNew();
        for (var i = 0; i < Compilations; i++)
        {
            _ = CelCompiler.Compile(Cases[0].Source, environment, CelType.Bool);
        }

        return watch.Elapsed.TotalMicroseconds / Compilations;
    }

    // The same condition over the same inputs, planned once.
    private const string Script = """
        const { parse, plan, celEnv } = require("@bufbuild/cel");
        const { timestampFromMs } = require("@bufbuild/protobuf/wkt");
        const { create } = require("@bufbuild/protobuf");
        const { DurationSchema } = require("@bufbuild/protobuf/wkt");
        const inputs = {
            subject: new Map([["groups", ["developers", "oncall", "reviewers"]], ["on_call", true]]),
            resource: new Map([["labels", new Map([["env", "prod"], ["team", "shop"]])]]),
            request: new Map([["for", create(DurationSchema, { seconds: 1800n })]]),
            now: timestampFromMs(Date.UTC(2026, 6, 1, 12)),
        };
        const evaluate = plan(celEnv(), parse(process.argv[1]));
        let met = 0;
        const times = 100000;
        for (let i = 0; i < times / 5; i++) met += evaluate(inputs) === true ? 1 : 0;
        const began = process.hrtime.bigint();
        for (let i = 0; i < times; i++) met += evaluate(inputs) === true ? 1 : 0;
        const took = process.hrtime.bigint() - began;
        if (met !== times + times / 5) throw new Error("not met: " + evaluate(inputs));
        console.log(Number(took) / times);
        """;
}
