namespace Stint.Server.Web;

/// <summary>A place in the side bar.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Href">Where it is.</param>
/// <param name="Key">The key that leads there after <c>g</c>.</param>
/// <param name="OnlyForReaders">Whether it is there only for those who may read what others did.</param>
internal sealed record Place(string Name, string Href, char Key, bool OnlyForReaders = false);

/// <summary>The places that a person finds in the side bar, in their order.</summary>
internal static class Places
{
    public static IReadOnlyList<Place> All { get; } =
    [
        new("Home", "/home", 'h'),
        new("Request", "/request", 'r'),
        new("Approvals", "/approvals", 'a'),
        new("Sessions", "/sessions", 's'),
        new("Audit", "/audit", 'u', OnlyForReaders: true),
    ];
}
