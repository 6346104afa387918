using System.Text.Json.Nodes;
using Stint.Core.Catalog;

namespace Stint.Core.Policies;

/// <summary>One person's standing to one role, with the ways that lead there.</summary>
/// <param name="Subject">Who.</param>
/// <param name="Role">To what.</param>
/// <param name="Standing">What they could get.</param>
/// <param name="Paths">Through which rules and groups; also of rules that a denial outweighs.</param>
public sealed record Reach(SubjectId Subject, RoleRef Role, Standing Standing, IReadOnlyList<RulePath> Paths)
{
    /// <summary>As JSON: <c>subject role standing paths</c>.</summary>
    public JsonObject ToNode() => new()
    {
        ["subject"] = Subject.Value,
        ["role"] = Role.ToString(),
        ["standing"] = Standing.ToNode(),
        ["paths"] = new JsonArray([.. Paths.Select(path => new JsonObject { ["rule"] = path.Rule, ["through"] = Standing.Texts(path.Through) })]),
    };
}

/// <summary>Who could get what. For whoever may read the whole catalog.</summary>
public static class Who
{
    /// <summary>Everybody whom a rule lets ask for a role, those with it who are denied as well, in the order of their names.</summary>
    public static IReadOnlyList<Reach> Of(LoadedCatalog catalog, RoleRef role, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        var standings = new Standings(catalog, now);
        return
        [
            .. catalog.Index.Reaching(role)
                .Where(catalog.MayAsk)
                .OrderBy(subject => subject.Value, StringComparer.Ordinal)
                .Select(subject => Reach(standings, subject, role)),
        ];
    }

    /// <summary>Every role that a rule lets somebody ask for, denied ones as well, in the order of their names.</summary>
    public static IReadOnlyList<Reach> Of(LoadedCatalog catalog, SubjectId subject, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        if (!catalog.MayAsk(subject))
        {
            return [];
        }

        var standings = new Standings(catalog, now);
        return
        [
            .. catalog.Index.Reached(subject)
                .OrderBy(role => role.Resource, StringComparer.Ordinal).ThenBy(role => role.Role, StringComparer.Ordinal)
                .Select(role => Reach(standings, subject, role)),
        ];
    }

    internal static Reach Reach(Standings standings, SubjectId subject, RoleRef role) => new(
        subject,
        role,
        standings.Of(subject, role),
        [.. standings.Catalog.Index.About(subject, role).SelectMany(i => RulePaths.Of(standings.Catalog, standings.Catalog.Policies[i], subject))]);
}
