using System.Security.Cryptography;
using System.Text;
using Stint.Core.Catalog;
using Xunit;

namespace Stint.Tests.Catalog;

public class CatalogSecretsTests
{
    private const string Canary = "hunter2canary";

    [Theory]
    [InlineData("password: hunter2canary")]
    [InlineData("password: [hunter2canary]")]
    [InlineData("password: { plain: hunter2canary }")]
    [InlineData("password: { env: [hunter2canary] }")]
    [InlineData("password: { env: 'hunter2canary!' }")]
    [InlineData("password: { env: A, file: hunter2canary }")]
    [InlineData("password: *hunter2canary")]
    [InlineData("password: !hunter2canary x")]
    [InlineData("password: { env: A }, port: hunter2canary")]
    [InlineData("password: { env: A }, tls: hunter2canary")]
    [InlineData("password: { env: A }, verbose: hunter2canary")]
    [InlineData("password: { env: A }, timeout: hunter2canary")]
    public void Load_SecretWhereNoneBelongs_IsAnErrorThatNeverRepeatsIt(string settings)
    {
        var load = Yaml.Load(Yaml.Whole(resources: Yaml.Resources.Replace("host: db", "host: db, " + settings, StringComparison.Ordinal)));

        Assert.Null(load.Catalog);
        Assert.NotEmpty(load.Errors);
        Assert.DoesNotContain(load.Errors.Concat(load.Warnings), problem => problem.ToString().Contains(Canary, StringComparison.Ordinal));
    }

    [Fact]
    public void Load_PlainPassword_SaysThatItMustBeChanged()
    {
        var error = Yaml.Bad(Yaml.Whole(resources: Yaml.Resources.Replace("host: db", "host: db, password: x", StringComparison.Ordinal)));

        Assert.Contains("secrets never stand in the catalog", error.What, StringComparison.Ordinal);
        Assert.Contains("change it", error.WayOut, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{ env: DB_PASSWORD }", SecretSource.Env, "DB_PASSWORD")]
    [InlineData("{ file: /etc/stint/db }", SecretSource.File, "/etc/stint/db")]
    [InlineData("{ sealed: AbC= }", SecretSource.Sealed, "AbC=")]
    public void Load_SecretNamed_IsAReference(string text, SecretSource source, string name)
    {
        var catalog = Yaml.Good(Yaml.Whole(resources: Yaml.Resources.Replace("host: db", "host: db, password: " + text, StringComparison.Ordinal)));

        Assert.Equal(new SecretRef(source, name), catalog.Resources["orders-db"].Settings.Find<SecretRef>("password"));
    }

    [Fact]
    public void Load_Tokens_AreTheirBytes()
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes("stp_a"));
        var other = SHA256.HashData(Encoding.UTF8.GetBytes("stp_b"));
        var people = Yaml.People
            .Replace("carol: {}", $"carol: {{ token: 'sha256:{Convert.ToHexString(hash)}' }}", StringComparison.Ordinal)
            .Replace("eve: {}", $"eve: {{ tokens: ['sha256:{Convert.ToHexStringLower(other)}'] }}", StringComparison.Ordinal);

        var catalog = Yaml.Good(Yaml.Whole(people: people));

        Assert.Equal(hash, Assert.Single(catalog.People["carol"].TokenHashes));
        Assert.Equal(other, Assert.Single(catalog.People["eve"].TokenHashes));
    }

    [Fact]
    public void Load_TokenMistakes_NeverRepeatIt()
    {
        var hash = new string('c', 64);
        foreach (var people in new[]
                 {
                     $"people: {{ ann: {{ token: 'stp_{hash}' }} }}",
                     $"people: {{ ann: {{ token: '{hash}' }} }}",
                     $"people: {{ ann: {{ token: 'sha256:{hash}c' }} }}",
                     $"people: {{ ann: {{ token: 'sha256:{hash}' }}, bob: {{ token: 'sha256:{hash}' }} }}",
                     $"people: {{ ann: {{ token: 'sha256:{hash}', tokens: [] }} }}",
                     $"people: {{ ann: {{ token: {{ '{hash}': x }} }} }}",
                 })
        {
            var load = Yaml.Load(people);
            Assert.NotEmpty(load.Errors);
            Assert.DoesNotContain(load.Errors, error => error.ToString().Contains(hash, StringComparison.OrdinalIgnoreCase));
        }
    }
}
