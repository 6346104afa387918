using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Stint.Server.Identity.Providers;

/// <summary>What a provider says of somebody, verified.</summary>
internal sealed record ProviderAccount
{
    /// <summary>What they are called; null when it does not say.</summary>
    public string? Name { get; init; }

    /// <summary>What never changes of them there; null for nothing.</summary>
    public string? Subject { get; init; }

    /// <summary>Its own session; null when it does not say.</summary>
    public string? Session { get; init; }

    /// <summary>When they proved themselves; null when it does not say.</summary>
    public DateTimeOffset? ProvedAt { get; init; }

    /// <summary>How strongly; null when it does not say.</summary>
    public string? Acr { get; init; }

    /// <summary>In which of its groups they are, as it calls them; empty when it does not say.</summary>
    public IReadOnlyList<string> Groups { get; init; } = [];

    /// <summary>What its table names and it says, by the attribute's name here.</summary>
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = new Dictionary<string, string>();

    /// <summary>Why nobody comes in with it, without a full stop; null when somebody may.</summary>
    public string? Trouble { get; init; }
}

/// <summary>Asks GitHub whose access token it is (GitHub's REST API: "Get the authenticated user", "List email addresses for the authenticated user", "Get an organization membership for the authenticated user").</summary>
internal static class GitHubAccount
{
    /// <exception cref="ProviderAwayException">It does not answer, or not as documented.</exception>
    public static async Task<ProviderAccount> AskAsync(ProviderLink link, ProviderPlaces places, string? accessToken, ILogger log)
    {
        var provider = link.Provider;
        if (accessToken is null)
        {
            throw new ProviderAwayException();
        }

        using var user = await link.AskAsync(places.UserInfo!, accessToken);
        if (user?.RootElement is not { ValueKind: JsonValueKind.Object } said || !said.TryGetProperty("id", out var id) || id.ValueKind != JsonValueKind.Number || !id.TryGetInt64(out var number) || SignedJwt.Text(said, "login") is not { } login)
        {
            throw new ProviderAwayException();
        }

        var account = new ProviderAccount { Subject = number.ToString(CultureInfo.InvariantCulture), Name = login };
        if (provider.Organization is { } organization)
        {
            using var membership = await link.AskAsync(new Uri($"{places.UserInfo}/memberships/orgs/{Uri.EscapeDataString(organization)}"), accessToken);
            if (membership?.RootElement is not { ValueKind: JsonValueKind.Object } member || SignedJwt.Text(member, "state") != "active"
                || !member.TryGetProperty("organization", out var whose) || whose.ValueKind != JsonValueKind.Object || !string.Equals(SignedJwt.Text(whose, "login"), organization, StringComparison.OrdinalIgnoreCase))
            {
                return account with { Trouble = $"it is no member of {organization}, or the organization does not let this server see that" };
            }
        }

        if (provider.Person != "email")
        {
            return account;
        }

        using var mails = await link.AskAsync(new Uri($"{places.UserInfo}/emails"), accessToken);
        if (mails?.RootElement is not { ValueKind: JsonValueKind.Array } list)
        {
            log.AccountRefused(provider.Name, "its mail addresses are not shown; the scope user:email is missing");
            return account with { Trouble = "its mail addresses are not shown" };
        }

        var primary = list.EnumerateArray().Where(one => one.ValueKind == JsonValueKind.Object && Is(one, "primary") && Is(one, "verified")).Select(one => SignedJwt.Text(one, "email")).FirstOrDefault();
        return primary is null ? account with { Trouble = "its primary mail address is not verified" }
            : provider.Domains.Count > 0 && !provider.Domains.Contains(primary[(primary.IndexOf('@', StringComparison.Ordinal) + 1)..], StringComparer.OrdinalIgnoreCase) ? account with { Trouble = "it is of a domain that may not come in" }
            : account with { Name = primary };
    }

    private static bool Is(JsonElement one, string name) => one.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;
}
