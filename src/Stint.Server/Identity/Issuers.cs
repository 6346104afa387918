using System.Collections.Frozen;

namespace Stint.Server.Identity;

/// <summary>Whose tokens an issuer gives, which decides what their claims mean.</summary>
internal enum IssuerPreset
{
    /// <summary>Any OpenID Connect issuer.</summary>
    Oidc = 1,

    /// <summary>GitHub Actions.</summary>
    GitHub = 2,

    /// <summary>GitLab CI.</summary>
    GitLab = 3,

    /// <summary>Service accounts of a Kubernetes cluster.</summary>
    Kubernetes = 4,

    /// <summary>JWT-SVIDs of a SPIFFE trust domain.</summary>
    Spiffe = 5,
}

/// <summary>Somebody whose word on what a machine is counts.</summary>
internal sealed record Issuer
{
    /// <summary>Its name in the configuration and in the catalog.</summary>
    public required string Name { get; init; }

    public required IssuerPreset Preset { get; init; }

    /// <summary>What <c>iss</c> is, to the letter; null for a SPIFFE trust domain.</summary>
    public string? Url { get; init; }

    /// <summary>The trust domain, for SPIFFE; else null.</summary>
    public string? TrustDomain { get; init; }

    /// <summary>What <c>aud</c> is, to the letter, and alone.</summary>
    public required string Audience { get; init; }

    /// <summary>Where its keys are; null for a file, and for what its discovery document says.</summary>
    public Uri? KeysUrl { get; init; }

    /// <summary>File of its keys (a JWK set); null for an address.</summary>
    public string? KeysFile { get; init; }

    /// <summary>Where its own document about itself is: that of OpenID Connect unless it tells of security events.</summary>
    public Uri Discovery => TellsOfEvents
        // NB. This one puts its well-known part before the path (Shared Signals Framework 1.0, section 7.2), OpenID Connect behind it.
        ? new Uri(new Uri(Url!), $"/.well-known/ssf-configuration{new Uri(Url!).AbsolutePath.TrimEnd('/')}")
        : new Uri($"{Url!.TrimEnd('/')}/.well-known/openid-configuration");

    /// <summary>Whether it is a transmitter of security events.</summary>
    public bool TellsOfEvents { get; init; }

    /// <summary>PEM file of the authority that vouches for its address; null for the machine's own.</summary>
    public string? Authority { get; init; }

    /// <summary>Whether each of its tokens lets in once.</summary>
    public bool Once { get; init; }

    /// <summary>Claims that are kept besides those that the preset and the catalog name.</summary>
    public IReadOnlyList<string> Keep { get; init; } = [];
}

/// <summary>Every issuer that is configured.</summary>
internal sealed class Issuers(IReadOnlyList<Issuer> all)
{
    // What a preset's tokens say of a run that evidence should tell.
    private static readonly FrozenDictionary<IssuerPreset, string[]> Told = new Dictionary<IssuerPreset, string[]>
    {
        [IssuerPreset.Oidc] = ["sub"],
        [IssuerPreset.GitHub] =
        [
            "sub", "repository", "repository_id", "repository_owner", "repository_owner_id", "ref", "ref_type", "sha", "environment", "event_name", "workflow", "workflow_ref",
            "job_workflow_ref", "run_id", "run_number", "run_attempt", "actor", "runner_environment",
        ],
        [IssuerPreset.GitLab] =
        [
            "sub", "project_path", "project_id", "namespace_path", "namespace_id", "ref", "ref_type", "ref_protected", "sha", "environment", "environment_protected", "pipeline_id",
            "pipeline_source", "job_id", "ci_config_ref_uri", "user_login", "runner_environment",
        ],
        [IssuerPreset.Kubernetes] = ["sub", "namespace", "service_account", "pod", "node"],
        [IssuerPreset.Spiffe] = ["sub"],
    }.ToFrozenDictionary();

    // NB. Everybody who has an account at a public issuer gets tokens from it: one of these has to say whose it is.
    private static readonly FrozenDictionary<IssuerPreset, string[]> Owning = new Dictionary<IssuerPreset, string[]>
    {
        [IssuerPreset.GitHub] = ["sub", "repository", "repository_id", "repository_owner", "repository_owner_id", "job_workflow_ref", "workflow_ref"],
        [IssuerPreset.GitLab] = ["sub", "project_path", "project_id", "namespace_path", "namespace_id", "ci_config_ref_uri"],
        [IssuerPreset.Kubernetes] = ["sub", "namespace"],
        [IssuerPreset.Spiffe] = ["sub"],
    }.ToFrozenDictionary();

    public IReadOnlyList<Issuer> All { get; } = all;

    /// <summary>The issuer that a token names: by <c>iss</c>, or by the trust domain of its <c>sub</c>. Nothing is believed yet.</summary>
    public Issuer? Find(string? iss, string? sub) => All.FirstOrDefault(issuer => iss is not null && issuer.Url == iss)
        ?? All.FirstOrDefault(issuer => issuer.TrustDomain is { } domain && sub?.StartsWith($"spiffe://{domain}/", StringComparison.Ordinal) == true);

    /// <summary>The claims of a preset's tokens that are kept.</summary>
    public static IReadOnlyList<string> Kept(IssuerPreset preset) => Told[preset];

    /// <summary>Claims of which a workload has to demand one; empty where every token of the issuer is one's own.</summary>
    public static IReadOnlyList<string> Owns(IssuerPreset preset) => Owning.GetValueOrDefault(preset, []);
}
