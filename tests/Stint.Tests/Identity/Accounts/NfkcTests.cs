using System.Globalization;
using System.Text;
using Stint.Core;
using Stint.Tests.Policies.Cel;
using Xunit;

namespace Stint.Tests.Identity.Accounts;

/// <summary>Form KC is the same here and in another implementation, that of node: for every character of Unicode 14, and for random strings.</summary>
public sealed class NfkcTests
{
    [Fact]
    public void EveryCharacter_AndRandomStrings_BecomeWhatTheyBecomeElsewhere()
    {
        var lines = CelWorld.Node("nfkc.cjs", "", "Identity", "Accounts").Split('\n');
        var singles = int.Parse(lines[^1], CultureInfo.InvariantCulture);
        var changed = new HashSet<string>(StringComparer.Ordinal);
        var differing = new List<string>();
        for (var i = 0; i < lines.Length - 1; i++)
        {
            var pair = lines[i].Split(';');
            var (text, expected) = (Text(pair[0]), Text(pair[1]));
            if (Nfkc.Of(text) is var ours && ours != expected)
            {
                differing.Add($"{pair[0]}: there {pair[1]}, here {Points(ours)}");
            }

            if (i < singles)
            {
                changed.Add(text);
            }
        }

        // The rest of Unicode stays as it is: each between two ends of a line, with which nothing composes.
        foreach (var part in Enumerable.Range(0x80, 0x40000 - 0x80).Concat(Enumerable.Range(0xE0000, 0x1000)).Where(Rune.IsValid).Select(char.ConvertFromUtf32).Where(one => !changed.Contains(one)).Chunk(4_096))
        {
            var text = string.Join('\n', part);
            if (Nfkc.Of(text) != text)
            {
                differing.AddRange(part.Where(one => Nfkc.Of(one) != one).Select(one => $"{Points(one)}: there nothing, here {Points(Nfkc.Of(one))}"));
            }
        }

        Assert.True(singles > 4_800 && lines.Length > 14_000, $"{singles} characters and {lines.Length} lines are too few.");
        Assert.True(differing.Count == 0, $"{differing.Count} differ:\n{string.Join('\n', differing.Take(10))}");
    }

    private static string Text(string points) => string.Concat(points.Split(' ').Select(point => char.ConvertFromUtf32(int.Parse(point, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture))));

    private static string Points(string text) => string.Join(' ', text.EnumerateRunes().Select(rune => rune.Value.ToString("x", CultureInfo.InvariantCulture)));
}
