using Microsoft.Extensions.Logging;

namespace Stint.Server.Identity.Providers;

/// <summary>Every provider that is configured, and how it is asked.</summary>
internal sealed class ProviderLinks : IDisposable
{
    /// <summary>Where Google's accounts are proved.</summary>
    public const string Google = "https://accounts.google.com";

    /// <summary>Where GitHub's web pages are.</summary>
    public const string GitHubHome = "https://github.com";

    private readonly Dictionary<string, ProviderLink> _links;

    public ProviderLinks(IReadOnlyList<Provider> all, TimeProvider time, ILogger<ProviderLinks> log)
    {
        All = all;
        _links = all.ToDictionary(provider => provider.Name, provider => new ProviderLink(provider, time, log), StringComparer.Ordinal);
    }

    public IReadOnlyList<Provider> All { get; }

    /// <summary>The way to the provider of that name; null when there is none.</summary>
    public ProviderLink? Find(string name) => _links.GetValueOrDefault(name);

    public void Dispose()
    {
        foreach (var link in _links.Values)
        {
            link.Dispose();
        }
    }
}
