using System.Text.Json.Nodes;
using Stint.Core.Catalog;

namespace Stint.Core.Policies;

/// <summary>What one catalog changes of another: in its files' words, and in who may what.</summary>
/// <param name="Base">Version of the old one; null when there was none.</param>
/// <param name="Version">Version of the new one.</param>
/// <param name="Items">What stands in it otherwise, in the order of kinds and names.</param>
/// <param name="Access">Who gains, who loses, and for whom it becomes another thing; losses first.</param>
public sealed record CatalogDiff(string? Base, string Version, IReadOnlyList<ItemChange> Items, IReadOnlyList<AccessChange> Access)
{
    /// <summary>Most items, and most changes of access, that are written down; the rest is counted.</summary>
    public const int MostWritten = 1_000;

    /// <summary>Whether the files say the same.</summary>
    public bool IsNothing => Base == Version;

    /// <summary>How many persons lose something, or need more for it than before.</summary>
    public int Losers => Access.Where(change => change.Kind == AccessKind.Loses).SelectMany(change => change.People).Distinct().Count();

    /// <summary>Compares.</summary>
    /// <param name="before">The old catalog; null when there is none, and everything is new.</param>
    /// <param name="after">The new one.</param>
    /// <param name="now">The moment for which who may what is asked.</param>
    public static CatalogDiff Between(LoadedCatalog? before, LoadedCatalog after, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(after);
        return new CatalogDiff(before?.Version, after.Version, ItemDiff.Between(before, after), AccessDiff.Between(before, after, now));
    }

    /// <summary>As JSON: <c>base version nothing changes access losers left_out</c>.</summary>
    public JsonObject ToNode() => new()
    {
        ["base"] = Base,
        ["version"] = Version,
        ["nothing"] = IsNothing,
        ["changes"] = new JsonArray([.. Items.Take(MostWritten).Select(item => item.ToNode())]),
        ["access"] = new JsonArray([.. Access.Take(MostWritten).Select(change => change.ToNode())]),
        ["losers"] = Losers,
        ["left_out"] = Math.Max(0, Items.Count - MostWritten) + Math.Max(0, Access.Count - MostWritten),
    };
}

/// <summary>One thing of a catalog that came, went or says something else.</summary>
/// <param name="Kind"><c>resource</c>, <c>role</c>, <c>bundle</c>, <c>person</c>, <c>group</c>, <c>on-call</c>, <c>calendar</c>, <c>workflow</c>, <c>template</c>, <c>policy</c>, <c>separation</c>, <c>never</c>, <c>admins</c>, <c>auditors</c>, <c>changes</c>.</param>
/// <param name="Name">Its name; empty where there is only one.</param>
/// <param name="What"><c>added</c>, <c>removed</c> or <c>changed</c>.</param>
/// <param name="Keys">Which keys say something else, by their names; never their values, which may be confidential. Empty unless changed.</param>
/// <param name="In">Members that came in, or roles of a bundle; empty for what has none.</param>
/// <param name="Out">Members that went.</param>
public sealed record ItemChange(string Kind, string Name, string What, IReadOnlyList<string> Keys, IReadOnlyList<string> In, IReadOnlyList<string> Out)
{
    private const int MostNames = 10;

    /// <summary><c>group developers: in: ann, bob; out: eve</c>.</summary>
    public override string ToString()
    {
        var title = Name.Length == 0 ? Kind : $"{Kind} {Name}";
        if (What != "changed")
        {
            return $"{title} {What}";
        }

        List<string> parts = [];
        if (In.Count > 0)
        {
            parts.Add($"in: {Names(In)}");
        }

        if (Out.Count > 0)
        {
            parts.Add($"out: {Names(Out)}");
        }

        if (Keys.Count > 0)
        {
            parts.Add(string.Join(", ", Keys));
        }

        return $"{title} changed: {string.Join("; ", parts)}";
    }

    /// <summary>Some names, and how many more.</summary>
    internal static string Names(IReadOnlyCollection<string> names) =>
        names.Count <= MostNames ? string.Join(", ", names) : $"{string.Join(", ", names.Take(MostNames))} and {names.Count - MostNames} more";

    internal JsonNode ToNode() => new JsonObject
    {
        ["kind"] = Kind,
        ["name"] = Name,
        ["what"] = What,
        ["keys"] = Standing.Texts(Keys),
        ["in"] = Standing.Texts(In.Take(CatalogDiff.MostWritten)),
        ["out"] = Standing.Texts(Out.Take(CatalogDiff.MostWritten)),
        ["sentence"] = ToString(),
    };
}
