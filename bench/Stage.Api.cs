using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Npgsql;

namespace Stint.Bench;

/// <summary>What questions ask of the stage's servers.</summary>
internal sealed partial class Stage
{
    /// <summary>Addresses of the control plane's nodes; the first is <see cref="Address"/>.</summary>
    private readonly List<string> _nodes = [];
    private NpgsqlDataSource? _super;

    /// <summary>A client of the API with Ann's token.</summary>
    public HttpClient Http(int node = 0)
    {
        var http = new HttpClient { BaseAddress = new Uri(_nodes[node] + "/api/v1/") };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", AnnToken);
        return http;
    }

    /// <summary>Asks by rule, opens, and returns the way in and the <c>grant</c>, without a process of its own.</summary>
    public async Task<JsonObject> OpenAsync(HttpClient http, string role = "db/write")
    {
        var request = await PostAsync(http, "requests", new JsonObject { ["role"] = role, ["reason"] = "bench", ["wait"] = true });
        var grant = (string)request["grant"]!["id"]!;
        var door = await PostAsync(http, $"grants/{grant}/logins", []);
        door["grant"] = grant;
        return door;
    }

    /// <summary>The grant that is open.</summary>
    public async Task<string> GrantAsync(HttpClient http) =>
        (string)(await http.GetFromJsonAsync<JsonObject>("grants?state=open&mine=true"))!["items"]![0]!["id"]!;

    public Task RevokeAsync(HttpClient http, string grant) => PostAsync(http, $"grants/{grant}/revoke", new JsonObject { ["comment"] = "bench" });

    /// <summary>Waits until no account of Stint's stands at the target: what comes next finds it as what came before did.</summary>
    public async Task GoneAsync()
    {
        while (Convert.ToInt64(await ScalarAsync("select count(*) from pg_roles where rolname like 'stint\\_%'"), CultureInfo.InvariantCulture) > 0)
        {
            await Task.Delay(10);
        }
    }

    /// <summary>Connections of Stint's accounts at the target.</summary>
    public async Task<long> BackendsAsync() => Convert.ToInt64(await ScalarAsync("select count(*) from pg_stat_activity where usename like 'stint\\_%'"), CultureInfo.InvariantCulture);

    /// <summary>Ends the control plane as a power cut would.</summary>
    public void KillServer() => _started.Single(process => process.Id == Server).Kill();

    private async Task<object?> ScalarAsync(string sql)
    {
        _super ??= NpgsqlDataSource.Create($"Host=127.0.0.1;Port={DatabasePort};Username=postgres;Password={SuperPassword};Database=postgres");
        await using var command = _super.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    private static async Task<JsonObject> PostAsync(HttpClient http, string path, JsonObject body)
    {
        using var answer = await http.PostAsJsonAsync(path, body);
        var text = await answer.Content.ReadAsStringAsync();
        return answer.IsSuccessStatusCode ? (JsonObject)JsonNode.Parse(text)! : throw new InvalidOperationException($"{path}: {(int)answer.StatusCode} {text}");
    }
}
