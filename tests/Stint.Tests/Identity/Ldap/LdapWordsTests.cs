using System.Formats.Asn1;
using Stint.Server.Identity.Ldap;
using Xunit;

namespace Stint.Tests.Identity.Ldap;

/// <summary>Filters and names as directories write them.</summary>
public sealed class LdapWordsTests
{
    [Theory]
    [InlineData("(uid=ann)")]
    [InlineData("(&(objectClass=person)(!(uid=x*y*z))(|(a>=1)(b<=2)(c~=3)))")]
    [InlineData("(userAccountControl:1.2.840.113556.1.4.803:=2)")]
    [InlineData("(ou:dn:2.5.13.5:=Ops)")]
    [InlineData("(cn=\\28a\\29\\2a Ä)")]
    [InlineData("(mail=*)")]
    [InlineData("(2.5.4.3=x)")]
    public void Parse_WhatRfc4515Writes_CanBeSent(string text)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        LdapFilter.Parse(text).Write(writer);
        new AsnReader(writer.Encode(), AsnEncodingRules.BER).ReadEncodedValue();
    }

    [Theory]
    [InlineData("uid=ann", "A '(' was expected at character 1")]
    [InlineData("(uid=ann", "a comparison such as (uid=ann) was expected at character 2")]
    [InlineData("(uid=ann))", "something stands after its end, at character 10")]
    [InlineData("(&)", "nothing stands behind the & at character 2")]
    [InlineData("(u_d=ann)", "'u_d' at character 2 is not the name of an attribute")]
    [InlineData("(uid=\\2)", "two digits of a hexadecimal number belong behind the backslash in the comparison at character 2")]
    [InlineData("(uid:=x)", "'uid:=' at character 2 names no rule; write it as attribute:1.2.840.113556.1.4.803:=2")]
    public void Parse_WhatIsNone_SaysWhere(string text, string problem) =>
        Assert.Equal(problem, Assert.Throws<FormatException>(() => LdapFilter.Parse(text)).Message, ignoreCase: true);

    [Fact]
    public void Parse_ManyBrackets_AreRefusedAndNotFollowed() =>
        Assert.Contains("brackets", Assert.Throws<FormatException>(() => LdapFilter.Parse(string.Concat(Enumerable.Repeat("(!", 10_000)) + "(a=b)")).Message, StringComparison.Ordinal);

    [Fact]
    public void Write_IsAsRfc4511HasIt()
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        LdapFilter.Parse("(&(uid=ann)(!(cn=a*\\2a)))").Write(writer);
        Assert.Equal("A01C" + "A30A" + "0403756964" + "0403616E6E" + "A20E" + "A40C" + "0402636E" + "3006" + "800161" + "82012A", Convert.ToHexString(writer.Encode()));
    }

    [Theory]
    [InlineData("UID=Ann, OU=People,DC=Example,DC=ORG", "uid=ann,ou=people,dc=example,dc=org")]
    [InlineData("cn=Doe\\, Ann  X,dc=org", "cn=doe\\2c ann x,dc=org")]
    [InlineData("cn=\"Doe, Ann\",dc=org", "cn=doe\\2c ann,dc=org")]
    [InlineData("cn=\\c3\\84nne,dc=org", "cn=änne,dc=org")]
    [InlineData("ou=x+cn=y,dc=org", "cn=y+ou=x,dc=org")]
    [InlineData("no name", null)]
    [InlineData("cn=x\\", null)]
    public void Key_OfTwoWaysToWriteOneName_IsTheSame(string dn, string? key) => Assert.Equal(key, LdapNames.Key(dn));

    [Fact]
    public void Key_OfAValueThatPosesAsTwoSteps_IsAnother() =>
        Assert.NotEqual(LdapNames.Key("cn=a,ou=b,dc=org"), LdapNames.Key("cn=a\\,ou=b,dc=org"));

    [Fact]
    public void Person_IsReadByThePreset()
    {
        var notes = new List<string>();
        var guid = new byte[] { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
        var there = LdapLook.Person(Entry(("objectGUID", guid), ("sAMAccountName", "Ann"), ("userAccountControl", "514"), ("department", "Ops"), ("MAIL", "ann@example.org")), LdapAttributes.ActiveDirectory, notes)!;
        Assert.Equal(("04030201-0605-0807-090a-0b0c0d0e0f10", "Ann", false), (there.External, there.Name, there.Active));
        Assert.Contains("Ops", there.Body.ToJsonString(), StringComparison.Ordinal);
        foreach (var (name, value, active) in new[] { ("userAccountControl", "512", true), ("userAccountControl", "?", false), ("nsAccountLock", "TRUE", false), ("nsAccountLock", "false", true), ("pwdAccountLockedTime", "000001010000Z", false), ("pwdAccountLockedTime", "20261128020000Z", true) })
        {
            Assert.Equal(active, LdapLook.Person(Entry(("entryUUID", "u1"), ("uid", "x"), (name, value)), LdapAttributes.OpenLdap, notes)!.Active);
        }

        Assert.Empty(notes);
        Assert.Null(LdapLook.Person(Entry(("uid", "x")), LdapAttributes.OpenLdap, notes));
        Assert.Null(LdapLook.Person(Entry(("entryUUID", "u1"), ("uid", "a\u0007b")), LdapAttributes.OpenLdap, notes));
        Assert.Equal(2, notes.Count);
        Assert.Equal(("member", 1_500L), LdapLook.Range("member;range=0-1499"));
        Assert.Equal(("member", null), LdapLook.Range("member;range=1500-*"));
        Assert.Null(LdapLook.Range("member"));
        Assert.Equal(new DateTimeOffset(2026, 11, 28, 2, 3, 4, TimeSpan.Zero), LdapLook.Time("20261128020304.0Z"));
        Assert.Null(LdapLook.Time("yesterday"));
    }

    private static LdapEntry Entry(params Given[] attributes) => new(
        "uid=x,dc=org", attributes.ToDictionary(one => one.Name, one => (IReadOnlyList<byte[]>)[one.Value], StringComparer.OrdinalIgnoreCase));

    private readonly record struct Given(string Name, byte[] Value)
    {
        public static implicit operator Given((string Name, byte[] Value) pair) => new(pair.Name, pair.Value);

        public static implicit operator Given((string Name, string Value) pair) => new(pair.Name, System.Text.Encoding.UTF8.GetBytes(pair.Value));
    }
}
