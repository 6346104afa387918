using System.Text.Json.Nodes;
using Stint.Cli;
using Xunit;

namespace Stint.Tests.Cli;

public sealed class CatalogFoldersTests : IDisposable
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    private readonly string _folder = Directory.CreateTempSubdirectory("stint-folders-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static JsonObject Export(string name) => new() { ["files"] = new JsonArray(new JsonObject { ["name"] = name, ["text"] = "people: {}\n" }) };

    [Fact]
    public async Task Write_FilesOfAVersion_StandBelowTheFolder()
    {
        var target = Path.Combine(_folder, "out");
        Assert.Equal(1, await CatalogFolders.WriteAsync(target, Export("teams/all.yaml"), CancellationToken.None));
        Assert.Equal("people: {}\n", await File.ReadAllTextAsync(Path.Combine(target, "teams", "all.yaml")));
        Assert.Equal(ExitCode.Usage, (await Assert.ThrowsAsync<CommandFailed>(() => CatalogFolders.WriteAsync(target, Export("all.yaml"), CancellationToken.None))).Code);
    }

    [Theory]
    [InlineData("../outside.yaml")]
    [InlineData("a/../../outside.yaml")]
    [InlineData("/tmp/outside.yaml")]
    public async Task Write_ANameThatLeadsOut_IsRefused(string name)
    {
        await Assert.ThrowsAsync<CommandFailed>(() => CatalogFolders.WriteAsync(Path.Combine(_folder, "out"), Export(name), CancellationToken.None));
        Assert.False(File.Exists(Path.Combine(_folder, "outside.yaml")));
    }

    [Fact]
    public async Task SavedPlan_ReadBack_IsTheBodyOfApplyingItAndForItsUserAlone()
    {
        var path = Path.Combine(_folder, "plan.json");
        var body = new JsonObject { ["files"] = Export("all.yaml")["files"]!.DeepClone(), ["commit"] = "c" };
        await CatalogFolders.SaveAsync(path, body, new JsonObject { ["base"] = "b", ["version"] = "v", ["losers"] = 2 }, CancellationToken.None);
        var read = await CatalogFolders.ReadPlanAsync(path, CancellationToken.None);
        Assert.Equal(["base", "commit", "files"], read.Select(member => member.Key).Order(StringComparer.Ordinal));
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        }
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("not json")]
    [InlineData("{ \"format\": 3 }")]
    public async Task ReadPlan_SomethingElse_SaysHowToMakeOne(string text)
    {
        var path = Path.Combine(_folder, "plan.json");
        await File.WriteAllTextAsync(path, text);
        Assert.Contains("stint catalog plan", (await Assert.ThrowsAsync<CommandFailed>(() => CatalogFolders.ReadPlanAsync(path, CancellationToken.None))).Hint);
    }

    [Theory]
    [InlineData("2d", "2026-11-20T12:00:00Z")]
    [InlineData("2026-03-01T10:00:00Z", "2026-03-01T10:00:00Z")]
    [InlineData("2026-03-01 10:00 +01:00", "2026-03-01T09:00:00Z")]
    public void Moment_AsAPersonWritesIt_IsRead(string text, string expected) =>
        Assert.Equal(DateTimeOffset.Parse(expected, System.Globalization.CultureInfo.InvariantCulture), ExplainVerbs.Moment(text, Now)!.Value);

    [Theory]
    [InlineData("yesterday")]
    [InlineData("")]
    [InlineData("5x")]
    public void Moment_SomethingElse_IsRefused(string text) => Assert.Throws<CommandFailed>(() => ExplainVerbs.Moment(text, Now));
}
