namespace Stint.Core.Catalog.Yaml;

/// <summary>A piece of YAML that knows where it stands.</summary>
internal abstract class Node(CatalogPlace place)
{
    public CatalogPlace Place { get; } = place;

    /// <summary>How many nodes it is, aliases counted each time: what a walk over it costs.</summary>
    public long Size { get; init; } = 1;

    /// <summary>What it is, for a person.</summary>
    public abstract string Kind { get; }
}

/// <summary>A scalar.</summary>
/// <param name="place">Where it stands.</param>
/// <param name="value">Its text.</param>
/// <param name="plain">Whether it was written without quotes, so that it may be a number or a flag.</param>
internal sealed class TextNode(CatalogPlace place, string value, bool plain) : Node(place)
{
    public string Value { get; } = value;

    public bool Plain { get; } = plain;

    /// <summary>Nothing was written, or <c>null</c>.</summary>
    public bool IsNull => Plain && Value is "" or "~" or "null" or "Null" or "NULL";

    public override string Kind => IsNull ? "nothing" : "a text";
}

/// <summary>A sequence.</summary>
internal sealed class ListNode(CatalogPlace place, IReadOnlyList<Node> items) : Node(place)
{
    public IReadOnlyList<Node> Items { get; } = items;

    public override string Kind => "a list";
}

/// <summary>A mapping; its keys are texts.</summary>
internal sealed class MapNode(CatalogPlace place, IReadOnlyList<Entry> entries) : Node(place)
{
    public IReadOnlyList<Entry> Entries { get; } = entries;

    public override string Kind => "a mapping";

    public Entry? Find(string key) => Entries.FirstOrDefault(entry => entry.Key == key);
}

/// <summary>One key of a mapping with what belongs to it.</summary>
/// <param name="Key">The key.</param>
/// <param name="Place">Where the key stands.</param>
/// <param name="Value">What belongs to it.</param>
/// <param name="Source">Both, as written in the file.</param>
internal sealed record Entry(string Key, CatalogPlace Place, Node Value, string Source);
