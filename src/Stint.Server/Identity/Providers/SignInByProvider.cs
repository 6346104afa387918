using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Primitives;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Identity.Providers;

/// <summary>What came of coming back from a provider.</summary>
internal abstract record ProviderOutcome
{
    private ProviderOutcome()
    {
    }

    /// <summary>Somebody of the catalog proved who they are.</summary>
    /// <param name="How">Who, and how.</param>
    /// <param name="Groups">In which of the provider's groups they are, as it calls them.</param>
    /// <param name="Attributes">What its table names of them, by the attribute's name here.</param>
    public sealed record Proved(SignIn How, IReadOnlyList<string> Groups, IReadOnlyDictionary<string, string> Attributes) : ProviderOutcome;

    /// <summary>Nobody did.</summary>
    /// <param name="Say">What happened, in a sentence with its full stop; for whoever stands before the browser, who may be anybody.</param>
    /// <param name="Remedy">What they can do.</param>
    /// <param name="Status">As HTTP has it.</param>
    public sealed record Refused(string Say, string Remedy, int Status = 403) : ProviderOutcome;
}

/// <summary>Sends people to a provider (authorization code with PKCE) and hears them when they are back.</summary>
/// <remarks>
/// What is wrong with an answer stands in the log, for whoever runs the server. The page says little: it is read by whoever
/// made the answer, too.
/// </remarks>
internal sealed class SignInByProvider(StintStore store, CurrentCatalog catalog, IdSource ids, WebSessionLimits limits, TimeProvider clock, ILogger<SignInByProvider> log)
{
    private const int LongestCode = 4 << 10;
    private const int LongestAttribute = 200;
    private const string Anew = "Begin anew: go to the page that you wanted, or to /sign-in.";

    private static readonly string[] Answered = ["code", "state", "iss", "error", "error_description"];

    private readonly RefusalCount _refusals = new(store, clock, Facts.SignInRefused);

    /// <summary>Where to send the browser, and what to keep of it until it is back.</summary>
    /// <param name="link">The provider.</param>
    /// <param name="redirect">Where it sends them back to.</param>
    /// <param name="then">Where they go afterwards; a path of ours.</param>
    /// <param name="session">The session that needs a fresh proof; null for a new one.</param>
    /// <param name="cancellation">Ends the waiting for the provider.</param>
    /// <exception cref="ProviderAwayException">It does not answer.</exception>
    public async Task<(string To, ProviderFlow Flow)> StartAsync(ProviderLink link, string redirect, string then, string? session, CancellationToken cancellation)
    {
        var (provider, places) = (link.Provider, await link.PlacesAsync(cancellation));
        var flow = new ProviderFlow(provider.Name, ids.NextSecret(), ids.NextSecret(), ids.NextSecret(), then, clock.GetUtcNow(), session);
        var query = new Dictionary<string, string?>
        {
            ["response_type"] = "code",
            ["client_id"] = provider.ClientId,
            ["redirect_uri"] = redirect,
            ["scope"] = string.Join(' ', provider.Scopes),
            ["state"] = flow.State,
            ["code_challenge"] = flow.Challenge,
            ["code_challenge_method"] = "S256",
        };
        if (provider.Preset != ProviderPreset.GitHub)
        {
            query["nonce"] = flow.Nonce;
        }

        if (provider.Preset == ProviderPreset.Google && provider.Domains.Count == 1)
        {
            // Which account Google offers; what came is looked at afterwards.
            query["hd"] = provider.Domains[0];
        }

        if (provider.ProvesAnew)
        {
            // Whoever is asked for an age says when somebody proved themselves (OpenID Connect Core 1.0, section 3.1.2.1).
            query["max_age"] = Seconds(flow.Fresh ? IdToken.FreshFor : limits.Lasts);
        }

        if (flow.Fresh)
        {
            query["prompt"] = "login";
            if (provider.AcrValues.Count > 0)
            {
                query["acr_values"] = string.Join(' ', provider.AcrValues);
            }
        }

        return (QueryHelpers.AddQueryString(places.Authorize.AbsoluteUri, query), flow);
    }

    /// <summary>Hears what a browser brings back.</summary>
    /// <param name="link">The provider at whose address here it came back.</param>
    /// <param name="flow">What was kept of it; null when it brought nothing of the kind.</param>
    /// <param name="query">What it brought.</param>
    /// <param name="redirect">Where it was to come back to.</param>
    /// <param name="cancellation">Ends the waiting for the provider.</param>
    public async Task<ProviderOutcome> FinishAsync(ProviderLink link, ProviderFlow? flow, IEnumerable<KeyValuePair<string, StringValues>> query, string redirect, CancellationToken cancellation)
    {
        var provider = link.Provider;
        var brought = query.Where(one => Answered.Contains(one.Key)).ToDictionary(one => one.Key, one => one.Value.Count == 1 ? one.Value[0] : null, StringComparer.Ordinal);
        if (brought.Any(one => one.Key != "error_description" && one.Value is null))
        {
            return Wrong(provider, "something stands twice in it");
        }

        // NB. What was asked at one provider is not answered by another: whoever is between two of them could else have the code of the one sent to the other (RFC 9700, section 4.4).
        if (flow is null || flow.Provider != provider.Name || !flow.IsAnsweredBy(brought.GetValueOrDefault("state") ?? ""))
        {
            log.AnswerRefused(provider.Name, flow is null ? "the browser was not sent there from here, or is back a second time or too late" : "it belongs to another asking");
            return new ProviderOutcome.Refused("This browser was not sent there from here, or it was too long ago, or it is back a second time.", Anew, 400);
        }

        try
        {
            var places = await link.PlacesAsync(cancellation);
            if (brought.TryGetValue("iss", out var iss) ? iss != provider.Issuer : places.NamesItself)
            {
                return Wrong(provider, "it names another issuer, or none although its provider always does (iss)");
            }

            if (brought.TryGetValue("error", out var error))
            {
                log.AnswerRefused(provider.Name, $"it says {ProviderLink.Word(error)}");
                return new ProviderOutcome.Refused($"{provider.Label} did not let you through: {ProviderLink.Word(error)}.", error == "access_denied" ? "When you did not refuse it yourself, ask those who run it whether you may use Stint." : Anew);
            }

            if (brought.GetValueOrDefault("code") is not { Length: > 0 and <= LongestCode } code)
            {
                return Wrong(provider, "it holds no code");
            }

            if (await link.ExchangeAsync(code, flow.Verifier, redirect, cancellation) is not { } answer)
            {
                return new ProviderOutcome.Refused($"{provider.Label} did not take the code that it gave: it was used before, or is over.", Anew);
            }

            return provider.Preset == ProviderPreset.GitHub
                ? Whom(provider, await GitHubAccount.AskAsync(link, places, answer.AccessToken, log))
                : await ReadAsync(link, places, flow, answer, cancellation);
        }
        catch (Exception e) when (e is ProviderAwayException or KeysUnknownException)
        {
            return Away(provider);
        }
    }

    /// <summary>Puts one on record who came back in vain.</summary>
    public Task RefusedAsync(IPAddress address, CancellationToken cancellation) => _refusals.AddAsync(address, cancellation);

    /// <summary>What is said when a provider does not answer.</summary>
    public static ProviderOutcome.Refused Away(Provider provider) =>
        new($"{provider.Label} does not answer this server now, or not as it must.", "Try again in a minute. Whoever runs this server finds in its log what is wrong.", 503);

    private async Task<ProviderOutcome> ReadAsync(ProviderLink link, ProviderPlaces places, ProviderFlow flow, ProviderAnswer answer, CancellationToken cancellation)
    {
        var provider = link.Provider;
        if (answer.IdToken is not { } token)
        {
            return Wrong(provider, "no ID token came for the code; the scope openid is missing there");
        }

        if (!SignedJwt.TryRead(token, out var jwt, out var why))
        {
            return Wrong(provider, why);
        }

        using var held = jwt;
        var now = clock.GetUtcNow();
        if (IdToken.Trouble(jwt.Body, jwt.Algorithm, provider, flow, answer.AccessToken, now) is { } trouble)
        {
            return Wrong(provider, trouble);
        }

        if (!await jwt.IsSignedByAsync(await link.KeysAsync(cancellation), provider.Issuer, provider.ClientId, cancellation))
        {
            return Wrong(provider, "It is not signed with a key of its issuer.");
        }

        var subject = SignedJwt.Text(jwt.Body, "sub")!;
        var whole = jwt.Body.TryGetProperty(provider.Person, out _) && (provider.Groups is not { } groups || jwt.Body.TryGetProperty(groups, out _))
            && provider.Attributes.Values.All(claim => jwt.Body.TryGetProperty(claim, out _));
        if (whole || places.UserInfo is not { } place || answer.AccessToken is not { } access)
        {
            return Whom(provider, Read(provider, flow, jwt.Body, jwt.Body, subject));
        }

        // Some say in the token who somebody is, and only there beside it what they are called (OpenID Connect Core 1.0, section 5.3).
        using var told = await link.AskAsync(place, access);
        return told is null || told.RootElement.ValueKind != JsonValueKind.Object || SignedJwt.Text(told.RootElement, "sub") != subject
            ? Wrong(provider, "what it says beside the token is about somebody else (sub)")
            : Whom(provider, Read(provider, flow, jwt.Body, told.RootElement, subject));
    }

    private static ProviderAccount Read(Provider provider, ProviderFlow flow, JsonElement token, JsonElement beside, string subject)
    {
        // What stands in the token counts, and what stands beside it says the rest.
        var told = token.TryGetProperty(provider.Person, out _) ? token : beside;
        var account = new ProviderAccount
        {
            Name = SignedJwt.Text(told, provider.Person),
            Groups = provider.Groups is { } claim ? Texts(token.TryGetProperty(claim, out _) ? token : beside, claim) : [],
            Attributes = Attributes(provider, token, beside),
            Subject = subject,
            Session = SignedJwt.Text(token, "sid"),

            // A fresh proof was given since it was asked for, whatever the clocks say.
            ProvedAt = SignedJwt.Seconds(token, "auth_time") is { } at && flow.Fresh && at < flow.StartedAt ? flow.StartedAt : SignedJwt.Seconds(token, "auth_time"),
            Acr = SignedJwt.Text(token, "acr"),
        };

        // NB. An address that nobody looked at is one that somebody gave themselves.
        if (provider.Person == "email" && !IsTrue(told, "email_verified"))
        {
            return account with { Trouble = "nobody verified its mail address (email_verified)" };
        }

        // NB. At Google an address of the company may stand on an account that is not the company's; only hd says whose it is.
        var domain = provider.Preset == ProviderPreset.Google ? SignedJwt.Text(token, "hd") : account.Name?[(account.Name.IndexOf('@', StringComparison.Ordinal) + 1)..];
        return provider.Domains.Count > 0 && !provider.Domains.Contains(domain ?? "", StringComparer.OrdinalIgnoreCase)
            ? account with { Trouble = "it is of a domain that may not come in" }
            : account;
    }

    private ProviderOutcome Whom(Provider provider, ProviderAccount account)
    {
        if (account.Trouble is { } trouble)
        {
            log.AccountRefused(provider.Name, trouble);
            return new ProviderOutcome.Refused($"{provider.Label} knows you, but with that account nobody comes in here: {trouble}.", "Sign in there with another account, or ask those who run this server.");
        }

        if (account.Name is not { Length: > 0 } name || !Core.Catalog.Words.IsPersonName(name))
        {
            log.AccountRefused(provider.Name, $"it says no name that somebody could have here ({provider.Person})");
            return new ProviderOutcome.Refused($"{provider.Label} does not say what you are called here.", $"Whoever runs this server: see which claim is their name (identity.providers.{provider.Name}.person), and that the provider tells it.");
        }

        if (provider.Find(catalog.Now, name) is not { } person)
        {
            log.AccountRefused(provider.Name, "nobody here has that name");
            return new ProviderOutcome.Refused($"{provider.Label} says that you are {name}, and nobody of that name comes in here.", "Ask those who run this server to take you into its catalog or its directory, or sign in there with another account.");
        }

        // NB. Who does not say when somebody proved themselves may have asked them weeks ago: for whatever demands a fresh proof, it is none.
        return new ProviderOutcome.Proved(new SignIn(person.Id, provider.By, account.ProvedAt ?? DateTimeOffset.UnixEpoch, provider.Name, account.Subject, account.Session, account.Acr), account.Groups, account.Attributes);
    }

    private ProviderOutcome.Refused Wrong(Provider provider, string why)
    {
        log.AnswerRefused(provider.Name, why);
        return new ProviderOutcome.Refused($"What {provider.Label} sent back does not hold, so nobody was signed in.", $"{Anew} If it happens again, whoever runs this server finds in its log what is wrong.");
    }

    private static List<string> Texts(JsonElement element, string name) => !element.TryGetProperty(name, out var value) ? []
        : value.ValueKind == JsonValueKind.String ? [value.GetString()!]
        : value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Where(one => one.ValueKind == JsonValueKind.String).Select(one => one.GetString()!)]
        : [];

    /// <summary>What the table names, where it is a text that an attribute could be. NB. Anything else is not there, rather than half of it: a condition that reads it then fails, and that is no.</summary>
    private static Dictionary<string, string> Attributes(Provider provider, JsonElement token, JsonElement beside)
    {
        var read = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, claim) in provider.Attributes)
        {
            if (SignedJwt.Text(token.TryGetProperty(claim, out _) ? token : beside, claim) is { Length: > 0 and <= LongestAttribute } text && Core.Catalog.Words.IsShowable(text, newLines: false))
            {
                read[name] = text;
            }
        }

        return read;
    }

    private static bool IsTrue(JsonElement element, string name) => element.TryGetProperty(name, out var value) && (value.ValueKind == JsonValueKind.True || (value.ValueKind == JsonValueKind.String && value.GetString() == "true"));

    private static string Seconds(TimeSpan span) => ((long)span.TotalSeconds).ToString(System.Globalization.CultureInfo.InvariantCulture);
}
