using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Http;
using Stint.Core;
using Stint.Server.Api;
using Stint.Server.Catalog;
using Stint.Server.Hosting;

namespace Stint.Server.Identity;

/// <summary>Marks an endpoint that answers without a token.</summary>
internal sealed class Open
{
    public static Open Instance { get; } = new();
}

/// <summary>Marks an endpoint that sees by itself who calls, and counts those that it does not know: no person's token opens it.</summary>
internal sealed class Closed
{
    public static Closed Instance { get; } = new();
}

/// <summary>Marks an endpoint that a one-time code opens too. It has to look at <see cref="Caller.ByCode"/>.</summary>
internal sealed class ByCode
{
    public static ByCode Instance { get; } = new();
}

/// <summary>Marks an endpoint that a workload's token opens too. Every other one is closed to machines, a new one as well.</summary>
internal sealed class ForWorkloads
{
    public static ForWorkloads Instance { get; } = new();
}

/// <summary>Lets in who has a token, and nobody too often.</summary>
internal sealed class Bearer(RequestDelegate next, TokenDirectory tokens, CurrentCatalog catalog, LoginByCode codes, ExchangeToken exchanged, StaticTokens lasting, CliTokens commandLines, Applications applications, WebSessions browsers, FollowRights rights, LimitOptions limits, TimeProvider time)
{
    private readonly RateLimit<SubjectId> _perPerson = new(limits.RequestsPerMinute, time);
    private readonly RateLimit<IPAddress> _perAddress = new(limits.AddressRequestsPerMinute, time);
    private readonly RateLimit<IPAddress> _failures = new(limits.FailuresPerMinute, time);

    public Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<Closed>() is not null)
        {
            return next(context);
        }

        var address = Network(context.Connection.RemoteIpAddress);
        if (context.GetEndpoint()?.Metadata.GetMetadata<Open>() is not null)
        {
            return _perAddress.Take(address) is { } open ? TooMany(context, open) : next(context);
        }

        return rights.IsBehind ? CaughtUpAsync(context, address) : LetInAsync(context, address);
    }

    /// <summary>Whoever was just given a right in Stint itself has it in their next call.</summary>
    private async Task CaughtUpAsync(HttpContext context, IPAddress address)
    {
        await rights.CatchUpAsync(context.RequestAborted);
        await LetInAsync(context, address);
    }

    private Task LetInAsync(HttpContext context, IPAddress address)
    {
        var token = TokenOf(context).AsSpan();
        if (context.GetEndpoint()?.Metadata.GetMetadata<ByApplication>() is not null && applications.Find(token) is { } application)
        {
            // An application asks for all of its users from one address: it has an allowance of its own, and needs no other.
            if (applications.Take(application) is { } later)
            {
                return TooMany(context, later);
            }

            context.Features.Set(Asker.Of(application));
            return next(context);
        }

        if (tokens.Find(token) is not { } person)
        {
            if (token.Length == 0 && WebSessions.SecretOf(context) is { } secret)
            {
                return ByCookieAsync(context, secret, address);
            }

            if (token.Length == 0 && IsPage(context))
            {
                return _perAddress.Take(address) is { } crowd ? TooMany(context, crowd) : Web.Then.ToSignInAsync(context);
            }

            if (token.StartsWith(ExchangeToken.Prefix, StringComparison.Ordinal) || token.StartsWith(StaticTokens.Prefix, StringComparison.Ordinal))
            {
                return ByWorkloadAsync(context, token.ToString(), address);
            }

            if (token.StartsWith(LoginByCode.Prefix, StringComparison.Ordinal))
            {
                return ByCodeAsync(context, token.ToString(), address);
            }

            if (token.StartsWith(CliTokens.Prefix, StringComparison.Ordinal))
            {
                return ByCommandLineAsync(context, token.ToString(), address);
            }

            if ((_perAddress.Take(address) ?? _failures.Take(address)) is { } wait)
            {
                return TooMany(context, wait);
            }

            // NB. An address that nobody serves says so to anybody; the rest says nothing before a token is shown.
            return context.GetEndpoint() is null ? next(context) : Refuse(context, token.Length > 0);
        }

        if ((_perPerson.Take(person.Id) ?? _perAddress.Take(address)) is { } tooSoon)
        {
            return TooMany(context, tooSoon);
        }

        context.Features.Set(new Caller(person, catalog));
        return next(context);
    }

    /// <summary>A token that a one-time code was changed for: it opens what is marked for it, and nothing else is even looked for.</summary>
    private async Task ByCodeAsync(HttpContext context, string token, IPAddress address)
    {
        if ((_perAddress.Take(address) ?? _failures.Peek(address)) is { } wait)
        {
            await TooMany(context, wait);
        }
        else if (await codes.FindAsync(token, context.RequestAborted) is not { } person)
        {
            await (_failures.Take(address) is { } tooMany ? TooMany(context, tooMany) : Refuse(context, tried: true));
        }
        else if (_perPerson.Take(person.Id) is { } tooSoon)
        {
            await TooMany(context, tooSoon);
        }
        else if (context.GetEndpoint()?.Metadata.GetMetadata<ByCode>() is null)
        {
            await ProblemResult.WriteAsync(context, ProblemKind.NotYours.Say("What a one-time code lets in is break-glass alone.", "For anything else log in as on every day: stint login."));
        }
        else
        {
            context.Features.Set(new Caller(person, catalog) { ByCode = true });
            await next(context);
        }
    }

    /// <summary>A browser in which somebody is signed in: it opens what a person's token opens, and our pages.</summary>
    private async Task ByCookieAsync(HttpContext context, string secret, IPAddress address)
    {
        if ((_perAddress.Take(address) ?? _failures.Peek(address)) is { } wait)
        {
            await TooMany(context, wait);
        }
        else if (await browsers.FindAsync(secret, context.RequestAborted) is not var (person, session))
        {
            // A browser keeps what it was given once, and shows it until it is told not to: that is no try to guess one.
            WebSessions.Forget(context);
            await (IsPage(context) ? Web.Then.ToSignInAsync(context) : _failures.Take(address) is { } tooMany ? TooMany(context, tooMany) : Refuse(context, tried: true));
        }
        else if (_perPerson.Take(person.Id) is { } tooSoon)
        {
            await TooMany(context, tooSoon);
        }
        else if (!await ByCookie.IsOursAsync(context, session))
        {
            await ByCookie.RefuseAsync(context);
        }
        else
        {
            context.Features.Set(new Caller(person, catalog) { Session = session });
            await next(context);
        }
    }

    private static bool IsPage(HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<ForBrowsers>() is not null;

    /// <summary>A token that a command line was given for its person: it opens what a person's own opens.</summary>
    private async Task ByCommandLineAsync(HttpContext context, string token, IPAddress address)
    {
        if ((_perAddress.Take(address) ?? _failures.Peek(address)) is { } wait)
        {
            await TooMany(context, wait);
        }
        else if (await commandLines.FindAsync(token, context.RequestAborted) is not var (person, login))
        {
            await (_failures.Take(address) is { } tooMany ? TooMany(context, tooMany) : Refuse(context, tried: true));
        }
        else if (_perPerson.Take(person.Id) is { } tooSoon)
        {
            await TooMany(context, tooSoon);
        }
        else
        {
            context.Features.Set(new Caller(person, catalog) { CommandLine = login });
            await next(context);
        }
    }

    /// <summary>A machine's token: it opens what is marked for it, and nothing else is even looked for.</summary>
    private async Task ByWorkloadAsync(HttpContext context, string token, IPAddress address)
    {
        if ((_perAddress.Take(address) ?? _failures.Peek(address)) is { } wait)
        {
            await TooMany(context, wait);
            return;
        }

        Caller? caller = null;
        if (await exchanged.FindAsync(token, context.RequestAborted) is { } passed)
        {
            caller = new Caller(passed.Workload, catalog) { Claims = passed.Pass.Claims };
        }
        else if (await lasting.FindAsync(token, context.RequestAborted) is { } kept)
        {
            caller = new Caller(kept.Workload, catalog) { Claims = new Dictionary<string, string>(), Scope = kept.Token.Scope };
        }

        if (caller is null)
        {
            await (_failures.Take(address) is { } tooMany ? TooMany(context, tooMany) : Refuse(context, tried: true));
        }
        else if (_perPerson.Take(caller.Id) is { } tooSoon)
        {
            await TooMany(context, tooSoon);
        }
        else if (context.GetEndpoint() is null)
        {
            await next(context);
        }
        else if (context.GetEndpoint()?.Metadata.GetMetadata<ForWorkloads>() is null)
        {
            await ProblemResult.WriteAsync(context, ProblemKind.NotYours.Say("A workload asks, and uses what it was given; everything else is for persons.", "Log in as a person: stint login."));
        }
        else
        {
            context.Features.Set(caller);
            await next(context);
        }
    }

    private static Task Refuse(HttpContext context, bool tried)
    {
        context.Response.Headers.WWWAuthenticate = tried ? "Bearer realm=\"stint\", error=\"invalid_token\"" : "Bearer realm=\"stint\"";
        return ProblemResult.WriteAsync(context, ProblemKind.Unauthenticated.Say(
            tried ? "The token is unknown or over, or whose it is is disabled." : "No token was sent.",
            "Log in with `stint login`, or send the header `Authorization: Bearer stp_…`."));
    }

    /// <summary>What was sent to be let in with; empty for nothing.</summary>
    internal static string TokenOf(HttpContext context) =>
        context.Request.Headers.Authorization is { Count: 1 } header && header[0] is { } text && text.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? text[7..].Trim() : "";

    internal static Task TooMany(HttpContext context, TimeSpan wait)
    {
        var seconds = Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds));
        context.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        return ProblemResult.WriteAsync(context, ProblemKind.TooMany.Say($"Too many requests; the next one is answered in {seconds} s."));
    }

    /// <summary>What is counted as one address: an IPv6 customer has a whole /64.</summary>
    internal static IPAddress Network(IPAddress? address)
    {
        if (address is null)
        {
            return IPAddress.None;
        }

        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        if (address.AddressFamily != System.Net.Sockets.AddressFamily.InterNetworkV6)
        {
            return address;
        }

        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new IPAddress(bytes);
    }
}
