using Stint.Core;
using Stint.Server.Catalog;
using Stint.Server.Store;
using Stint.Server.Store.Backup;

namespace Stint.Server.Hosting;

/// <summary>An admin has the running installation saved on its own machine.</summary>
internal sealed class SaveBackup(StintStore store, CurrentCatalog catalog, ServerOptions options, TimeProvider clock)
{
    /// <param name="who">Must be an admin.</param>
    /// <param name="path">Absolute path of a file that does not exist, in a folder that does.</param>
    /// <param name="cancellation">Ends it; what was written is taken away again.</param>
    public async Task<Outcome<BackupReport>> SaveAsync(SubjectId who, string path, CancellationToken cancellation)
    {
        if (!catalog.Now.IsAdmin(who))
        {
            return new Outcome<BackupReport>.NotYours("only admins do this", []);
        }

        if (!Path.IsPathFullyQualified(path) || !Directory.Exists(Path.GetDirectoryName(path)))
        {
            return new Outcome<BackupReport>.Invalid([new Problem("path", "must be an absolute path in a folder that exists on the server's machine")]);
        }

        try
        {
            return new Outcome<BackupReport>.Done(await Backups.WriteAsync(store, options, path, clock.GetUtcNow(), cancellation));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or BackupException)
        {
            return new Outcome<BackupReport>.Refused($"the backup could not be written: {e.Message}", "name a new file in a folder where the server may write");
        }
    }
}
