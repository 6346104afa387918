using System.Text.Json.Serialization;

namespace Stint.Server.Store.Backup;

/// <summary>A folder of files that is saved with the store (the recordings).</summary>
/// <param name="Name">Its name in the archive; lower case letters.</param>
/// <param name="Path">Where it is.</param>
internal sealed record BackupFolder(string Name, string Path);

/// <summary>What was saved or put back.</summary>
/// <param name="Rows">Rows of the store.</param>
/// <param name="Files">Files of the folders.</param>
/// <param name="LogSize">How many facts the log has.</param>
/// <param name="LogRoot">The root over them, in base64.</param>
internal sealed record BackupReport(long Rows, long Files, long LogSize, string LogRoot);

/// <summary>A backup cannot be used: it is cut short, changed, of another version, or the place to put it is not empty. Nothing was changed.</summary>
internal sealed class BackupException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The archive: a gzipped tar of a header, the tables in parts, the folders' files, and last a manifest with the hash of each.</summary>
internal static class BackupFormat
{
    public const string Format = "stint-backup-1";
    public const string Header = "backup.json";
    public const string Manifest = "manifest.json";

    /// <summary>A part of a table is closed once it is longer than this, in bytes.</summary>
    public const int PartBytes = 2 * 1024 * 1024;

    /// <summary>Longest part that is read, in bytes.</summary>
    public const int MostPartBytes = 64 * 1024 * 1024;

    /// <summary>Every table that holds state, in an order in which each row's references come before it. The node list, what is kept for an hour (reports, the ways in of workloads), and who is signed in at a browser or logged in with a command line, are of the moment and stay out.</summary>
    public static IReadOnlyList<(string Name, string Order)> Tables { get; } =
    [
        ("settings", "name"),
        ("catalogs", "seq"),
        ("catalog_history", "number"),
        ("catalog_changes", "seq"),
        ("catalog_answers", "seq"),
        ("bundles", "seq"),
        ("requests", "seq"),
        ("series", "request_id"),
        ("reviews", "seq"),
        ("review_people", "review_id, person"),
        ("glass_codes", "seq"),
        ("glass_passes", "seq"),
        ("workload_tokens", "seq"),
        ("local_people", "seq"),
        ("accounts", "seq"),
        ("passkeys", "seq"),
        ("recovery_codes", "seq"),
        ("account_links", "seq"),
        ("request_approvers", "request_id, person"),
        ("request_steps", "request_id, step"),
        ("step_additions", "request_id, step, person"),
        ("delegations", "seq"),
        ("offers", "seq"),
        ("approvals", "seq"),
        ("assignments", "seq"),
        ("grants", "seq"),
        ("statement_uses", "grant_id, statement"),
        ("logins", "seq"),
        ("certificates", "seq"),
        ("sessions", "seq"),
        ("task_deliveries", "sender, digest"),
        ("answers", "subject, idem_key"),
        ("saved_requests", "person, name"),
        ("directory_users", "seq"),
        ("directory_bodies", "user_id"),
        ("directory_mails", "mail_key, user_id"),
        ("directory_values", "path, key, user_seq, item"),
        ("directory_groups", "seq"),
        ("directory_members", "group_id, member_id"),
        ("directory_left", "name"),
        ("offboarded", "name"),
        ("stint_rights", "seq"),
        ("signals_taken", "sender, mark"),
        ("directory_log", "number"),
        ("directory_pull", "only_one"),
        ("rota_feeds", "rota"),
        ("facts", "seq"),
        ("log_head", "only_one"),
        ("log_tiles", "level, tile"),
        ("checkpoints", "size"),
    ];
}

/// <summary>First entry.</summary>
/// <param name="Format">Always <see cref="BackupFormat.Format"/>.</param>
/// <param name="Schema">The steps of the schema; restoring needs the same.</param>
/// <param name="Kind">Which store it was taken from; it may be restored into the other kind.</param>
/// <param name="MadeAt">When, in microseconds since 1970.</param>
internal sealed record BackupHeader(string Format, List<string> Schema, string Kind, long MadeAt);

/// <summary>Last entry.</summary>
internal sealed record BackupManifest(List<BackupEntry> Entries, long Rows, long Files, long LogSize, string LogRoot);

/// <summary>One entry before the manifest.</summary>
/// <param name="Name">Its path in the archive.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Hash">Its SHA-256, in hexadecimal.</param>
internal sealed record BackupEntry(string Name, long Bytes, string Hash);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(BackupHeader))]
[JsonSerializable(typeof(BackupManifest))]
internal sealed partial class BackupJson : JsonSerializerContext;
