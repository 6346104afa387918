namespace Stint.Bench;

/// <summary>The proxies that the gateway is measured beside, each before the stage's database.</summary>
internal static class Peers
{
    /// <summary>HAProxy, which carries bytes and looks at none of them.</summary>
    public static async Task<(int Process, int Port)> HaProxyAsync(Stage stage)
    {
        var port = await Stage.FreePortAsync();
        var file = Path.Combine(stage.Folder, "haproxy.cfg");
        await File.WriteAllTextAsync(file, $"""
            global
              maxconn 1000
              nbthread 1
            defaults
              mode tcp
              timeout connect 5s
              timeout client 1h
              timeout server 1h
            listen pg
              bind 127.0.0.1:{port}
              server db 127.0.0.1:{stage.DatabasePort}

            """);
        var process = stage.Start("haproxy", "-db", "-f", file);
        await Stage.ListeningAsync(port, process, stage);
        return (process.Id, port);
    }

    /// <summary>pgbouncer in session mode.</summary>
    /// <param name="tls">Whether clients must encrypt.</param>
    public static async Task<(int Process, int Port)> PgBouncerAsync(Stage stage, bool tls = false)
    {
        var port = await Stage.FreePortAsync();
        var users = Path.Combine(stage.Folder, "users.txt");
        var file = Path.Combine(stage.Folder, "pgbouncer.ini");
        var (key, certificate) = (Path.Combine(stage.Folder, "peer.key"), Path.Combine(stage.Folder, "peer.crt"));
        await File.WriteAllTextAsync(users, "\"peer\" \"bench-peer\"\n");
        if (tls)
        {
            // Of the kind that the gateway makes for itself.
            await Stage.RunAsync("openssl", ["req", "-new", "-x509", "-days", "30", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-subj", "/CN=localhost", "-keyout", key, "-out", certificate]);
            await Stage.RunAsync("chown", ["postgres", key]);
        }

        await File.WriteAllTextAsync(file, $"""
            [databases]
            shop = host=127.0.0.1 port={stage.DatabasePort} dbname=shop user=peer password=bench-peer
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = scram-sha-256
            auth_file = {users}
            pool_mode = session
            max_client_conn = 500
            default_pool_size = 200
            server_tls_sslmode = disable
            ignore_startup_parameters = extra_float_digits
            {(tls ? $"client_tls_sslmode = require\nclient_tls_key_file = {key}\nclient_tls_cert_file = {certificate}" : "")}

            """);
        var process = stage.Start("setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups", "pgbouncer", file);
        await Stage.ListeningAsync(port, process, stage);
        return (process.Id, port);
    }

    /// <summary>How a client finds the gateway with what <c>stint connect</c> printed.</summary>
    public static (string, string)[] Gateway(System.Text.Json.Nodes.JsonObject door, string tls = "disable") =>
    [
        ("PGHOST", (string)door["host"]!), ("PGPORT", door["port"]!.ToString()), ("PGUSER", (string)door["login"]!),
        ("PGPASSWORD", (string)door["secret"]!), ("PGDATABASE", "shop"), ("PGSSLMODE", tls), ("PGGSSENCMODE", "disable"), ("PGCHANNELBINDING", "disable"),
    ];
}
