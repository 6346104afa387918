using System.Text.Json.Nodes;
using Stint.Server.Audit;
using Stint.Server.Store;
using Stint.Server.Store.Backup;
using Stint.Server.Store.Sealing;

namespace Stint.Server.Hosting;

/// <summary>Saves an installation and brings it back.</summary>
internal static class Backups
{
    /// <summary>Writes the archive to a new file that only this user may read. A failed one is taken away again.</summary>
    /// <exception cref="IOException">The file exists, or cannot be written.</exception>
    public static async Task<BackupReport> WriteAsync(StintStore store, ServerOptions options, string path, DateTimeOffset now, CancellationToken cancellation)
    {
        var file = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            file.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        var output = new FileStream(path, file);
        var whole = false;
        try
        {
            var report = await BackupWriter.WriteAsync(store, Folders(options), output, now, cancellation);
            output.Flush(flushToDisk: true);
            whole = true;
            return report;
        }
        finally
        {
            await output.DisposeAsync();
            if (!whole)
            {
                File.Delete(path);
            }
        }
    }

    /// <summary>Saves without a running server: it opens the store itself.</summary>
    public static async Task<int> SaveAsync(ServerOptions options, ServeArguments arguments, string path, CancellationToken cancellation)
    {
        // NB. A wrong folder must not become a new, empty installation whose copy then looks like one of the right one.
        if (!Directory.Exists(options.Data))
        {
            throw new BackupException($"There is no data folder {options.Data}. Name the server's own with --data.");
        }

        await using var store = Parts.Store(options);
        try
        {
            await store.OpenAsync(cancellation);
        }
        catch (StoreSetupException taken) when (options.Store == StoreKind.Sqlite && taken.InnerException is IOException)
        {
            throw new StoreSetupException($"{taken.Message} While its server runs, that saves it: `stint backup FILE` without --config and --data, as an administrator.", taken);
        }

        var report = await WriteAsync(store, options, path, (arguments.Time ?? TimeProvider.System).GetUtcNow(), cancellation);
        StintServer.Answer(
            arguments,
            new JsonObject { ["path"] = path, ["rows"] = report.Rows, ["files"] = report.Files, ["log_size"] = report.LogSize, ["log_root"] = report.LogRoot.ToString() },
            $"Saved {Of(report)} in {path}. The master key is not in it: keep its copy apart.");
        return 0;
    }

    /// <summary>Brings an archive back into an empty place and verifies its log.</summary>
    public static async Task<int> RestoreAsync(ServerOptions options, ServeArguments arguments, string path, CancellationToken cancellation)
    {
        // Before anything is made: a name that was mistyped leaves nothing behind.
        await using var input = File.OpenRead(path);
        DataFolder.Ensure(options.Data);
        await using var store = Parts.Store(options);
        await store.OpenAsync(cancellation);
        var report = await BackupReader.RestoreAsync(store, Folders(options), input, cancellation);
        var (holds, key, sentences) = await VerifyAsync(options, arguments, store, cancellation);
        StintServer.Answer(
            arguments,
            new JsonObject
            {
                ["data"] = options.Data,
                ["rows"] = report.Rows,
                ["files"] = report.Files,
                ["log_size"] = report.LogSize,
                ["holds"] = holds,
                ["key"] = key,
                ["sentences"] = new JsonArray([.. sentences.Select(sentence => JsonValue.Create(sentence))]),
            },
            [$"Brought back {Of(report)}.", .. sentences]);
        return holds == false ? 1 : 0;
    }

    private static string Of(BackupReport report) => $"{report.Rows} rows, {report.Files} recordings and a log of {report.LogSize} facts";

    private static async Task<(bool? Holds, string? Key, IReadOnlyList<string> Sentences)> VerifyAsync(ServerOptions options, ServeArguments arguments, StintStore store, CancellationToken cancellation)
    {
        MasterKey? key = options.MasterKey.Env is { } name ? MasterKey.Parse(StintServer.Variables(arguments).GetValueOrDefault(name, ""), $"The variable {name}")
            : File.Exists(options.MasterKey.File) ? MasterKey.FromFile(options.MasterKey.File, mayMake: false).Key
            : null;
        if (key is null || await InstallationKeys.FindSignerAsync(store, new Sealer(key), cancellation) is not { } signer)
        {
            return key is null
                ? (null, null, [$"The tree of the log was checked against the archive; its signature was not, for that takes the master key. Put it at {options.MasterKey.File}: the server cannot start without it. "])
                : (null, null, ["The archive is of a store that was never served: it has no signing key yet."]);
        }

        var time = arguments.Time ?? TimeProvider.System;
        using var checkpoints = new Checkpoints(store, signer, new Installation("", "", "", "", options.Data, options.RecordFolder), time);
        var verified = await new VerifyLog(store, null!, checkpoints).VerifyAsync(cancellation);
        return (
            verified.Holds,
            signer.Key.Fingerprint,
            [
                .. verified.Log.Findings.Select(finding => finding.Sentence),
                .. verified.Rows.Select(row => row.Sentence),
                verified.Holds ? $"The log verifies: {verified.Log.Facts} facts, key {signer.Key.Fingerprint}." : "The log does not verify.",
            ]);
    }

    private static IReadOnlyList<BackupFolder> Folders(ServerOptions options) => [new BackupFolder("recordings", options.RecordFolder)];
}
