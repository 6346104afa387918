using System.Net;
using Stint.Server;
using Stint.Server.Hosting;
using Xunit;

namespace Stint.Tests.Hosting;

public sealed class OptionsReaderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("stint-options-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Read_OnlyTheCatalog_TakesTheDefaults()
    {
        var options = Read(new ServeArguments { Catalog = _folder }).Options!;

        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 8420), options.Web.Listen);
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 5480), options.Gateway.PostgresListen);
        Assert.Equal(StoreKind.Sqlite, options.Store);
        Assert.True(options.CarriesSessions);
        Assert.True(options.Web.IsPlain);
        Assert.Equal(TimeSpan.FromHours(8), options.Gateway.Idle);
        Assert.Equal(Path.Combine(options.Data, "master.key"), options.MasterKey.File);
    }

    [Fact]
    public void Read_AllThreeSources_FlagBeatsVariableBeatsFile()
    {
        var file = Write("""{ "catalog": ".", "data": "from-file", "store": "sqlite", "web": { "listen": "127.0.0.1:1" }, "log": { "level": "error" } }""");
        var reading = Read(
            new ServeArguments { Config = file, Listen = "127.0.0.1:3" },
            ("STINT_WEB__LISTEN", "127.0.0.1:2"), ("STINT_LOG__LEVEL", "debug"));

        Assert.Empty(reading.Problems);
        Assert.Equal(3, reading.Options!.Web.Listen.Port);
        Assert.Equal(Microsoft.Extensions.Logging.LogLevel.Debug, reading.Options.Log.Level);
        Assert.Equal(Path.Combine(_folder, "from-file"), reading.Options.Data);
    }

    [Fact]
    public void Read_Webhooks_AreReadFromFileAndVariables()
    {
        var secret = Path.Combine(_folder, "gh.secret");
        File.WriteAllText(secret, "a-secret-of-enough-length\n");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(secret, UnixFileMode.UserRead);
        }

        var file = Write("""{ "catalog": ".", "webhooks": { "shop": { "preset": "github", "secret_file": "gh.secret", "tasks": "github:Shop/" } } }""");
        var reading = Read(
            new ServeArguments { Config = file },
            ("STINT_WEBHOOKS__PAGER__PRESET", "pagerduty"), ("STINT_WEBHOOKS__PAGER__SECRET_ENV", "STINT_PAGER_SECRET"), ("STINT_PAGER_SECRET", "another-secret-of-enough-length"));
        Assert.Empty(reading.Problems);
        Assert.Equal(["pager pagerduty:", "shop github:shop/"], reading.Options!.Webhooks.Select(sender => $"{sender} {sender.Tasks}"));
    }

    [Fact]
    public void Read_TokensOfTheDirectory_AreKeptAsHashes_AndBadOnesAreToldWithoutThem()
    {
        var read = Read(
            new ServeArguments(), ("STINT_CATALOG", "."), ("STINT_DIRECTORY__SCIM_TOKEN_ENV", "STINT_SCIM"), ("STINT_SCIM", "the-old-token-0123456789\nthe-new-token-0123456789"));
        Assert.Empty(read.Problems);
        Assert.Equal(2, read.Options!.ScimTokens.Count);
        Assert.Equal(System.Security.Cryptography.SHA256.HashData("the-new-token-0123456789"u8), read.Options.ScimTokens[1]);
        foreach (var bad in new[] { "hunter2", "" })
        {
            var problem = Assert.Single(Read(new ServeArguments(), ("STINT_CATALOG", "."), ("STINT_DIRECTORY__SCIM_TOKEN_ENV", "SCIM"), ("SCIM", bad)).Problems).ToString();
            Assert.Contains("directory.scim_token_env", problem, StringComparison.Ordinal);
            Assert.DoesNotContain("hunter2", problem, StringComparison.Ordinal);
        }

        Assert.Empty(Read(new ServeArguments(), ("STINT_CATALOG", ".")).Options!.ScimTokens);
    }

    [Fact]
    public void Read_WrongWebhooks_SaysAllAtOnceAndNoSecret()
    {
        var file = Write("""
            {
              "catalog": ".",
              "webhooks": {
                "a": { "preset": "github" },
                "b": { "secret_env": "B" },
                "c": { "preset": "plain", "secret_env": "LONG" },
                "d": { "preset": "jira", "secret_env": "SHORT", "tasks": "github:" },
                "e": { "preset": "svn", "secret_env": "NOT_SET", "tasks": "no colon" },
                "f": { "preset": "gitlab", "secret_env": "LONG", "secret_file": "x", "color": "red" }
              }
            }
            """);
        var problems = Read(new ServeArguments { Config = file }, ("B", "long-enough-to-be-one"), ("LONG", "long-enough-to-be-one"), ("SHORT", "hunter2")).Problems.Select(problem => problem.ToString()).ToList();
        AssertSays(problems, file + ":4", "`webhooks.a` has no secret");
        AssertSays(problems, file + ":5", "`webhooks.b.preset` is missing");
        AssertSays(problems, file + ":6", "`webhooks.c.tasks` is missing");
        AssertSays(problems, file + ":7", "does not begin with jira:");
        AssertSays(problems, file + ":7", "fewer than 16 characters");
        AssertSays(problems, file + ":8", "`webhooks.e.preset` is `svn`");
        AssertSays(problems, file + ":8", "NOT_SET, which is not set");
        AssertSays(problems, file + ":8", "not the beginning of a task's name");
        AssertSays(problems, file + ":9", "keep one");
        AssertSays(problems, file + ":9", "`webhooks.f.color` is not a setting");
        Assert.DoesNotContain("hunter2", string.Concat(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_Applications_AreReadAndTheirTokensHashed()
    {
        var file = Write("""{ "catalog": ".", "authzen": { "shop": { "token_env": "STINT_SHOP_TOKEN", "resources": ["orders-*", "stock"], "resource_types": ["record"], "requests_per_minute": 60000 } } }""");
        var reading = Read(
            new ServeArguments { Config = file },
            ("STINT_SHOP_TOKEN", "a-token-of-thirty-two-characters."), ("STINT_AUTHZEN__CI__TOKEN_ENV", "CI_TOKEN"), ("STINT_AUTHZEN__CI__RESOURCES", "*"), ("CI_TOKEN", "another-token-of-enough-characters"));
        Assert.Empty(reading.Problems);
        Assert.Equal(["ci 6000 *", "shop 60000 orders-*,stock"], reading.Options!.Applications.Select(one => $"{one} {one.RequestsPerMinute} {string.Join(',', one.Resources)}"));
        Assert.Equal(System.Security.Cryptography.SHA256.HashData("a-token-of-thirty-two-characters."u8), reading.Options!.Applications[1].TokenHash);
        Assert.True(reading.Options!.Applications[1].MayAsk("orders-db"));
        Assert.False(reading.Options!.Applications[1].MayAsk("stock-db"));
    }

    [Fact]
    public void Read_WrongApplications_SaysAllAtOnceAndNoToken()
    {
        var file = Write("""
            {
              "catalog": ".",
              "authzen": {
                "a": { "token_env": "LONG" },
                "b": { "resources": ["*"] },
                "c": { "token_env": "SHORT", "resources": [] },
                "d": { "token_env": "BLANK", "resources": ["*"], "requests_per_minute": 0 },
                "e": { "token_env": "LONG", "resources": ["*"] },
                "f": { "token_env": "LONG", "resources": ["*"], "color": "red" },
                "Gee": { "token_env": "NOT_SET", "resources": ["*"] }
              }
            }
            """);
        var problems = Read(new ServeArguments { Config = file }, ("LONG", "a-token-of-thirty-two-characters."), ("SHORT", "hunter2"), ("BLANK", "with a blank, and long enough for one")).Problems.Select(problem => problem.ToString()).ToList();
        AssertSays(problems, file + ":4", "`authzen.a.resources` names none");
        AssertSays(problems, file + ":6", "`authzen.c.resources` names none");
        AssertSays(problems, file + ":5", "`authzen.b` has no token");
        AssertSays(problems, file + ":6", "fewer than 32 characters");
        AssertSays(problems, file + ":7", "no header can carry");
        AssertSays(problems, file + ":7", "must be a whole number");
        AssertSays(problems, file + ":9", "has the token of `authzen.e`");
        AssertSays(problems, file + ":9", "`authzen.f.color` is not a setting");
        AssertSays(problems, file + ":10", "names an application with other letters");
        AssertSays(problems, file + ":10", "NOT_SET, which is not set");
        Assert.DoesNotContain("hunter2", string.Concat(problems), StringComparison.Ordinal);
        Assert.DoesNotContain("thirty-two", string.Concat(problems), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_ManyThingsWrong_SaysAllAtOnceEachWithItsPlace()
    {
        var file = Write("""
            {
              "catalog": "nowhere",
              "store": "oracle",
              "web": { "lisen": "127.0.0.1:1", "behind_proxy": ["10.0.0.0/99"] },
              "gateway": { "idle": "soon", "connections_per_grant": "ten" },
              "log": { "json": "yes" },
              "data": null
            }
            """);
        var problems = Read(new ServeArguments { Config = file, Roles = "gateway" }, ("STINT_GATEWAY__DRAIN", "-1s"), ("STINT_FOO", "1")).Problems.Select(problem => problem.ToString()).ToList();

        AssertSays(problems, file + ":2", "`catalog`");
        AssertSays(problems, file + ":3", "`store` is `oracle`");
        AssertSays(problems, file + ":4", "did you mean `web.listen`");
        AssertSays(problems, file + ":4", "10.0.0.0/99");
        AssertSays(problems, file + ":5", "`gateway.idle`");
        AssertSays(problems, file + ":5", "`gateway.connections_per_grant` must be a whole number");
        AssertSays(problems, file + ":6", "`log.json` must be true or false");
        AssertSays(problems, file + ":7", "`data` is null");
        AssertSays(problems, "--roles", "gateway alone");
        AssertSays(problems, "STINT_GATEWAY__DRAIN", "`gateway.drain`");
        AssertSays(problems, "STINT_FOO", "`foo` is not a setting");
        AssertSays(problems, "--roles", "this node's secret is missing");
        Assert.Equal(12, problems.Count);
    }

    [Theory]
    [InlineData("{ \"catalog\": \".\" \n \"data\": 1 }", ":2:")]
    [InlineData("[1]", ":1: ")]
    [InlineData("{ \"catalog\": \".\", \"catalog\": \".\" }", "stands twice")]
    [InlineData("{ \"catalog\": \".\" } trailing", "is not JSON here")]
    [InlineData("", "is not JSON here")]
    public void Read_FileThatCannotBeRead_SaysWhere(string text, string expected)
    {
        var problems = Read(new ServeArguments { Config = Write(text), Catalog = _folder }).Problems;
        Assert.Contains(problems, problem => problem.ToString().Contains(expected, StringComparison.Ordinal));
    }

    [Fact]
    public void Read_FileThatIsNotThere_IsAProblemAndNeverDefaults()
    {
        var reading = Read(new ServeArguments { Config = Path.Combine(_folder, "no.json"), Catalog = _folder });
        Assert.Null(reading.Options);
        Assert.Contains("cannot be read", Assert.Single(reading.Problems).Sentence);
    }

    [Theory]
    [InlineData("8420")]
    [InlineData("127.0.0.1")]
    [InlineData("127.0.0.1:70000")]
    [InlineData("127.0.0.1:-1")]
    [InlineData("::1")]
    [InlineData("::1:8420")]
    [InlineData("example.com:8420")]
    [InlineData("")]
    public void Read_ListenThatIsNotAddressAndPort_IsRefused(string text) =>
        Assert.NotEmpty(Read(new ServeArguments { Catalog = _folder, Listen = text }).Problems);

    [Theory]
    [InlineData("[::1]:8420", "[::1]:8420")]
    [InlineData("*:1", "0.0.0.0:1")]
    [InlineData("localhost:0", "127.0.0.1:0")]
    public void Read_Listen_TakesTheUsualForms(string text, string expected) =>
        Assert.Equal(IPEndPoint.Parse(expected), Read(new ServeArguments { Catalog = _folder, Listen = text }).Options!.Web.Listen);

    [Theory]
    [InlineData("0.0.0.0:1", null, false)]
    [InlineData("0.0.0.0:1", "10.0.0.0/8", true)]
    [InlineData("127.0.0.1:1", null, true)]
    public void IsPlain_OnlyOnLoopbackOrBehindANamedProxy(string listen, string? proxy, bool plain)
    {
        (string, string)[] variables = proxy is null ? [] : [("STINT_WEB__BEHIND_PROXY", proxy)];
        Assert.Equal(plain, Read(new ServeArguments { Catalog = _folder, Listen = listen }, variables).Options!.Web.IsPlain);
    }

    [Fact]
    public void Read_PostgresStore_NeedsAUrlAndNeverPrintsIt()
    {
        Assert.Contains("`store_url` is missing", Assert.Single(Read(new ServeArguments { Catalog = _folder, Store = "postgres" }).Problems).Sentence);

        var bad = Assert.Single(Read(new ServeArguments { Catalog = _folder, Store = "postgres", StoreUrl = "Hst=db;Password=canary" }).Problems);
        Assert.DoesNotContain("canary", bad.ToString());
    }

    [Fact]
    public void Read_MasterKeyInAVariableWithOurPrefix_IsNotTakenForASetting()
    {
        var reading = Read(new ServeArguments { Catalog = _folder }, ("STINT_MASTER_KEY__ENV", "STINT_MASTER_KEY"), ("STINT_MASTER_KEY", "canary"));
        Assert.Empty(reading.Problems);
        Assert.Equal("STINT_MASTER_KEY", reading.Options!.MasterKey.Env);
    }

    [Fact]
    public void Read_UnknownVariable_NeverPrintsItsValue()
    {
        var problem = Assert.Single(Read(new ServeArguments { Catalog = _folder }, ("STINT_PASWORD", "canary")).Problems);
        Assert.DoesNotContain("canary", problem.ToString());
    }

    [Fact]
    public void Read_CertificateWithoutItsKey_IsRefused()
    {
        var problem = Assert.Single(Read(new ServeArguments { Catalog = _folder }, ("STINT_WEB__TLS_CERT", "/nowhere.pem")).Problems);
        Assert.Contains("stands without `web.tls_key`", problem.Sentence);
    }

    [Fact]
    public void Read_CertificateOfAnotherKey_IsRefused()
    {
        var now = TimeProvider.System.GetUtcNow();
        CertificateFile.Make(new CertificateFiles(Path.Combine(_folder, "a.crt"), Path.Combine(_folder, "a.key")), ["a"], now).Dispose();
        CertificateFile.Make(new CertificateFiles(Path.Combine(_folder, "b.crt"), Path.Combine(_folder, "b.key")), ["b"], now).Dispose();
        var problem = Assert.Single(Read(
            new ServeArguments { Catalog = _folder },
            ("STINT_WEB__TLS_CERT", Path.Combine(_folder, "a.crt")), ("STINT_WEB__TLS_KEY", Path.Combine(_folder, "b.key"))).Problems);
        Assert.Contains("belong together", problem.Sentence);
    }

    [Fact]
    public void Read_AGatewayAlone_NeedsNoCatalogAndKeepsItsSecretToItself()
    {
        var reading = Read(
            new ServeArguments { Roles = "gateway" },
            ("STINT_CONTROL__URL", "https://stint.example.com"), ("STINT_CONTROL__SECRET_ENV", "STINT_NODE"), ("STINT_NODE", "canary"), ("STINT_CONTROL__FINGERPRINT", string.Join(':', Enumerable.Repeat("AB", 32))));

        Assert.Empty(reading.Problems);
        Assert.True(reading.Options!.CarriesSessions);
        Assert.Equal("canary", reading.Options.Control!.Secret);
        Assert.Equal(32, reading.Options.Control.Fingerprint!.Length);
        Assert.DoesNotContain("canary", reading.Options.ToString());
    }

    [Theory]
    [InlineData("control.url", "http://stint.example.com", "plain http")]
    [InlineData("control.fingerprint", "AB:CD", "not the SHA-256")]
    [InlineData("control.ca", "/nowhere.pem", "is not there")]
    [InlineData("control.secret_env", "NOT_SET", "is not set")]
    public void Read_AGatewayAloneThatWouldTrustOrTellTooMuch_IsRefused(string key, string value, string expected)
    {
        var variables = new Dictionary<string, string> { ["STINT_CONTROL__URL"] = "https://a", ["STINT_CONTROL__SECRET_ENV"] = "NODE", ["NODE"] = "canary" };
        variables["STINT_" + key.ToUpperInvariant().Replace(".", "__", StringComparison.Ordinal)] = value;
        var problems = OptionsReader.Read(new ServeArguments { Roles = "gateway" }, variables).Problems;
        Assert.Contains(problems, problem => problem.Sentence.Contains(expected, StringComparison.Ordinal));
        Assert.DoesNotContain(problems, problem => problem.ToString().Contains("canary", StringComparison.Ordinal));
    }

    [Fact]
    public void Read_ControlAtAControlPlane_IsRefused() =>
        Assert.Contains("gateway and nothing else", Assert.Single(Read(new ServeArguments { Catalog = _folder }, ("STINT_CONTROL__URL", "https://a")).Problems).Sentence);

    [Theory]
    [InlineData("edge", "NAME=sha256:HASH")]
    [InlineData("../edge=sha256:00", "NAME=sha256:HASH")]
    [InlineData("edge=stp_the-secret-itself", "64 hexadecimal digits")]
    [InlineData("a=sha256:0000000000000000000000000000000000000000000000000000000000000000,b=sha256:0000000000000000000000000000000000000000000000000000000000000000", "twice")]
    public void Read_NodesThatAreNone_AreRefused(string text, string expected)
    {
        var problem = Assert.Single(Read(new ServeArguments { Catalog = _folder }, ("STINT_NODES", text)).Problems);
        Assert.Contains(expected, problem.Sentence);
        Assert.DoesNotContain("the-secret", problem.ToString());
    }

    private static void AssertSays(List<string> problems, string place, string words) =>
        Assert.Contains(problems, problem => problem.StartsWith(place + ":", StringComparison.Ordinal) && problem.Contains(words, StringComparison.Ordinal));

    private static OptionsReading Read(ServeArguments arguments, params (string Name, string Value)[] variables) =>
        OptionsReader.Read(arguments, variables.ToDictionary(pair => pair.Name, pair => pair.Value));

    private string Write(string text)
    {
        var path = Path.Combine(_folder, "stint.json");
        File.WriteAllText(path, text);
        return path;
    }
}
