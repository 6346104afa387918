using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Stint.Core.Audit;
using Stint.Server.Audit;
using Stint.Server.Identity.Scim;
using Stint.Server.Store;

namespace Stint.Server.Identity.Ldap;

/// <summary>What came of one round of pulling.</summary>
internal enum PullResult
{
    /// <summary>What the directory told is what is kept.</summary>
    Good = 1,

    /// <summary>Another node pulls.</summary>
    NotOurTurn = 2,

    /// <summary>The directory could not be read whole. Nothing changed.</summary>
    Failed = 3,

    /// <summary>It told that too many leave at once. Nothing changed.</summary>
    Refused = 4,
}

/// <summary>Looks at the directory.</summary>
/// <param name="since">Only at what changed since then; null for all.</param>
/// <param name="cancellation">Ends it.</param>
internal delegate Task<DirectoryLook> LookAtDirectory(DateTimeOffset? since, CancellationToken cancellation);

/// <summary>Asks the company's directory from time to time what changed, and keeps it as the directory's own program would tell it: the same rows, the same facts, the same ends.</summary>
/// <remarks>
/// One node does it at a time. Whatever fails on the way leaves everything as it was: nobody is taken for gone because
/// an answer is missing, nor because it is half, nor because far too many are gone at once.
/// </remarks>
internal sealed class PullDirectory(LdapOptions options, LookAtDirectory look, StintStore store, FollowDirectory follow, IdSource ids, Installation here, TimeProvider clock, ILogger<PullDirectory> log)
{
    /// <summary>What changed shortly before the last look is looked at again: another server of the directory may hear of it later.</summary>
    private static readonly TimeSpan Overlap = TimeSpan.FromMinutes(5);

    /// <summary>How long a turn lasts beyond the time between two looks.</summary>
    private static readonly TimeSpan Turn = TimeSpan.FromMinutes(2);

    /// <summary>How many may leave at once, whatever part of all they are.</summary>
    private const int FewLeaving = 10;

    private const int Batch = 200;
    private const int MostNotes = 20;
    private const int MostNames = 200;

    private KnownPlaces _known = KnownPlaces.Nothing;
    private DateTimeOffset? _until;
    private long _wholeAt;

    /// <summary>Asks at once, and then every so often.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(options.Every, clock);
        do
        {
            try
            {
                await PullAsync(stop);
            }
            catch (StoreUnavailableException)
            {
                _until = null;
            }
        }
        while (await timer.WaitForNextTickAsync(stop));
    }

    /// <summary>One round.</summary>
    public async Task<PullResult> PullAsync(CancellationToken cancellation)
    {
        var now = clock.Now();
        var (fence, before) = await store.WriteAsync(async work => (await work.TakePullAsync(here.Node, now, now + options.Every + Turn), await work.FindPullAsync()), cancellation);
        PullResult result;
        if (fence is not { } turn)
        {
            _until = null;
            result = PullResult.NotOurTurn;
        }
        else
        {
            result = await PullAsync(turn, before!, cancellation);
            Measures.Pulls.Add(1, new KeyValuePair<string, object?>("outcome", result switch { PullResult.Good => "good", PullResult.Refused => "refused", _ => "failed" }));
        }

        await NoticeAsync(cancellation);
        return result;
    }

    private async Task<PullResult> PullAsync(long fence, DirectoryPull before, CancellationToken cancellation)
    {
        var whole = _until is null || clock.GetElapsedTime(_wholeAt) >= options.WholeEvery;
        string trouble;
        try
        {
            var began = clock.GetTimestamp();
            if (await TakeOverAsync(fence, before, whole ? null : _until - Overlap, cancellation) is { } refused)
            {
                return refused;
            }

            _wholeAt = whole ? began : _wholeAt;
            return PullResult.Good;
        }
        catch (LdapTroubleException e)
        {
            trouble = e.Message;
        }
        catch (Exception e) when (e is StoreRefusedException or StoreConflictException or TurnLostException)
        {
            // Somebody else changed what was being changed. It is looked at anew.
            trouble = $"what it told could not be kept: {e.Message.TrimEnd('.')}";
        }

        _until = null;
        log.PullFailed(options.ToString(), trouble);
        await store.WriteAsync(work => work.NotePullAsync(fence, null, trouble, null, null).AsTask(), cancellation);
        return PullResult.Failed;
    }

    /// <returns>Null when it is taken over.</returns>
    private async Task<PullResult?> TakeOverAsync(long fence, DirectoryPull before, DateTimeOffset? since, CancellationToken cancellation)
    {
        var told = await look(since, cancellation);
        var held = await store.ReadAsync(reads => HeldAsync(reads, told), cancellation);
        var plan = PullPlan.Make(told, held, _known, adopts: before.GoodAt is null, ids.NextDirectory);
        if (plan.NeedsWhole)
        {
            return await TakeOverAsync(fence, before, null, cancellation);
        }

        var most = options.MostLeaving ?? Math.Max(FewLeaving, held.Active / 2);
        if (plan.Leaving > most && before.Confirmed != plan.Mark)
        {
            await RefuseAsync(fence, before, plan, held, most, cancellation);
            return PullResult.Refused;
        }

        await WriteAsync(fence, PullWrites.Of(plan, clock), cancellation);
        List<string> notes = [.. plan.Notes.Take(MostNotes).Select(OneLine)];
        var good = clock.Now();
        await store.WriteAsync(work => work.NotePullAsync(fence, good, null, null, told.Whole || notes.Count > 0 ? notes : null).AsTask(), cancellation);
        foreach (var note in notes)
        {
            log.PassedOver(note);
        }

        // A directory that is empty tells no time of a change: it is looked at whole again.
        (_known, _until) = (plan.Known, told.Until > _until || _until is null ? told.Until : _until);
        return null;
    }

    private static async Task<HeldDirectory> HeldAsync(Reads reads, DirectoryLook told)
    {
        var active = await reads.ActiveUsersAsync();
        if (told.Whole)
        {
            return new HeldDirectory(await reads.HeldUsersAsync(), await reads.HeldGroupsAsync(), await reads.DirectoryMemberLinesAsync(), active);
        }

        var groups = await reads.HeldGroupsAsync(told.Groups.Select(group => group.External), told.Groups.Select(group => group.Key));
        return new HeldDirectory(
            await reads.HeldUsersAsync(told.People.Select(person => person.External), told.People.Select(person => person.Key)),
            groups,
            await reads.HeldMembersAsync(groups.Select(group => group.Id)),
            active);
    }

    private async Task RefuseAsync(long fence, DirectoryPull before, PullPlan plan, HeldDirectory held, long most, CancellationToken cancellation)
    {
        _until = null;
        var of = held.Active;
        var names = held.Users.Where(user => plan.Losing.Contains(user.User.Id)).Select(user => user.Key).Order(StringComparer.Ordinal).Take(MostNames).ToList();
        var refused = new RefusedPull(plan.Leaving, of, plan.Mark, names);
        log.PullRefused(options.ToString(), plan.Leaving, of, most);
        await store.WriteAsync(
            async work =>
            {
                if (await work.NotePullAsync(fence, null, "it told that too many leave at once", refused, null) && before.Mark != plan.Mark)
                {
                    work.Append(Facts.PullRefused(refused, most, clock.Now()));
                }
            },
            cancellation);
    }

    /// <summary>Does it in parts, so that others who write never wait for long. What takes away comes first, and has ended what it ends before the next part.</summary>
    private async Task WriteAsync(long fence, IReadOnlyList<Func<Work, ValueTask>> writes, CancellationToken cancellation)
    {
        foreach (var part in writes.Chunk(Batch))
        {
            await store.WriteAsync(
                async work =>
                {
                    if (!await work.KeepPullAsync(fence, clock.Now() + options.Every + Turn))
                    {
                        throw new TurnLostException();
                    }

                    await work.AloneWithDirectoryAsync();
                    foreach (var write in part)
                    {
                        await write(work);
                    }
                },
                cancellation);
            await follow.ChangedAsync(cancellation);
        }
    }

    /// <summary>Says once that there was no good pull for too long, and once that there is one again. Every node looks, whoever's turn it is.</summary>
    private async Task NoticeAsync(CancellationToken cancellation)
    {
        var now = clock.Now();
        var silent = await store.WriteAsync(
            async work =>
            {
                if (await work.FindPullAsync() is not { } pull)
                {
                    return null;
                }

                var late = now - (pull.GoodAt ?? pull.Since) > options.Late;
                if (late == pull.Silent || !await work.SilentPullAsync(late))
                {
                    return null;
                }

                work.Append(late ? Facts.DirectorySilent(pull, now) : Facts.DirectoryHeard(now));
                return late ? pull : null;
            },
            cancellation);
        if (silent is not null)
        {
            log.DirectorySilent(options.ToString(), Sentences.Day(silent.GoodAt ?? silent.Since), silent.Trouble ?? "nobody asked it");
        }
    }

    private static string OneLine(string note) => note.ReplaceLineEndings(" ");

    private sealed class TurnLostException() : Exception("another node pulls by now");
}

/// <summary>The writes of a plan, each whole in itself, in the order in which they are done.</summary>
internal static class PullWrites
{
    public static IReadOnlyList<Func<Work, ValueTask>> Of(PullPlan plan, TimeProvider clock)
    {
        var writes = new List<Func<Work, ValueTask>>();
        var members = new Dictionary<string, (IReadOnlyList<(string Id, bool IsGroup)> Come, IReadOnlyList<string> Go)>(plan.Members, StringComparer.Ordinal);
        writes.AddRange(plan.Gone.Select(user => (Func<Work, ValueTask>)(work => KeepUser.GoesAsync(work, user.User, Now(), Actor.Ldap))));
        foreach (var (before, body) in plan.Changed)
        {
            writes.Add(async work => await KeepUser.ChangesAsync(work, before.User, JsonNode.Parse(before.User.Body)!.AsObject(), body, ScimKeys.Of(body), Now(), Actor.Ldap));
        }

        foreach (var (id, body) in plan.Come)
        {
            writes.Add(async work => await KeepUser.ComesAsync(work, id, body, ScimKeys.Of(body), Now(), Actor.Ldap));
        }

        writes.AddRange(plan.GoneGroups.Select(group => (Func<Work, ValueTask>)(work => GoesAsync(work, group))));
        foreach (var (before, after) in plan.ChangedGroups)
        {
            var change = members.GetValueOrDefault(before.Id, ([], []));
            writes.Add(work => ChangesAsync(work, before.Id, before.DisplayName, after, change));
            members.Remove(before.Id);
        }

        foreach (var (id, group) in InnerFirst(plan.NewGroups, members))
        {
            var come = members.GetValueOrDefault(id, ([], [])).Come;
            writes.Add(work => ComesAsync(work, id, group, come));
            members.Remove(id);
        }

        writes.AddRange(members.Select(pair => (Func<Work, ValueTask>)(work => ChangesAsync(work, pair.Key, null, null, pair.Value))));
        return writes;

        // A fact calls a group's members by their names: those that come with it come before it, unless they are in each other.
        static IEnumerable<(string Id, LookedGroup Group)> InnerFirst(IEnumerable<(string Id, LookedGroup Group)> groups, Dictionary<string, (IReadOnlyList<(string Id, bool IsGroup)> Come, IReadOnlyList<string> Go)> members)
        {
            var open = groups.ToList();
            var waiting = open.Select(group => group.Id).ToHashSet(StringComparer.Ordinal);
            while (open.Count > 0)
            {
                var ready = open.FindAll(group => !members.GetValueOrDefault(group.Id, ([], [])).Come.Any(one => one.IsGroup && waiting.Contains(one.Id)));
                foreach (var group in ready.Count > 0 ? ready : open[..1])
                {
                    waiting.Remove(group.Id);
                    yield return group;
                }

                open.RemoveAll(group => !waiting.Contains(group.Id));
            }
        }

        DateTimeOffset Now() => Stored.Round(clock.Now());

        async ValueTask GoesAsync(Work work, DirectoryGroup group)
        {
            var names = await ScimGroups.NamesAsync(work, await work.DirectoryMemberIdsAsync(group.Id));
            await work.DeleteGroupAsync(group.Id, Now());
            work.Append(Facts.GroupRemoved(group, names, Now(), Actor.Ldap));
        }

        async ValueTask ComesAsync(Work work, string id, LookedGroup told, IReadOnlyList<(string Id, bool IsGroup)> come)
        {
            var now = Now();
            var group = new DirectoryGroup { Id = id, DisplayName = told.Name, ExternalId = told.External, Version = 1, CreatedAt = now, ChangedAt = now };
            await work.InsertAsync(group);
            foreach (var (member, isGroup) in come)
            {
                await work.AddMemberAsync(id, member, isGroup);
            }

            work.Append(Facts.GroupProvisioned(group, await ScimGroups.NamesAsync(work, [.. come.Select(one => one.Id)]), Actor.Ldap));
        }

        async ValueTask ChangesAsync(Work work, string id, string? name, LookedGroup? told, (IReadOnlyList<(string Id, bool IsGroup)> Come, IReadOnlyList<string> Go) members)
        {
            // NB. Read anew: who left a moment ago has changed it as well.
            if (await work.FindDirectoryGroupAsync(id) is not { } group)
            {
                return;
            }

            var there = (await work.DirectoryMemberIdsAsync(id)).ToHashSet(StringComparer.Ordinal);
            List<string> go = [.. members.Go.Where(there.Contains)];
            List<(string Id, bool IsGroup)> come = [.. members.Come.Where(one => !there.Contains(one.Id))];
            var removed = await ScimGroups.NamesAsync(work, go);
            foreach (var member in go)
            {
                await work.RemoveMemberAsync(id, member);
            }

            foreach (var (member, isGroup) in come)
            {
                await work.AddMemberAsync(id, member, isGroup);
            }

            if (go.Count + come.Count == 0 && told is null)
            {
                return;
            }

            var now = Now();
            var next = group with
            {
                DisplayName = told?.Name ?? group.DisplayName,
                ExternalId = told?.External ?? group.ExternalId,
                Version = group.Version + 1,
                ChangedAt = now > group.ChangedAt ? now : group.ChangedAt,
            };

            await work.UpdateAsync(next, takes: next.Key != group.Key);
            work.Append(Facts.GroupChanged(next, name ?? group.DisplayName, await ScimGroups.NamesAsync(work, [.. come.Select(one => one.Id)]), removed, Actor.Ldap));
        }
    }
}
