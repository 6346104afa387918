using System.Diagnostics;
using Stint.Core.Policies.Cel;
using Xunit;

namespace Stint.Tests.Policies.Cel;

/// <summary>Whatever is written as a condition, compiling and evaluating end soon and throw nothing.</summary>
public sealed class CelRobustnessTests
{
    private static readonly string[] Seeds =
    [
        "resource.labels.env == \"prod\" && subject.on_call && \"oncall\" in subject.groups", "subject.groups.exists(g, g.startsWith('a')) ? 1 : 2",
        "now.getHours('Europe/Berlin') >= 8 && now < timestamp('2026-01-01T00:00:00Z') + duration('1h30m')", "{'a': [1, 2u, 3.5e3, 0xff, null, b'\\x00', r'\\d']}['a'][?1].orValue(2)",
        "request.?ticket.optMap(t, t.split('-')[0]).orValue('')", "cidr('10.0.0.0/8').containsIP(ip('10.1.1.1')) || isIP(subject.id)", "'%s %d %.3f %x'.format(['x', 1, 2.5, 255])",
        "[1, 2, 3].map(x, x * 2).filter(x, x > 2).transformMap(i, v, i < 2, v + i)", "cel.bind(x, subject.id + 'y', x.matches('^[a-z]+(?i:b)$') && x != '''z''')",
        "sets.contains([[1], [2]], [[1]]) && math.greatest(1, 2.5, 3u) > 2 && has(resource.labels.x)", "dyn(resource).owner.level / (request.count - 7) == -9223372036854775808",
        "string(int(uint(double('1.5')))) + base64.encode(bytes('x')) + strings.quote('a\\nb')", "lists.range(5).sort().reverse().distinct().slice(0, 2).flatten(3) == [optional.of(1), ?optional.none()]",
    ];

    [Fact]
    public void Compile_AHundredThousandMutations_NeverThrowNorHang()
    {
        const int Lots = 8;
        var (compiled, evaluated, slowest) = (0, 0, 0L);
        // Each lot has a seed of its own, so that it can be run again alone.
        Parallel.For(0, Lots, lot =>
        {
            var (random, inputs) = (new Random(20_260_101 + lot), CelWorld.Inputs());
            for (var i = 0; i < 100_000 / Lots; i++)
            {
                var source = Mutated(random);
                var began = Stopwatch.GetTimestamp();
                switch (CelCompiler.Compile(source, CelWorld.Environment, CelType.Dyn, Tight))
                {
                    case CelCompilation.Compiled { Program: var program }:
                        Interlocked.Increment(ref compiled);
                        Interlocked.Add(ref evaluated, program.Evaluate(inputs) is CelOutcome.Is ? 1 : 0);
                        break;
                    case CelCompilation.Problems { All: var problems }:
                        Assert.NotEmpty(problems);
                        Assert.All(problems, problem => Assert.True(problem.Offset >= 0 && problem.Offset <= source.Length && problem.Line >= 1 && problem.Column >= 1));
                        break;
                }

                InterlockedMax(ref slowest, Stopwatch.GetElapsedTime(began).Ticks);
            }
        });

        // Mutations that all die in the parser would try nothing else.
        Assert.True(compiled > 5_000 && evaluated > 2_000, $"{compiled} compiled, {evaluated} gave a value.");
        Assert.True(TimeSpan.FromTicks(slowest) < TimeSpan.FromSeconds(5), $"The slowest took {TimeSpan.FromTicks(slowest)}.");
    }

    private const string Signs = "()[]{}.,?:!&|=<>+-*/%'\"`\\ \n0123456789abcdefghuxU_@#\0\u00e4\ud83d\ude00";

    private static readonly CelLimits Tight = CelLimits.Default with { Steps = 5_000 };

    private static void InterlockedMax(ref long most, long value)
    {
        for (var seen = Interlocked.Read(ref most); value > seen; seen = Interlocked.Read(ref most))
        {
            Interlocked.CompareExchange(ref most, value, seen);
        }
    }

    private static string Mutated(Random random)
    {
        var text = Seeds[random.Next(Seeds.Length)].ToList();
        for (var changes = random.Next(1, 3); changes > 0; changes--)
        {
            var at = random.Next(text.Count);
            switch (random.Next(4))
            {
                case 0:
                    text[at] = Signs[random.Next(Signs.Length)];
                    break;
                case 1:
                    text.Insert(at, Signs[random.Next(Signs.Length)]);
                    break;
                case 2:
                    text.RemoveRange(at, Math.Min(text.Count - 1 - at, random.Next(1, 6)));
                    break;
                default:
                    var other = Seeds[random.Next(Seeds.Length)];
                    var from = random.Next(other.Length);
                    text.InsertRange(at, other.Substring(from, Math.Min(random.Next(1, 20), other.Length - from)));
                    break;
            }
        }

        return new string([.. text]);
    }

    [Fact]
    public void CompileUnchecked_Mutations_NeverThrow()
    {
        var random = new Random(7);
        var inputs = CelWorld.Inputs();
        var words = Seeds.SelectMany(seed => seed.Split(' ')).ToArray();
        for (var i = 0; i < 20_000; i++)
        {
            var source = string.Join(' ', Enumerable.Range(0, random.Next(1, 6)).Select(_ => words[random.Next(words.Length)]));
            if (CelCompiler.CompileUnchecked(source, CelWorld.Environment) is CelCompilation.Compiled { Program: var program })
            {
                Assert.NotNull(program.Evaluate(inputs));
            }
        }
    }

    [Fact]
    public void Matches_RandomPatterns_NeverThrowNorHang()
    {
        var random = new Random(11);
        string[] parts = ["a", "b", ".", "*", "+", "?", "(", ")", "|", "[a-c]", "[^x]", "\\d", "\\W", "^", "$", "{2,5}", "{100}", "(?i)", "(?s:", "(?P<n>", "\\Q", "\\E", "\\pL", "[[:alpha:]]", "[", "]", "\\", "{", "}", "\ud83d\ude00", "\\b", "#", " ", "(?=", "(?<!", "\\1", "-", "[a-z-[b]]", "\\x{41}"];
        var frame = new CelInputs(CelWorld.Environment);
        var worked = 0;
        for (var i = 0; i < 3_000; i++)
        {
            var pattern = string.Concat(Enumerable.Range(0, random.Next(1, 9)).Select(_ => parts[random.Next(parts.Length)]));
            frame.Begin(CelLimits.Default, 0);
            worked += CelRegex.Match(frame, "abc \ud83d\ude00 aaaaaaaaab", pattern).Kind == CelKind.Truth ? 1 : 0;
        }

        Assert.True(worked > 300, $"{worked} patterns were patterns.");
    }
}
