using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using FsCheck;
using FsCheck.Fluent;
using Stint.Connectors;
using Stint.Connectors.Postgres;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Grants;
using Xunit;

namespace Stint.Tests.Connectors;

public sealed class PostgresPartsTests
{
    [Fact]
    public void List_TwoOfOneKind_AreRefused()
    {
        var one = ConnectorList.All.Find("postgres")!;
        Assert.Throws<ArgumentException>(() => new ConnectorList([one, one]));
        Assert.Null(ConnectorList.All.Find("Postgres"));
        Assert.Contains(ConnectorList.All.Shapes, shape => shape.Kind == "postgres");
    }

    // The exchange is RFC 7677 section 3.
    [Fact]
    public void Verifier_TheExchangeOfTheRfc_GivesItsServerSignature()
    {
        const string salt = "W22ZaJ0SNY7soEsUEjb6gQ==";
        const string nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        var verifier = ScramVerifier.Make("pencil", Convert.FromBase64String(salt));
        Assert.StartsWith($"SCRAM-SHA-256$4096:{salt}$", verifier, StringComparison.Ordinal);

        var serverKey = Convert.FromBase64String(verifier[(verifier.LastIndexOf(':') + 1)..]);
        var message = $"n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s={salt},i=4096,c=biws,r={nonce}";
        Assert.Equal("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", Convert.ToBase64String(HMACSHA256.HashData(serverKey, Encoding.ASCII.GetBytes(message))));
    }

    [Theory]
    [InlineData("")]
    [InlineData("with blank")]
    [InlineData("ünï")]
    public void Verifier_SecretThatNeedsPreparing_IsRefusedWithoutShowingIt(string secret)
    {
        var refused = Assert.Throws<ArgumentException>(() => ScramVerifier.Make(secret));
        Assert.True(secret.Length == 0 || !refused.Message.Contains(secret, StringComparison.Ordinal));
    }

    [Fact]
    public void Mark_WrittenAndRead_IsTheSame() => Check.QuickThrowOnFailure(Prop.ForAll<string, string, string>((installation, subject, role) =>
    {
        var mark = new Mark(installation ?? "", "as-000000000001", 7, "0123456789abcdef", subject ?? "", role ?? "");
        string text;
        try
        {
            text = mark.ToString();
            _ = new UTF8Encoding(false, throwOnInvalidBytes: true).GetBytes(string.Concat(installation, subject, role));
        }
        catch (EncoderFallbackException)
        {
            return true;
        }

        return Mark.Read(text) == mark && !text.Contains('\'', StringComparison.Ordinal) && !text.Contains('\n', StringComparison.Ordinal);
    }));

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("somebody's note")]
    [InlineData("stint/1")]
    [InlineData("stint/1 assignment=as-1")]
    [InlineData("stint/2 installation=a")]
    public void Mark_OfSomethingElse_IsNone(string? comment) => Assert.Null(Mark.Read(comment));

    [Fact]
    public void Name_Quoted_CannotEnd()
    {
        Assert.Equal("\"a\"\"; DROP ROLE x; --\"", Sql.Name("a\"; DROP ROLE x; --"));
        Assert.Throws<ArgumentException>(() => Sql.Name(""));
        Assert.Throws<ArgumentException>(() => Sql.Name("a\0"));
        Assert.Throws<ArgumentException>(() => Sql.Name(new string('ü', 32)));
        Assert.Equal("'it''s \\'", Sql.Text("it's \\"));
    }

    [Theory]
    [InlineData("GRANT SELECT ON t TO {role}", true)]
    [InlineData("GRANT CONNECT ON DATABASE {database} TO {role}", true)]
    [InlineData("GRANT SELECT ON t TO {subject}", false)]
    [InlineData("", false)]
    [InlineData(" commit", false)]
    [InlineData("COMMITTEE_GRANT()", true)]
    [InlineData("rollback; x", false)]
    public void Template_Checked_SaysWhatIsWrong(string template, bool right) => Assert.Equal(right, Sql.WrongTemplate(template) is null);

    [Theory]
    [InlineData("db1.internal", true)]
    [InlineData("::1", true)]
    [InlineData("10.0.0.1", true)]
    [InlineData("db1,db2", false)]
    [InlineData("db1:5433", false)]
    [InlineData("/var/run/postgresql", false)]
    [InlineData("db1;Password=x", false)]
    [InlineData("db1\n", false)]
    [InlineData("", false)]
    public void Host_Checked_IsOneHost(string host, bool right)
    {
        var field = Assert.Single(PostgresSettings.Shape.Resource, one => one.Name == "host");
        Assert.Equal(right, field.Check!(host) is null);
    }

    [Theory]
    [InlineData("localhost", "prefer")]
    [InlineData("127.0.0.1", "prefer")]
    [InlineData("::1", "prefer")]
    [InlineData("db1.internal", "verify-full")]
    [InlineData("localhost.example.com", "verify-full")]
    public void Tls_NotSaid_IsVerifiedUnlessLoopback(string host, string tls) =>
        Assert.Equal(tls, PostgresSettings.Of(Short.Settings(("host", host), ("database", "d"))).Tls);

    [Theory]
    [InlineData(null)]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n")]
    [InlineData("")]
    public async Task AnyVerb_PeerThatIsNoPostgres_IsUnreachableInTime(string? says)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        using var end = new CancellationTokenSource();
        var serving = ServeAsync(listener, says, end.Token);
        var settings = Short.Settings(("host", "127.0.0.1"), ("port", (long)port), ("database", "d"), ("username", "u"), ("tls", "disable"), ("connect_timeout", TimeSpan.FromSeconds(1)), ("password", new SecretRef(SecretSource.Env, "P")));
        var target = new Target(Short.Resource("r", settings, ("plain", Short.Settings())), "i", new NamedSecrets(new Dictionary<string, string> { ["P"] = "p-canary" }));
        var connector = ConnectorList.All.Find("postgres")!;
        var account = new Account(new AssignmentId("as-1"), "stint_a_1", new SubjectId("a"), target.Resource.Roles["plain"], DateTimeOffset.UnixEpoch, "s-canary", 1, 1);

        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        Assert.IsType<VerbOutcome.Unreachable>(await connector.CheckAsync(target, bound.Token));
        Assert.IsType<VerbOutcome.Unreachable>(await connector.OpenAsync(target, account, bound.Token));
        Assert.IsType<VerbOutcome.Unreachable>(await connector.CloseAsync(target, account, bound.Token));
        Assert.IsType<VerbOutcome.Unreachable>(await connector.CutAsync(target, account, "1", bound.Token));
        Assert.IsType<Listing.Failed>(await connector.ListAsync(target, bound.Token));

        await end.CancelAsync();
        await serving;
    }

    private static async Task ServeAsync(TcpListener listener, string? says, CancellationToken end)
    {
        var held = new List<Socket>();
        try
        {
            while (true)
            {
                var socket = await listener.AcceptSocketAsync(end);
                held.Add(socket);
                if (says is not null)
                {
                    await socket.SendAsync(Encoding.ASCII.GetBytes(says), end);
                    socket.Shutdown(SocketShutdown.Send);
                }
            }
        }
        catch (OperationCanceledException)
        {
        }

        held.ForEach(socket => socket.Dispose());
    }
}
