using System.Text;
using Stint.Core.Catalog;
using Xunit;

namespace Stint.Tests.Catalog;

public class CatalogFilesTests
{
    private static CatalogLoad Load(params (string Name, string Text)[] files) =>
        CatalogLoader.Load(files.Select(file => KeyValuePair.Create(file.Name, Yaml.Bytes(file.Text))), Yaml.Kinds);

    [Fact]
    public void Load_SeveralFiles_AreOneCatalog()
    {
        var load = Load(("c.yaml", Yaml.Policies), ("a.yaml", Yaml.People), ("b.yaml", Yaml.Resources + "\nadmins: bob"), ("d.yaml", "admins: [carol]"));

        Assert.Empty(load.Errors);
        Assert.Equal(2, load.Catalog!.Admins.Count);
        Assert.Equal(["a.yaml", "b.yaml", "c.yaml", "d.yaml"], load.Catalog.Source.Files.Select(file => file.Name));
    }

    [Fact]
    public void Load_SameNameInTwoFiles_NamesBothPlaces()
    {
        var load = Load(("a.yaml", Yaml.Whole()), ("b.yaml", "people:\n  ann: {}"));

        var error = Assert.Single(load.Errors);
        Assert.Equal("b.yaml", error.File);
        Assert.Equal(2, error.Line);
        Assert.Contains("a.yaml:2:3", error.What, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_NoFiles_IsAnError() => Assert.Contains("no files", Assert.Single(Load().Errors).What, StringComparison.Ordinal);

    [Fact]
    public void Load_NotUtf8_NamesTheLine()
    {
        byte[] bytes = [.. Yaml.Bytes("people:\n  ann: { name: \""), 0xE4, .. Yaml.Bytes("\" }")];

        var load = CatalogLoader.Load([KeyValuePair.Create("a.yaml", bytes)], Yaml.Kinds);

        Assert.Null(load.Catalog);
        Assert.Equal(("a.yaml", 2), (load.Errors[0].File, load.Errors[0].Line));
        Assert.Contains("not UTF-8", load.Errors[0].What, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_ByteOrderMarkAndWindowsLines_AreTheSameVersion()
    {
        var text = Yaml.Whole();
        byte[] windows = [.. "\uFEFF"u8, .. Yaml.Bytes(text.Replace("\n", "\r\n", StringComparison.Ordinal))];

        var one = CatalogLoader.Load([KeyValuePair.Create("a.yaml", Yaml.Bytes(text))], Yaml.Kinds).Catalog!;
        var other = CatalogLoader.Load([KeyValuePair.Create("a.yaml", windows)], Yaml.Kinds).Catalog!;

        Assert.Equal(one.Version, other.Version);
    }

    [Fact]
    public void Version_AnyChange_IsAnother()
    {
        static string Of(params (string Name, string Text)[] files) => CatalogFiles.Version(new CatalogSource([.. files.Select(file => new CatalogFile(file.Name, file.Text))]));

        string[] versions = [Of(("a", "bc")), Of(("ab", "c")), Of(("a", "bd")), Of(("a", "b"), ("c", "")), Of(("a", "bc"), ("", "")), Of()];

        Assert.Equal(versions.Length, versions.Distinct().Count());
        Assert.Equal(Of(("a", "1"), ("b", "2")), Of(("b", "2"), ("a", "1")));
    }

    [Fact]
    public void Load_Tab_IsNamed()
    {
        var load = Load(("a.yaml", "people:\n\tann: {}\n"));

        var error = Assert.Single(load.Errors);
        Assert.Contains("line 2 is indented with a tab", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Load_AliasBomb_IsRefusedQuickly()
    {
        var text = new StringBuilder("x0: &x0 [a, a, a, a, a, a, a, a, a, a]\n");
        for (var i = 1; i < 12; i++)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"x{i}: &x{i} [{string.Join(", ", Enumerable.Repeat($"*x{i - 1}", 10))}]\n");
        }

        Assert.Contains("aliases counted each time", Assert.Single(Load(("a.yaml", text.ToString())).Errors).What, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_Alias_StandsForItsValue()
    {
        var catalog = Yaml.Good(Yaml.Whole(policies: """
            policies:
              a: { who: &all [group:developers, bob], roles: ['*/read-only'], approve: { auto: true } }
              b: { who: *all, roles: ['*/owner'], approve: { auto: true } }
            """));

        Assert.Equal(3, catalog.Policies[0].Who.Count);
        Assert.True(catalog.Policies[0].Who.SetEquals(catalog.Policies[1].Who));
    }

    [Theory]
    [InlineData("a: *nowhere-secret")]
    [InlineData("a: &a [*a]")]
    [InlineData("a: !secret-tag x")]
    [InlineData("a: @secret")]
    [InlineData("a: 'secret")]
    [InlineData("a: {secret")]
    [InlineData("a: b\nsecret\n")]
    [InlineData("a: {}\n---\nb: {}")]
    [InlineData("[a]")]
    [InlineData("text")]
    [InlineData("? [a]\n: b")]
    [InlineData("<<: {}")]
    [InlineData("%SECRET x\n---\na: b")]
    [InlineData("a: \"\\q\"")]
    public void Load_BrokenYaml_IsAnErrorThatQuotesNothing(string text)
    {
        var load = Load(("a.yaml", text));

        Assert.Null(load.Catalog);
        Assert.NotEmpty(load.Errors);
        Assert.DoesNotContain(load.Errors, error => error.ToString().Contains("secret", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public void Load_Deep_IsRefused() =>
        Assert.Contains("nested deeper", Load(("a.yaml", "a: " + new string('[', 5_000))).Errors[0].What, StringComparison.Ordinal);

    [Fact]
    public void Load_TooLarge_IsRefused() =>
        Assert.Contains("larger than", Load(("a.yaml", new string('#', 4 * 1024 * 1024 + 1))).Errors[0].What, StringComparison.Ordinal);

    [Fact]
    public void Load_ManyProblems_AreBounded()
    {
        var text = string.Join('\n', Enumerable.Range(0, 2_000).Select(i => $"key{i}: x"));

        Assert.Equal(501, Load(("a.yaml", text)).Errors.Count);
    }

    [Fact]
    public void Load_CutAnywhere_NeverThrows()
    {
        var text = Yaml.Whole();
        for (var length = 0; length < text.Length; length += 3)
        {
            _ = Yaml.Load(text[..length]);
        }
    }
}
