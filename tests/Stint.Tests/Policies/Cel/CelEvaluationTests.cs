using System.Diagnostics;
using Stint.Core.Policies.Cel;
using Xunit;

namespace Stint.Tests.Policies.Cel;

/// <summary>What conditions come to over a question's inputs.</summary>
public sealed class CelEvaluationTests
{
    [Theory]
    [InlineData("resource.labels.env == \"prod\" && subject.on_call && \"oncall\" in subject.groups", "true")]
    [InlineData("resource.labels['env'] != 'prod'", "false")]
    [InlineData("resource.labels.missing == 'x'", "NoSuchKey")]
    [InlineData("has(resource.labels.missing) && resource.labels.missing == 'x'", "false")]
    [InlineData("request.ticket.startsWith('INC')", "Absent")]
    [InlineData("request.ticket.startsWith('INC') || subject.on_call", "true")]
    [InlineData("has(request.ticket)", "false")]
    [InlineData("has(request.for)", "true")]
    [InlineData("has(resource.owner)", "true")]
    [InlineData("request.?ticket.orValue('none')", "\"none\"")]
    [InlineData("request.?count", "optional.of(7)")]
    [InlineData("resource.labels[?'x'].hasValue()", "false")]
    [InlineData("request.for <= duration('1h')", "true")]
    [InlineData("now.getHours('Europe/Berlin')", "0")]
    [InlineData("now.getDayOfWeek('Europe/Berlin')", "4")]
    [InlineData("now.getDayOfWeek()", "3")]
    [InlineData("now + duration('90m') > timestamp('2026-07-01T23:59:59Z')", "true")]
    [InlineData("subject.groups.exists(g, g.endsWith('call'))", "true")]
    [InlineData("subject.groups.filter(g, g != 'oncall')", "[\"developers\"]")]
    [InlineData("resource.history.exists(o, o.name == 'eve' && o.level < 2)", "true")]
    [InlineData("resource.owner == resource.history[0]", "false")]
    [InlineData("resource.owner.level + request.count", "10")]
    [InlineData("resource.labels.all(k, k.size() < 5)", "true")]
    [InlineData("resource.labels.transformMap(k, v, k + v)['env']", "\"envprod\"")]
    [InlineData("extra == null", "true")]
    [InlineData("extra.anything", "NoSuchOverload")]
    [InlineData("request.count / 0", "DivisionByZero")]
    [InlineData("request.count + 9223372036854775807", "Overflow")]
    [InlineData("int('7x')", "BadValue")]
    [InlineData("cidr('10.0.0.0/8').containsIP('10.255.0.1')", "true")]
    [InlineData("cidr('10.0.0.0/8').containsIP(ip('11.0.0.1'))", "false")]
    [InlineData("cidr('2001:db8::/32').containsCIDR('2001:db8:1::/48')", "true")]
    [InlineData("cidr('10.1.2.3/8').masked()", "10.0.0.0/8")]
    [InlineData("ip('2001:DB8:0:0:0:0:0:1')", "2001:db8::1")]
    [InlineData("ip('::1').isLoopback() && ip('::1').family() == 6", "true")]
    [InlineData("ip('169.254.1.1').isLinkLocalUnicast() && ip('224.0.0.5').isLinkLocalMulticast() && ip('10.0.0.1').isGlobalUnicast() && ip('0.0.0.0').isUnspecified()", "true")]
    [InlineData("isIP('::ffff:1.2.3.4') || isIP('1.2.3') || isIP('1.2.3.256') || isIP('fe80::1%eth0') || isIP('1::2::3') || isIP(':1')", "false")]
    [InlineData("isCIDR('10.0.0.0/8') && !isCIDR('10.0.0.0/08') && !isCIDR('10.0.0.0')", "true")]
    [InlineData("ip.isCanonical('::1') && !ip.isCanonical('0::1')", "true")]
    [InlineData("'a1b'.matches('^[a-z][0-9]b$') && !'a\\n'.matches('^a$') && 'x\\ny'.matches('(?s)x.y')", "true")]
    [InlineData("'\\u0661'.matches('^\\\\d$')", "false")]
    [InlineData("'\\U0001F600'.matches('^.$') && '\\U0001F600'.matches('^[^a]$')", "true")]
    [InlineData("size('\\U0001F600x') == 2 && '\\U0001F600x'.charAt(1) == 'x' && 'x\\U0001F600'.reverse() == '\\U0001F600x'", "true")]
    [InlineData("[3, 1, 2].sort() == [1, 2, 3] && [1, 1, 2].distinct() == [1, 2] && [[1], [2, [3]]].flatten() == [1, 2, [3]]", "true")]
    [InlineData("[1, 2, 3, 4].slice(1, 3) == [2, 3] && lists.range(3) == [0, 1, 2] && [1, 2].first().value() == 1 && [1, 2].last().value() == 2 && [1, 2].reverse() == [2, 1]", "true")]
    [InlineData("sets.contains([1, 2], [dyn(2.0)]) && sets.equivalent(['a', 'b', 'a'], ['b', 'a']) && !sets.intersects([1], [2])", "true")]
    [InlineData("[1, 2].slice(1, 5)", "BadValue")]
    [InlineData("'%s has %d of %.1f'.format(['ann', 3, 2.25])", "\"ann has 3 of 2.2\"")]
    [InlineData("base64.decode('!')", "BadValue")]
    [InlineData("string(1e21) + ' ' + string(0.000001) + ' ' + string(100.0) + ' ' + string(1e-7)", "\"1e+21 0.000001 100 1e-7\"")]
    [InlineData("1 == 1 && dyn(1) == 1.0 && dyn(1u) == 1 && {1: 'a'}[dyn(1.0)] == 'a' && !(dyn(1.5) in {1: 1}) && dyn(9223372036854775807) == 9223372036854775808.0", "true")]
    [InlineData("0.0 / 0.0 == 0.0 / 0.0 || 0.0 / 0.0 < 1.0 || 0.0 / 0.0 >= 1.0", "false")]
    [InlineData("'\\uE000' < '\\U0001F600'", "true")]
    [InlineData("duration('-1h30m') + duration('1.5h')", "duration(\"0s\")")]
    [InlineData("timestamp('2026-03-29T00:30:00Z').getHours('Europe/Berlin') == 1 && timestamp('2026-03-29T01:30:00Z').getHours('Europe/Berlin') == 3", "true")]
    public void Evaluate_Condition_ComesTo(string source, string outcome) => Assert.Equal(outcome, CelWorld.Said(source));

    [Fact]
    public void Evaluate_Failure_NamesItsPlaceAndNoInput()
    {
        var failed = Assert.IsType<CelOutcome.Failed>(CelWorld.Ask("subject.on_call && request.ticket == 'INC-1'"));
        Assert.Equal(("subject.on_call && request.".Length, CelErrorCode.Absent), (failed.Error.Offset, failed.Error.Code));
        Assert.Contains("has(request.ticket)", failed.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Test_InputOfAnotherTypeThanDeclared_FailsAndThrowsNothing()
    {
        foreach (var source in new[] { "subject.id == 'ann'", "subject.id.startsWith('a')", "subject.id < 'b'", "subject.groups.exists(g, g == 'x')", "'x' in subject.groups", "resource.labels.env == 'x'", "subject.on_call", "now.getHours('UTC') > 1", "subject.id.matches('a')" })
        {
            var program = CelWorld.Program(source, CelType.Bool);
            foreach (var lie in new[] { CelValue.From(1L), CelValue.From("x"), CelValue.Null, CelValue.From(CelList.Of(CelValue.From(1L))), CelValue.From(CelMap.Empty), CelValue.From(1.5), CelValue.None })
            {
                var inputs = new CelInputs(CelWorld.Environment);
                foreach (var slot in CelWorld.Environment.Slots)
                {
                    inputs.Set(slot.Number, lie);
                }

                var truth = program.Test(inputs, out var error);
                Assert.Equal(truth == CelTruth.Failed, error is not null);
            }
        }
    }

    [Fact]
    public void Evaluate_ResultOfAnotherTypeThanExpected_Fails()
    {
        var program = CelWorld.Program("extra", CelType.Bool);
        Assert.Equal(CelErrorCode.NoSuchOverload, Assert.IsType<CelOutcome.Failed>(program.Evaluate(CelWorld.Inputs())).Error.Code);
        Assert.Equal(CelTruth.Failed, program.Test(CelWorld.Inputs(), out _));
    }

    [Fact]
    public void Test_SourceOfInputs_IsAskedOnlyForWhatIsReadAndOnce()
    {
        var source = new Counting();
        var inputs = new CelInputs(CelWorld.Environment, source);
        var program = CelWorld.Program("subject.on_call || subject.id == 'ann' && subject.id != 'x'", CelType.Bool);
        Assert.Equal(CelTruth.True, program.Test(inputs, out _));
        Assert.Equal(CelTruth.True, program.Test(inputs, out _));
        Assert.Equal([CelWorld.Environment.SlotOf("subject.on_call"), CelWorld.Environment.SlotOf("subject.id")], source.Asked);
    }

    [Theory]
    [InlineData("lists.range(9000).all(a, lists.range(9000).all(b, a + b >= 0))")]
    [InlineData("lists.range(9000).exists(a, lists.range(9000).exists(b, a + b < 0)) || true")]
    [InlineData("lists.range(request.count * 1000).map(a, lists.range(a)).size() > 0")]
    [InlineData("cel.bind(a, [1, 1], cel.bind(b, [a, a, a, a, a, a, a, a], cel.bind(c, [b, b, b, b, b, b, b, b], cel.bind(d, [c, c, c, c, c, c, c, c], cel.bind(e, [d, d, d, d, d, d, d, d], cel.bind(f, [e, e, e, e, e, e, e, e], f == f + []))))))")]
    public void Evaluate_MoreStepsThanAllowed_FailsSoon(string source)
    {
        var watch = Stopwatch.StartNew();
        var failed = Assert.IsType<CelOutcome.Failed>(CelWorld.Ask(source));
        Assert.Equal(CelErrorCode.TooManySteps, failed.Error.Code);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"It took {watch.Elapsed}.");
    }

    [Theory]
    [InlineData("cel.bind(a, '0123456789abcdef', cel.bind(b, a+a+a+a+a+a+a+a+a+a+a+a+a+a+a+a, cel.bind(c, b+b+b+b+b+b+b+b+b+b+b+b+b+b+b+b, c+c+c+c+c+c+c+c+c+c+c+c+c+c+c+c+c)))")]
    [InlineData("lists.range(9000) + lists.range(9000)")]
    [InlineData("lists.range(1000000000)")]
    [InlineData("'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'.replace('', 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb').replace('b', 'ccccccccccccccccccccc')")]
    public void Evaluate_LargerThanAllowed_FailsAndMakesNothing(string source) =>
        Assert.Equal(CelErrorCode.TooLarge, Assert.IsType<CelOutcome.Failed>(CelWorld.Ask(source)).Error.Code);

    [Theory]
    [InlineData("^(a+)+$")]
    [InlineData("(a|aa)*b")]
    [InlineData("(x+x+)+y")]
    [InlineData("(.*)(.*)(.*)(.*)(.*)[0-9]$")]
    public void Matches_PatternThatExplodesElsewhere_IsAnsweredSoon(string pattern)
    {
        var inputs = CelWorld.Inputs();
        inputs.Set("subject.id", CelValue.From(new string('a', 20_000) + "!"));
        var watch = Stopwatch.StartNew();
        var truth = CelWorld.Program($"subject.id.matches('{pattern}')", CelType.Bool).Test(inputs, out _);
        Assert.NotEqual(CelTruth.True, truth);
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"It took {watch.Elapsed}.");
    }

    [Fact]
    public void Test_ConditionOfAPolicy_AllocatesNothing()
    {
        var program = CelWorld.Program("resource.labels.env == \"prod\" && subject.on_call && \"oncall\" in subject.groups && request.for <= duration('1h') && now > timestamp('2020-01-01T00:00:00Z') && subject.id.startsWith('a') && !(request.count > 9)", CelType.Bool);
        var inputs = CelWorld.Inputs();
        Assert.Equal(CelTruth.True, program.Test(inputs, out _));
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++)
        {
            program.Test(inputs, out _);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Test_InputsOfAnotherEnvironment_AreRefused()
    {
        var other = CelEnvironment.Of(new CelField("x", CelType.Bool, ""));
        Assert.Throws<ArgumentException>(() => CelWorld.Program("subject.on_call", CelType.Bool).Test(new CelInputs(other), out _));
    }

    private sealed class Counting : CelSource
    {
        public List<int> Asked { get; } = [];

        public override CelValue Read(int slot)
        {
            Asked.Add(slot);
            return CelWorld.Environment.Slots[slot].Path == "subject.id" ? CelValue.From("ann") : CelValue.False;
        }
    }
}
