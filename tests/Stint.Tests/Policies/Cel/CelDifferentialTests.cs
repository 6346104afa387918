using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Stint.Core.Policies.Cel;
using Xunit;

namespace Stint.Tests.Policies.Cel;

/// <summary>Random well-typed expressions come to the same here and in another implementation of the language.</summary>
public sealed class CelDifferentialTests
{
    private const int Expressions = 1_500;

    // No characters beyond U+FFFF: the other implementation takes them apart into halves.
    private static readonly (string Name, CelType Type, CelValue Value)[] Inputs =
    [
        ("i", CelType.Int, CelValue.From(7L)), ("j", CelType.Int, CelValue.From(-3L)), ("k", CelType.Int, CelValue.From(long.MaxValue)),
        ("u", CelType.Uint, CelValue.From(5UL)), ("d", CelType.Double, CelValue.From(2.5)), ("e", CelType.Double, CelValue.From(-0.125)),
        ("s", CelType.String, CelValue.From("oncall")), ("t", CelType.String, CelValue.From("\u20ac\u00e4b")), ("b", CelType.Bool, CelValue.True),
        ("li", CelType.List(CelType.Int), CelValue.From(CelList.Of(CelValue.From(1L), CelValue.From(7L), CelValue.From(-3L)))),
        ("ls", CelType.List(CelType.String), CelValue.From(CelList.Of(new[] { "a", "oncall", "" }))),
        ("m", CelType.Map(CelType.String, CelType.Int), CelValue.From(CelMap.Of((CelValue.From("a"), CelValue.From(1L)), (CelValue.From("oncall"), CelValue.From(2L))))),
    ];

    /// <summary>Where the other implementation is known to differ, and why that is not ours to follow.</summary>
    private static readonly (string Why, Func<string, bool> Applies)[] Differences =
    [
        ("An empty text is the int 0 there. It is no number.", source => source.Contains("int('')", StringComparison.Ordinal)),
        ("The year 1 becomes 1901 there, with its weekdays and offsets.", source => source.Contains("'0001-01-01", StringComparison.Ordinal)),
        ("The largest uint divided by 1 overflows there.", source => source.Contains("18446744073709551615u / ", StringComparison.Ordinal)),
    ];

    [Fact]
    public void Evaluate_RandomExpressions_ComeToTheSameElsewhere()
    {
        var environment = CelEnvironment.Of([.. Inputs.Select(input => new CelField(input.Name, input.Type, ""))]);
        var inputs = new CelInputs(environment);
        foreach (var (name, _, value) in Inputs)
        {
            inputs.Set(name, value);
        }

        var generator = new Generator(new Random(2_026));
        var sources = Enumerable.Range(0, Expressions).Select(_ => generator.Any()).Where(source => !Array.Exists(Differences, one => one.Applies(source))).ToList();
        Assert.True(sources.Count > Expressions * 0.9, $"Only {sources.Count} expressions are compared.");
        var asked = new JsonObject
        {
            ["inputs"] = new JsonObject(Inputs.Select(input => KeyValuePair.Create(input.Name, Write(input.Value)))),
            ["sources"] = new JsonArray([.. sources.Select(source => (JsonNode?)source)]),
        };
        using var theirs = JsonDocument.Parse(CelWorld.Node("partner.cjs", asked.ToJsonString()));
        var differing = new List<string>();
        var (values, failures) = (0, 0);
        for (var i = 0; i < sources.Count; i++)
        {
            var program = CelCompiler.Compile(sources[i], environment, CelType.Dyn) switch
            {
                CelCompilation.Compiled compiled => compiled.Program,
                CelCompilation.Problems problems => throw new InvalidOperationException($"{sources[i]}: {string.Join("; ", problems.All)}"),
                _ => throw new InvalidOperationException(),
            };
            var outcome = program.Evaluate(inputs);
            values += outcome is CelOutcome.Is ? 1 : 0;
            failures += outcome is CelOutcome.Failed ? 1 : 0;
            var ours = outcome is CelOutcome.Is is_ ? Write(is_.Value)!.ToJsonString() : "error";
            var other = theirs.RootElement[i][0].GetString() == "error" ? "error" : JsonNode.Parse(theirs.RootElement[i].GetRawText())!.ToJsonString();
            if (ours != other)
            {
                differing.Add($"{sources[i]} → {(outcome is CelOutcome.Failed failed ? failed.Error.Message : ours)}, elsewhere {theirs.RootElement[i]}");
            }
        }

        Assert.True(values > sources.Count / 2 && failures > 50, $"{values} values and {failures} failures try too little.");
        Assert.True(differing.Count == 0, $"{differing.Count} of {sources.Count} differ:\n{string.Join('\n', differing.OrderBy(line => line.Length).Take(25))}");
    }

    private static JsonNode? Write(CelValue value) => value.Kind switch
    {
        CelKind.Null => new JsonArray("null", null),
        CelKind.Truth => new JsonArray("bool", value.AsBool()),
        CelKind.Signed => new JsonArray("int", value.AsInt().ToString(CultureInfo.InvariantCulture)),
        CelKind.Unsigned => new JsonArray("uint", value.Unsigned.ToString(CultureInfo.InvariantCulture)),
        CelKind.Floating => new JsonArray("double", CelText.Say(value.Floating)),
        CelKind.Text => new JsonArray("string", value.AsString()),
        CelKind.Bytes => new JsonArray("bytes", Convert.ToBase64String(value.Octets)),
        CelKind.Duration => new JsonArray("duration", value.Bits.ToString(CultureInfo.InvariantCulture)),
        CelKind.Timestamp => new JsonArray("timestamp", (((Int128)value.Bits * 1_000_000_000) + value.Nanos).ToString(CultureInfo.InvariantCulture)),
        CelKind.Kind => new JsonArray("type", value.Type.Name),
        CelKind.List => new JsonArray("list", new JsonArray([.. Enumerable.Range(0, value.List.Count).Select(i => Write(value.List[i]))])),
        CelKind.Map => new JsonArray("map", new JsonArray([.. Enumerable.Range(0, value.Map.Count).Select(i => new JsonArray(Write(value.Map.KeyAt(i)), Write(value.Map.ValueAt(i)))).OrderBy(entry => entry.ToJsonString(), StringComparer.Ordinal)])),
        _ => new JsonArray("other", value.ToString()),
    };

    /// <summary>Makes expressions that the type check accepts.</summary>
    private sealed class Generator(Random random)
    {
        private int _names;
        private int _depth;

        public string Any()
        {
            _depth = 4;
            return random.Next(8) switch { 0 => Int(), 1 => Uint(), 2 => Double(), 3 => Text(), 4 => Ints(), 5 => Texts(), 6 => Time(), _ => Bool() };
        }

        private string Pick(params string[] choices) => choices[random.Next(choices.Length)];

        private string Deeper(Func<string>[] leaves, Func<string>[] choices)
        {
            if (_depth <= 0)
            {
                return leaves[random.Next(leaves.Length)]();
            }

            _depth--;
            var at = random.Next(leaves.Length + (choices.Length * 2));
            var text = at < leaves.Length ? leaves[at]() : choices[(at - leaves.Length) % choices.Length]();
            _depth++;
            return text;
        }

        private string Bool() => Deeper(
            [() => "b", () => "true", () => "false"],
            [
                () => $"({Bool()} && {Bool()})", () => $"({Bool()} || {Bool()})", () => $"!{Bool()}", () => $"({Bool()} ? {Bool()} : {Bool()})",
                () => $"({Int()} {Compare()} {Int()})", () => $"({Double()} {Compare()} {Double()})", () => $"({Uint()} {Compare()} {Uint()})", () => $"({Text()} {Compare()} {Text()})",
                () => $"({Int()} {Pick("<", "<=", ">", ">=")} {Double()})", () => $"({Uint()} {Pick("<", ">=")} {Int()})", () => $"(dyn({Int()}) == {Double()})", () => $"(dyn({Uint()}) != {Int()})",
                () => $"({Int()} in {Ints()})", () => $"({Text()} in {Texts()})", () => $"({Text()} in m)", () => $"({Ints()} == {Ints()})", () => $"({Texts()} != {Texts()})",
                () => $"{Text()}.{Pick("contains", "startsWith", "endsWith")}({Text()})", () => $"{Text()}.matches({Pick("'^[a-z]+$'", "'.'", "'(on|off)call'", "'\\\\d'", "'^$'")})",
                () => $"has(m.{Pick("a", "x", "oncall")})", () => Macro(Ints(), Pick("all", "exists", "exists_one"), Int, Bool), () => Macro(Texts(), Pick("all", "exists"), Text, Bool), () => $"({Time()} {Pick("<", "==")} {Time()})",
            ]);

        private string Int() => Deeper(
            [() => Pick("i", "j", "k", "0", "1", "2", "-1", "10", "9223372036854775807", "-9223372036854775808"), Variable],
            [
                () => $"({Int()} {Pick("+", "-", "*", "/", "%")} {Int()})", () => $"(-{Pick("i", "j", "k")})", () => $"size({Text()})", () => $"size({Ints()})", () => $"({Bool()} ? {Int()} : {Int()})",
                () => $"int({Double()})", () => $"int({Uint()})", () => $"int({Pick("'12'", "'-7'", "'x'", "''", "'9223372036854775808'")})", () => $"{Ints()}[{Pick("0", "1", "5", "-1")}]", () => $"m[{Text()}]", () => $"m.{Pick("a", "nothing")}",
                () => $"{Text()}.indexOf({Text()})", () => $"{Text()}.lastIndexOf({Text()})", () => $"timestamp('{Pick("2024-02-29T12:30:15.123Z", "1999-12-31T23:59:59-08:00", "0001-01-01T00:00:00Z")}').{Pick("getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes", "getSeconds", "getMilliseconds")}({Pick("", "'UTC'", "'Europe/Berlin'", "'America/New_York'", "'+05:45'")})",
            ]);

        private string Uint() => Deeper(
            [() => Pick("u", "0u", "1u", "18446744073709551615u")],
            [() => $"({Uint()} {Pick("+", "-", "*", "/", "%")} {Uint()})", () => $"uint({Int()})", () => $"uint({Double()})"]);

        private string Double() => Deeper(
            [() => Pick("d", "e", "0.0", "1.5", "-2.0", "1e300", "9007199254740993.0")],
            [() => $"({Double()} {Pick("+", "-", "*", "/")} {Double()})", () => $"double({Int()})", () => $"double({Uint()})", () => $"(-{Pick("d", "e")})"]);

        private string Text() => Deeper(
            [() => Pick("s", "t", "'a'", "''", "'on'", "\"\\u00e4\"", "r'\\d'")],
            [
                () => $"({Text()} + {Text()})", () => $"string({Int()})", () => $"string({Uint()})", () => $"string({Bool()})", () => $"({Bool()} ? {Text()} : {Text()})", () => $"{Texts()}[{Pick("0", "2")}]",
                () => $"{Text()}.{Pick("lowerAscii", "upperAscii", "trim")}()", () => $"{Text()}.charAt({Pick("0", "1", "2")})", () => $"{Text()}.substring({Pick("0", "1")})", () => $"{Text()}.replace({Pick("'o'", "'a'", "'call'")}, {Text()})", () => $"{Texts()}.join({Pick("','", "''")})",
            ]);

        private string Ints() => Deeper(
            [() => Pick("li", "[1, 2, 3]", "[0]")],
            [() => $"[{Int()}, {Int()}]", () => $"({Ints()} + {Ints()})", () => Macro(Ints(), "map", Int, Int), () => Macro(Ints(), "filter", Int, Bool)]);

        private string Texts() => Deeper(
            [() => Pick("ls", "['x', 'y']")],
            [() => $"[{Text()}]", () => $"({Texts()} + {Texts()})", () => Macro(Texts(), "filter", Text, Bool), () => $"{Text()}.split({Pick("','", "'n'", "''")})"]);

        private string Time() => Deeper(
            [() => Pick("duration('1h30m')", "duration('-1.5s')", "duration('0')", "duration('2540400h')")],
            [() => $"({Time()} + {Time()})", () => $"({Time()} - {Time()})", () => "(timestamp('2026-01-01T00:00:00Z') - timestamp('2025-01-01T00:00:00.5Z'))"]);

        private string Compare() => Pick("==", "!=", "<", "<=", ">", ">=");

        private readonly Stack<string> _ints = new();

        private string Variable() => _ints.Count > 0 ? _ints.Peek() : "i";

        private string Macro(string range, string macro, Func<string> element, Func<string> body)
        {
            var name = $"v{_names++}";
            var isInt = element == Int;
            if (isInt)
            {
                _ints.Push(name);
            }

            var text = $"{range}.{macro}({name}, {body()})";
            if (isInt)
            {
                _ints.Pop();
            }

            return text;
        }
    }
}
