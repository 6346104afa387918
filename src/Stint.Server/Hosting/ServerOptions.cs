using System.Net;
using Microsoft.Extensions.Logging;
using Stint.Gateway;

namespace Stint.Server.Hosting;

/// <summary>Everything that was configured, checked: the one shape behind file, environment and flags.</summary>
internal sealed record ServerOptions
{
    /// <summary>Folder of the store, the keys, the recordings and the self-made certificates.</summary>
    public required string Data { get; init; }

    public required StoreKind Store { get; init; }

    /// <summary>Npgsql connection string; null with SQLite.</summary>
    public string? StoreUrl { get; init; }

    /// <summary>Folder of the catalog's files.</summary>
    public required string Catalog { get; init; }

    /// <summary>Whether the folder is the truth about the catalog, or only seeds the store's first version.</summary>
    public required CatalogFrom CatalogFrom { get; init; }

    /// <summary>Whether this node carries sessions.</summary>
    public required bool CarriesSessions { get; init; }

    /// <summary>The control plane that this node asks; null when it is part of it.</summary>
    public ControlOptions? Control { get; init; }

    /// <summary>SHA-256 of each gateway node's secret, by the node's name.</summary>
    public IReadOnlyDictionary<string, byte[]> Nodes { get; init; } = new Dictionary<string, byte[]>();

    /// <summary>Other systems that may say when tasks are done.</summary>
    public IReadOnlyList<Identity.Sender> Webhooks { get; init; } = [];

    /// <summary>Other programs that may ask who holds what now.</summary>
    public IReadOnlyList<Identity.Application> Applications { get; init; } = [];

    /// <summary>Whose tokens prove workloads.</summary>
    public IReadOnlyList<Identity.Issuer> Issuers { get; init; } = [];

    /// <summary>At whom people may sign in.</summary>
    public IReadOnlyList<Identity.Providers.Provider> Providers { get; init; } = [];

    /// <summary>SHA-256 of each token that the directory's program may show; empty: it is not listened to.</summary>
    public IReadOnlyList<byte[]> ScimTokens { get; init; } = [];

    /// <summary>The directory that is pulled from; null for none.</summary>
    public Identity.Ldap.LdapOptions? Ldap { get; init; }

    /// <summary>Whose word on sessions and accounts counts; empty: nobody's is listened to.</summary>
    public IReadOnlyList<Identity.Signals.Transmitter> Transmitters { get; init; } = [];

    /// <summary>Hosts that outgoing calls may reach although they are not on the public network.</summary>
    public IReadOnlyList<string> InternalHosts { get; init; } = [];

    public required WebOptions Web { get; init; }

    /// <summary>How long command lines stay logged in.</summary>
    public required Identity.CliLimits CommandLines { get; init; }

    public required GatewayListenOptions Gateway { get; init; }

    public required MasterKeyOptions MasterKey { get; init; }

    /// <summary>Folder of the recordings.</summary>
    public required string RecordFolder { get; init; }

    /// <summary>How often every target is held against its open grants; zero for never.</summary>
    public required TimeSpan DriftEvery { get; init; }

    /// <summary>Where telemetry goes (OTLP over HTTP); null for nowhere.</summary>
    public Uri? Otlp { get; init; }

    public required LogOptions Log { get; init; }

    public required LimitOptions Limits { get; init; }
}

/// <summary>Where a node that carries sessions and nothing else finds its control plane.</summary>
/// <param name="Url">Its address; https, or loopback.</param>
/// <param name="Secret">This node's secret.</param>
/// <param name="Fingerprint">SHA-256 of the certificate that it shows, 32 bytes; null when it is checked by an authority.</param>
/// <param name="Authority">PEM file of the authority that vouches for it; null for a fingerprint, or for the machine's own.</param>
internal sealed record ControlOptions(Uri Url, string Secret, byte[]? Fingerprint, string? Authority)
{
    /// <summary>Never the secret.</summary>
    public override string ToString() => Url.ToString();
}

/// <summary>Where the truth about the catalog is.</summary>
internal enum CatalogFrom
{
    /// <summary>The folder: the server follows it, and nobody changes the catalog through the API.</summary>
    Folder = 1,

    /// <summary>The store: admins change it through the API.</summary>
    Store = 2,
}

/// <summary>Where the store stands.</summary>
internal enum StoreKind
{
    Sqlite = 1,
    Postgres = 2,
}

/// <summary>The API's door.</summary>
/// <param name="Listen">Address and port; port 0 takes a free one.</param>
/// <param name="Certificate">Certificate and key in PEM files; null for none named.</param>
/// <param name="PublicUrl">How people reach it; null for what it listens on.</param>
/// <param name="BehindProxy">Networks whose forwarded headers are believed. Empty for none.</param>
/// <param name="Sessions">How long a signed-in browser counts.</param>
internal sealed record WebOptions(IPEndPoint Listen, CertificateFiles? Certificate, Uri? PublicUrl, IReadOnlyList<IPNetwork> BehindProxy, Identity.WebSessionLimits Sessions)
{
    /// <summary>Plain HTTP is for loopback, and for a proxy that was named. Everything else is encrypted.</summary>
    public bool IsPlain => Certificate is null && (IPAddress.IsLoopback(Listen.Address) || BehindProxy.Count > 0);
}

/// <summary>The gateway's door.</summary>
internal sealed record GatewayListenOptions
{
    public required IPEndPoint PostgresListen { get; init; }

    public required GatewayTls Tls { get; init; }

    /// <summary>Null for the web's, and without that for a self-made one.</summary>
    public CertificateFiles? Certificate { get; init; }

    /// <summary>The name that holders are told to connect to; null for the address it listens on.</summary>
    public string? PublicHost { get; init; }

    /// <summary>Longest silence of a client.</summary>
    public required TimeSpan Idle { get; init; }

    public required int ConnectionsPerGrant { get; init; }

    /// <summary>How long live sessions get at shutdown.</summary>
    public required TimeSpan Drain { get; init; }
}

/// <summary>A certificate with its chain, and its key, both PEM.</summary>
internal sealed record CertificateFiles(string Certificate, string Key);

/// <summary>Where the master key stands. Exactly one of the two is set.</summary>
internal sealed record MasterKeyOptions(string? File, string? Env);

/// <summary>How the server logs.</summary>
internal sealed record LogOptions(LogLevel Level, bool Json);

/// <summary>How much one caller may ask for.</summary>
/// <param name="RequestsPerMinute">Per person.</param>
/// <param name="AddressRequestsPerMinute">Per address, whoever it is.</param>
/// <param name="FailuresPerMinute">Failed authentications per address.</param>
/// <param name="BodyBytes">Largest request body.</param>
internal sealed record LimitOptions(int RequestsPerMinute, int AddressRequestsPerMinute, int FailuresPerMinute, long BodyBytes);
