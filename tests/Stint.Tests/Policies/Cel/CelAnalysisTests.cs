using Stint.Core.Policies.Cel;
using Xunit;

namespace Stint.Tests.Policies.Cel;

/// <summary>What is known of a condition without, and beside, its outcome.</summary>
public sealed class CelAnalysisTests
{
    [Fact]
    public void Reads_Condition_NamesEachInputOnce()
    {
        var program = CelWorld.Program("subject.id == 'a' || has(request.ticket) && request.ticket == subject.id || resource.owner == resource.history[0]", CelType.Bool);
        Assert.Equal(["subject.id", "request.ticket", "resource.owner.name", "resource.owner.level", "resource.history"], program.Reads.Select(read => read.Path));
        Assert.All(program.Reads, read => Assert.Equal(read.Slot, CelWorld.Environment.SlotOf(read.Path)));
    }

    [Fact]
    public void Atoms_Condition_AreWhatTheOperatorsJoin()
    {
        var program = CelWorld.Program("subject.on_call && !(request.count > 3 || 'x' in subject.groups) ? subject.groups.all(g, g != '' && g != 'x') : false", CelType.Bool);
        Assert.Equal(["subject.on_call", "request.count > 3", "'x' in subject.groups", "subject.groups.all(g, g != '' && g != 'x')", "false"], program.Atoms.Select(atom => atom.Text));
    }

    [Fact]
    public void Test_WithAtoms_SaysWhatEachCameTo()
    {
        var program = CelWorld.Program("subject.on_call && (request.ticket == 'x' || request.count > 3) && !('x' in subject.groups) && (subject.id == 'ann' || subject.id == 'eve')", CelType.Bool);
        var atoms = new CelTruth[program.Atoms.Count];
        Assert.Equal(CelTruth.True, program.Test(CelWorld.Inputs(), atoms, out var error));
        Assert.Null(error);
        Assert.Equal([CelTruth.True, CelTruth.Failed, CelTruth.True, CelTruth.False, CelTruth.True, CelTruth.NotReached], atoms);
        Assert.Equal(program.Test(CelWorld.Inputs(), out _), program.Test(CelWorld.Inputs(), atoms, out _));
    }

    [Fact]
    public void Comparisons_Condition_NamesInputsAndConstants()
    {
        var program = CelWorld.Program("resource.labels.env == 'prod' && 'oncall' in subject.groups && subject.id in ['a', 'b'] && duration('1h') >= request.for && resource.labels['team'] != 'x' && subject.id.startsWith('p')", CelType.Bool);
        Assert.Equal(
            ["resource.labels.env == \"prod\"", "subject.groups has \"oncall\"", "subject.id in \"a\"", "subject.id in \"b\"", "request.for <= duration(\"3600s\")", "resource.labels.team != \"x\"", "subject.id startsWith \"p\""],
            program.Comparisons.Select(one => $"{one.Path} {one.Operator} {one.Constant}"));
    }
}
