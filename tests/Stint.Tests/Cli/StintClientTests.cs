using System.Net;
using System.Net.Sockets;
using System.Text;
using Stint.Cli;
using Xunit;

namespace Stint.Tests.Cli;

public sealed class StintClientTests
{
    [Theory]
    [InlineData(401, ExitCode.NotLoggedIn)]
    [InlineData(403, ExitCode.Denied)]
    [InlineData(404, ExitCode.NotFound)]
    [InlineData(409, ExitCode.Conflict)]
    [InlineData(400, ExitCode.Usage)]
    [InlineData(422, ExitCode.Usage)]
    [InlineData(500, ExitCode.Failed)]
    [InlineData(503, ExitCode.Unreachable)]
    public async Task Get_Problem_BecomesItsExitCodeWithItsWords(int status, int expected)
    {
        var failure = await FailureAsync(status, """{"title":"t","detail":"That is why.","remedy":"Do this.","errors":[{"field":"role","message":"is wrong"}]}""");
        Assert.Equal(expected, failure.Code);
        Assert.Equal("That is why.\n  role: is wrong", failure.Message);
        Assert.Equal("Do this.", failure.Hint);
        Assert.NotNull(failure.Problem);
    }

    [Fact]
    public async Task Get_NotYours_SaysWhoCould() =>
        Assert.Equal("Could: bob, dora.", (await FailureAsync(403, """{"detail":"Not you.","who_could":["bob","dora"]}""")).Hint);

    [Theory]
    [InlineData("<html>")]
    [InlineData("[]")]
    [InlineData("null")]
    public async Task Get_AnswerThatIsNoObject_IsNotStints(string body) =>
        Assert.Equal(ExitCode.Failed, (await FailureAsync(200, body)).Code);

    [Fact]
    public async Task Get_NobodyThere_IsUnreachable()
    {
        using var client = new StintClient(new Login(new Uri("http://127.0.0.1:1/"), "stp_x", null));
        Assert.Equal(ExitCode.Unreachable, (await Assert.ThrowsAsync<CommandFailed>(() => client.GetAsync("api/v1/whoami", CancellationToken.None))).Code);
    }

    private static async Task<CommandFailed> FailureAsync(int status, string body)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var answering = AnswerAsync(listener, status, body);
        using var client = new StintClient(new Login(new Uri($"http://{listener.LocalEndpoint}/"), "stp_x", null));
        var failure = await Assert.ThrowsAsync<CommandFailed>(() => client.GetAsync("api/v1/whoami", CancellationToken.None));
        await answering;
        return failure;
    }

    private static async Task AnswerAsync(TcpListener listener, int status, string body)
    {
        using var peer = await listener.AcceptTcpClientAsync();
        var stream = peer.GetStream();
        var request = new StringBuilder();
        var buffer = new byte[4096];
        while (!request.ToString().Contains("\r\n\r\n", StringComparison.Ordinal))
        {
            var read = await stream.ReadAsync(buffer);
            Assert.True(read > 0);
            request.Append(Encoding.ASCII.GetString(buffer, 0, read));
        }

        await stream.WriteAsync(Encoding.UTF8.GetBytes($"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}"));
    }
}
