using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Stint.EndToEnd.Harness;

/// <summary>Where one person sits: their <c>stint</c>, their token, their home folder.</summary>
public sealed class Seat
{
    private readonly StintServer _server;
    private readonly string _binary;
    private readonly HttpClient _http;
    private readonly Dictionary<string, string?> _environment;

    internal Seat(StintServer server, string binary, string token)
    {
        _server = server;
        _binary = binary;
        _http = server.Http();
        (_http.BaseAddress, _http.Timeout) = (server.Web, TimeSpan.FromSeconds(60));
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        var home = RunFolder.Make("home");
        _environment = new Dictionary<string, string?>
        {
            ["STINT_SERVER"] = server.Web.ToString().TrimEnd('/'),
            ["STINT_TOKEN"] = token,
            ["STINT_CA"] = server.Authority,
            ["HOME"] = home,
            ["XDG_CONFIG_HOME"] = home,
            ["XDG_STATE_HOME"] = home,
            // What psql would take from the machine that the tests run on.
            ["PGHOST"] = null,
            ["PGPORT"] = null,
            ["PGUSER"] = null,
            ["PGPASSWORD"] = null,
            ["PGDATABASE"] = null,
            ["PSQLRC"] = "/dev/null",
            ["NO_COLOR"] = "1",
        };
    }

    /// <summary>Variables under which this person's programs run.</summary>
    public IReadOnlyDictionary<string, string?> Environment => _environment;

    /// <summary>Runs <c>stint</c> as this person.</summary>
    public Task<Output> StintAsync(params string[] arguments) => Tool.RunAsync(_binary, arguments, _environment);

    /// <summary>Runs <c>stint</c> as this person, with more said about how.</summary>
    public Task<Output> StintAsync(string[] arguments, string? input, TimeSpan within) =>
        Tool.RunAsync(_binary, arguments, _environment, input, within);

    /// <summary>Runs <c>stint</c> as this person with no token but one that it kept itself.</summary>
    public Task<Output> StintWithoutTokenAsync(string[] arguments, string? input = null) =>
        Tool.RunAsync(_binary, arguments, new Dictionary<string, string?>(_environment) { ["STINT_TOKEN"] = null }, input);

    /// <summary>What <c>stint … --json</c> prints; it must end well.</summary>
    public async Task<JsonElement> StintJsonAsync(params string[] arguments)
    {
        var output = await StintAsync([.. arguments, "--json"]);
        return JsonDocument.Parse(output.Good()).RootElement;
    }

    /// <summary>Starts <c>stint</c> as this person and leaves it running.</summary>
    public System.Diagnostics.Process Start(params string[] arguments) => Tool.Start(_binary, arguments, _environment);

    /// <summary>GETs a path below <c>/api/v1/</c>.</summary>
    public async Task<JsonElement> GetAsync(string path)
    {
        using var answer = await HeardAsync(() => _http.GetAsync(new Uri($"/api/v1/{path}", UriKind.Relative)));
        return await ReadAsync(answer);
    }

    /// <summary>POSTs to a path below <c>/api/v1/</c>.</summary>
    public async Task<JsonElement> PostAsync(string path, object body)
    {
        using var answer = await HeardAsync(() => _http.PostAsJsonAsync(new Uri($"/api/v1/{path}", UriKind.Relative), body));
        return await ReadAsync(answer);
    }

    /// <summary>GETs, and gives the answer as it is.</summary>
    public Task<HttpResponseMessage> TryGetAsync(string path) => _http.GetAsync(new Uri($"/api/v1/{path}", UriKind.Relative));

    /// <summary>This person's token.</summary>
    public string Token => _http.DefaultRequestHeaders.Authorization!.Parameter!;

    /// <summary>POSTs, and gives the answer as it is: what it is, is what is tested.</summary>
    public Task<HttpResponseMessage> TryPostAsync(string path, object body) =>
        _http.PostAsJsonAsync(new Uri($"/api/v1/{path}", UriKind.Relative), body);

    /// <summary>Asks for a role that is allowed by rule, and waits until the access is open.</summary>
    /// <returns>The grant's id.</returns>
    public async Task<string> OpenAsync(string role, int seconds, string reason = "to see that it works")
    {
        var request = await PostAsync("requests", new { role, for_seconds = seconds, reason, wait = true });
        var state = request.GetProperty("state").GetString();
        if (state != "approved")
        {
            throw new InvalidOperationException($"{role}: {state}\n{request}");
        }

        return await OpenedAsync(request.GetProperty("grant").GetProperty("id").GetString()!);
    }

    /// <summary>Waits until a grant is open.</summary>
    /// <returns>Its id.</returns>
    public async Task<string> OpenedAsync(string grant)
    {
        await Until.SeenAsync($"{grant} open", TimeSpan.FromSeconds(30), async () =>
        {
            var seen = await GetAsync($"grants/{grant}");
            return seen.GetProperty("state").GetString() switch
            {
                "open" => grant,
                "closing" or "closed" => throw new InvalidOperationException($"{grant} did not open\n{seen}\n{_server.Log}"),
                _ => null,
            };
        });
        return grant;
    }

    /// <summary>Waits until a grant is closed: its sessions cut, its account gone or left to other grants.</summary>
    /// <returns>Why it ended.</returns>
    public Task<string> ClosedAsync(string grant) => Until.SeenAsync($"{grant} closed", TimeSpan.FromSeconds(30), async () =>
    {
        var seen = await GetAsync($"grants/{grant}");
        return seen.GetProperty("state").GetString() == "closed" ? seen.GetProperty("end_reason").GetString() : null;
    });

    /// <summary>Has a login at the gateway made for a grant.</summary>
    public async Task<Login> LoginAsync(string grant)
    {
        var login = await PostAsync($"grants/{grant}/logins", new { });
        return new Login(
            login.GetProperty("host").GetString()!,
            login.GetProperty("port").GetInt32(),
            login.GetProperty("login").GetString()!,
            login.GetProperty("secret").GetString()!,
            login.GetProperty("database").GetString()!);
    }

    // A server that is gone leaves nothing but its last words.
    private async Task<HttpResponseMessage> HeardAsync(Func<Task<HttpResponseMessage>> ask)
    {
        try
        {
            return await ask();
        }
        catch (HttpRequestException unheard)
        {
            throw new HttpRequestException($"{unheard.Message}\n{_server.Ended}{_server.Log}", unheard);
        }
    }

    private async Task<JsonElement> ReadAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode
            ? JsonDocument.Parse(text).RootElement
            : throw new InvalidOperationException($"{(int)answer.StatusCode} from {answer.RequestMessage?.RequestUri}\n{text}\n{_server.Log}");
    }
}

/// <summary>What a client needs to come in through the gateway.</summary>
public sealed record Login(string Host, int Port, string Name, string Secret, string Database)
{
    /// <summary>As psql, pgbench, pg_dump and node's pg read it.</summary>
    public IReadOnlyDictionary<string, string?> Environment => new Dictionary<string, string?>
    {
        ["PGHOST"] = Host,
        ["PGPORT"] = Port.ToString(System.Globalization.CultureInfo.InvariantCulture),
        ["PGUSER"] = Name,
        ["PGPASSWORD"] = Secret,
        ["PGDATABASE"] = Database,
        ["PSQLRC"] = "/dev/null",
        ["LC_ALL"] = "C.UTF-8",
    };

    /// <summary>As Npgsql reads it.</summary>
    public Npgsql.NpgsqlConnectionStringBuilder Npgsql => new()
    {
        Host = Host,
        Port = Port,
        Username = Name,
        Password = Secret,
        Database = Database,
        Pooling = false,
        Timeout = 15,
    };
}
