using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Stint.Core.Catalog.Calendars;

namespace Stint.Server.Catalog.OnCall;

/// <summary>What came of asking for a calendar.</summary>
internal abstract record Fetched
{
    private Fetched()
    {
    }

    public sealed record Text(string Body, string? Etag) : Fetched;

    /// <summary>It is as it was.</summary>
    public sealed record Same : Fetched;

    /// <summary>It cannot be had.</summary>
    /// <param name="Why">In words, without a full stop and without the address: that may be all it takes to read it.</param>
    public sealed record Failed(string Why) : Fetched;
}

/// <summary>Asks for calendars: bounded in size, time and redirects.</summary>
internal sealed class FetchCalendar : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private const int MostRedirects = 3;

    private readonly HttpClient _http;
    private readonly IReadOnlyList<string> _internalHosts;

    /// <param name="internalHosts">Hosts that may be asked although they are not on the public network.</param>
    public FetchCalendar(IReadOnlyList<string> internalHosts) => (_internalHosts, _http) = (
        internalHosts, new HttpClient(Outgoing.Handler(internalHosts)) { Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = ICalendar.MostCharacters });

    /// <param name="address">Where.</param>
    /// <param name="etag">Of what is known; null for nothing.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task<Fetched> GetAsync(Uri address, string? etag, CancellationToken cancellation)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(Patience);
        try
        {
            using var response = await AskAsync(address, etag, bound.Token);
            if (response.StatusCode == HttpStatusCode.NotModified && etag is not null)
            {
                return new Fetched.Same();
            }

            if (response.StatusCode != HttpStatusCode.OK)
            {
                return new Fetched.Failed($"{address.Host} answered {(int)response.StatusCode}");
            }

            // NB. RFC 5545 is UTF-8; another encoding would only make names that nobody has.
            var body = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(await response.Content.ReadAsByteArrayAsync(bound.Token)).TrimStart('\uFEFF');
            ICalendar.Parse(body);
            return body.Contains('\0', StringComparison.Ordinal) ? new Fetched.Failed("what it answers is no text") : new Fetched.Text(body, response.Headers.ETag?.ToString());
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new Fetched.Failed($"{address.Host} did not answer within {Patience.TotalSeconds:F0} s");
        }
        catch (DecoderFallbackException)
        {
            return new Fetched.Failed("what it answers is no text in UTF-8");
        }
        catch (FormatException e)
        {
            return new Fetched.Failed($"what it answers is no calendar: {e.Message}");
        }
        catch (Exception e) when (e is HttpRequestException or IOException)
        {
            return new Fetched.Failed($"{address.Host} cannot be asked: {(e.InnerException as HttpRequestException ?? e).Message.TrimEnd('.')}");
        }
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Asks, and goes where it is sent on to.</summary>
    private async Task<HttpResponseMessage> AskAsync(Uri address, string? etag, CancellationToken cancellation)
    {
        var at = address;
        for (var redirects = 0; ; redirects++)
        {
            using var message = new HttpRequestMessage(HttpMethod.Get, at);
            message.Headers.Accept.ParseAdd("text/calendar");
            message.Headers.UserAgent.ParseAdd("stint");
            if (etag is not null && EntityTagHeaderValue.TryParse(etag, out var known))
            {
                message.Headers.IfNoneMatch.Add(known);
            }

            var response = await _http.SendAsync(message, HttpCompletionOption.ResponseContentRead, cancellation);
            if (response.StatusCode is not (HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect) || response.Headers.Location is not { } location)
            {
                return response;
            }

            response.Dispose();
            var next = new Uri(at, location);
            if (redirects == MostRedirects)
            {
                throw new HttpRequestException($"it sends on more than {MostRedirects} times");
            }

            // NB. What is reachable because the configuration names it is reachable for who wrote that address, not for whoever answers at another.
            if (next.Scheme is not ("https" or "http") || (at.Scheme == "https" && next.Scheme == "http") || next.UserInfo.Length > 0 || (next.Host != address.Host && _internalHosts.Contains(next.Host.Trim('[', ']'), StringComparer.OrdinalIgnoreCase)))
            {
                throw new HttpRequestException($"it sends on to {next.Scheme}://{next.Host}, where nobody goes for it");
            }

            at = next;
        }
    }
}
