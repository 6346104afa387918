using Stint.Server;
using Stint.Server.Hosting;
using Stint.Server.Identity;
using Xunit;

namespace Stint.Tests.Hosting;

public sealed class IssuersReaderTests
{
    private static OptionsReading Read(params (string Name, string Value)[] settings)
    {
        var folder = Directory.CreateTempSubdirectory("stint-issuers-").FullName;
        var arguments = Api.TestNode.Arguments(folder, TextWriter.Null, [("STINT_CATALOG", folder), .. settings.Select(one => ($"STINT_IDENTITY__ISSUERS__{one.Name}", one.Value))]);
        return OptionsReader.Read(arguments, arguments.Environment!);
    }

    [Fact]
    public void Presets_KnowTheirAddresses()
    {
        var reading = Read(("GH__PRESET", "github"), ("GH__AUDIENCE", "https://stint.example.com"), ("LAB__PRESET", "gitlab"), ("LAB__ISSUER", "https://gitlab.example.com"), ("LAB__AUDIENCE", "x"));
        Assert.Empty(reading.Problems);
        Assert.Equal([("gh", "https://token.actions.githubusercontent.com", IssuerPreset.GitHub), ("lab", "https://gitlab.example.com", IssuerPreset.GitLab)], reading.Options!.Issuers.Select(issuer => (issuer.Name, issuer.Url!, issuer.Preset)));
    }

    [Theory]
    [InlineData("GH__PRESET=github", "`identity.issuers.gh.audience` is missing")]
    [InlineData("X__AUDIENCE=a", "`identity.issuers.x.issuer` is missing")]
    [InlineData("X__AUDIENCE=a;X__ISSUER=http://ci.example.com", "must be an https address")]
    [InlineData("X__AUDIENCE=a;X__ISSUER=http://ci.example.com;X__LOOPBACK_HTTP=true", "must be an https address")]
    [InlineData("X__AUDIENCE=a;X__ISSUER=http://127.0.0.1:1", "must be an https address")]
    [InlineData("X__AUDIENCE=a;X__ISSUER=https://ci.example.com?x=1", "must be an https address")]
    [InlineData("X__AUDIENCE=a;X__ISSUER=ci;X__JWKS_FILE=/nowhere/keys.json", "which is not there")]
    [InlineData("X__AUDIENCE=a;X__ISSUER=https://a;X__JWKS_URL=http://a/keys", "must be an https address")]
    [InlineData("X__AUDIENCE=a;X__PRESET=spiffe", "must name the trust domain")]
    [InlineData("X__AUDIENCE=a;X__PRESET=spiffe;X__TRUST_DOMAIN=example.org", "says nowhere what its tokens are signed with")]
    [InlineData("X__AUDIENCE=a;X__ISSUER=https://a;Y__AUDIENCE=b;Y__ISSUER=https://a", "is the issuer that")]
    [InlineData("X__AUDIENCE=a;X__PRESET=bitbucket", "say one of oidc, github")]
    [InlineData("X__AUDIENCE=a;X__ISSUER=https://a;X__AUDIENS=b", "did you mean")]
    public void Wrong_IsToldWithTheWayOut(string settings, string says) =>
        Assert.Contains(Read([.. settings.Split(';').Select(one => (one.Split('=', 2)[0], one.Split('=', 2)[1]))]).Problems, problem => problem.ToString().Contains(says, StringComparison.Ordinal));
}
