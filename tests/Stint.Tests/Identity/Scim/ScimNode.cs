using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Stint.Tests.Api;
using Xunit;

namespace Stint.Tests.Identity.Scim;

/// <summary>The directory's program, before a node that listens to it.</summary>
internal sealed class ScimNode : IAsyncDisposable, IDisposable
{
    public const string Secret = "scim-token-of-the-tests-0123456789";

    public const string UserSchema = "urn:ietf:params:scim:schemas:core:2.0:User";
    public const string GroupSchema = "urn:ietf:params:scim:schemas:core:2.0:Group";
    public const string Enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    public const string PatchSchema = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

    private readonly HttpClient _http = new(new HttpClientHandler { UseProxy = false }) { Timeout = TimeSpan.FromSeconds(60) };

    public ScimNode(TestNode node) => Node = node;

    public TestNode Node { get; }

    /// <summary>What makes a node listen to the directory.</summary>
    public static (string Name, string Value)[] Settings { get; } = [("STINT_DIRECTORY__SCIM_TOKEN_ENV", "SCIM_TOKEN"), ("SCIM_TOKEN", Secret), ("STINT_LIMITS__ADDRESS_REQUESTS_PER_MINUTE", "10000000")];

    /// <summary>The usual catalog; developers are those of the directory's group Developers.</summary>
    public static string Catalog { get; } = TestNode.Catalog.Replace("developers: [ann, bob]", "developers: { members: [bob], directory: Developers }", StringComparison.Ordinal);

    public static async Task<ScimNode> StartAsync(string? catalog = null) => new(await TestNode.StartAsync(catalog ?? Catalog, Settings));

    public async Task<(int Status, JsonObject Body, HttpResponseMessage Response)> SendAsync(string method, string path, string? body = null, string? token = Secret, params (string Name, string Value)[] headers)
    {
        using var message = new HttpRequestMessage(new HttpMethod(method), new Uri(Node.Node.Address, "/scim/v2" + path));
        if (token is not null)
        {
            message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        foreach (var (name, value) in headers)
        {
            message.Headers.TryAddWithoutValidation(name, value);
        }

        if (body is not null)
        {
            message.Content = new StringContent(body, Encoding.UTF8, "application/scim+json");
        }

        var response = await _http.SendAsync(message);
        var text = await response.Content.ReadAsStringAsync();
        if (text.Length > 0)
        {
            Assert.Equal("application/scim+json", response.Content.Headers.ContentType?.MediaType);
        }

        return ((int)response.StatusCode, text.Length == 0 ? [] : JsonNode.Parse(text)!.AsObject(), response);
    }

    public async Task<JsonObject> OkAsync(string method, string path, string? body = null, int expected = 200)
    {
        var (status, answer, _) = await SendAsync(method, path, body);
        Assert.True(status == expected, $"{method} {path} answered {status}: {answer}");
        return answer;
    }

    /// <summary>A call that is refused.</summary>
    /// <returns>Its scimType; null for none.</returns>
    public async Task<string?> NoAsync(int expected, string method, string path, string? body = null)
    {
        var answer = await OkAsync(method, path, body, expected);
        Assert.Equal("urn:ietf:params:scim:api:messages:2.0:Error", (string?)answer["schemas"]![0]);
        Assert.Equal(expected.ToString(System.Globalization.CultureInfo.InvariantCulture), (string?)answer["status"]);
        return (string?)answer["scimType"];
    }

    /// <returns>Its id.</returns>
    public async Task<string> UserAsync(string userName, string more = "") =>
        (string)(await OkAsync("POST", "/Users", $$"""{"schemas":["{{UserSchema}}"],"userName":"{{userName}}"{{more}}}""", 201))["id"]!;

    /// <returns>Its id.</returns>
    public async Task<string> GroupAsync(string name, params string[] members) => (string)(await OkAsync(
        "POST", "/Groups", $$"""{"schemas":["{{GroupSchema}}"],"displayName":"{{name}}","members":[{{string.Join(',', members.Select(id => $$"""{"value":"{{id}}"}"""))}}]}""", 201))["id"]!;

    public Task<JsonObject> PatchAsync(string path, string operations, int expected = 200) =>
        OkAsync("PATCH", path, $$"""{"schemas":["{{PatchSchema}}"],"Operations":[{{operations}}]}""", expected);

    public Task<string?> PatchNoAsync(int expected, string path, string operations) =>
        NoAsync(expected, "PATCH", path, $$"""{"schemas":["{{PatchSchema}}"],"Operations":[{{operations}}]}""");

    /// <summary>Names of the users that a filter finds, in the order of coming.</summary>
    public async Task<string> FindAsync(string filter, string more = "")
    {
        var answer = await OkAsync("GET", $"/Users?filter={Uri.EscapeDataString(filter)}{more}");
        return string.Join(' ', answer["Resources"]!.AsArray().Select(user => (string)user!["userName"]!));
    }

    /// <summary>Waits until somebody may ask for a role: who comes counts within a second or so.</summary>
    public async Task<HttpStatusCode> AskAsync(string person, string role = "orders-db/read-only") =>
        (await Node.SendAsync(person, HttpMethod.Post, "/api/v1/requests", new { role, reason = "to look" })).Status;

    /// <summary>Leaves the node to whoever has it.</summary>
    public void Dispose() => _http.Dispose();

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await Node.DisposeAsync();
    }
}
