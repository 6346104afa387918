using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using Stint.Core.Audit;

namespace Stint.Server.Store;

/// <summary>The numbered SQL files that make the schema. Each is run once, in order, in a transaction, and remembered with its hash.</summary>
internal static class Migrations
{
    /// <summary>Brings a database up to this program's schema.</summary>
    /// <exception cref="StoreSetupException">Its schema is newer, or a migration that it ran is not the one that this program holds.</exception>
    public static Task RunAsync(Db db, string dialect, CancellationToken cancellation) => RunAsync(db, Embedded(dialect), cancellation);

    internal static async Task RunAsync(Db db, IReadOnlyList<Migration> known, CancellationToken cancellation)
    {
        await db.BeginAsync(write: true);
        try
        {
            await db.AloneAsync();
            await db.RunAsync("CREATE TABLE IF NOT EXISTS schema_versions (number BIGINT PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL)");
            var done = await db.ListAsync(
                "SELECT number, name, hash FROM schema_versions ORDER BY number",
                static row => (Number: row.GetInt64(0), Name: row.GetString(1), Hash: row.GetString(2)));
            foreach (var (number, name, hash) in done)
            {
                var mine = known.FirstOrDefault(migration => migration.Number == number)
                    ?? throw new StoreSetupException(
                        $"The store's schema is newer than this program: it has step {number} ({name}), and this program ends at {known[^1].Number}. Run the newer program; a store does not go back.");
                if (mine.Hash != hash)
                {
                    throw new StoreSetupException(
                        $"Step {number} of the store's schema ({name}) was run from another text than this program's ({mine.Name}). Somebody edited the program or the store: run the program that made it.");
                }
            }

            foreach (var migration in known.Where(migration => !done.Exists(one => one.Number == migration.Number)))
            {
                cancellation.ThrowIfCancellationRequested();
                await db.ScriptAsync(migration.Sql);
                await db.RunAsync(
                    "INSERT INTO schema_versions (number, name, hash) VALUES ($1, $2, $3)",
                    migration.Number,
                    migration.Name,
                    migration.Hash);
            }

            var empty = new MerkleFrontier();
            await db.RunAsync(
                "INSERT INTO log_head (only_one, size, frontier, root) SELECT 1, 0, $1, $2 WHERE NOT EXISTS (SELECT 1 FROM log_head)",
                empty.ToBytes(),
                empty.Root().ToArray());
            await db.CommitAsync();
        }
        catch
        {
            await db.RollbackAsync();
            throw;
        }
    }

    internal static IReadOnlyList<Migration> Embedded(string dialect)
    {
        var assembly = Assembly.GetExecutingAssembly();
        return [.. assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(dialect + "/", StringComparison.Ordinal) && name.EndsWith(".sql", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(name =>
            {
                using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!, Encoding.UTF8);
                var file = name[(dialect.Length + 1)..^4];
                return new Migration(long.Parse(file[..4], System.Globalization.CultureInfo.InvariantCulture), file, reader.ReadToEnd());
            })];
    }
}

/// <summary>One step of the schema.</summary>
internal sealed record Migration(long Number, string Name, string Sql)
{
    /// <summary>SHA-256 of its text, in hexadecimal.</summary>
    public string Hash { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Sql)));
}
