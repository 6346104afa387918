using System.Security.Cryptography;
using System.Text;
using Stint.Server.Identity;

namespace Stint.Server.Hosting;

/// <summary>Reads which other programs may ask who holds what now.</summary>
internal static class AuthzenReader
{
    private const int LeastToken = 32;

    /// <summary><c>authzen.NAME.token_file</c> or <c>.token_env</c>, <c>.resources</c>, <c>.resource_types</c> and <c>.requests_per_minute</c>; every problem is told.</summary>
    public static IReadOnlyList<Application> Read(SettingReader read, IReadOnlyDictionary<string, string> environment)
    {
        var applications = new List<Application>();
        foreach (var name in read.NamesBelow("authzen"))
        {
            var key = $"authzen.{name}";
            SecretReader.CheckName(read, key, name, "an application");
            var token = SecretReader.Read(read, key, "token", LeastToken, "with `stint token`", environment);
            var place = read.IsGiven($"{key}.token_env") ? $"{key}.token_env" : $"{key}.token_file";
            if (token is not null && (token.Length > Applications.LongestToken || token.Any(letter => letter is < '!' or > '~')))
            {
                read.Blame(place, $"`{place}` holds what no header can carry; take {LeastToken} to {Applications.LongestToken} visible ASCII characters, as `stint token` makes them");
                token = null;
            }

            var resources = read.Texts($"{key}.resources");
            if (resources is { Count: 0 } || (resources is null && !read.IsGiven($"{key}.resources")))
            {
                read.Blame(read.IsGiven($"{key}.resources") ? $"{key}.resources" : read.FirstBelow(key), $"`{key}.resources` names none; say which resources it may ask about, such as [\"orders-*\"], or [\"*\"] for all");
            }

            var types = read.Texts($"{key}.resource_types") ?? [];
            var often = (int)(read.Number($"{key}.requests_per_minute", 1, 100_000_000) ?? 6_000);
            if (token is null || resources is null)
            {
                continue;
            }

            var application = new Application
            {
                Name = name,
                TokenHash = SHA256.HashData(Encoding.UTF8.GetBytes(token)),
                Resources = resources,
                ResourceTypes = types,
                RequestsPerMinute = often,
            };
            if (applications.Find(other => CryptographicOperations.FixedTimeEquals(other.TokenHash, application.TokenHash)) is { } same)
            {
                read.Blame(place, $"`{key}` has the token of `authzen.{same.Name}`; each application has one of its own");
            }

            applications.Add(application);
        }

        return applications;
    }
}
