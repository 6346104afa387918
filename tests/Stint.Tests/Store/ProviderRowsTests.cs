using Stint.Core;
using Stint.Server.Store;
using Xunit;

namespace Stint.Tests.Store;

/// <summary>What providers told, in both stores.</summary>
public sealed class ProviderRowsTests
{
    public static TheoryData<string> Kinds => TestStore.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Attributes_ToldAnewAndOver_AreChangesThatMayTake(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        Task<(IReadOnlyList<string> Added, IReadOnlyList<string> Removed)> TellAsync(string provider, int hours, params (string, string)[] attributes) =>
            test.WriteAsync(async work => await work.TellAttributesAsync("ann", provider, attributes.ToDictionary(one => one.Item1, one => one.Item2), TestStore.Now.AddHours(hours)));
        Assert.Equal(["level=3", "site=berlin"], (await TellAsync("acme", 1, ("site", "berlin"), ("level", "3"))).Added);
        Assert.Equal((0, 0), await TellAsync("acme", 2, ("level", "3"), ("site", "berlin")) is var (none, nor) ? (none.Count, nor.Count) : default);
        await TellAsync("other", 1, ("site", "paris"));
        var (added, removed) = await TellAsync("acme", 2, ("site", "rome"));
        Assert.Equal("site=rome / level=3, site=berlin", $"{string.Join(", ", added)} / {string.Join(", ", removed)}");
        Assert.Equal(["acme site=rome", "other site=paris"], (await test.ReadAsync(async reads => await reads.ProviderAttributesAsync(["ann"]))).Select(one => $"{one.Provider} {one}"));
        Assert.All(await test.ReadAsync(async reads => await reads.DirectoryChangesAsync(0, 100)), change => Assert.True(change is { IsOfProviders: true, Takes: true, Member: "ann" }));
        Assert.Equal(["site=paris"], (await test.WriteAsync(async work => await work.LapseAttributesAsync(TestStore.Now.AddHours(1)))).Select(one => one.ToString()));
        foreach (var attack in (string[])["UPDATE provider_attributes SET name = 'eve'", "UPDATE provider_attributes SET value = 'admin'", "INSERT INTO provider_attributes (name, provider, attribute, value, until) VALUES ('eve', 'acme', 'site', '', 1)"])
        {
            await Assert.ThrowsAsync<StoreRefusedException>(() => test.AttackAsync(attack));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Groups_ToldAnewAndOver_AreChangesOfTheDirectory(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        Task<(IReadOnlyList<string> Added, IReadOnlyList<string> Removed)> TellAsync(string name, string provider, params string[] groups) =>
            test.WriteAsync(async work => await work.TellGroupsAsync(name, provider, groups, TestStore.Now.AddHours(groups.Length)));
        var first = await TellAsync("ann", "acme", "acme/dba", "acme/leads");
        Assert.Equal(["acme/dba", "acme/leads"], first.Added);
        Assert.Empty(first.Removed);
        var same = await TellAsync("ann", "acme", "acme/leads", "acme/dba");
        Assert.Equal((0, 0), (same.Added.Count, same.Removed.Count));
        await TellAsync("ann", "other", "other/dba");
        await TellAsync("bob", "acme", "acme/dba");
        var less = await TellAsync("ann", "acme", "acme/dba");
        Assert.Empty(less.Added);
        Assert.Equal(["acme/leads"], less.Removed);
        Assert.Equal([("ann", "acme/dba"), ("ann", "other/dba")], (await test.ReadAsync(async reads => await reads.ProviderGroupsAsync(["ann"]))).Select(one => (one.Name, one.Group)).Order());

        // Each change is one of the directory, and only what takes something away is marked.
        var changes = await test.ReadAsync(async reads => await reads.DirectoryChangesAsync(0, 100));
        Assert.Equal([("ann", false), ("ann", false), ("bob", false), ("ann", true)], changes.Select(change => (change.Member!, change.Takes)));
        Assert.All(changes, change => Assert.True(change.IsOfProviders));

        // Over by time, each once; told again in time is not over.
        Assert.Empty(await test.WriteAsync(async work => await work.LapseGroupsAsync(TestStore.Now.AddMinutes(59))));
        await TellAsync("bob", "acme", "acme/dba", "acme/leads");
        var over = await test.WriteAsync(async work => await work.LapseGroupsAsync(TestStore.Now.AddHours(1)));
        Assert.Equal([("ann", "acme/dba"), ("ann", "other/dba")], over.Select(one => (one.Name, one.Group)));
        Assert.Empty(await test.WriteAsync(async work => await work.LapseGroupsAsync(TestStore.Now.AddHours(1))));
        Assert.True(await test.ReadAsync(async reads => await reads.TakesDirectoryAsync(5)));
        foreach (var attack in (string[])["UPDATE provider_groups SET name = 'eve'", "UPDATE provider_groups SET group_key = 'acme/root'", "INSERT INTO provider_groups (name, provider, group_key, until) VALUES ('eve', 'acme', 'other/dba', 1)"])
        {
            await Assert.ThrowsAsync<StoreRefusedException>(() => test.AttackAsync(attack));
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Logout_IsKeptWhileItCouldBeShownAgain(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var mark = new byte[32];
        Task<bool> HasAsync() => test.ReadAsync(async reads => await reads.HasLogoutAsync(mark));
        Assert.False(await HasAsync());
        foreach (var until in (DateTimeOffset[])[TestStore.Now.AddMinutes(10), TestStore.Now.AddMinutes(20)])
        {
            await test.WriteAsync(async work => await work.KeepLogoutAsync(mark, until));
        }

        Assert.True(await HasAsync());
        await Assert.ThrowsAsync<StoreRefusedException>(() => test.AttackAsync("UPDATE provider_logouts SET kept_until = 1"));
        await test.WriteAsync(async work => await work.ForgetLogoutsAsync(TestStore.Now.AddMinutes(9)));
        Assert.True(await HasAsync());
        await test.WriteAsync(async work => await work.ForgetLogoutsAsync(TestStore.Now.AddMinutes(10)));
        Assert.False(await HasAsync());
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task BrowsersOfAProvider_AreThoseItNames_AndOfASubjectThoseItCouldMean(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var number = (byte)0;
        foreach (var (subject, session) in new (string, string?)[] { ("u-1", "s-1"), ("u-1", "s-2"), ("u-1", null), ("u-2", "s-3"), ("u-2", null) })
        {
            number++;
            await test.WriteAsync(async work => await work.InsertAsync(new WebSession
            {
                Id = $"si-{number}",
                Hash = [.. Enumerable.Repeat(number, 32)],
                Csrf = new string('x', 43),
                Person = new SubjectId("ann"),
                ProvedBy = "oidc:acme",
                ProvedAt = TestStore.Now,
                Provider = "acme",
                ProviderSubject = subject,
                ProviderSession = session,
                Address = "127.0.0.1",
                Agent = "",
                MadeAt = TestStore.Now,
                UsedAt = TestStore.Now,
                ExpiresAt = TestStore.Now.AddDays(1),
            }));
        }

        async Task<string> OfAsync(string provider, string? subject, string? session) =>
            string.Join(' ', (await test.ReadAsync(async reads => await reads.WebSessionsAsync(provider, subject, session, TestStore.Now))).Select(one => one.Id[3..]));
        Assert.Equal("1 2 3", await OfAsync("acme", "u-1", null));
        Assert.Equal("1 3", await OfAsync("acme", "u-1", "s-1"));
        Assert.Equal("1", await OfAsync("acme", null, "s-1"));
        Assert.Equal("5", await OfAsync("acme", "u-2", "s-1"));
        Assert.Equal("", await OfAsync("other", "u-1", null));
    }
}
