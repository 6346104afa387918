using System.Text.Json.Nodes;
using Stint.Core.Audit;
using Stint.Server.Audit;
using Stint.Server.Identity.Scim;
using Stint.Server.Store;

namespace Stint.Server.Identity;

/// <summary>Who tells what the directory says: <c>directory:scim</c> or <c>directory:ldap</c>.</summary>
internal sealed record DirectorySource(Actor Actor);

/// <summary>Keeps what is told of a person, whoever tells it: the row, its line for those who follow, and its fact.</summary>
internal static class KeepUser
{
    public static async ValueTask<DirectoryUser> ComesAsync(Work work, string id, JsonObject body, DirectoryKeys keys, DateTimeOffset now, Actor by)
    {
        var user = new DirectoryUser { Id = id, Body = body.ToJsonString(), Version = 1, CreatedAt = now, ChangedAt = now };
        await work.InsertAsync(user, keys);
        work.Append(Facts.UserProvisioned(user, keys, by));
        return user;
    }

    public static async ValueTask<DirectoryUser> ChangesAsync(Work work, DirectoryUser user, JsonObject before, JsonObject after, DirectoryKeys keys, DateTimeOffset now, Actor by)
    {
        var old = ScimKeys.Of(before);
        var next = user with { Body = after.ToJsonString(), Version = user.Version + 1, ChangedAt = now > user.ChangedAt ? now : user.ChangedAt };
        var renamed = old.Key != keys.Key;

        // NB. What a condition looks at may be what let them in.
        await work.UpdateAsync(next, keys, takes: renamed || (old.Active && !keys.Active) || old.Attributes != keys.Attributes || old.Manager != keys.Manager);
        if (renamed)
        {
            await work.LeftAsync(old.Key, now);
        }

        work.Append(Facts.UserChanged(next, keys, [.. Changed(before, after)], by));
        return next;
    }

    public static async ValueTask GoesAsync(Work work, DirectoryUser user, DateTimeOffset now, Actor by)
    {
        var keys = ScimKeys.Of(JsonNode.Parse(user.Body)!.AsObject());
        await work.DeleteUserAsync(user.Id, keys.Key, now);
        work.Append(Facts.UserRemoved(user, keys, now, by));
    }

    /// <summary>Names of the attributes that differ.</summary>
    private static IEnumerable<string> Changed(JsonObject before, JsonObject after) => before.Select(pair => pair.Key).Union(after.Select(pair => pair.Key), StringComparer.Ordinal)
        .Where(name => !JsonNode.DeepEquals(before[name], after[name]))
        .SelectMany(name => name == ScimSchemas.Enterprise.Id ? Changed(before[name] as JsonObject ?? [], after[name] as JsonObject ?? []) : [name])
        .Order(StringComparer.Ordinal);
}
