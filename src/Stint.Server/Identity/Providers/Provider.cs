using Stint.Core.Catalog;

namespace Stint.Server.Identity.Providers;

/// <summary>Whose sign-in it is, which decides where it is, what it says of somebody, and what of that can be relied on.</summary>
internal enum ProviderPreset
{
    /// <summary>Any OpenID Connect provider.</summary>
    Oidc = 1,

    /// <summary>Okta.</summary>
    Okta = 2,

    /// <summary>Microsoft Entra ID, one tenant of it.</summary>
    Entra = 3,

    /// <summary>Google Workspace.</summary>
    Google = 4,

    /// <summary>A realm of Keycloak.</summary>
    Keycloak = 5,

    /// <summary>GitHub, which is OAuth alone: no ID token, no way to ask for a fresh proof.</summary>
    GitHub = 6,
}

/// <summary>Somebody whose word on who a person is counts.</summary>
internal sealed record Provider
{
    /// <summary>Its name in the configuration, and in its addresses here.</summary>
    public required string Name { get; init; }

    /// <summary>What people call it.</summary>
    public required string Label { get; init; }

    public required ProviderPreset Preset { get; init; }

    /// <summary>What <c>iss</c> is, to the letter; for GitHub the address of its web pages.</summary>
    public required string Issuer { get; init; }

    public required string ClientId { get; init; }

    public required string ClientSecret { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary>Which of the things it says of somebody is their name in the catalog.</summary>
    public required string Person { get; init; }

    /// <summary>What names have to end with after the <c>@</c>, or, for Google, whose accounts come in; empty for any.</summary>
    public IReadOnlyList<string> Domains { get; init; } = [];

    /// <summary>Tenant of Entra ID; else null.</summary>
    public string? Tenant { get; init; }

    /// <summary>Organization of GitHub that they have to be members of; null for none.</summary>
    public string? Organization { get; init; }

    /// <summary>What is asked for with a fresh proof, one of which has to be answered (<c>acr</c>); empty for anything.</summary>
    public IReadOnlyList<string> AcrValues { get; init; } = [];

    /// <summary>One of these has to be among the ways in which a fresh proof was given (<c>amr</c>); empty for any.</summary>
    public IReadOnlyList<string> AmrValues { get; init; } = [];

    /// <summary>The claim that says in which of its groups somebody is; null when that counts for nothing.</summary>
    public string? Groups { get; init; }

    /// <summary>What its claims are as attributes here: the attribute's name, and the claim's; empty when none counts.</summary>
    public IReadOnlyDictionary<string, string> Attributes { get; init; } = System.Collections.Frozen.FrozenDictionary<string, string>.Empty;

    /// <summary>How long groups and attributes count after a sign-in.</summary>
    public TimeSpan GroupsLast { get; init; }

    /// <summary>PEM file of the authority that vouches for its address; null for the machine's own.</summary>
    public string? Authority { get; init; }

    /// <summary>Whether plain http on this machine is taken from it.</summary>
    public bool LoopbackHttp { get; init; }

    /// <summary>What a session says that it was begun with.</summary>
    public string By => $"{(Preset == ProviderPreset.GitHub ? "github" : "oidc")}:{Name}";

    /// <summary>Whether it can be asked for a fresh proof, and says when it was given. GitHub and Google do neither.</summary>
    public bool ProvesAnew => Preset is not (ProviderPreset.GitHub or ProviderPreset.Google);

    /// <summary>Whether names that differ in capitals alone are one name there.</summary>
    private bool IgnoresCase => Preset is not (ProviderPreset.Oidc or ProviderPreset.Keycloak);

    /// <summary>Whether what it says is a mail address that nobody gave themselves.</summary>
    private bool VouchesForMail => Person == "email" || (Preset == ProviderPreset.Entra && Person is "preferred_username" or "upn");

    /// <summary>Whom it means: the person of that name, else, where the name is an address that it vouches for, the only one whose mail it is.</summary>
    /// <param name="catalog">Who there is.</param>
    /// <param name="name">What it says.</param>
    /// <returns>Null when nobody, more than one, or somebody disabled is meant.</returns>
    public Person? Find(LoadedCatalog catalog, string name)
    {
        if (!catalog.People.TryGetValue(name, out var found))
        {
            var named = IgnoresCase ? catalog.People.Values.Where(person => person.Id.Value.Equals(name, StringComparison.OrdinalIgnoreCase)).Take(2).ToList() : [];
            if (named.Count == 0 && VouchesForMail)
            {
                named = [.. catalog.People.Values.Where(person => name.Equals(person.Mail, StringComparison.OrdinalIgnoreCase)).Take(2)];
            }

            // NB. Whoever could be either of two is neither.
            found = named is [var only] ? only : null;
        }

        return found is { Disabled: false } ? found : null;
    }

    /// <summary>What a catalog calls one of its groups: <c>NAME/GROUP</c>, in small letters, as a directory's are compared.</summary>
    public string KeyOf(string group) => DirectoryPeople.Key($"{Name}/{group}");

    /// <summary>Never the secret.</summary>
    public override string ToString() => Name;
}
