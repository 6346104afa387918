using System.Globalization;
using System.Text.Json;
using Stint.Core.Policies.Cel;
using Xunit;

namespace Stint.Tests.Policies.Cel;

/// <summary>The official cases of the language (cel-spec, as @bufbuild/cel-spec packages them), all of them.</summary>
public sealed class CelConformanceTests
{
    /// <summary>Every case passes, but for those that <c>conformance-left-out.txt</c> names with a reason; and each of those fails.</summary>
    [Fact]
    public void OfficialCases_AllButThoseLeftOutForAReason_Pass()
    {
        using var cases = JsonDocument.Parse(CelWorld.Node("conformance.cjs", ""));
        var (leftOut, counts) = LeftOut();
        var failed = new List<string>();
        var passedAnyway = new List<string>();
        var seen = new HashSet<string>();
        var total = 0;
        foreach (var one in cases.RootElement.EnumerateArray())
        {
            total++;
            var name = $"{one.GetProperty("suite").GetString()}/{one.GetProperty("name").GetString()}";
            while (!seen.Add(name))
            {
                name += "'";
            }

            var wrong = Wrong(one);
            if (wrong is not null && !leftOut.ContainsKey(name))
            {
                failed.Add($"{name}: {one.GetProperty("expr").GetString()} → {wrong}");
            }
            else if (wrong is null && leftOut.ContainsKey(name))
            {
                passedAnyway.Add(name);
            }
        }

        if (Environment.GetEnvironmentVariable("CEL_CASES") is { } path)
        {
            File.WriteAllLines(path, failed);
            File.WriteAllLines(path + ".passed", passedAnyway);
        }

        Assert.Empty(failed);
        Assert.Empty(passedAnyway);
        Assert.Empty(leftOut.Keys.Except(seen));
        Assert.Equal(2344, total);
        foreach (var (reason, count) in counts)
        {
            Assert.Equal(count, leftOut.Values.Count(why => why == reason));
        }
    }

    /// <summary>Null when a case comes out as it must.</summary>
    private static string? Wrong(JsonElement one)
    {
        var source = one.GetProperty("expr").GetString()!;
        var (environment, inputs, unsupported) = Setting(one);
        if (environment is null)
        {
            return unsupported;
        }

        var unchecked_ = one.TryGetProperty("disableCheck", out var off) && off.GetBoolean();
        var compiled = unchecked_ ? CelCompiler.CompileUnchecked(source, environment) : CelCompiler.Compile(source, environment, CelType.Dyn);
        var mustFail = one.TryGetProperty("evalError", out _);
        if (compiled is not CelCompilation.Compiled { Program: var program })
        {
            return mustFail ? null : string.Join("; ", ((CelCompilation.Problems)compiled).All);
        }

        if (one.TryGetProperty("typedResult", out var typed) && TypeText(typed.GetProperty("deducedType")) is var deduced && deduced != program.Type.ToString())
        {
            return $"is a {program.Type}, not a {deduced}";
        }

        if (one.TryGetProperty("checkOnly", out var only) && only.GetBoolean())
        {
            return null;
        }

        var outcome = program.Evaluate(inputs!);
        if (outcome is CelOutcome.Failed failure)
        {
            return mustFail ? null : failure.Error.Message;
        }

        var value = ((CelOutcome.Is)outcome).Value;
        if (mustFail)
        {
            return $"gave {value} and not an error";
        }

        var wanted = one.TryGetProperty("value", out var given) ? Value(given)
            : typed.ValueKind == JsonValueKind.Object ? Value(typed.GetProperty("result"))
            : CelValue.True;
        return wanted is null ? "an expected value that is none of ours" : Exactly(value, wanted.Value) ? null : $"gave {value}, not {wanted}";
    }

    private static (CelEnvironment? Environment, CelInputs? Inputs, string Unsupported) Setting(JsonElement one)
    {
        var fields = new Dictionary<string, CelField>();
        foreach (var declared in one.TryGetProperty("typeEnv", out var types) ? types.EnumerateArray() : [])
        {
            if (!declared.TryGetProperty("ident", out var ident))
            {
                return (null, null, "declares a function");
            }

            if (Type(ident.GetProperty("type")) is not { } type)
            {
                return (null, null, "declares a type that is none of ours");
            }

            var name = declared.GetProperty("name").GetString()!;
            fields[name] = new CelField(name, type, "");
        }

        var values = new Dictionary<string, CelValue>();
        foreach (var bound in one.TryGetProperty("bindings", out var bindings) ? bindings.EnumerateObject() : default)
        {
            if (!bound.Value.TryGetProperty("value", out var given) || Value(given) is not { } value)
            {
                return (null, null, "binds a value that is none of ours");
            }

            values[bound.Name] = value;
            fields.TryAdd(bound.Name, new CelField(bound.Name, CelType.Dyn, ""));
        }

        var environment = CelEnvironment.Within(one.TryGetProperty("container", out var container) ? container.GetString()! : "", [.. fields.Values]);
        var inputs = new CelInputs(environment);
        foreach (var (name, value) in values)
        {
            inputs.Set(name, value);
        }

        return (environment, inputs, "");
    }

    private static CelType? Type(JsonElement type)
    {
        var property = type.EnumerateObject().First();
        return property.Name switch
        {
            "dyn" => CelType.Dyn,
            "null" => CelType.Null,
            "primitive" => property.Value.GetString() switch
            {
                "BOOL" => CelType.Bool,
                "INT64" => CelType.Int,
                "UINT64" => CelType.Uint,
                "DOUBLE" => CelType.Double,
                "STRING" => CelType.String,
                "BYTES" => CelType.Bytes,
                _ => null,
            },
            "wellKnown" => property.Value.GetString() == "DURATION" ? CelType.Duration : property.Value.GetString() == "TIMESTAMP" ? CelType.Timestamp : null,
            "messageType" => property.Value.GetString() switch
            {
                "google.protobuf.Duration" => CelType.Duration,
                "google.protobuf.Timestamp" => CelType.Timestamp,
                _ => null,
            },
            "listType" => Type(property.Value.GetProperty("elemType")) is { } element ? CelType.List(element) : null,
            "mapType" => Type(property.Value.GetProperty("keyType")) is { } key && Type(property.Value.GetProperty("valueType")) is { } value ? CelType.Map(key, value) : null,
            "abstractType" when property.Value.GetProperty("name").GetString() == "optional_type" =>
                Type(property.Value.GetProperty("parameterTypes")[0]) is { } inner ? CelType.Optional(inner) : null,
            _ => null,
        };
    }

    private static string TypeText(JsonElement type) => Type(type)?.ToString() ?? $"type that is none of ours ({type})";

    private static CelValue? Value(JsonElement value)
    {
        var property = value.EnumerateObject().FirstOrDefault();
        switch (property.Name)
        {
            case "nullValue":
                return CelValue.Null;
            case "boolValue":
                return CelValue.From(property.Value.GetBoolean());
            case "int64Value":
                return CelValue.From(long.Parse(property.Value.GetString()!, CultureInfo.InvariantCulture));
            case "uint64Value":
                return CelValue.From(ulong.Parse(property.Value.GetString()!, CultureInfo.InvariantCulture));
            case "doubleValue":
                return CelValue.From(property.Value.ValueKind == JsonValueKind.Number ? property.Value.GetDouble() : double.Parse(property.Value.GetString()!, CultureInfo.InvariantCulture));
            case "stringValue":
                return CelValue.From(property.Value.GetString());
            case "bytesValue":
                return CelValue.From(property.Value.GetBytesFromBase64());
            case "typeValue":
                return CelWorld.Ask(property.Value.GetString()!) is CelOutcome.Is type ? type.Value : null;
            case "listValue":
                return List(property.Value);
            case "mapValue":
                return Map(property.Value);
            case "objectValue":
                var text = property.Value.TryGetProperty("value", out var inner) && inner.ValueKind == JsonValueKind.String ? inner.GetString() : "";
                return property.Value.GetProperty("@type").GetString() switch
                {
                    "type.googleapis.com/google.protobuf.Duration" => CelTime.TryParseDuration(text!, out var duration) ? duration : null,
                    "type.googleapis.com/google.protobuf.Timestamp" => CelTime.TryParseTimestamp(text!, out var moment) ? moment : null,
                    _ => null,
                };
            default:
                return null;
        }
    }

    private static CelValue? List(JsonElement list)
    {
        var values = list.TryGetProperty("values", out var items) ? items.EnumerateArray().Select(Value).ToList() : [];
        return values.Contains(null) ? null : CelValue.From(CelList.Of([.. values.OfType<CelValue>()]));
    }

    private static CelValue? Map(JsonElement map)
    {
        var entries = map.TryGetProperty("entries", out var items)
            ? items.EnumerateArray().Select(entry => (Key: Value(entry.GetProperty("key")), Value: Value(entry.GetProperty("value")))).ToList()
            : [];
        return entries.Exists(entry => entry.Key is null || entry.Value is null) ? null : CelValue.From(CelMap.Of([.. entries.Select(entry => (entry.Key!.Value, entry.Value!.Value))]));
    }

    /// <summary>Equal in kind and content; NaN equals itself here, and an int is no double.</summary>
    internal static bool Exactly(CelValue a, CelValue b)
    {
        if (a.Kind != b.Kind)
        {
            return false;
        }

        switch (a.Kind)
        {
            case CelKind.Floating:
                return a.Floating.Equals(b.Floating) || a.Floating == b.Floating;
            case CelKind.List:
                return a.List.Count == b.List.Count && Enumerable.Range(0, a.List.Count).All(i => Exactly(a.List[i], b.List[i]));
            case CelKind.Map:
                return a.Map.Count == b.Map.Count && Enumerable.Range(0, a.Map.Count).All(i => b.Map.TryGet(a.Map.KeyAt(i), out var other) && Exactly(a.Map.ValueAt(i), other));
            default:
                return a == b;
        }
    }

    private static (Dictionary<string, string> Names, List<(string Reason, int Count)> Counts) LeftOut()
    {
        var names = new Dictionary<string, string>();
        var counts = new List<(string, int)>();
        var reason = "";
        foreach (var line in File.ReadLines(Path.Combine(CelWorld.Checkout(), "tests", "Stint.Tests", "Policies", "Cel", "conformance-left-out.txt")))
        {
            if (line.StartsWith("## ", StringComparison.Ordinal))
            {
                var colon = line.IndexOf(' ', 3);
                reason = line[(colon + 1)..];
                counts.Add((reason, int.Parse(line.AsSpan(3, colon - 3), CultureInfo.InvariantCulture)));
            }
            else if (line.Length > 0 && line[0] != '#')
            {
                names.Add(line, reason);
            }
        }

        return (names, counts);
    }
}
