using System.Text.Json.Nodes;
using Stint.Core.Audit;
using Stint.Server.Store;

namespace Stint.Server.Identity.Scim;

/// <summary>Users come, change and go as the directory says. Each change is one transaction with its fact; what it takes away is taken before the answer.</summary>
internal sealed class ScimUsers(StintStore store, FollowDirectory follow, IdSource ids, TimeProvider clock)
{
    public Task<DirectoryUser> CreateAsync(JsonObject body, CancellationToken cancellation)
    {
        var read = ScimReader.Resource(ScimKind.User, body);
        read["active"] = ScimValues.Truth(read["active"]) ?? true;
        return ChangeAsync(
            async work =>
            {
                var now = Stored.Round(clock.Now());
                var keys = ScimKeys.Of(read);
                await CheckAsync(work, keys, null, read);
                return await KeepUser.ComesAsync(work, ids.NextDirectory(), read, keys, now, Actor.Directory);
            },
            cancellation);
    }

    public Task<DirectoryUser> ReplaceAsync(string id, JsonObject body, string? ifMatch, CancellationToken cancellation)
    {
        var read = ScimReader.Resource(ScimKind.User, body);
        return UpdateAsync(
            id,
            ifMatch,
            before =>
            {
                // NB. Who does not say whether somebody is active does not mean to let them in again.
                var next = (JsonObject)read.DeepClone();
                next["active"] ??= ScimValues.Truth(before["active"]) ?? true;
                return next;
            },
            cancellation);
    }

    public Task<DirectoryUser> PatchAsync(string id, JsonObject body, string? ifMatch, CancellationToken cancellation) =>
        UpdateAsync(id, ifMatch, before => ScimPatch.Apply(ScimKind.User, before, body).Resource, cancellation);

    public async Task DeleteAsync(string id, string? ifMatch, CancellationToken cancellation) => await ChangeAsync(
        async work =>
        {
            var user = await FindAsync(work, id, ifMatch);
            await KeepUser.GoesAsync(work, user, clock.Now(), Actor.Directory);
            return user;
        },
        cancellation);

    private static async ValueTask<DirectoryUser> FindAsync(Work work, string id, string? ifMatch)
    {
        var user = await work.FindDirectoryUserAsync(id) ?? throw ScimProblem.NotFound($"User {id}");
        ScimMatch.Require(ifMatch, user.Version);
        return user;
    }

    private static async ValueTask CheckAsync(Work work, DirectoryKeys keys, string? own, JsonObject body)
    {
        if (await work.DirectoryUserIdAsync(keys.Key) is { } other && other != own)
        {
            throw ScimProblem.Uniqueness($"'{keys.UserName}' is the userName of another user.");
        }

        if (body.ToJsonString().Length > 64 << 10)
        {
            throw ScimProblem.InvalidValue("A user has at most 64 KiB.");
        }
    }

    private Task<DirectoryUser> UpdateAsync(string id, string? ifMatch, Func<JsonObject, JsonObject> change, CancellationToken cancellation) => ChangeAsync(
        async work =>
        {
            var user = await FindAsync(work, id, ifMatch);
            var before = JsonNode.Parse(user.Body)!.AsObject();
            var after = change(before);
            if (JsonNode.DeepEquals(before, after))
            {
                return user;
            }

            var keys = ScimKeys.Of(after);
            await CheckAsync(work, keys, id, after);
            return await KeepUser.ChangesAsync(work, user, before, after, keys, Stored.Round(clock.Now()), Actor.Directory);
        },
        cancellation);

    private async Task<DirectoryUser> ChangeAsync(Func<Work, Task<DirectoryUser>> act, CancellationToken cancellation)
    {
        var user = await store.WriteAsync(
            async work =>
            {
                await work.AloneWithDirectoryAsync();
                return await act(work);
            },
            cancellation);
        await follow.ChangedAsync(cancellation);
        return user;
    }
}

/// <summary>Conditions of a call on what it saw (RFC 7644, section 3.14).</summary>
internal static class ScimMatch
{
    /// <exception cref="ScimProblem">Another version is there.</exception>
    public static void Require(string? ifMatch, long version)
    {
        if (!string.IsNullOrEmpty(ifMatch) && !Matches(ifMatch, version))
        {
            throw ScimProblem.Of(412, $"It is of another version by now: {ScimWriter.ETag(version)}.");
        }
    }

    public static bool Matches(string header, long version) => header.Split(',').Any(tag => tag.Trim() is "*" || Bare(tag) == Bare(ScimWriter.ETag(version)));

    private static string Bare(string tag) => tag.Trim().TrimStart('W').TrimStart('/').Trim('"');
}
