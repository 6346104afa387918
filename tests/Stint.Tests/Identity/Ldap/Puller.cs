using Microsoft.Extensions.Logging.Abstractions;
using Stint.Server;
using Stint.Server.Catalog;
using Stint.Server.Identity;
using Stint.Server.Identity.Ldap;
using Stint.Server.Store;

namespace Stint.Tests.Identity.Ldap;

/// <summary>What pulls into a world.</summary>
internal static class Puller
{
    /// <summary>The usual catalog; developers are those of the directory's group Developers, and Eve.</summary>
    public static string Catalog { get; } = World.Catalog.Replace("developers: [ann, eve]", "developers: { members: [eve], directory: Developers }", StringComparison.Ordinal);

    public static PullDirectory Of(World world, LdapOptions options, LookAtDirectory? look = null) => new(
        options,
        look ?? ((since, cancellation) => LdapLook.ReadAsync(options, since, cancellation)),
        world.Store,
        world.Get<FollowDirectory>(),
        world.Get<IdSource>(),
        world.Get<Installation>(),
        world.Time,
        NullLogger<PullDirectory>.Instance);

    /// <summary>A round, and what comes of it for those who decide here.</summary>
    public static async Task<PullResult> RoundAsync(this PullDirectory pull, World world)
    {
        var result = await pull.PullAsync(CancellationToken.None);
        await world.Get<FollowDirectory>().LookAsync(CancellationToken.None);
        return result;
    }

    public static Task<DirectoryPull> StateAsync(World world) => world.Store.ReadAsync(async reads => (await reads.FindPullAsync())!, CancellationToken.None);

    /// <summary>Everybody who is kept, in their order: the name, a minus for who may do nothing.</summary>
    public static async Task<string> PeopleAsync(World world) => string.Join(' ', (await world.Store.ReadAsync(async reads => await reads.HeldUsersAsync(), CancellationToken.None))
        .OrderBy(user => user.Key, StringComparer.Ordinal).Select(user => (user.Active ? "" : "-") + user.Key));

    /// <summary>Who is in a group of the catalog, in their order.</summary>
    public static string Members(World world, string group)
    {
        var now = world.Get<CurrentCatalog>().Now;
        return string.Join(' ', now.People.Keys.Where(person => now.GroupsOf(new Stint.Core.SubjectId(person)).Contains(group)).Order(StringComparer.Ordinal));
    }
}
