using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Stint.Core;
using Stint.Server.Identity;
using Stint.Server.Store;
using Stint.Tests.Api;

namespace Stint.Tests.Web;

/// <summary>A browser as the server sees it: it keeps cookies, those marked Secure too, and follows nothing by itself.</summary>
internal sealed class Browser : IDisposable
{
    private readonly HttpClient _http = new(new HttpClientHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false });
    private readonly TestNode _node;

    public Browser(TestNode node) => _node = node;

    public Dictionary<string, string> Cookies { get; } = new(StringComparer.Ordinal);

    /// <summary>Signs somebody in without asking for a proof, as the last step of every way to sign in does.</summary>
    public async Task<WebSession> SignInAsync(string person, string by = "passkey", DateTimeOffset? at = null)
    {
        var context = new DefaultHttpContext();
        context.Request.Headers.UserAgent = "TestBrowser/1.0";
        context.Connection.RemoteIpAddress = IPAddress.Loopback;
        context.Request.Headers.Cookie = string.Join("; ", Cookies.Select(pair => $"{pair.Key}={pair.Value}"));
        var session = await _node.Node.Services.GetRequiredService<WebSessions>().StartAsync(context, new SignIn(new SubjectId(person), by, at ?? TimeProvider.System.GetUtcNow()), CancellationToken.None);
        Keep(context.Response.Headers.SetCookie.OfType<string>());
        return session;
    }

    public async Task<(HttpResponseMessage Response, string Text)> SendAsync(HttpMethod method, string path, HttpContent? content = null, params (string Name, string Value)[] headers)
    {
        using var message = new HttpRequestMessage(method, new Uri(_node.Node.Address, path)) { Content = content };
        if (Cookies.Count > 0)
        {
            message.Headers.Add("Cookie", string.Join("; ", Cookies.Select(pair => $"{pair.Key}={pair.Value}")));
        }

        foreach (var (name, value) in headers)
        {
            message.Headers.TryAddWithoutValidation(name, value);
        }

        var response = await _http.SendAsync(message);
        Keep(response.Headers.TryGetValues("Set-Cookie", out var set) ? set : []);
        return (response, await response.Content.ReadAsStringAsync());
    }

    public Task<(HttpResponseMessage Response, string Text)> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    public Task<(HttpResponseMessage Response, string Text)> PostAsync(string path, params (string Name, string Value)[] fields) =>
        SendAsync(HttpMethod.Post, path, new FormUrlEncodedContent(fields.Select(field => new KeyValuePair<string, string>(field.Name, field.Value))));

    public void Dispose() => _http.Dispose();

    private void Keep(IEnumerable<string> set)
    {
        foreach (var one in set)
        {
            var pair = one.Split(';')[0].Split('=', 2);
            if (pair[1].Length == 0)
            {
                Cookies.Remove(pair[0]);
            }
            else
            {
                Cookies[pair[0]] = pair[1];
            }
        }
    }
}
