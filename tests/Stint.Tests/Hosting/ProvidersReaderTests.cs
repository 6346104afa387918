using Stint.Server.Hosting;
using Stint.Server.Identity.Providers;
using Xunit;

namespace Stint.Tests.Hosting;

public sealed class ProvidersReaderTests
{
    private const string Tenant = "2b2b1c2e-0000-4000-8000-1a2b3c4d5e6f";

    private static OptionsReading Read(string settings, params (string Name, string Value)[] others)
    {
        var folder = Directory.CreateTempSubdirectory("stint-providers-").FullName;
        var given = settings.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(one => one.Split('=', 2)).ToDictionary(one => one[0], one => one[1]);
        foreach (var name in given.Keys.Select(key => key.Split("__")[0]).Distinct().ToList())
        {
            given.TryAdd($"{name}__CLIENT_ID", "stint");
            given.TryAdd($"{name}__CLIENT_SECRET_ENV", "STINT_THEIR_SECRET");
        }

        var arguments = Api.TestNode.Arguments(folder, TextWriter.Null, [("STINT_CATALOG", folder), ("STINT_THEIR_SECRET", "canary-client-secret"), .. given.Select(one => ($"STINT_IDENTITY__PROVIDERS__{one.Key}", one.Value)), .. others]);
        return OptionsReader.Read(arguments, arguments.Environment!);
    }

    [Fact]
    public void Presets_KnowWhatIsUsual()
    {
        var reading = Read($"OKTA__PRESET=okta;OKTA__ISSUER=https://acme.okta.com;ENTRA__PRESET=entra;ENTRA__TENANT={Tenant.ToUpperInvariant()};GOOGLE__PRESET=google;GOOGLE__DOMAINS=example.com;KEY__PRESET=keycloak;KEY__ISSUER=https://id.example.com/realms/acme;HUB__PRESET=github;HUB__ORGANIZATION=acme;OTHER__ISSUER=https://login.example.com/;OTHER__LABEL=Our login");
        Assert.Empty(reading.Problems);
        Assert.Equal(
            [
                ("entra", $"https://login.microsoftonline.com/{Tenant}/v2.0", "preferred_username", "Microsoft Entra ID", true),
                ("google", "https://accounts.google.com", "email", "Google", false),
                ("hub", "https://github.com", "login", "GitHub", false),
                ("key", "https://id.example.com/realms/acme", "preferred_username", "Keycloak", true),
                ("okta", "https://acme.okta.com", "preferred_username", "Okta", true),
                ("other", "https://login.example.com/", "preferred_username", "Our login", true),
            ],
            reading.Options!.Providers.Select(one => (one.Name, one.Issuer, one.Person, one.Label, one.ProvesAnew)));
        Assert.Equal(["read:user", "read:org"], reading.Options.Providers.Single(one => one.Preset == ProviderPreset.GitHub).Scopes);
        Assert.DoesNotContain("canary", string.Join(' ', reading.Options.Providers), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("X__LABEL=x", "`identity.providers.x.issuer` is missing")]
    [InlineData("X__ISSUER=http://login.example.com", "must be an https address")]
    [InlineData("X__ISSUER=http://login.example.com;X__LOOPBACK_HTTP=true", "must be an https address")]
    [InlineData("X__ISSUER=http://127.0.0.1:1", "must be an https address")]
    [InlineData("X__ISSUER=https://login.example.com?x=1", "must be an https address")]
    [InlineData("X__ISSUER=https://a;X__CLIENT_SECRET_ENV=NOWHERE", "which is not set")]
    [InlineData("X__ISSUER=https://a;X__CLIENT_ID=two words", "visible ASCII")]
    [InlineData("X__ISSUER=https://a;X__SCOPES=profile", "lacks openid")]
    [InlineData("X__ISSUER=https://a;X__DOMAINS=@example.com", "without @")]
    [InlineData("X__ISSUER=https://a;X__ORGANIZATION=acme", "is for the preset github")]
    [InlineData("X__ISSUER=https://a;X__TENANT=acme", "is for the preset entra")]
    [InlineData("X__ISSUER=https://a;X__GROUPS=all groups", "must be the name of a claim")]
    [InlineData("X__ISSUER=https://a;X__GROUPS_LAST=1h", "stands without")]
    [InlineData("X__ISSUER=https://a;X__GROUPS=groups;X__GROUPS_LAST=30d", "from 5m to 7d")]
    [InlineData("X__PRESET=github;X__ORGANIZATION=acme;X__GROUPS=teams", "GitHub says none of groups")]
    [InlineData("X__ISSUER=https://a;X__ATTRIBUTES=department", "must be a table")]
    [InlineData("X__ISSUER=https://a;X__ATTRIBUTES__DEPARTMENT=the department", "must be the name of a claim")]
    [InlineData("X__ISSUER=https://a;X__ATTRIBUTES__DEPART_MENT!=department", "is not what an attribute can be called")]
    [InlineData("X__PRESET=github;X__ORGANIZATION=acme;X__ATTRIBUTES__SITE=site", "GitHub has none")]
    [InlineData("X__ISSUER=https://a;X__PERSONN=email", "did you mean `identity.providers.x.person`")]
    [InlineData("X__ISSUER=https://a;X__PRESET=auth0", "say one of oidc, okta")]
    [InlineData("X__ISSUER=https://a;X__CA=/nowhere/ca.pem", "which is not there")]
    [InlineData("X__PRESET=entra", "must be the ID of your tenant")]
    [InlineData("X__PRESET=entra;X__TENANT=common", "would let in everybody's")]
    [InlineData("X__PRESET=entra;X__TENANT=2b2b1c2e-0000-4000-8000-1a2b3c4d5e6f;X__PERSON=email", "nobody verifies")]
    [InlineData("X__PRESET=google", "`identity.providers.x.domains` is missing")]
    [InlineData("X__PRESET=google;X__DOMAINS=example.com;X__PERSON=name", "Google says email and sub")]
    [InlineData("X__PRESET=google;X__DOMAINS=example.com;X__ACR_VALUES=mfa", "cannot be asked for one")]
    [InlineData("X__PRESET=github", "anybody may take a name")]
    [InlineData("PASSKEY__ISSUER=https://a", "needs for itself")]
    public void Wrong_IsToldWithTheWayOut(string settings, string says) => Assert.Contains(Read(settings).Problems, problem => problem.ToString().Contains(says, StringComparison.Ordinal));

    [Fact]
    public void Elsewhere_NeedsToKnowItsOwnAddress()
    {
        Assert.Contains(Read("X__ISSUER=https://a", ("STINT_WEB__LISTEN", "0.0.0.0:8420")).Problems, problem => problem.ToString().Contains("needs `web.public_url`", StringComparison.Ordinal));
        Assert.Empty(Read("X__ISSUER=https://a", ("STINT_WEB__LISTEN", "0.0.0.0:8420"), ("STINT_WEB__PUBLIC_URL", "https://stint.example.com")).Problems);

        // Everything at once, each with its place.
        Assert.Equal(3, Read("X__ISSUER=http://a;X__SCOPES=profile;X__DOMAINS=@a").Problems.Count);
    }
}
