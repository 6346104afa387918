using System.Collections.Frozen;
using Stint.Core.Catalog;
using Stint.Core.Catalog.Calendars;

namespace Stint.Core.Policies;

/// <summary>What stands otherwise in one catalog than in another.</summary>
internal static class ItemDiff
{
    public static IReadOnlyList<ItemChange> Between(LoadedCatalog? before, LoadedCatalog after)
    {
        var items = new List<ItemChange>();
        Compare(items, "resource", before?.Resources, after.Resources, ResourceKeys);
        Compare(items, "role", before is null ? null : Roles(before), Roles(after), RoleKeys);
        Bundles(items, before, after);
        Compare(items, "person", before?.People, after.People, PersonKeys);
        Compare(items, "workload", before?.Workloads.Values.ToDictionary(Bare, StringComparer.Ordinal), after.Workloads.Values.ToDictionary(Bare, StringComparer.Ordinal), WorkloadKeys);
        Groups(items, before, after);
        Compare(items, "on-call", before?.Rotas, after.Rotas, RotaKeys);
        Compare(items, "calendar", before?.Calendars, after.Calendars, CalendarKeys);
        Compare(items, "workflow", before?.Workflows, after.Workflows, (one, other) => Steps(one, other));
        Compare(items, "template", before?.Templates, after.Templates, TemplateKeys);
        Compare(items, "policy", before?.Policies.ToDictionary(policy => policy.Name, StringComparer.Ordinal), after.Policies.ToDictionary(policy => policy.Name, StringComparer.Ordinal), PolicyKeys);
        Compare(items, "separation", before?.Separations.ToDictionary(one => one.Name, StringComparer.Ordinal), after.Separations.ToDictionary(one => one.Name, StringComparer.Ordinal), SeparationKeys);
        Compare(items, "never", before?.Nevers.ToDictionary(never => never.Name, StringComparer.Ordinal), after.Nevers.ToDictionary(never => never.Name, StringComparer.Ordinal), NeverKeys);
        Members(items, "admins", "", before?.Admins ?? [], after.Admins);
        Members(items, "auditors", "", before?.Auditors ?? [], after.Auditors);
        if (Steps(before?.ChangeApproval, after.ChangeApproval) is { Count: > 0 } changed)
        {
            var what = before?.ChangeApproval is null ? "added" : after.ChangeApproval is null ? "removed" : "changed";
            items.Add(new ItemChange("changes", "", what, what == "changed" ? changed : [], [], []));
        }

        return items;
    }

    private static void Compare<T>(List<ItemChange> items, string kind, IReadOnlyDictionary<string, T>? before, IReadOnlyDictionary<string, T> after, Func<T, T, List<string>> keys)
    {
        foreach (var name in (before?.Keys ?? []).Union(after.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            if (before is null || !before.TryGetValue(name, out var old))
            {
                items.Add(new ItemChange(kind, name, "added", [], [], []));
            }
            else if (!after.TryGetValue(name, out var young))
            {
                items.Add(new ItemChange(kind, name, "removed", [], [], []));
            }
            else if (keys(old, young) is { Count: > 0 } changed)
            {
                items.Add(new ItemChange(kind, name, "changed", changed, [], []));
            }
        }
    }

    /// <summary>Roles come in and go out of a bundle as people do of a group.</summary>
    private static void Bundles(List<ItemChange> items, LoadedCatalog? before, LoadedCatalog after)
    {
        foreach (var name in (before?.Bundles.Keys ?? []).Union(after.Bundles.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            var old = before?.Bundles.GetValueOrDefault(name);
            var young = after.Bundles.GetValueOrDefault(name);
            if (old is null || young is null)
            {
                items.Add(new ItemChange("bundle", name, young is null ? "removed" : "added", [], [], []));
                continue;
            }

            List<string> come = [.. young.Roles.Except(old.Roles).Select(role => role.ToString())];
            List<string> gone = [.. old.Roles.Except(young.Roles).Select(role => role.ToString())];
            var keys = Keys(("description", old.Description == young.Description), ("order", old.Roles.Where(young.Roles.Contains).SequenceEqual(young.Roles.Where(old.Roles.Contains))), ("for", old.For == young.For));
            if (come.Count + gone.Count + keys.Count > 0)
            {
                items.Add(new ItemChange("bundle", name, "changed", keys, come, gone));
            }
        }
    }

    private static void Groups(List<ItemChange> items, LoadedCatalog? before, LoadedCatalog after)
    {
        foreach (var name in (before?.Groups.Keys ?? []).Union(after.Groups.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            FrozenSet<SubjectId>? old = null;
            var was = before is not null && before.Groups.TryGetValue(name, out old);
            var stays = after.Groups.TryGetValue(name, out var young);
            if (was && stays)
            {
                var keys = Keys(("directory", before!.FromDirectory.GetValueOrDefault(name) == after.FromDirectory.GetValueOrDefault(name)));
                Members(items, "group", name, old!, young!, keys);
            }
            else
            {
                items.Add(new ItemChange("group", name, was ? "removed" : "added", [], [], []));
            }
        }
    }

    private static void Members(List<ItemChange> items, string kind, string name, FrozenSet<SubjectId> before, FrozenSet<SubjectId> after, List<string>? keys = null)
    {
        var gone = Named(before.Where(member => !after.Contains(member)));
        var come = Named(after.Where(member => !before.Contains(member)));
        if (gone.Count + come.Count + (keys?.Count ?? 0) > 0)
        {
            items.Add(new ItemChange(kind, name, "changed", keys ?? [], come, gone));
        }
    }

    private static List<string> Named(IEnumerable<SubjectId> people) => [.. people.Select(person => person.Value).Order(StringComparer.Ordinal)];

    private static Dictionary<string, Role> Roles(LoadedCatalog catalog) =>
        catalog.Resources.Values.SelectMany(resource => resource.Roles.Values).ToDictionary(role => role.Ref.ToString(), StringComparer.Ordinal);

    private static List<string> ResourceKeys(Resource one, Resource other) => Keys(
        ("kind", one.Kind == other.Kind),
        ("description", one.Description == other.Description),
        ("labels", Same(one.Labels, other.Labels)),
        ("owners", one.Owners.SetEquals(other.Owners)),
        ("settings", Same(one.Settings, other.Settings)));

    private static List<string> RoleKeys(Role one, Role other) => Keys(
        ("description", one.Description == other.Description),
        ("risk", one.Risk == other.Risk),
        ("settings", Same(one.Settings, other.Settings)));

    private static List<string> PersonKeys(Person one, Person other) => Keys(
        ("name", one.Name == other.Name),
        ("mail", one.Mail == other.Mail),
        ("manager", one.Manager == other.Manager),
        ("token", one.TokenHashes.Select(Convert.ToHexString).ToHashSet(StringComparer.Ordinal).SetEquals(other.TokenHashes.Select(Convert.ToHexString))),
        ("attributes", Same(one.Attributes, other.Attributes)),
        ("disabled", one.Disabled == other.Disabled));

    private static string Bare(Workload workload) => workload.Id.Value["workload:".Length..];

    private static List<string> WorkloadKeys(Workload one, Workload other) => Keys(
        ("description", one.Name == other.Name),
        ("issuer", one.Issuer == other.Issuer),
        ("claims", Same(one.Claims, other.Claims)),
        ("owners", one.Owners.SetEquals(other.Owners)),
        ("budget", one.Budget == other.Budget),
        ("disabled", one.Disabled == other.Disabled));

    private static List<string> SeparationKeys(Separation one, Separation other) => Keys(
        ("one", one.One.SetEquals(other.One)),
        ("other", one.Other.SetEquals(other.Other)),
        ("within", one.Within == other.Within));

    private static List<string> NeverKeys(Never one, Never other) => Keys(
        ("who", one.Who.SequenceEqual(other.Who)),
        ("roles", one.Roles.SetEquals(other.Roles)),
        ("where", one.Where?.Text == other.Where?.Text),
        ("without", one.Without == other.Without),
        ("longer_than", one.LongerThan == other.LongerThan));

    private static List<string> RotaKeys(Rota one, Rota other) => Keys(
        ("source", one.Feed?.Source == other.Feed?.Source),
        ("stale", one.Feed?.Stale == other.Feed?.Stale),
        ("people", one.Feed is not null || one.People.SequenceEqual(other.People)),
        ("zone", one.Zone.Id == other.Zone.Id),
        ("starts", one.Starts == other.Starts),
        ("turn", one.Turn == other.Turn),
        ("stand-ins", one.StandIns.SequenceEqual(other.StandIns)));

    private static List<string> CalendarKeys(Calendar one, Calendar other) => Keys(
        ("zone", one.Zone.Id == other.Zone.Id),
        ("every", one.Window?.Rule.Text == other.Window?.Rule.Text),
        ("at", one.Window?.At == other.Window?.At),
        ("for", one.Window?.For == other.Window?.For),
        ("starts", one.Window?.Starts == other.Window?.Starts),
        ("dates", one.Dates.SequenceEqual(other.Dates)),
        ("except", one.Except.SequenceEqual(other.Except)));

    private static bool Same(FrozenDictionary<string, string> one, FrozenDictionary<string, string> other) =>
        one.Count == other.Count && one.All(pair => other.TryGetValue(pair.Key, out var value) && value == pair.Value);

    private static List<string> Steps(Workflow? one, Workflow? other) => Keys(
        ("steps", (one?.Steps ?? []).SequenceEqual(other?.Steps ?? [])),
        ("distinct", one?.Distinct == other?.Distinct),
        ("lapses", one?.LapsesAfter == other?.LapsesAfter));

    private static List<string> TemplateKeys(Template one, Template other) =>
        [.. one.Keys.Keys.Union(other.Keys.Keys, StringComparer.Ordinal).Where(key => Plain(one.Keys.GetValueOrDefault(key) ?? "") != Plain(other.Keys.GetValueOrDefault(key) ?? "")).Order(StringComparer.Ordinal)];

    private static List<string> PolicyKeys(Policy one, Policy other)
    {
        var keys = Keys(
            (one.Deny || other.Deny ? "deny" : "who", one.Deny == other.Deny && one.WhoText == other.WhoText),
            ("roles", one.Roles.SetEquals(other.Roles)),
            ("template", one.Template == other.Template),
            ("for", one.DefaultFor == other.DefaultFor && one.MaxFor == other.MaxFor),
            ("reason", one.ReasonRequired == other.ReasonRequired && one.StatementsRequired == other.StatementsRequired && one.TicketPattern == other.TicketPattern),
            ("approve", Steps(one.Approve, other.Approve).Count == 0 && one.Auto?.Text == other.Auto?.Text),
            ("break_glass", one.BreakGlass == other.BreakGlass),
            ("where", one.Where?.Text == other.Where?.Text),
            ("when", one.When?.Text == other.When?.Text),
            ("during", one.During.Select(calendar => calendar.Name).SequenceEqual(other.During.Select(calendar => calendar.Name))),
            ("not_during", one.NotDuring.Select(calendar => calendar.Name).SequenceEqual(other.NotDuring.Select(calendar => calendar.Name))),
            ("record", one.Record == other.Record),
            ("begin_within", one.BeginWithin == other.BeginWithin));

        // NB. What this list does not know yet is a change all the same.
        return keys.Count == 0 && Plain(one.Text) != Plain(other.Text) ? ["text"] : keys;
    }

    private static string Plain(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static List<string> Keys(params ReadOnlySpan<(string Key, bool Same)> compared)
    {
        var keys = new List<string>();
        foreach (var (key, same) in compared)
        {
            if (!same)
            {
                keys.Add(key);
            }
        }

        return keys;
    }

    private static bool Same(Settings one, Settings other) =>
        one.Values.Count == other.Values.Count && one.Values.All(pair => other.Values.TryGetValue(pair.Key, out var value) && Same(pair.Value, value));

    private static bool Same(object one, object other) => one is IEnumerable<string> texts && one is not string
        ? other is IEnumerable<string> others && texts.SequenceEqual(others)
        : one.Equals(other);
}
