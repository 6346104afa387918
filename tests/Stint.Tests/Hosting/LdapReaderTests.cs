using Stint.Server;
using Stint.Server.Hosting;
using Stint.Server.Identity.Ldap;
using Xunit;

namespace Stint.Tests.Hosting;

/// <summary>Which directory is pulled from: one shape, every problem at once.</summary>
public sealed class LdapReaderTests
{
    private static readonly (string Name, string Value)[] Good =
    [
        ("STINT_CATALOG", "."),
        ("STINT_DIRECTORY__LDAP__URL", "ldap://ldap.example.org"),
        ("STINT_DIRECTORY__LDAP__BIND_DN", "cn=stint,dc=example,dc=org"),
        ("STINT_DIRECTORY__LDAP__BIND_PASSWORD_ENV", "STINT_LDAP_PASSWORD"),
        ("STINT_LDAP_PASSWORD", "secret-of-the-directory"),
        ("STINT_DIRECTORY__LDAP__PEOPLE_BASE", "ou=people,dc=example,dc=org"),
        ("STINT_DIRECTORY__LDAP__GROUPS_BASE", "ou=groups,dc=example,dc=org"),
    ];

    [Fact]
    public void Read_WhatIsGood_HasThePresetsNames_AndIsEncrypted()
    {
        var plain = Read().Options!.Ldap!;
        Assert.Equal(("ldap.example.org", 389, LdapTls.Start, "entryUUID", "uid"), (plain.Host, plain.Port, plain.Tls, plain.Attributes.Id, plain.Attributes.Name));
        Assert.DoesNotContain("secret-of", plain.ToString(), StringComparison.Ordinal);
        var active = Read(("URL", "ldaps://dc.example.org:3269"), ("PRESET", "active-directory"), ("BIND_DN", "stint@example.org"), ("ATTRIBUTES__NAME", "userPrincipalName"), ("EVERY", "5m"), ("MOST_LEAVING", "3")).Options!.Ldap!;
        Assert.Equal((3269, LdapTls.Always, "objectGUID", "userPrincipalName", 3), (active.Port, active.Tls, active.Attributes.Id, active.Attributes.Name, active.MostLeaving));
        Assert.Equal(LdapTls.Off, Read(("URL", "ldap://127.0.0.1:3890"), ("START_TLS", "false")).Options!.Ldap!.Tls);
        Assert.Null(All([("STINT_CATALOG", ".")]).Options!.Ldap);
    }

    [Theory]
    [InlineData("START_TLS", "false", "`directory.ldap.start_tls` is false and ldap.example.org is another machine")]
    [InlineData("URL", "http://ldap.example.org", "is no address of a directory")]
    [InlineData("URL", "ldap://ldap.example.org/dc=x?uid", "is no address of a directory")]
    [InlineData("BIND_DN", "stint", "`directory.ldap.bind_dn` is not a distinguished name")]
    [InlineData("PEOPLE_FILTER", "(uid=*", "is not a filter as RFC 4515 writes it")]
    [InlineData("ATTRIBUTES__MAIL", "m a i l", "is not the name of an attribute")]
    [InlineData("CA_FILE", "/nowhere/ca.pem", "cannot be read as certificates in PEM")]
    [InlineData("PRESET", "novell", "say one of openldap, active-directory")]
    [InlineData("EVERY", "0s", "from 1s to 1d")]
    [InlineData("COLOR", "red", "`directory.ldap.color` is not a setting")]
    public void Read_WhatIsWrong_SaysWhatToDo(string name, string value, string problem) =>
        Assert.Contains(problem, string.Join('\n', Read((name, value)).Problems), StringComparison.Ordinal);

    [Fact]
    public void Read_BesideScim_IsRefused_AndEverythingMissingIsToldAtOnce()
    {
        var both = Assert.Single(All([.. Good, ("STINT_DIRECTORY__SCIM_TOKEN_ENV", "TOKEN"), ("TOKEN", "a-token-of-enough-length")]).Problems).ToString();
        Assert.Contains("each would take for gone whom only the other knows", both, StringComparison.Ordinal);
        var missing = All([("STINT_CATALOG", "."), ("STINT_DIRECTORY__LDAP__EVERY", "30s")]).Problems.Select(problem => problem.ToString()).ToList();
        foreach (var word in new[] { "url", "bind_dn", "people_base", "groups_base", "bind_password_file" })
        {
            Assert.Contains(missing, problem => problem.Contains($"`directory.ldap.{word}`", StringComparison.Ordinal));
        }
    }

    private static OptionsReading Read(params (string Name, string Value)[] changed) => All([.. Good.Where(one => !changed.Any(other => one.Name == "STINT_DIRECTORY__LDAP__" + other.Name)), .. changed.Select(one => ("STINT_DIRECTORY__LDAP__" + one.Name, one.Value))]);

    private static OptionsReading All(IEnumerable<(string Name, string Value)> variables) =>
        OptionsReader.Read(new ServeArguments(), variables.ToDictionary(pair => pair.Name, pair => pair.Value));
}
