using Stint.Core.Policies.Cel;
using Xunit;

namespace Stint.Tests.Policies.Cel;

/// <summary>What is wrong with a source is told with its place and the way out.</summary>
public sealed class CelCheckerTests
{
    [Theory]
    [InlineData("subject.groop", 1, 9, "there are: address, groups, id, on_call")]
    [InlineData("subject.group", 1, 9, "did you mean 'groups'?")]
    [InlineData("\n  subjekt.id == 'x'", 2, 3, "did you mean 'subject'?")]
    [InlineData("resource.owner.nam == 'x'", 1, 16, "did you mean 'name'?")]
    [InlineData("resource.history[0].nam == 'x'", 1, 21, "did you mean 'name'?")]
    [InlineData("subject.id.startWith('a')", 1, 12, "did you mean 'startsWith'?")]
    [InlineData("subject.id == 3", 1, 12, "a string never equals a int")]
    [InlineData("request.for > 5m", 1, 15, "duration(\"5m\")")]
    [InlineData("request.for > duration('5x')", 1, 24, "1h30m")]
    [InlineData("now > timestamp('yesterday')", 1, 17, "2026-01-31T08:00:00Z")]
    [InlineData("now.getHours('Europe/Berlim') == 1", 1, 14, "IANA")]
    [InlineData("subject.id.matches('(a')", 1, 20, "parenthesis")]
    [InlineData("subject.id.matches(r'(a)\\1')", 1, 20, "RE2")]
    [InlineData("subject.id.matches('(?=a)b')", 1, 20, "look-around")]
    [InlineData("ip('010.0.0.1').isLoopback()", 1, 4, "leading zeros")]
    [InlineData("cidr('10.0.0.0/33').containsIP(subject.address)", 1, 6, "no network")]
    [InlineData("cidr('10.0.0.0/8').containsIP('10.0.0')", 1, 31, "no IP address")]
    [InlineData("subject.id", 1, 1, "a string where a bool is needed")]
    [InlineData("subject.id && true", 1, 1, "this is a string")]
    [InlineData("subject.on_call = true", 1, 17, "write == to compare")]
    [InlineData("subject.on_call & true", 1, 17, "write && for and")]
    [InlineData("subject.on_call ? true : 'x'", 1, 26, "give both one type")]
    [InlineData("'abc", 1, 1, "never closed")]
    [InlineData("subject.on_call &&", 1, 19, "the end")]
    [InlineData("subject.groups.exists(g, g.name == 'x')", 1, 28, "has no fields")]
    [InlineData("subject.groups.exists('g', true)", 1, 23, "names the variable")]
    [InlineData("Subject{id: 'x'} == subject", 1, 8, "no message types")]
    [InlineData("while == 1", 1, 1, "reserved")]
    [InlineData("9223372036854775808 > 1", 1, 1, "beyond an int's 64 bits")]
    [InlineData("subject.on_call == \"yes\\q\"", 1, 24, "no such escape")]
    [InlineData("", 1, 1, "empty")]
    [InlineData("size(subject) > 1", 1, 1, "there is no size(subject)")]
    [InlineData("startsWith(subject.id, 'a')", 1, 1, "behind a value")]
    public void Compile_Mistake_IsToldWithItsPlaceAndTheWayOut(string source, int line, int column, string says)
    {
        var problem = Assert.Single(CelWorld.Problems(source, CelType.Bool));
        Assert.Contains(says, problem.Message, StringComparison.Ordinal);
        Assert.Equal((line, column), (problem.Line, problem.Column));
    }

    [Fact]
    public void Compile_SeveralMistakes_AreToldAtOnceInOrder()
    {
        var problems = CelWorld.Problems("subject.groop == 'x'\n  && request.fore > duration('1')\n  && nobody", CelType.Bool);
        Assert.Equal([(1, 9), (2, 14), (2, 30), (3, 6)], problems.Select(problem => (problem.Line, problem.Column)));
    }

    [Theory]
    [InlineData("[1, 2u, 3.0]", "list(dyn)")]
    [InlineData("[[], [1]]", "list(list(int))")]
    [InlineData("{'a': [1]}", "map(string, list(int))")]
    [InlineData("subject.groups.map(g, g.size())", "list(int)")]
    [InlineData("subject.?address", "optional(string)")]
    [InlineData("subject.?address.orValue('')", "string")]
    [InlineData("resource.labels.env", "string")]
    [InlineData("resource.owner", "owner")]
    [InlineData("resource.history.map(o, o.level)", "list(int)")]
    [InlineData("true ? optional.of(1) : optional.none()", "optional(int)")]
    [InlineData("now - duration('1h')", "timestamp")]
    [InlineData("cel.bind(x, request.count, x * x)", "int")]
    [InlineData("ip(subject.address)", "net.IP")]
    [InlineData("optional.of(1).optMap(x, string(x))", "optional(string)")]
    [InlineData("math.greatest(1, 2, request.count)", "int")]
    public void Compile_Expression_HasItsType(string source, string type) => Assert.Equal(type, CelWorld.Program(source).Type.ToString());

    [Theory]
    [InlineData(101)]
    [InlineData(5_000)]
    public void Compile_NestedTooDeep_IsRefused(int depth)
    {
        foreach (var source in new[]
        {
            new string('(', depth) + "1" + new string(')', depth), new string('[', depth) + new string(']', depth), string.Concat(Enumerable.Repeat("!", depth + 1)) + "true",
            "extra" + string.Concat(Enumerable.Repeat(".a", depth)), "1" + string.Concat(Enumerable.Repeat(" + 1", depth)), string.Concat(Enumerable.Repeat("true ? 1 : ", depth)) + "1",
        })
        {
            var problems = CelWorld.Problems(source);
            Assert.Contains(problems, problem => problem.Message.Contains("nested", StringComparison.Ordinal) || problem.Message.Contains("characters", StringComparison.Ordinal) || problem.Message.Contains("parts", StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Compile_LongChainOfConditions_IsNoDeepTree()
    {
        var program = CelWorld.Program(string.Join(" && ", Enumerable.Repeat("subject.on_call", 400)), CelType.Bool);
        Assert.Equal(CelTruth.True, program.Test(CelWorld.Inputs(), out _));
    }

    [Fact]
    public void Compile_TooLargeOrTooManyParts_IsRefused()
    {
        Assert.Contains("Split it", CelWorld.Problems(new string(' ', 9_000) + "1")[0].Message, StringComparison.Ordinal);
        Assert.Contains("parts", CelWorld.Problems($"[{string.Join(',', Enumerable.Repeat("1", 2_001))}]")[0].Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Environment_Slots_CarryWhatTheGuidePublishes()
    {
        var slot = CelWorld.Environment.Slots[CelWorld.Environment.SlotOf("request.for")];
        Assert.Equal(("request.for", "How long.", "nanoseconds", "duration"), (slot.Path, slot.Field.Description, slot.Field.Unit, slot.Field.Type.ToString()));
        Assert.Contains(CelWorld.Environment.Slots, one => one.Path == "resource.owner.level");
        Assert.DoesNotContain(CelWorld.Environment.Slots, one => one.Path == "resource.owner");
        Assert.Throws<ArgumentException>(() => CelWorld.Environment.SlotOf("request.fore"));
    }
}
