using System.Text.Json.Nodes;
using Stint.Core.Audit;
using Stint.Server.Audit;
using Stint.Server.Store;

namespace Stint.Server.Identity.Scim;

/// <summary>Groups come, change and go as the directory says. Each change is one transaction with its fact; what it takes away is taken before the answer.</summary>
internal sealed class ScimGroups(StintStore store, FollowDirectory follow, IdSource ids, TimeProvider clock)
{
    public Task<DirectoryGroup> CreateAsync(JsonObject body, CancellationToken cancellation)
    {
        var read = ScimReader.Resource(ScimKind.Group, body);
        var members = ScimPatch.MemberIds(read["members"]);
        return ChangeAsync(
            async work =>
            {
                var now = Stored.Round(clock.Now());
                var group = new DirectoryGroup { Id = ids.NextDirectory(), DisplayName = Text(read, "displayName")!, ExternalId = Text(read, "externalId"), Version = 1, CreatedAt = now, ChangedAt = now };
                await CheckAsync(work, group);
                await work.InsertAsync(group);
                var (added, _) = await StepsAsync(work, group.Id, [new MemberStep.Set(members)]);
                work.Append(Facts.GroupProvisioned(group, await NamesAsync(work, added), Actor.Directory));
                return group;
            },
            cancellation);
    }

    public Task<DirectoryGroup> ReplaceAsync(string id, JsonObject body, string? ifMatch, CancellationToken cancellation)
    {
        var read = ScimReader.Resource(ScimKind.Group, body);
        var members = ScimPatch.MemberIds(read["members"]);
        return UpdateAsync(id, ifMatch, _ => (read, [new MemberStep.Set(members)]), cancellation);
    }

    public Task<DirectoryGroup> PatchAsync(string id, JsonObject body, string? ifMatch, CancellationToken cancellation) =>
        UpdateAsync(id, ifMatch, before => ScimPatch.Apply(ScimKind.Group, before, body), cancellation);

    public async Task DeleteAsync(string id, string? ifMatch, CancellationToken cancellation) => await ChangeAsync(
        async work =>
        {
            var group = await FindAsync(work, id, ifMatch);
            var members = await work.DirectoryMemberIdsAsync(id);
            var names = await NamesAsync(work, members);
            await work.DeleteGroupAsync(id, clock.Now());
            work.Append(Facts.GroupRemoved(group, names, clock.Now(), Actor.Directory));
            return group;
        },
        cancellation);

    private static async ValueTask<DirectoryGroup> FindAsync(Work work, string id, string? ifMatch)
    {
        var group = await work.FindDirectoryGroupAsync(id) ?? throw ScimProblem.NotFound($"Group {id}");
        ScimMatch.Require(ifMatch, group.Version);
        return group;
    }

    private static async ValueTask CheckAsync(Work work, DirectoryGroup group)
    {
        // NB. The catalog finds a group by this name: two of one name would be two that one rule is about.
        if (await work.DirectoryGroupIdAsync(group.Key) is { } other && other != group.Id)
        {
            throw ScimProblem.Uniqueness($"'{group.DisplayName}' is the displayName of another group.");
        }
    }

    private Task<DirectoryGroup> UpdateAsync(string id, string? ifMatch, Func<JsonObject, (JsonObject Resource, IReadOnlyList<MemberStep> Members)> change, CancellationToken cancellation) => ChangeAsync(
        async work =>
        {
            var group = await FindAsync(work, id, ifMatch);
            var before = new JsonObject { ["displayName"] = group.DisplayName };
            if (group.ExternalId is not null)
            {
                before["externalId"] = group.ExternalId;
            }

            var (after, steps) = change(before);
            var now = Stored.Round(clock.Now());
            var next = group with { DisplayName = Text(after, "displayName")!, ExternalId = Text(after, "externalId"), Version = group.Version + 1, ChangedAt = now > group.ChangedAt ? now : group.ChangedAt };
            await CheckAsync(work, next);
            var (added, removed) = await StepsAsync(work, id, steps);
            if (added.Count + removed.Count == 0 && next.DisplayName == group.DisplayName && next.ExternalId == group.ExternalId)
            {
                return group;
            }

            await work.UpdateAsync(next, takes: next.Key != group.Key);
            work.Append(Facts.GroupChanged(next, group.DisplayName, await NamesAsync(work, added), await NamesAsync(work, removed), Actor.Directory));
            return next;
        },
        cancellation);

    /// <summary>Carries out steps in their order.</summary>
    /// <returns>Who is in that was not before, and who was and is no more.</returns>
    private static async ValueTask<(IReadOnlyList<string> Added, IReadOnlyList<string> Removed)> StepsAsync(Work work, string group, IReadOnlyList<MemberStep> steps)
    {
        var (added, removed) = (new HashSet<string>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal));
        foreach (var step in steps)
        {
            var (come, go) = step switch
            {
                MemberStep.Add add => (await MissingAsync(work, group, add.Ids), []),
                MemberStep.Remove remove => ((IReadOnlyList<string>)[], (IReadOnlyList<string>)await work.DirectoryMemberIdsAsync(group, remove.Ids)),
                MemberStep.Set set => await DifferenceAsync(work, group, set.Ids),
                MemberStep.RemoveWhere where => ([], [.. (await work.DirectoryMembersAsync([group])).Where(member => where.Filter.Holds(Node(member))).Select(member => member.Id)]),
                _ => throw new InvalidOperationException("A step of a kind that nobody knows."),
            };
            foreach (var id in go)
            {
                await work.RemoveMemberAsync(group, id);
                if (!added.Remove(id))
                {
                    removed.Add(id);
                }
            }

            if (come.Count > 0)
            {
                var known = await work.DirectoryIdsAsync(come);
                foreach (var id in come)
                {
                    var isGroup = known.TryGetValue(id, out var found) && id != group ? found : throw ScimProblem.InvalidValue($"No user or group that could be a member has the id '{id}'.");
                    await work.AddMemberAsync(group, id, isGroup);
                    if (!removed.Remove(id))
                    {
                        added.Add(id);
                    }
                }
            }
        }

        return ([.. added], [.. removed]);
    }

    private static async ValueTask<IReadOnlyList<string>> MissingAsync(Work work, string group, IReadOnlyList<string> ids)
    {
        var there = (await work.DirectoryMemberIdsAsync(group, ids)).ToHashSet(StringComparer.Ordinal);
        return [.. ids.Where(id => !there.Contains(id))];
    }

    private static async ValueTask<(IReadOnlyList<string> Come, IReadOnlyList<string> Go)> DifferenceAsync(Work work, string group, IReadOnlyList<string> ids)
    {
        var there = (await work.DirectoryMemberIdsAsync(group)).ToHashSet(StringComparer.Ordinal);
        var wanted = ids.ToHashSet(StringComparer.Ordinal);
        return ([.. ids.Where(id => !there.Contains(id))], [.. there.Where(id => !wanted.Contains(id))]);
    }

    private static JsonObject Node(DirectoryMember member) => new() { ["value"] = member.Id, ["display"] = member.Display, ["type"] = member.IsGroup ? "Group" : "User" };

    /// <summary>How members are called: people by their names, groups by theirs. A fact names some of many, and counts all.</summary>
    public static async ValueTask<(IReadOnlyList<string> Names, int Count)> NamesAsync(Work work, IReadOnlyList<string> ids)
    {
        var some = ids.Take(Facts.MostMembers).ToList();
        var names = (await work.DirectoryLinesAsync(some)).Select(line => line.Key).Concat((await work.DirectoryGroupLinesAsync(some)).Select(line => "group:" + line.Key));
        return ([.. names.Order(StringComparer.Ordinal)], ids.Count);
    }

    private async Task<DirectoryGroup> ChangeAsync(Func<Work, Task<DirectoryGroup>> act, CancellationToken cancellation)
    {
        var group = await store.WriteAsync(
            async work =>
            {
                await work.AloneWithDirectoryAsync();
                return await act(work);
            },
            cancellation);
        await follow.ChangedAsync(cancellation);
        return group;
    }

    private static string? Text(JsonObject body, string name) => body[name]?.GetValue<string>();
}
