using Stint.Server.Store;
using Stint.Server.Store.Sealing;
using Xunit;

namespace Stint.Tests.Store;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class SealerTests
{
    [Fact]
    public void Seal_OpenedForTheSamePurpose_GivesTheSecretAndNeverShowsIt()
    {
        var sealer = new Sealer(MasterKey.Random());
        var text = sealer.Seal("hunter2", "assignment:as-1");
        Assert.True(Sealer.IsSealed(text));
        Assert.DoesNotContain("hunter2", text, StringComparison.Ordinal);
        Assert.Equal("hunter2", sealer.Open(text, "assignment:as-1"));
        Assert.NotEqual(text, sealer.Seal("hunter2", "assignment:as-1"));
        Assert.Equal("", sealer.Open(sealer.Seal("", "p"), "p"));
    }

    [Fact]
    public void Open_AnotherPurposeKeyOrAnyChangedCharacter_IsRefused()
    {
        var sealer = new Sealer(MasterKey.Random());
        var text = sealer.Seal("hunter2", "assignment:as-1");
        Assert.Throws<SealException>(() => sealer.Open(text, "assignment:as-2"));
        Assert.Throws<SealException>(() => new Sealer(MasterKey.Random()).Open(text, "assignment:as-1"));
        for (var i = 0; i < text.Length; i++)
        {
            var changed = text[..i] + (text[i] == 'A' ? 'B' : 'A') + text[(i + 1)..];
            var problem = Assert.Throws<SealException>(() => sealer.Open(changed, "assignment:as-1"));
            Assert.DoesNotContain("hunter2", problem.ToString(), StringComparison.Ordinal);
        }

        for (var length = 0; length < text.Length; length++)
        {
            Assert.Throws<SealException>(() => sealer.Open(text[..length], "assignment:as-1"));
        }
    }

    [Fact]
    public void Keys_Rotated_OldTextsOpenAndAreNamedOld()
    {
        var (old, fresh) = (Convert.ToBase64String(new byte[32]), Convert.ToBase64String([.. Enumerable.Repeat((byte)7, 32)]));
        var text = new Sealer(MasterKey.Parse(old, "x")).Seal("s", "p");
        var rotated = new Sealer(MasterKey.Parse(fresh + "\n\n" + old + "\n", "x"));
        Assert.Equal("s", rotated.Open(text, "p"));
        Assert.True(rotated.IsOld(text));
        Assert.False(rotated.IsOld(rotated.Seal("s", "p")));
    }

    [Fact]
    public void KeyFile_MadeOnFirstStart_IsForItsOwnerAlone()
    {
        var folder = Directory.CreateTempSubdirectory("stint-key-");
        try
        {
            var path = Path.Combine(folder.FullName, "sub", "master.key");
            Assert.Throws<StoreSetupException>(() => MasterKey.FromFile(path, mayMake: false));
            var (key, made) = MasterKey.FromFile(path, mayMake: true);
            Assert.True(made);
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
            var (again, madeAgain) = MasterKey.FromFile(path, mayMake: true);
            Assert.False(madeAgain);
            Assert.Equal("s", new Sealer(again).Open(new Sealer(key).Seal("s", "p"), "p"));
            foreach (var mode in new[] { UnixFileMode.GroupRead, UnixFileMode.OtherRead, UnixFileMode.GroupWrite })
            {
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | mode);
                var problem = Assert.Throws<StoreSetupException>(() => MasterKey.FromFile(path, mayMake: true));
                Assert.Contains("chmod 600", problem.Message, StringComparison.Ordinal);
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("not base64!")]
    [InlineData("AAAA")]
    public void Key_OfTheWrongForm_IsRefusedWithoutShowingIt(string text)
    {
        var problem = Assert.Throws<StoreSetupException>(() => MasterKey.Parse(text, "The file x"));
        Assert.StartsWith("The file x", problem.Message, StringComparison.Ordinal);
        Assert.True(text.Length == 0 || !problem.Message.Contains(text, StringComparison.Ordinal));
    }
}
