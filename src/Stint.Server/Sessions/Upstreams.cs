using Stint.Connectors.Postgres;
using Stint.Core.Grants;
using Stint.Core.Sessions;
using Stint.Server.Grants;
using Stint.Server.Store.Sealing;

namespace Stint.Server.Sessions;

/// <summary>Where and as whom the gateway dials for an assignment. One line per kind that has a protocol.</summary>
internal sealed class Upstreams(Sealer sealer)
{
    /// <summary>Whether anything of a kind is reached through the gateway.</summary>
    public static bool Carries(string kind) => kind == PostgresSettings.Kind;

    public Upstream Of(Reach reach, Assignment assignment, string sealedSecret)
    {
        var settings = reach.Target.Resource.Settings;
        var secret = sealer.Open(sealedSecret, GrantSteps.Purpose(assignment.Id));
        return reach.Connector.Kind switch
        {
            PostgresSettings.Kind => Of(PostgresSettings.Of(settings), assignment.Account, secret),
            var kind => throw new InvalidOperationException($"The gateway speaks no protocol for the kind '{kind}'."),
        };
    }

    /// <summary>The database that sessions open; null where the kind has none.</summary>
    public static string? DatabaseOf(Reach reach) =>
        reach.Connector.Kind == PostgresSettings.Kind ? PostgresSettings.Of(reach.Target.Resource.Settings).Database : null;

    private static Upstream Of(PostgresSettings postgres, string account, string secret) => new(
        postgres.Host,
        postgres.Port,
        postgres.Database,
        account,
        secret,
        postgres.Tls,
        postgres.RootCertificate is { } path ? File.ReadAllText(path) : null);
}
