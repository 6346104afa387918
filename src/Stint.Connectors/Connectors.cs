using System.Collections.Frozen;
using Stint.Connectors.Postgres;
using Stint.Connectors.Ssh;
using Stint.Connectors.Stint;
using Stint.Core.Catalog;
using Stint.Core.Grants;

namespace Stint.Connectors;

/// <summary>The kinds of system that Stint can give access to. A new one is a folder and a line here.</summary>
/// <remarks>Not named after its file: inside <c>Stint.*</c> the bare word <c>Connectors</c> means the namespace.</remarks>
public sealed class ConnectorList
{
    private readonly FrozenDictionary<string, IConnector> _byKind;

    /// <exception cref="ArgumentException">Two connectors claim one kind.</exception>
    public ConnectorList(IEnumerable<IConnector> connectors)
    {
        var byKind = new Dictionary<string, IConnector>(StringComparer.Ordinal);
        foreach (var connector in connectors)
        {
            if (!byKind.TryAdd(connector.Kind, connector))
            {
                throw new ArgumentException($"Two connectors claim the kind '{connector.Kind}'.", nameof(connectors));
            }
        }

        _byKind = byKind.ToFrozenDictionary(StringComparer.Ordinal);
    }

    /// <summary>Every connector that this build knows.</summary>
    public static ConnectorList All { get; } = new([
        new PostgresConnector(),
        new SshConnector(),
        new StintConnector(),
    ]);

    /// <summary>The shapes that a catalog is checked against, in the order of their kinds.</summary>
    public IReadOnlyList<KindShape> Shapes =>
        [.. _byKind.Values.Select(connector => connector.Shape).OrderBy(shape => shape.Kind, StringComparer.Ordinal)];

    /// <summary>The connector of a kind; null when there is none.</summary>
    public IConnector? Find(string kind) => _byKind.GetValueOrDefault(kind);
}
