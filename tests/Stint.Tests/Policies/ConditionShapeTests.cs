using Stint.Core.Policies;
using Xunit;

namespace Stint.Tests.Policies;

public class ConditionShapeTests
{
    /// <summary>The guide's table is the published shape: each thing with its meaning, word for word, and nothing else.</summary>
    [Fact]
    public void Guide_NamesEverythingThatCanBeRead()
    {
        var guide = File.ReadAllLines(Path.Combine(Root(), "docs", "guide", "conditions.md"));
        var from = Array.IndexOf(guide, "## What a condition may read");
        var rows = guide.Skip(from).SkipWhile(line => !line.StartsWith("| `", StringComparison.Ordinal)).TakeWhile(line => line.StartsWith('|')).ToList();

        Assert.Equal(ConditionShape.Environment.Slots.Count, rows.Count);
        Assert.All(ConditionShape.Environment.Slots, slot =>
            Assert.Contains(rows, row => row.StartsWith($"| `{slot.Path}` |", StringComparison.Ordinal) && row.EndsWith($"| {slot.Field.Description} |", StringComparison.Ordinal)));
    }

    private static string Root()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Stint.slnx")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("The tests do not run inside the repository.");
    }
}
