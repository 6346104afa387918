using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stint.Core;
using Stint.Core.Grants;
using Stint.Core.Requests;
using Stint.Server;
using Stint.Server.Hosting;
using Stint.Server.Store;
using Stint.Tests.Store;
using Xunit;

namespace Stint.Tests.Api;

/// <summary>A whole node in this process, on free ports of loopback, over a real SQLite store in a folder of its own.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    private readonly HttpClient _http = new(new HttpClientHandler { UseProxy = false, ServerCertificateCustomValidationCallback = (_, _, _, _) => true }) { Timeout = TimeSpan.FromSeconds(30) };

    private readonly (string Name, string Value)[] _settings;
    private TestStore? _rows;

    private TestNode(string folder, ServerNode node, StringWriter output, (string Name, string Value)[] settings) => (Folder, Node, Output, _settings) = (folder, node, output, settings);

    public string Folder { get; }

    public ServerNode Node { get; private set; }

    public StringWriter Output { get; }

    public string CatalogFile => Path.Combine(Folder, "catalog", "all.yaml");

    /// <summary>Ann and Bob may ask; Bob owns; Carol is admin; Dan audits; Eve may nothing; Zed is disabled. Nothing listens where the target should be.</summary>
    public static string Catalog { get; } = $$"""
        people:
          ann: { name: Ann, token: '{{Hash("ann")}}' }
          bob: { name: Bob, token: '{{Hash("bob")}}' }
          carol: { name: Carol, token: '{{Hash("carol")}}' }
          dan: { name: Dan, token: '{{Hash("dan")}}' }
          eve: { name: Eve, token: '{{Hash("eve")}}' }
          zed: { name: Zed, token: '{{Hash("zed")}}', disabled: true }
        groups:
          developers: [ann, bob]
        admins: [carol]
        auditors: [dan]
        resources:
          orders-db:
            kind: postgres
            owners: [person:bob]
            settings:
              host: 127.0.0.1
              port: 1
              database: orders
              username: stint
              password: { env: ORDERS_DB_PASSWORD }
              tls: disable
            roles:
              read-only: { member_of: [pg_read_all_data] }
              owner: { member_of: [orders_owner], risk: high }
        policies:
          read:
            who: group:developers
            roles: [orders-db/read-only]
            for: { default: 30m, max: 4h }
            approve: { auto: true }
          own:
            who: group:developers
            roles: [orders-db/owner]
            for: { default: 30m, max: 1h }
            approve: { steps: [ { from: owners } ] }
        """;

    public static string Token(string person) => "stp_" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes("test " + person))).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    public static Task<TestNode> StartAsync(params (string Name, string Value)[] settings) => StartAsync(Catalog, settings);

    public static async Task<TestNode> StartAsync(string catalog, params (string Name, string Value)[] settings)
    {
        var folder = Directory.CreateTempSubdirectory("stint-node-").FullName;
        Directory.CreateDirectory(Path.Combine(folder, "catalog"));
        await File.WriteAllTextAsync(Path.Combine(folder, "catalog", "all.yaml"), catalog);
        var output = new StringWriter();
        var arguments = Arguments(folder, output, settings);
        var reading = OptionsReader.Read(arguments, arguments.Environment!);
        Assert.Empty(reading.Problems);
        await EmptyStore.CopySqliteAsync(Path.Combine(reading.Options!.Data, "stint.db"));
        return new TestNode(folder, await ServerNode.StartAsync(reading.Options!, arguments, CancellationToken.None), output, settings);
    }

    /// <summary>Stops the node and starts it again on what it left.</summary>
    /// <param name="time">By which clock; null for the machine's.</param>
    public async Task RestartAsync(TimeProvider? time = null)
    {
        await Node.DisposeAsync();
        var arguments = Arguments(Folder, Output, _settings) with { Time = time };
        _rows = null;
        Node = await ServerNode.StartAsync(OptionsReader.Read(arguments, arguments.Environment!).Options!, arguments, CancellationToken.None);
    }

    public static ServeArguments Arguments(string folder, TextWriter output, params (string Name, string Value)[] settings)
    {
        var variables = new Dictionary<string, string>
        {
            ["STINT_DATA"] = Path.Combine(folder, "data"),
            ["STINT_CATALOG"] = Path.Combine(folder, "catalog"),
            ["STINT_WEB__LISTEN"] = "127.0.0.1:0",
            ["STINT_GATEWAY__POSTGRES_LISTEN"] = "127.0.0.1:0",
            ["STINT_GATEWAY__DRAIN"] = "1s",
            ["STINT_LOG__LEVEL"] = "error",
            ["ORDERS_DB_PASSWORD"] = "canary-target-password",
        };
        foreach (var (name, value) in settings)
        {
            variables[name] = value;
        }

        return new ServeArguments { Environment = variables, Output = output, Errors = output };
    }

    public async Task<(HttpStatusCode Status, JsonObject Body, HttpResponseMessage Response)> SendAsync(
        string? person, HttpMethod method, string path, object? body = null, string? key = null, string contentType = "application/json")
    {
        using var message = new HttpRequestMessage(method, new Uri(Node.Address, path));
        if (person is not null)
        {
            message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", person.StartsWith("stp_", StringComparison.Ordinal) || person.StartsWith("stg_", StringComparison.Ordinal) || person.StartsWith("str_", StringComparison.Ordinal) || person.StartsWith("stint_", StringComparison.Ordinal) ? person : Token(person));
        }

        if (key is not null)
        {
            message.Headers.Add("Idempotency-Key", key);
        }

        message.Content = body switch
        {
            null => null,
            string text => new StringContent(text, Encoding.UTF8, contentType),
            _ => JsonContent.Create(body),
        };
        var response = await _http.SendAsync(message);
        var answer = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, answer.StartsWith('{') && response.Content.Headers.ContentType?.MediaType is "application/json" or "application/problem+json" ? JsonNode.Parse(answer)!.AsObject() : [], response);
    }

    public async Task<JsonObject> GetAsync(string person, string path)
    {
        var (status, body, _) = await SendAsync(person, HttpMethod.Get, path);
        Assert.True(status == HttpStatusCode.OK, $"{path} answered {(int)status}: {body}");
        return body;
    }

    public async Task<JsonObject> PostAsync(string person, string path, object body, HttpStatusCode expected = HttpStatusCode.OK)
    {
        var (status, answer, _) = await SendAsync(person, HttpMethod.Post, path, body);
        Assert.True(status == expected, $"{path} answered {(int)status}: {answer}");
        return answer;
    }

    /// <summary>Gives a person an open grant, as the keeper leaves it; there is no target where it could open one.</summary>
    public Task<Grant> HoldAsync(string person, string role = "read-only", TimeSpan? length = null)
    {
        var rows = _rows ??= TestStore.Over(Node.Services.GetRequiredService<StintStore>());
        return rows.WriteAsync(async work =>
        {
            var now = Stored.Round(TimeProvider.System.GetUtcNow());
            var request = await work.InsertAsync(rows.Asking(person, RequestState.Approved) with { Role = new RoleRef("orders-db", role) });
            var ready = await work.InsertAsync(rows.Right(request));
            var account = await work.InsertAsync(rows.Account(ready), TestStore.Sealer.Seal("pw", "test"));
            var opening = await work.MoveAsync(ready, ready with { State = GrantState.Opening, Assignment = account!.Id, BegunAt = now, NotBefore = now, NotAfter = now + (length ?? TimeSpan.FromMinutes(30)) });
            return (await work.MoveAsync(opening!, opening! with { State = GrantState.Open }))!;
        });
    }

    public async ValueTask DisposeAsync()
    {
        await Node.DisposeAsync();
        _http.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private static string Hash(string person) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Token(person))));
}
