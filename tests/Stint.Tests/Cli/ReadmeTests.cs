using System.Text;
using Stint.Server;
using Xunit;

namespace Stint.Tests.Cli;

public sealed class ReadmeTests
{
    [Fact]
    public void CatalogOfTheReadme_WithRealHashes_LoadsWithoutAWord()
    {
        var text = File.ReadAllText(Path.Combine(RootFolder(), "README.md"));
        var start = text.IndexOf("```yaml\n", StringComparison.Ordinal) + 8;
        var yaml = text[start..text.IndexOf("```", start, StringComparison.Ordinal)];
        foreach (var digit in (char[])['a', 'b'])
        {
            var at = yaml.IndexOf("sha256:…", StringComparison.Ordinal);
            Assert.True(at > 0, "the README's catalog has two people with a token");
            yaml = yaml[..at] + "sha256:" + new string(digit, 64) + yaml[(at + "sha256:…".Length)..];
        }

        var folder = Directory.CreateTempSubdirectory("stint-readme-");
        try
        {
            File.WriteAllText(Path.Combine(folder.FullName, "all.yaml"), yaml, new UTF8Encoding(false));
            var load = StintServer.LoadCatalog(folder.FullName);
            Assert.Empty(load.Errors);
            Assert.NotNull(load.Catalog);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string RootFolder()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Stint.slnx")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests do not run inside the repository.");
        }

        return folder;
    }
}
