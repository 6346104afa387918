using System.Net;
using Microsoft.Extensions.Logging;
using Stint.Gateway;

namespace Stint.Server.Hosting;

/// <summary>What became of reading the configuration.</summary>
/// <param name="Options">The whole of it; null when there is any problem.</param>
/// <param name="Problems">Every problem, in the order of the settings; empty when there is none.</param>
internal sealed record OptionsReading(ServerOptions? Options, IReadOnlyList<OptionProblem> Problems);

/// <summary>Reads the configuration from its three sources and checks all of it at once.</summary>
internal static class OptionsReader
{
    /// <param name="arguments">The flags.</param>
    /// <param name="environment">The variables.</param>
    /// <param name="needsCatalog">Whether no catalog is a problem: saving and bringing back does without.</param>
    public static OptionsReading Read(ServeArguments arguments, IReadOnlyDictionary<string, string> environment, bool needsCatalog = true)
    {
        var problems = new List<OptionProblem>();
        var given = GivenSettings.Collect(arguments, environment, problems);
        var read = new SettingReader(given, problems);

        var data = read.FilePath("data") ?? Path.GetFullPath("stint-data");
        var store = read.OneOf("store", ("sqlite", StoreKind.Sqlite), ("postgres", StoreKind.Postgres)) ?? StoreKind.Sqlite;
        var storeUrl = StoreUrl(read, store);
        var catalog = read.FilePath("catalog");
        var roles = Roles(read);
        if (needsCatalog && roles != Role.Gateway && catalog is null && !read.IsGiven("catalog"))
        {
            problems.Add(new OptionProblem("configuration", "`catalog` is missing; name the catalog's folder with --catalog DIR, STINT_CATALOG, or `catalog` in the file"));
        }
        else if (catalog is not null && !Directory.Exists(catalog))
        {
            read.Blame("catalog", $"`catalog` names {catalog}, which is not a folder; make it, or name another");
        }

        var control = ControlReader.Control(read, roles == Role.Gateway, environment);
        var nodes = ControlReader.Nodes(read);
        var webhooks = WebhooksReader.Read(read, environment);
        var applications = AuthzenReader.Read(read, environment);
        var issuers = IssuersReader.Read(read);
        var scim = ScimTokens(read, environment);
        var internalHosts = InternalHosts(read);
        var ldap = LdapReader.Read(read, environment);
        var transmitters = SignalsReader.Read(read);
        var from = read.OneOf("catalog_from", ("folder", CatalogFrom.Folder), ("store", CatalogFrom.Store)) ?? CatalogFrom.Folder;
        var web = Web(read);
        var commandLines = CommandLines(read);
        var providers = ProvidersReader.Read(read, web, environment);
        var gateway = Gateway(read, web.Certificate);
        var masterKey = MasterKey(read, data, environment);
        var record = read.FilePath("record.folder") ?? Path.Combine(data, "recordings");
        var driftEvery = read.Duration("drift_every", TimeSpan.Zero, TimeSpan.FromDays(7)) ?? TimeSpan.FromMinutes(10);
        var otlp = read.Url("otlp");
        var log = new LogOptions(
            read.OneOf("log.level", ("debug", LogLevel.Debug), ("info", LogLevel.Information), ("warning", LogLevel.Warning), ("error", LogLevel.Error)) ?? LogLevel.Information,
            read.Flag("log.json") ?? false);
        var limits = new LimitOptions(
            (int)(read.Number("limits.requests_per_minute", 1, 100_000_000) ?? 1_200),
            (int)(read.Number("limits.address_requests_per_minute", 1, 100_000_000) ?? 6_000),
            (int)(read.Number("limits.failures_per_minute", 1, 1_000_000) ?? 60),
            read.Number("limits.body_bytes", 1_024, 16 << 20) ?? 64 << 10);

        // NB. A variable that holds the master key may begin with our prefix; it is a secret, so it is not printed as an unknown setting.
        read.BlameUnknown([masterKey.Env, read.Text("control.secret_env"), read.Text("directory.scim_token_env"), read.Text("directory.ldap.bind_password_env"), .. read.NamesBelow("webhooks").Select(name => read.Text($"webhooks.{name}.secret_env")), .. read.NamesBelow("authzen").Select(name => read.Text($"authzen.{name}.token_env")), .. read.NamesBelow("identity.providers").Select(name => read.Text($"identity.providers.{name}.client_secret_env"))]);
        if (problems.Count > 0)
        {
            return new OptionsReading(null, problems);
        }

        return new OptionsReading(
            new ServerOptions
            {
                Data = data,
                Store = store,
                StoreUrl = storeUrl,
                Catalog = catalog ?? "",
                CatalogFrom = from,
                CarriesSessions = roles != Role.Control,
                Control = control,
                Nodes = nodes,
                Webhooks = webhooks,
                Applications = applications,
                Issuers = issuers,
                Providers = providers,
                ScimTokens = scim,
                Ldap = ldap,
                Transmitters = transmitters,
                InternalHosts = internalHosts,
                Web = web,
                CommandLines = commandLines,
                Gateway = gateway,
                MasterKey = masterKey,
                RecordFolder = record,
                DriftEvery = driftEvery,
                Otlp = otlp,
                Log = log,
                Limits = limits,
            },
            []);
    }

    private static string? StoreUrl(SettingReader read, StoreKind store)
    {
        var url = read.Text("store_url");
        if (store == StoreKind.Postgres && url is null && !read.IsGiven("store_url"))
        {
            read.Blame("store", "`store` is postgres but `store_url` is missing; give one such as `Host=db;Database=stint;Username=stint`");
        }
        else if (store == StoreKind.Sqlite && url is not null)
        {
            read.Blame("store_url", "`store_url` is for the postgres store; say `store: postgres`, or take it out");
        }

        if (store == StoreKind.Postgres && url is not null)
        {
            try
            {
                // NB. Npgsql's own message may quote the string; ours never does, for it can hold a password.
                var built = new Npgsql.NpgsqlConnectionStringBuilder(url);
                if (string.IsNullOrEmpty(built.Host))
                {
                    read.Blame("store_url", "`store_url` names no Host; give one such as `Host=db;Database=stint;Username=stint`");
                }
            }
            catch (Exception e) when (e is ArgumentException or FormatException or KeyNotFoundException)
            {
                read.Blame("store_url", "`store_url` is not an Npgsql connection string; write `Host=…;Database=…;Username=…;Password=…`");
            }
        }

        return url;
    }

    private enum Role
    {
        Both = 1,
        Control = 2,
        Gateway = 3,
    }

    private static Role Roles(SettingReader read)
    {
        if (read.Texts("roles") is not { } roles)
        {
            return Role.Both;
        }

        if (roles.FirstOrDefault(role => role is not ("control" or "gateway")) is { } odd)
        {
            read.Blame("roles", $"`roles` holds `{odd}`; say control, gateway, or control,gateway");
        }

        return !roles.Contains("control") ? Role.Gateway : roles.Contains("gateway") ? Role.Both : Role.Control;
    }

    private static WebOptions Web(SettingReader read)
    {
        var web = new WebOptions(
            read.Listen("web.listen") ?? new IPEndPoint(IPAddress.Loopback, 8420),
            Files(read, "web.tls_cert", "web.tls_key"),
            read.Url("web.public_url"),
            read.Networks("web.behind_proxy"),
            new Identity.WebSessionLimits(
                read.Duration("web.session_idle", TimeSpan.FromMinutes(1), TimeSpan.FromDays(30)) ?? TimeSpan.FromHours(12),
                read.Duration("web.session_lasts", TimeSpan.FromMinutes(1), TimeSpan.FromDays(90)) ?? TimeSpan.FromDays(7)));
        if (web.PublicUrl is { Scheme: "http" } url && !url.IsLoopback)
        {
            read.Blame("web.public_url", "`web.public_url` is plain http for others to use, and tokens would cross the network readable; give its https address");
        }

        return web;
    }

    private static Identity.CliLimits CommandLines(SettingReader read)
    {
        var limits = new Identity.CliLimits(
            read.Duration("identity.cli_idle", TimeSpan.FromHours(1), TimeSpan.FromDays(90)) ?? TimeSpan.FromDays(7),
            read.Duration("identity.cli_lasts", TimeSpan.FromHours(1), TimeSpan.FromDays(366)) ?? TimeSpan.FromDays(30));
        if (limits.Idle > limits.Lasts && read.IsGiven("identity.cli_idle"))
        {
            read.Blame("identity.cli_idle", "`identity.cli_idle` is longer than `identity.cli_lasts`, and would never come to pass; make it shorter");
        }

        return limits;
    }

    private static GatewayListenOptions Gateway(SettingReader read, CertificateFiles? web) => new()
    {
        PostgresListen = read.Listen("gateway.postgres_listen") ?? new IPEndPoint(IPAddress.Loopback, 5480),
        Tls = read.OneOf("gateway.tls", ("off", GatewayTls.Off), ("optional", GatewayTls.Optional), ("required", GatewayTls.Required)) ?? GatewayTls.Optional,
        Certificate = Files(read, "gateway.tls_cert", "gateway.tls_key") ?? web,
        PublicHost = PublicHost(read),
        Idle = read.Duration("gateway.idle", TimeSpan.FromSeconds(1), TimeSpan.FromDays(30)) ?? TimeSpan.FromHours(8),
        ConnectionsPerGrant = (int)(read.Number("gateway.connections_per_grant", 1, 10_000) ?? 10),
        Drain = read.Duration("gateway.drain", TimeSpan.Zero, TimeSpan.FromHours(1)) ?? TimeSpan.FromSeconds(30),
    };

    private static string? PublicHost(SettingReader read)
    {
        var host = read.Text("gateway.public_host");
        if (host is not null && Uri.CheckHostName(host) == UriHostNameType.Unknown)
        {
            read.Blame("gateway.public_host", "`gateway.public_host` must be a host name or an address, without a port");
        }

        return host;
    }

    private static CertificateFiles? Files(SettingReader read, string certificateKey, string keyKey)
    {
        var (certificate, key) = (read.FilePath(certificateKey), read.FilePath(keyKey));
        if (certificate is null != key is null && read.IsGiven(certificateKey) != read.IsGiven(keyKey))
        {
            var (there, missing) = certificate is null ? (keyKey, certificateKey) : (certificateKey, keyKey);
            read.Blame(there, $"`{there}` stands without `{missing}`; give both, or neither");
        }

        if (certificate is null || key is null)
        {
            return null;
        }

        var files = new CertificateFiles(certificate, key);
        if (CertificateFile.TryLoad(files, out var trouble) is { } loaded)
        {
            loaded.Dispose();
        }
        else
        {
            read.Blame(certificateKey, $"`{certificateKey}` and `{keyKey}`: {trouble}");
        }

        return files;
    }

    /// <summary>Tokens that the directory's program shows; several, one a line, while one replaces another.</summary>
    private static IReadOnlyList<byte[]> ScimTokens(SettingReader read, IReadOnlyDictionary<string, string> environment)
    {
        const int Least = 16;
        var tokens = SecretReader.Read(read, "directory", "scim_token", Least, "at the directory", environment, optional: true)?.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) ?? [];
        if (tokens.Any(token => token.Length < Least))
        {
            read.Blame(read.FirstBelow("directory"), $"one of the tokens that `directory.scim_token` names has fewer than {Least} characters, which can be guessed; make a longer one at the directory");
        }

        return [.. tokens.Select(token => System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(token)))];
    }

    private static IReadOnlyList<string> InternalHosts(SettingReader read)
    {
        var hosts = read.Texts("outgoing.internal_hosts") ?? [];
        foreach (var host in hosts.Where(host => Uri.CheckHostName(host) == UriHostNameType.Unknown))
        {
            read.Blame("outgoing.internal_hosts", $"`outgoing.internal_hosts` holds `{host}`, which is no host name and no address; write it without a scheme and a port");
        }

        return hosts;
    }

    private static MasterKeyOptions MasterKey(SettingReader read, string data, IReadOnlyDictionary<string, string> environment)
    {
        var (file, env) = (read.FilePath("master_key.file"), read.Text("master_key.env"));
        if (file is not null && env is not null)
        {
            read.Blame("master_key.env", "`master_key.file` and `master_key.env` both say where the master key is; keep one");
        }
        else if (env is not null && string.IsNullOrEmpty(environment.GetValueOrDefault(env)))
        {
            read.Blame("master_key.env", $"`master_key.env` names {env}, which is not set; set it to 32 bytes in base64, or name another");
        }
        else if (file is not null && !File.Exists(file))
        {
            read.Blame("master_key.file", $"`master_key.file` names {file}, which is not there; put the key there, or leave the setting out to have one made in the data folder");
        }

        return env is not null ? new MasterKeyOptions(null, env) : new MasterKeyOptions(file ?? Path.Combine(data, "master.key"), null);
    }
}
