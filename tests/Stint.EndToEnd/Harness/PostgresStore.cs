using System.Security.Cryptography;

namespace Stint.EndToEnd.Harness;

/// <summary>A store in a PostgreSQL database of its own.</summary>
internal static class PostgresStore
{
    /// <summary>Makes the database at the shop's server, and says what a node's configuration has to name.</summary>
    public static async Task<IReadOnlyDictionary<string, object>> OfAsync(Shop shop)
    {
        var store = $"{shop.Database}_store";
        await shop.Server.RunAsync($"create database {store}");
        var key = Path.Combine(RunFolder.Make("key"), "master.key");
        await File.WriteAllTextAsync(key, Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)) + "\n");
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return new Dictionary<string, object>
        {
            ["store"] = "postgres",
            ["store_url"] = new Npgsql.NpgsqlConnectionStringBuilder(shop.Server.ConnectionString(store)) { Pooling = true }.ConnectionString,
            ["master_key"] = new Dictionary<string, object> { ["file"] = key },
        };
    }
}
