using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stint.Core;
using Stint.Server.Grants;
using Stint.Server.Hosting;
using Stint.Server.Store;
using Stint.Server.Store.Sealing;
using Stint.Tests.Api;
using Stint.Tests.Connectors;
using Xunit;

namespace Stint.Tests.Hosting;

/// <summary>Secrets of every kind go through a whole job on a real server; afterwards none of them stands anywhere it should not.</summary>
public sealed class CanaryTests(PostgresServers servers)
{
    private const string Admin = "canary-admin-password-8c1f0e";
    private const string Typed = "canary-typed-password-55ab91";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task WholeJob_LeavesNoSecretAnywhere(bool sealedInCatalog)
    {
        var master = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
        var log = new StringWriter();
        var (stream, heard) = (Console.Error, TextWriter.Synchronized(log));
        var written = sealedInCatalog
            ? $"{{ sealed: '{new Sealer(MasterKey.Parse(master, "test")).Seal(Admin, CatalogSecrets.Purpose)}' }}"
            : "{ env: ORDERS_DB_PASSWORD }";
        Console.SetError(heard);
        LiveNode live;
        try
        {
            live = await LiveNode.StartAsync(
                servers,
                sealedInCatalog ? "canary_sealed" : "canary_env",
                Admin,
                written,
                ("ORDERS_DB_PASSWORD", Admin),
                ("STINT_LOG__LEVEL", "debug"),
                ("CANARY_MASTER", master),
                ("STINT_MASTER_KEY__ENV", "CANARY_MASTER"));
        }
        finally
        {
            Console.SetError(stream);
        }

        await using var closing = live;
        var answers = new List<string>();
        var canaries = new Dictionary<string, string>
        {
            ["admin password"] = Admin,
            ["master key"] = master,
            ["password typed in a statement"] = Typed,
        };
        foreach (var person in new[] { "ann", "bob", "carol", "dan" })
        {
            canaries[$"token of {person}"] = TestNode.Token(person);
        }

        await WorkAsync(live, canaries, answers);
        await live.Node.Node.DisposeAsync();
        answers.Add(live.Node.Output.ToString());
        answers.Add(log.ToString());

        Assert.True(canaries.Count >= 9, "a canary is missing");
        foreach (var (name, secret) in canaries)
        {
            foreach (var form in Forms(secret))
            {
                Assert.DoesNotContain(answers, answer => answer.Contains(form, StringComparison.Ordinal));
                foreach (var file in Directory.EnumerateFiles(Path.Combine(live.Node.Folder, "data"), "*", SearchOption.AllDirectories))
                {
                    var found = (await File.ReadAllBytesAsync(file)).AsSpan().IndexOf(Encoding.UTF8.GetBytes(form)) >= 0;
                    Assert.False(found, $"the {name} stands in {Path.GetFileName(file)}");
                }
            }
        }

        var server = await live.Server.ReadLogAsync();
        Assert.DoesNotContain(canaries["upstream secret"], server, StringComparison.Ordinal);
        Assert.DoesNotContain(canaries["login secret"], server, StringComparison.Ordinal);
    }

    private static async Task WorkAsync(LiveNode live, Dictionary<string, string> canaries, List<string> answers)
    {
        var node = live.Node;
        var grant = await live.OpenAsync("ann", 600);
        var id = (string)grant["id"]!;
        var login = await live.MintAsync("ann", id);
        canaries["login secret"] = (string)login["secret"]!;
        await using (var connection = await LiveNode.ConnectAsync(login))
        {
            await LiveNode.SayAsync(connection, "select 1");
            await Assert.ThrowsAsync<PostgresException>(() => LiveNode.SayAsync(connection, $"create role sneaky password '{Typed}'"));
            await Assert.ThrowsAsync<PostgresException>(() => LiveNode.SayAsync(connection, "select no_such_thing"));
        }

        answers.Add((await Assert.ThrowsAsync<PostgresException>(() => LiveNode.ConnectAsync(login, "wrong"))).ToString());
        var services = node.Node.Services;
        var (store, sealer) = (services.GetRequiredService<StintStore>(), services.GetRequiredService<Sealer>());
        var assignment = (await store.ReadAsync(async reads => await reads.FindGrantAsync(new GrantId(id)), CancellationToken.None))!.Assignment!.Value;
        var kept = (await store.ReadAsync(async reads => await reads.FindSealedSecretAsync(assignment), CancellationToken.None))!;
        canaries["upstream secret"] = sealer.Open(kept, GrantSteps.Purpose(assignment));

        var pending = await node.PostAsync("ann", "/api/v1/requests", new { role = "orders-db/owner", reason = "fix" }, System.Net.HttpStatusCode.Created);
        await node.PostAsync("bob", $"/api/v1/requests/{pending["id"]}/approve", new { saw_digest = (string?)pending["digest"] });
        await node.PostAsync("ann", $"/api/v1/grants/{id}/end", new { });
        for (var i = 0; i < 500 && (string?)(await node.GetAsync("ann", $"/api/v1/grants/{id}"))["state"] != "closed"; i++)
        {
            await Task.Delay(20);
        }

        var session = (string)(await node.GetAsync("ann", "/api/v1/sessions"))["items"]![0]!["id"]!;
        string[] paths =
        [
            "/api/v1/whoami", "/api/v1/roles", "/api/v1/requests", "/api/v1/grants", "/api/v1/sessions", $"/api/v1/sessions/{session}/records",
            "/api/v1/statements", "/api/v1/status", "/api/v1/catalog", "/api/v1/audit/facts?limit=1000", "/api/v1/audit/head", "/api/v1/audit/export",
            $"/api/v1/audit/evidence/{grant["request"]}", "/api/v1/audit/key", "/api/v1/admin/drift", "/api/v1/admin/backup", "/openapi/v1.json", "/", "/nothing",
        ];
        foreach (var path in paths)
        {
            foreach (var person in new[] { "ann", "carol", "dan" })
            {
                answers.Add(await (await node.SendAsync(person, HttpMethod.Get, path)).Response.Content.ReadAsStringAsync());
            }
        }

        Assert.Contains(answers, answer => answer.Contains("sneaky", StringComparison.Ordinal));
        Assert.Contains(answers, answer => answer.Contains("KeyCreated", StringComparison.Ordinal));
        answers.Add((await node.SendAsync("carol", HttpMethod.Post, "/api/v1/audit/verify", new { })).Body.ToJsonString());
        answers.Add((await node.SendAsync("carol", HttpMethod.Post, "/api/v1/admin/secrets/seal", new { secret = Admin })).Body.ToJsonString());
        answers.Add((await node.SendAsync("stp_wrong", HttpMethod.Get, "/api/v1/whoami")).Body.ToJsonString());
    }

    private static IEnumerable<string> Forms(string secret) =>
        [secret, Convert.ToBase64String(Encoding.UTF8.GetBytes(secret)), Convert.ToHexStringLower(Encoding.UTF8.GetBytes(secret)), Uri.EscapeDataString(secret)];
}
