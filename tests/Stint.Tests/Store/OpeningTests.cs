using Stint.Server.Store;
using Xunit;

namespace Stint.Tests.Store;

/// <summary>Opening a store: migrations, second processes, servers that are away.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class OpeningTests
{
    public static TheoryData<string> Kinds => TestStore.Kinds;

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Open_Again_FindsEverything(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var grant = await test.ReadyAsync();
        if (kind == "sqlite")
        {
            await test.Store.DisposeAsync();
        }

        await using var again = await AgainAsync(test);
        Assert.Equal(grant, await again.ReadAsync(async reads => await reads.FindGrantAsync(grant.Id), CancellationToken.None));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Open_NewerSchema_IsRefusedWithWords(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        await test.AttackAsync("INSERT INTO schema_versions (number, name, hash) VALUES (999, '0999_future', 'x')");
        if (kind == "sqlite")
        {
            await test.Store.DisposeAsync();
        }

        var problem = await Assert.ThrowsAsync<StoreSetupException>(() => AgainAsync(test));
        Assert.Contains("newer than this program", problem.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Open_EditedMigration_IsRefusedWithWords(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        await test.AttackAsync("UPDATE schema_versions SET hash = 'another' WHERE number = 1");
        if (kind == "sqlite")
        {
            await test.Store.DisposeAsync();
        }

        var problem = await Assert.ThrowsAsync<StoreSetupException>(() => AgainAsync(test));
        Assert.Contains("another text", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Migrations_OfBothDialects_HaveTheSameSteps()
    {
        var (sqlite, postgres) = (Migrations.Embedded("sqlite"), Migrations.Embedded("postgres"));
        Assert.NotEmpty(sqlite);
        Assert.Equal(sqlite.Select(step => step.Name), postgres.Select(step => step.Name));
        Assert.Equal(sqlite.Select(step => step.Number).Distinct().Order(), sqlite.Select(step => step.Number));
    }

    [Fact]
    public async Task Sqlite_SecondProcess_IsRefused()
    {
        await using var test = await TestStore.OpenAsync("sqlite");
        var problem = await Assert.ThrowsAsync<StoreSetupException>(() => AgainAsync(test));
        Assert.Contains("Another process", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sqlite_File_IsForItsOwnerAlone()
    {
        await using var test = await TestStore.OpenAsync("sqlite");
        foreach (var path in Directory.GetFiles(Path.GetDirectoryName(test.Place)!).Where(path => !path.EndsWith(".lock", StringComparison.Ordinal)))
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        }
    }

    [Fact]
    public async Task Sqlite_DiskFull_SaysSoAndKeepsWhatWasAcknowledged()
    {
        await using var test = await TestStore.OpenAsync("sqlite", maxPages: 250);
        var kept = 0;
        StoreUnavailableException? problem = null;
        for (var i = 0; i < 2000 && problem is null; i++)
        {
            try
            {
                await test.WriteAsync(async work =>
                {
                    var request = await work.InsertAsync(test.Asking() with { Reason = new string('x', 500) });
                    work.Append(TestStore.Said(request));
                });
                kept++;
            }
            catch (StoreUnavailableException full)
            {
                problem = full;
            }
        }

        Assert.Contains("full", problem!.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => test.WriteAsync(async work => await work.InsertAsync(test.Asking() with { Reason = new string('x', 50_000) })));
        var (rows, size) = await test.ReadAsync(async reads => (await reads.Db.NumberAsync("SELECT COUNT(*) FROM requests"), (await reads.LogHeadAsync()).Size));
        Assert.Equal((kept, kept), (rows, size));
    }

    [Fact]
    public async Task Sqlite_NotADatabase_SaysSo()
    {
        var folder = Directory.CreateTempSubdirectory("stint-store-");
        try
        {
            var path = Path.Combine(folder.FullName, "stint.db");
            await File.WriteAllTextAsync(path, new string('x', 5000));
            await using var store = new SqliteStore(new SqliteOptions(path));
            await Assert.ThrowsAsync<StoreUnavailableException>(() => store.OpenAsync(CancellationToken.None));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Postgres_Away_SaysSo()
    {
        await using var store = new PostgresStore(new PostgresOptions("Host=127.0.0.1;Port=1;Username=x;Database=x"));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.OpenAsync(CancellationToken.None));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.WriteAsync(_ => Task.CompletedTask, CancellationToken.None));
        await Assert.ThrowsAsync<StoreUnavailableException>(() => store.ReadAsync(_ => Task.FromResult(0), CancellationToken.None));
        Assert.Throws<StoreSetupException>(() => new PostgresStore(new PostgresOptions("nonsense")));
    }

    private static async Task<StintStore> AgainAsync(TestStore test)
    {
        if (test.Store.Kind == "postgres")
        {
            return await TestStore.NodeAsync(test.Place);
        }

        var store = new SqliteStore(new SqliteOptions(test.Place) { Durable = false });
        try
        {
            await store.OpenAsync(CancellationToken.None);
            return store;
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }
}
