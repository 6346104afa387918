using System.Data.Common;
using System.Text.Json;
using System.Text.Json.Serialization;
using Stint.Core;
using Stint.Core.Requests;

namespace Stint.Server.Store;

/// <summary>What stands in the column <c>asking</c>.</summary>
internal sealed record KeptAsking(string Asked, long? ForSeconds, string? Reason, string? Ticket);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(KeptAsking))]
internal sealed partial class KeptAskingJson : JsonSerializerContext;

internal partial class Reads
{
    /// <summary>What somebody keeps to ask again, in the order of the names.</summary>
    public ValueTask<List<SavedRequest>> SavedAsync(SubjectId who) =>
        Db.ListAsync("SELECT name, asking FROM saved_requests WHERE person = $1 ORDER BY name", ReadSaved, who.Value);

    /// <summary>One of them; null when they keep none of that name.</summary>
    public ValueTask<SavedRequest?> FindSavedAsync(SubjectId who, string name) =>
        Db.OneAsync($"SELECT name, asking FROM saved_requests WHERE person = $1 AND name = $2{Lock}", ReadSaved, who.Value, name);

    /// <summary>What somebody asked last, of all or of one role; null when they never did.</summary>
    public ValueTask<Request?> LastAskedAsync(SubjectId who, RoleRef? role) => role is { } one
        ? Db.OneAsync($"SELECT {RequestColumns} FROM requests WHERE subject = $1 AND resource = $2 AND role = $3 ORDER BY seq DESC LIMIT 1", ReadRequest, who.Value, one.Resource, one.Role)
        : Db.OneAsync($"SELECT {RequestColumns} FROM requests WHERE subject = $1 ORDER BY seq DESC LIMIT 1", ReadRequest, who.Value);

    /// <summary>Their last asking for a bundle; null when they never did.</summary>
    public ValueTask<BundleAsking?> LastAskedAsync(SubjectId who, string bundle) =>
        Db.OneAsync($"SELECT {BundleColumns} FROM bundles WHERE subject = $1 AND name = $2 ORDER BY seq DESC LIMIT 1", ReadBundle, who.Value, bundle);

    private static SavedRequest ReadSaved(DbDataReader row)
    {
        try
        {
            var kept = JsonSerializer.Deserialize(row.GetString(1), KeptAskingJson.Default.KeptAsking) ?? throw new JsonException("An asking is an object.");
            return new SavedRequest(row.GetString(0), kept.Asked, kept.ForSeconds, kept.Reason, kept.Ticket);
        }
        catch (JsonException problem)
        {
            throw new StoreRefusedException("A saved request cannot be read.", problem);
        }
    }
}

internal sealed partial class Work
{
    /// <summary>Keeps an asking under its name, in place of what stood there.</summary>
    public async ValueTask SaveAsync(SubjectId who, SavedRequest saved, DateTimeOffset now) => await Db.RunAsync(
        "INSERT INTO saved_requests (person, name, asking, saved_at) VALUES ($1, $2, $3, $4) ON CONFLICT (person, name) DO UPDATE SET asking = excluded.asking, saved_at = excluded.saved_at",
        who.Value,
        saved.Name,
        JsonSerializer.Serialize(new KeptAsking(saved.Asked!, saved.ForSeconds, saved.Reason, saved.Ticket), KeptAskingJson.Default.KeptAsking),
        now);

    /// <summary>Forgets one.</summary>
    /// <returns>Whether there was one.</returns>
    public async ValueTask<bool> ForgetAsync(SubjectId who, string name) =>
        await Db.RunAsync("DELETE FROM saved_requests WHERE person = $1 AND name = $2", who.Value, name) == 1;
}
