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
    public static async Task<int> SaveAsync(ServerOptions options, string path, TimeProvider time, TextWriter output, CancellationToken cancellation)
    {
        await using var store = Parts.Store(options);
        try
        {
            await store.OpenAsync(cancellation);
        }
        catch (StoreSetupException taken) when (options.Store == StoreKind.Sqlite && taken.InnerException is IOException)
        {
            throw new StoreSetupException($"{taken.Message} While its server runs, that saves it: `stint backup FILE` without --config and --data, as an administrator.", taken);
        }

        var report = await WriteAsync(store, options, Path.GetFullPath(path), time.GetUtcNow(), cancellation);
        await output.WriteLineAsync($"Saved {report.Rows} rows, {report.Files} recordings and a log of {report.LogSize} facts in {path}. The master key is not in it: keep its copy apart.");
        return 0;
    }

    /// <summary>Brings an archive back into an empty place and verifies its log.</summary>
    public static async Task<int> RestoreAsync(ServerOptions options, ServeArguments arguments, string path, TextWriter output, CancellationToken cancellation)
    {
        DataFolder.Ensure(options.Data);
        await using var store = Parts.Store(options);
        await store.OpenAsync(cancellation);
        BackupReport report;
        await using (var input = File.OpenRead(path))
        {
            report = await BackupReader.RestoreAsync(store, Folders(options), input, cancellation);
        }

        await output.WriteLineAsync($"Brought back {report.Rows} rows, {report.Files} recordings and a log of {report.LogSize} facts.");
        return await VerifyAsync(options, arguments, store, output, cancellation);
    }

    private static async Task<int> VerifyAsync(ServerOptions options, ServeArguments arguments, StintStore store, TextWriter output, CancellationToken cancellation)
    {
        MasterKey? key = options.MasterKey.Env is { } name ? MasterKey.Parse(StintServer.Variables(arguments).GetValueOrDefault(name, ""), $"The variable {name}")
            : File.Exists(options.MasterKey.File) ? MasterKey.FromFile(options.MasterKey.File, mayMake: false).Key
            : null;
        if (key is null || await InstallationKeys.FindSignerAsync(store, new Sealer(key), cancellation) is not { } signer)
        {
            await output.WriteLineAsync(key is null
                ? $"The tree of the log was checked against the archive. Put the master key at {options.MasterKey.File}: the server cannot start without it."
                : "The archive is of a store that was never served: it has no signing key yet.");
            return key is null ? 1 : 0;
        }

        var time = arguments.Time ?? TimeProvider.System;
        using var checkpoints = new Checkpoints(store, signer, new Installation("", "", "", "", options.Data, options.RecordFolder), time);
        var verified = await new VerifyLog(store, null!, checkpoints).VerifyAsync(cancellation);
        foreach (var sentence in verified.Log.Findings.Select(finding => finding.Sentence).Concat(verified.Rows.Select(row => row.Sentence)))
        {
            await output.WriteLineAsync(sentence);
        }

        await output.WriteLineAsync(verified.Holds ? $"The log verifies: {verified.Log.Facts} facts, key {signer.Key.Fingerprint}." : "The log does not verify.");
        return verified.Holds ? 0 : 1;
    }

    private static IReadOnlyList<BackupFolder> Folders(ServerOptions options) => [new BackupFolder("recordings", options.RecordFolder)];
}
