using System.Security.Cryptography;
using Stint.Core.Audit;
using Stint.Server.Audit;
using Stint.Server.Store;
using Stint.Server.Store.Sealing;

namespace Stint.Server.Hosting;

/// <summary>The keys of an installation: the master key outside the store, the log's signing key sealed inside it.</summary>
internal static class InstallationKeys
{
    private const string Setting = "log-signing-key";

    private const string Purpose = "setting:" + Setting;

    /// <summary>Loads the master key, or makes it on the first start and says so.</summary>
    /// <exception cref="StoreSetupException">It is missing, readable by others, or not a key.</exception>
    public static async Task<MasterKey> MasterAsync(ServerOptions options, ServeArguments arguments, StintStore store, TextWriter output, CancellationToken cancellation)
    {
        if (options.MasterKey.Env is { } name)
        {
            return MasterKey.Parse(StintServer.Variables(arguments).GetValueOrDefault(name, ""), $"The variable {name}");
        }

        var fresh = await store.ReadAsync(async reads => await reads.FindSettingAsync(Setting), cancellation) is null;
        var (key, made) = MasterKey.FromFile(options.MasterKey.File!, mayMake: fresh);
        if (made)
        {
            await output.WriteLineAsync($"A master key was made: {options.MasterKey.File}. Keep a copy of it apart from the backups: without it their secrets stay sealed.");
        }

        return key;
    }

    /// <summary>Opens the key that signs the log's heads, or makes it on the first start. Two nodes that start at once agree on one.</summary>
    /// <exception cref="StoreSetupException">It does not open under this master key.</exception>
    public static async Task<CheckpointSigner> SignerAsync(StintStore store, Sealer sealer, string installation, TimeProvider clock, CancellationToken cancellation)
    {
        using var made = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var sealedNew = sealer.Seal(made.ExportPkcs8PrivateKey(), Purpose);
        var kept = await store.WriteAsync(
            async work =>
            {
                var stands = await work.KeepSettingAsync(Setting, sealedNew);
                if (stands == sealedNew)
                {
                    work.Append(Facts.KeyCreated(Open(stands, sealer, installation).Key, clock.Now()));
                }

                return stands;
            },
            cancellation);
        return Open(kept, sealer, installation);
    }

    /// <summary>The key of a store that exists; null when it has none. Changes nothing.</summary>
    /// <exception cref="StoreSetupException">It does not open under this master key.</exception>
    public static async Task<CheckpointSigner?> FindSignerAsync(StintStore store, Sealer sealer, CancellationToken cancellation)
    {
        var (kept, installation) = await store.ReadAsync(async reads => (await reads.FindSettingAsync(Setting), await reads.FindSettingAsync("installation")), cancellation);
        return kept is null || installation is null ? null : Open(kept, sealer, installation);
    }

    private static CheckpointSigner Open(string kept, Sealer sealer, string installation)
    {
        try
        {
            var key = ECDsa.Create();
            key.ImportPkcs8PrivateKey(sealer.OpenBytes(kept, Purpose), out _);
            return CheckpointSigner.Of($"stint/{installation}", key);
        }
        catch (SealException e)
        {
            throw new StoreSetupException($"The log's signing key does not open: {e.Message} Give the server the master key that this store was made with.", e);
        }
    }
}
