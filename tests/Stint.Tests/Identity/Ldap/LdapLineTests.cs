using System.Text;
using Stint.Server.Identity.Ldap;
using Xunit;

namespace Stint.Tests.Identity.Ldap;

/// <summary>What no honest server answers, and what only others than OpenLDAP do.</summary>
public sealed class LdapLineTests
{
    private static readonly string Secret = "the-password-of-stint";

    [Fact]
    public async Task StartTls_RefusedOrMixedWithPlainWords_ThePasswordIsNeverSent()
    {
        foreach (var answers in new Func<int, IEnumerable<byte[]>?>[]
        {
            id => [FakeDirectory.Done(id, 24, 2)],
            id => [[.. FakeDirectory.Done(id, 24), .. FakeDirectory.Done(2, 1)]],
            id => [FakeDirectory.Entry(id, "dc=org")],
            id => [FakeDirectory.Done(0, 24, 52)],
            _ => null,
        })
        {
            var said = new StringBuilder();
            await using var server = new FakeDirectory((id, asked) =>
            {
                said.Append(asked.Text);
                return answers(id);
            });
            await Assert.ThrowsAsync<LdapTroubleException>(() => LdapLine.OpenAsync(At(server) with { Tls = LdapTls.Start }, CancellationToken.None));
            Assert.DoesNotContain(Secret, said.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain(0, server.Asked);
        }
    }

    [Fact]
    public async Task Search_HalfAnAnswer_IsNone()
    {
        foreach (var (answers, why) in new (Func<int, IEnumerable<byte[]>?>, string)[]
        {
            (id => [FakeDirectory.Entry(id, "uid=a,dc=org"), FakeDirectory.Done(id, 5, 4)], "it gives no more entries than it has given"),
            (id => [FakeDirectory.Entry(id, "uid=a,dc=org"), FakeDirectory.Done(id, 5, 51)], "it is busy or away"),
            (id => [FakeDirectory.Done(id, 5, 0, [1])], "it answers empty pages"),
            (id => [FakeDirectory.Entry(id, "uid=a,dc=org"), FakeDirectory.Done(0, 24, 52)], "it hung up"),
            (id => [FakeDirectory.Entry(id, "uid=a,dc=org")[..^2]], "it did not answer within"),
            (_ => [[0x30, 0x84, 0x7F, 0xFF, 0xFF, 0xFF]], "has more than"),
            (_ => [[0x30, 0x80, 0, 0]], "no LDAP"),
            (_ => [[0x30, 3, 2, 1, 2]], "no LDAP"),
            (_ => ["HTTP/1.1 400 Bad Request\r\n"u8.ToArray()], "no LDAP"),
            (_ => null, "in the middle of an answer"),
        })
        {
            await using var server = new FakeDirectory((id, asked) => asked.Kind == 0 ? [FakeDirectory.Done(id, 1)] : answers(id));
            var trouble = await Assert.ThrowsAsync<LdapTroubleException>(() => LdapLook.ReadAsync(At(server), null, CancellationToken.None));
            Assert.Contains(why, trouble.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Search_PagesAndRangesOfMembers_AreReadToTheirEnd()
    {
        // As Active Directory answers: 2 members at a time, and an entry a page.
        byte[][] Names(int from, int count) => [.. Enumerable.Range(from, count).Select(i => Encoding.UTF8.GetBytes($"uid=p{i},dc=org"))];
        await using var server = new FakeDirectory((id, asked) => asked switch
        {
            { Kind: 0 } => [FakeDirectory.Done(id, 1)],
            { Text: var text } when text.Contains("range=2-*", StringComparison.Ordinal) => [FakeDirectory.Entry(id, "cn=g,dc=org", ("member;range=2-3", Names(2, 2))), FakeDirectory.Done(id, 5)],
            { Text: var text } when text.Contains("range=4-*", StringComparison.Ordinal) => [FakeDirectory.Entry(id, "cn=g,dc=org", ("member;range=4-*", Names(4, 1))), FakeDirectory.Done(id, 5)],
            { Text: var text } when text.Contains("groups", StringComparison.Ordinal) =>
                [FakeDirectory.Entry(id, "cn=g,dc=org", ("entryUUID", ["g1"u8.ToArray()]), ("cn", ["g"u8.ToArray()]), ("member", []), ("member;range=0-1", Names(0, 2))), FakeDirectory.Done(id, 5)],
            { Text: var text } when text.Contains("next!", StringComparison.Ordinal) => [Person(id, "p2"), FakeDirectory.Done(id, 5, 0, [])],
            _ => [Person(id, "p1"), FakeDirectory.Done(id, 5, 0, "next!"u8.ToArray())],
        });
        var look = await LdapLook.ReadAsync(At(server), null, CancellationToken.None);
        Assert.Equal(["p1", "p2"], look.People.Select(person => person.Name));
        Assert.Equal(Enumerable.Range(0, 5).Select(i => $"uid=p{i},dc=org"), Assert.Single(look.Groups).Members);

        // One that says that more follow, and does not give it.
        await using var stuck = new FakeDirectory((id, asked) => asked.Kind == 0 ? [FakeDirectory.Done(id, 1)]
            : asked.Text.Contains("range=", StringComparison.Ordinal) ? [FakeDirectory.Entry(id, "cn=g,dc=org", ("member;range=0-1", Names(0, 2))), FakeDirectory.Done(id, 5)]
            : asked.Text.Contains("groups", StringComparison.Ordinal) ? [FakeDirectory.Entry(id, "cn=g,dc=org", ("entryUUID", ["g1"u8.ToArray()]), ("cn", ["g"u8.ToArray()]), ("member;range=0-1", Names(0, 2))), FakeDirectory.Done(id, 5)]
            : [FakeDirectory.Done(id, 5)]);
        Assert.Contains("it does not tell all members", (await Assert.ThrowsAsync<LdapTroubleException>(() => LdapLook.ReadAsync(At(stuck), null, CancellationToken.None))).Message, StringComparison.Ordinal);
    }

    private static byte[] Person(int id, string uid) => FakeDirectory.Entry(id, $"uid={uid},dc=org", ("entryUUID", [Encoding.UTF8.GetBytes(uid)]), ("uid", [Encoding.UTF8.GetBytes(uid)]));

    private static LdapOptions At(FakeDirectory server) => new()
    {
        Host = "127.0.0.1",
        Port = server.Port,
        Tls = LdapTls.Off,
        BindDn = "cn=stint,dc=org",
        BindPassword = Secret,
        PeopleBase = "ou=people,dc=org",
        PeopleFilter = LdapFilter.Parse("(objectClass=person)"),
        GroupsBase = "ou=groups,dc=org",
        GroupsFilter = LdapFilter.Parse("(objectClass=groupOfNames)"),
        Attributes = LdapAttributes.OpenLdap,
        Every = TimeSpan.FromMinutes(1),
        WholeEvery = TimeSpan.FromMinutes(5),
        Patience = TimeSpan.FromSeconds(1),
    };
}
