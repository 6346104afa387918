using System.Security.Cryptography;

namespace Stint.Server.Store.Sealing;

/// <summary>The keys that secrets at rest are sealed under: one line of base64 per key, 32 bytes each. The first seals, all of them open.</summary>
internal sealed class MasterKey
{
    private const UnixFileMode Others =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private MasterKey(IReadOnlyList<byte[]> keys) => Keys = keys;

    /// <summary>The current one first.</summary>
    internal IReadOnlyList<byte[]> Keys { get; }

    /// <summary>Reads the key file, or makes it with mode 0600.</summary>
    /// <param name="path">Where it is.</param>
    /// <param name="mayMake">False when the store holds sealed secrets already: a new key could not open them.</param>
    /// <returns>The key, and whether it was made now, so that the administrator can be told to keep a copy.</returns>
    /// <exception cref="StoreSetupException">It is missing, others may read it, or it is not a key.</exception>
    public static (MasterKey Key, bool Made) FromFile(string path, bool mayMake)
    {
        if (!File.Exists(path))
        {
            if (!mayMake)
            {
                throw new StoreSetupException(
                    $"The master key {path} is missing, and the store holds secrets that only it can open. Put the file back from where you keep its copy.");
            }

            Make(path);
            return (Read(path), true);
        }

        return (Read(path), false);
    }

    /// <summary>Reads the key from a variable of the environment.</summary>
    /// <exception cref="StoreSetupException">It is not set, or is not a key.</exception>
    public static MasterKey FromEnvironment(string name) =>
        Parse(Environment.GetEnvironmentVariable(name) ?? throw new StoreSetupException($"The variable {name}, which shall hold the master key, is not set."), $"The variable {name}");

    /// <summary>A key from random bytes, for tests and for the first start.</summary>
    public static MasterKey Random() => new([RandomNumberGenerator.GetBytes(32)]);

    /// <summary>Reads lines of base64.</summary>
    /// <param name="text">The lines; empty ones are passed over.</param>
    /// <param name="where">For the error's sentence.</param>
    /// <exception cref="StoreSetupException">A line is not a key, or there is none.</exception>
    public static MasterKey Parse(string text, string where)
    {
        var lines = text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var keys = new List<byte[]>();
        foreach (var line in lines)
        {
            var key = new byte[32];
            if (!Convert.TryFromBase64String(line, key, out var bytes) || bytes != key.Length)
            {
                throw new StoreSetupException($"{where} does not hold a master key: each line is the base64 of 32 bytes, as `openssl rand -base64 32` prints it.");
            }

            keys.Add(key);
        }

        return keys.Count > 0 ? new MasterKey(keys) : throw new StoreSetupException($"{where} holds no master key.");
    }

    private static void Make(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var file = new FileStream(path, options);
        using var text = new StreamWriter(file);
        text.WriteLine(Convert.ToBase64String(RandomNumberGenerator.GetBytes(32)));
        text.Flush();
        file.Flush(flushToDisk: true);
    }

    private static MasterKey Read(string path)
    {
        try
        {
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != 0)
            {
                throw new StoreSetupException($"Others than the server may read the master key {path}. Run: chmod 600 '{path}' — and make a new key if somebody may have read it.");
            }

            return Parse(File.ReadAllText(path), $"The file {path}");
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new StoreSetupException($"The master key {path} cannot be read: {problem.Message}", problem);
        }
    }
}
