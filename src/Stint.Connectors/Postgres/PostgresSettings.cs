using System.Net;
using System.Text.RegularExpressions;
using Stint.Core.Catalog;
using Stint.Core.Grants;

namespace Stint.Connectors.Postgres;

/// <summary>What a resource of kind <c>postgres</c> is told in the catalog.</summary>
/// <param name="Host">Host name or address.</param>
/// <param name="Port">TCP port.</param>
/// <param name="Database">The database that sessions open, and where the statements of roles run unless the role says otherwise.</param>
/// <param name="Tls">As libpq names them: <c>disable allow prefer require verify-ca verify-full</c>.</param>
/// <param name="RootCertificate">Path of a PEM file with the certificates to trust; null for the machine's own.</param>
public sealed partial record PostgresSettings(string Host, int Port, string Database, string Tls, string? RootCertificate)
{
    public const string Kind = "postgres";

    private static readonly string[] TlsModes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

    /// <summary>What the catalog may say, checked when it is loaded.</summary>
    public static KindShape Shape { get; } = new KindShape(
        Kind,
        "A PostgreSQL server, version 14 or later.",
        Guarantee.Native,
        [
            new Field("host", FieldType.Text, "Host name or address of the server itself, not of a connection pooler.") { Required = true, Check = WrongHost },
            new Field("port", FieldType.Number, "TCP port.") { Default = "5432", Min = 1, Max = 65535 },
            new Field("database", FieldType.Text, "Database that sessions open, and where the roles' statements run.") { Required = true, Check = Sql.WrongName },
            new Field("admin_database", FieldType.Text, "Database where Stint makes accounts; any that lasts.") { Default = "the same as database", Check = Sql.WrongName },
            new Field("username", FieldType.Text, "Stint's own login. It needs CREATEROLE and, from PostgreSQL 16 on, ADMIN OPTION on each role that it gives; it need not be a superuser.") { Required = true, Check = Sql.WrongName },
            new Field("password", FieldType.Secret, "Password of that login.") { Required = true },
            new Field("tls", FieldType.Text, "Encryption, named as libpq names it. Only verify-full knows that it speaks to the right server.") { OneOf = TlsModes, Default = "verify-full; prefer on loopback" },
            new Field("tls_root_cert", FieldType.Text, "Path of a PEM file with the certificates to trust. With it, require checks them too, as in libpq.") { Default = "the machine's own" },
            new Field("connect_timeout", FieldType.Duration, "Longest wait for a connection.") { Default = "5s" },
            new Field("statement_timeout", FieldType.Duration, "Longest wait for one of Stint's own statements.") { Default = "30s" },
        ],
        [
            new Field("member_of", FieldType.TextList, "Roles of the server that the account becomes a member of.") { Check = Sql.WrongName },
            new Field("sql", FieldType.TextList, "Statements that give the account its rights, run by Stint's login. {role} is the account and {database} the database, both as quoted names.") { Check = Sql.WrongTemplate },
            new Field("databases", FieldType.TextList, "Databases in which sql runs.") { Default = "the resource's database", Check = Sql.WrongName },
            new Field("connection_limit", FieldType.Number, "Most connections of one account at once; a smaller limit of Stint's own still holds.") { Min = 1, Max = 10_000 },
            new Field("set", FieldType.TextList, "Session defaults of the account, NAME=VALUE each. A holder can change most of them in a session: a convenience, not a bound.") { Check = WrongParameter },
            new Field("on_end", FieldType.Text, "What happens to what the account owns at the end: reassign hands it over, drop drops it.") { OneOf = ["reassign", "drop"], Default = "reassign" },
            new Field("reassign_to", FieldType.Text, "Role that gets what is handed over.") { Default = "Stint's own login", Check = Sql.WrongName },
        ])
    {
        // The account's secret never leaves the server: who wants in comes through the gateway.
        HoldsToStatements = true,
    };

    /// <summary>Database where accounts are made.</summary>
    internal string AdminDatabase { get; private init; } = Database;

    internal string Username { get; private init; } = "";

    /// <summary>Null in a catalog that was not checked; then nobody can log in.</summary>
    internal SecretRef? Password { get; private init; }

    internal TimeSpan ConnectTimeout { get; private init; } = TimeSpan.FromSeconds(5);

    internal TimeSpan StatementTimeout { get; private init; } = TimeSpan.FromSeconds(30);

    /// <summary>Reads settings that passed <see cref="Shape"/>.</summary>
    public static PostgresSettings Of(Settings settings)
    {
        var host = settings.Get("host", "");
        var database = settings.Get("database", "");
        return new PostgresSettings(
            host,
            (int)settings.Get("port", 5432L),
            database,
            settings.Get("tls", IsLoopback(host) ? "prefer" : "verify-full"),
            settings.Find<string>("tls_root_cert"))
        {
            AdminDatabase = settings.Get("admin_database", database),
            Username = settings.Get("username", ""),
            Password = settings.Find<SecretRef>("password"),
            ConnectTimeout = settings.Get("connect_timeout", TimeSpan.FromSeconds(5)),
            StatementTimeout = settings.Get("statement_timeout", TimeSpan.FromSeconds(30)),
        };
    }

    private static bool IsLoopback(string host) =>
        string.Equals(host, "localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address));

    // NB. The driver reads commas as several servers, a colon as a port and a leading slash as a socket: a host is a host here.
    private static string? WrongHost(string host) => IPAddress.TryParse(host, out _) || HostName().IsMatch(host)
        ? null
        : "one host name or address; the port has a setting of its own";

    private static string? WrongParameter(string setting) => Parameter().IsMatch(setting)
        ? null
        : "write NAME=VALUE, like statement_timeout=5min";

    [GeneratedRegex(@"^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9.])?\z", RegexOptions.CultureInvariant)]
    private static partial Regex HostName();

    [GeneratedRegex(@"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?=[^\0]+\z", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex Parameter();
}

/// <summary>What a role of kind <c>postgres</c> is told in the catalog.</summary>
/// <param name="MemberOf">Roles of the server that the account joins.</param>
/// <param name="Statements">Templates, in their order.</param>
/// <param name="Databases">Where they run.</param>
/// <param name="ConnectionLimit">Null for no limit but the account's.</param>
/// <param name="Parameters">Names and values of session defaults.</param>
/// <param name="Drop">Whether what the account owns is dropped; otherwise it is handed over.</param>
/// <param name="ReassignTo">Who gets it; null for Stint's own login.</param>
internal sealed record PostgresRole(
    IReadOnlyList<string> MemberOf,
    IReadOnlyList<string> Statements,
    IReadOnlyList<string> Databases,
    int? ConnectionLimit,
    IReadOnlyList<KeyValuePair<string, string>> Parameters,
    bool Drop,
    string? ReassignTo)
{
    public static PostgresRole Of(Settings settings, PostgresSettings resource)
    {
        var limit = settings.Get("connection_limit", 0L);
        return new PostgresRole(
            List(settings, "member_of"),
            List(settings, "sql"),
            settings.Values.ContainsKey("databases") ? List(settings, "databases") : [resource.Database],
            limit == 0 ? null : (int)limit,
            [.. List(settings, "set").Select(Pair)],
            settings.Get("on_end", "reassign") == "drop",
            settings.Find<string>("reassign_to"));
    }

    private static List<string> List(Settings settings, string name) =>
        [.. (settings.Find<IEnumerable<string>>(name) ?? []).Distinct(StringComparer.Ordinal)];

    private static KeyValuePair<string, string> Pair(string setting)
    {
        var equals = setting.IndexOf('=', StringComparison.Ordinal);
        return KeyValuePair.Create(setting[..equals], setting[(equals + 1)..]);
    }
}
