using System.Text.Json.Nodes;
using Stint.Core;
using Stint.Core.Catalog;
using Stint.Core.Policies;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Requests;

/// <summary>Why, and why not: what somebody could get, by which rule and whose yes; and who could get what.</summary>
/// <remarks>
/// NB. Whatever a caller may not know of is answered as what does not exist. About others it is for admins and auditors,
/// and for owners of a resource about its roles.
/// </remarks>
internal sealed class ExplainAccess(StintStore store, CurrentCatalog current, CatalogVersions versions, TimeProvider clock)
{
    /// <summary>Most entries of one answer.</summary>
    public const int MostItems = 1_000;

    /// <summary>What is asked.</summary>
    /// <param name="Subject">About whom; null for the caller.</param>
    /// <param name="Role"><c>RESOURCE/ROLE</c>.</param>
    /// <param name="At">At which moment; null for now. In the past, the catalog that counted then answers.</param>
    /// <param name="For">A wished length; null for what the rules give.</param>
    /// <param name="Reason">Null, with a length and a ticket that are null too, to take all as the rules demand it.</param>
    /// <param name="Ticket">The same.</param>
    public sealed record Asked(SubjectId? Subject, string? Role, DateTimeOffset? At, TimeSpan? For, string? Reason, string? Ticket)
    {
        /// <summary>Whether it were asked as break-glass.</summary>
        public bool BreakGlass { get; init; }
    }

    /// <summary>Explains one person's standing to one role.</summary>
    public async Task<Outcome<JsonObject>> ExplainAsync(SubjectId who, Asked asked, CancellationToken cancellation)
    {
        if (RoleOf(asked.Role) is not { } role)
        {
            return WrongRole();
        }

        var subject = asked.Subject ?? who;
        var all = current.Now.MayReadAll(who);
        var owner = all || current.Now.Owns(who, role.Resource);
        if (!owner && subject != who)
        {
            return new Outcome<JsonObject>.NotFound();
        }

        var (catalog, at) = await AtAsync(asked.At, cancellation);
        if (catalog is null)
        {
            return owner ? NoCatalog() : new Outcome<JsonObject>.NotFound();
        }

        // NB. What somebody holds elsewhere is told to themselves and to whoever may read all: not to an owner of this one.
        var then = at < clock.Now() ? at : clock.Now();
        var held = catalog.Against(role) is not null && (all || subject == who) ? await store.ReadAsync(async reads => await reads.HeldAsync(catalog, subject, role, then), cancellation) : [];
        var told = Explanation.Of(catalog, new Question(subject, role, asked.For, asked.Reason, asked.Ticket, null, at) { Held = held, BreakGlass = asked.BreakGlass }, forAsker: !owner);
        told = all ? told : told with { Standing = told.Standing.WithoutOthers() };
        return owner || told.Known ? new Outcome<JsonObject>.Done(told.ToNode(forAsker: !all)) : new Outcome<JsonObject>.NotFound();
    }

    /// <summary>Everybody who could get a role, or every role that somebody could get.</summary>
    /// <param name="who">Who asks.</param>
    /// <param name="role"><c>RESOURCE/ROLE</c>; null to ask about a person.</param>
    /// <param name="subject">A person; null, with a role that is null too, for the caller.</param>
    /// <param name="at">At which moment; null for now.</param>
    /// <param name="skip">How many entries the caller has already.</param>
    /// <param name="limit">Most entries, 1 to <see cref="MostItems"/>.</param>
    /// <param name="cancellation">The caller left.</param>
    public async Task<Outcome<JsonObject>> WhoAsync(SubjectId who, string? role, SubjectId? subject, DateTimeOffset? at, int skip, int limit, CancellationToken cancellation)
    {
        if (role is not null && subject is not null)
        {
            return new Outcome<JsonObject>.Invalid([new Problem("subject", "give a role or a subject; for both at once there is explain")]);
        }

        var all = current.Now.MayReadAll(who);
        if (role is not null)
        {
            if (RoleOf(role) is not { } named)
            {
                return WrongRole();
            }

            if (!all && !current.Now.Owns(who, named.Resource))
            {
                return new Outcome<JsonObject>.NotFound();
            }

            var (catalog, moment) = await AtAsync(at, cancellation);
            return catalog is null ? NoCatalog()
                : catalog.Resources.TryGetValue(named.Resource, out var resource) && resource.Roles.ContainsKey(named.Role) ? Page(catalog, moment, [.. Who.Of(catalog, named, moment).Select(reach => all ? reach : reach with { Standing = reach.Standing.WithoutOthers() })], skip, limit)
                : new Outcome<JsonObject>.NotFound();
        }

        var (then, when) = await AtAsync(at, cancellation);
        if (then is null)
        {
            return all ? NoCatalog() : Page(current.Now, when, [], skip, limit);
        }

        var about = subject ?? who;
        if (all && !then.People.ContainsKey(about.Value))
        {
            return new Outcome<JsonObject>.NotFound();
        }

        // NB. Whoever may not read all is not told whether the other exists: nothing at what they own is no answer to that.
        return Page(
            then,
            when,
            [
                .. Who.Of(then, about, when)
                    .Where(reach => all || current.Now.Owns(who, reach.Role.Resource) || (about == who && reach.Standing.Could))
                    .Select(reach => all ? reach : reach with { Standing = reach.Standing.WithoutOthers(), Paths = [.. reach.Paths.Select(path => path with { Through = [path.Through[0]] })] }),
            ],
            skip,
            limit);
    }

    private static Outcome<JsonObject> Page(LoadedCatalog catalog, DateTimeOffset at, IReadOnlyList<Reach> found, int skip, int limit) => new Outcome<JsonObject>.Done(new JsonObject
    {
        ["at"] = Core.Audit.CanonicalTime.Write(at)[..19] + "Z",
        ["catalog_version"] = catalog.Version,
        ["count"] = found.Count,
        ["items"] = new JsonArray([.. found.Skip(skip).Take(limit).Select(reach => reach.ToNode())]),
        ["next"] = found.Count > (long)skip + limit ? (skip + limit).ToString(System.Globalization.CultureInfo.InvariantCulture) : null,
    });

    /// <summary>The catalog of a moment; for one that is still to come, the one that counts now.</summary>
    private async Task<(LoadedCatalog? Catalog, DateTimeOffset At)> AtAsync(DateTimeOffset? at, CancellationToken cancellation)
    {
        var now = clock.Now();
        return at is { } then && then < now ? (await versions.AtAsync(then, cancellation), then) : (current.Now, at ?? now);
    }

    private static RoleRef? RoleOf(string? text) =>
        RoleRef.Parse(text) is { } role && Core.Catalog.Words.IsName(role.Resource) && Core.Catalog.Words.IsName(role.Role) ? role : null;

    private static Outcome<JsonObject>.Invalid WrongRole() => new([new Problem("role", "this is not a role; write RESOURCE/ROLE")]);

    private static Outcome<JsonObject>.Refused NoCatalog() => new("no catalog counted at that time, or it does not load with this program any more", "ask about a later time; the history names each");
}
