using Stint.Core.Catalog;
using Stint.Core.Grants;
using Stint.Server.Store.Sealing;

namespace Stint.Server.Hosting;

/// <summary>Resolves the secrets that a catalog names, each time anew: a changed file or variable counts at the next use.</summary>
internal sealed class CatalogSecrets(Sealer sealer, IReadOnlyDictionary<string, string> variables) : ISecrets
{
    /// <summary>What texts of a catalog are sealed for.</summary>
    public const string Purpose = "catalog";

    /// <summary>Longest secret of a file, in bytes.</summary>
    private const int Longest = 64 << 10;

    public string Reveal(SecretRef reference) => reference.Source switch
    {
        SecretSource.Env => variables.GetValueOrDefault(reference.Name) is { Length: > 0 } value
            ? value
            : throw new SecretUnavailableException($"The variable {reference.Name}, which shall hold a secret of the catalog, is not set. Set it for the server and start it again."),
        SecretSource.File => OfFile(reference.Name),
        SecretSource.Sealed => OfSealed(reference.Name),
        _ => throw new InvalidOperationException($"{reference.Source} is not a place for secrets."),
    };

    private static string OfFile(string path)
    {
        try
        {
            if (DataFolder.ReadableByOthers(path))
            {
                throw new SecretUnavailableException($"Every user of this machine may read the secret {path}. Run: chmod 600 '{path}' — and change the secret.");
            }

            if (new FileInfo(path).Length > Longest)
            {
                throw new SecretUnavailableException($"The file {path} is too large for a secret.");
            }

            // Editors end files with a new line that is not part of the secret.
            var text = File.ReadAllText(path).TrimEnd('\n', '\r');
            return text.Length > 0 ? text : throw new SecretUnavailableException($"The file {path}, which shall hold a secret of the catalog, is empty.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SecretUnavailableException($"The file {path}, which shall hold a secret of the catalog, cannot be read ({e.Message}).", e);
        }
    }

    private string OfSealed(string text)
    {
        try
        {
            return sealer.Open(text, Purpose);
        }
        catch (SealException e)
        {
            throw new SecretUnavailableException("A sealed secret of the catalog does not open: " + e.Message + " Seal it again with `stint seal`.", e);
        }
    }
}
