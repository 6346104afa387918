using Stint.Server.Identity;
using Stint.Server.Identity.Signals;

namespace Stint.Server.Hosting;

/// <summary>Reads whose word on sessions and accounts counts.</summary>
internal static class SignalsReader
{
    /// <summary><c>directory.signals.NAME.issuer</c>, <c>.audience</c>, <c>.subject_issuer</c>, <c>.jwks_url</c>, <c>.jwks_file</c>, <c>.ca</c> and <c>.loopback_http</c>; every problem is told.</summary>
    public static IReadOnlyList<Transmitter> Read(SettingReader read)
    {
        var transmitters = new List<Transmitter>();
        foreach (var name in read.NamesBelow("directory.signals"))
        {
            var key = $"directory.signals.{name}";
            if (!Core.Catalog.Words.IsName(name))
            {
                read.Blame(read.FirstBelow(key), $"`{key}` names a transmitter with other characters than letters, digits, hyphens and underscores, or with more than 63");
            }

            if (One(read, name, key) is { } transmitter)
            {
                if (transmitters.Find(other => other.Issuer.Url == transmitter.Issuer.Url) is { } same)
                {
                    // NB. With two of them, a token would be looked at with the keys or for the audience of either.
                    read.Blame(read.FirstBelow(key), $"`{key}` is the transmitter that `directory.signals.{same.Name}` is; keep one of them");
                }

                transmitters.Add(transmitter);
            }
        }

        return transmitters;
    }

    private static Transmitter? One(SettingReader read, string name, string key)
    {
        var plain = read.Flag($"{key}.loopback_http") ?? false;
        var url = read.Text($"{key}.issuer");
        var audience = read.Text($"{key}.audience");
        var subjects = read.Text($"{key}.subject_issuer");
        var (keysUrl, keysFile) = (read.Url($"{key}.jwks_url"), read.FilePath($"{key}.jwks_file"));
        var authority = read.FilePath($"{key}.ca");
        if (url is null && !read.IsGiven($"{key}.issuer"))
        {
            read.Blame(read.FirstBelow(key), $"`{key}.issuer` is missing; give what its tokens say as `iss`, such as https://idp.example.com");
        }
        else if (url is not null && keysUrl is null && keysFile is null && !IssuersReader.IsSafe(url, plain))
        {
            read.Blame($"{key}.issuer", $"`{key}.issuer` is where its keys are asked for, and must be an https address without a query; for one on this machine alone `{key}.loopback_http: true` allows http, and `{key}.jwks_file` or `{key}.jwks_url` names the keys elsewhere");
        }

        if (audience is null && !read.IsGiven($"{key}.audience"))
        {
            read.Blame(read.FirstBelow(key), $"`{key}.audience` is missing; give what its tokens are made for, as the stream at the transmitter has it");
        }

        if (keysUrl is not null && keysFile is not null)
        {
            read.Blame($"{key}.jwks_file", $"`{key}.jwks_url` and `{key}.jwks_file` both say where its keys are; keep one");
        }

        if (keysUrl is not null && !IssuersReader.IsSafe(keysUrl.ToString(), plain))
        {
            read.Blame($"{key}.jwks_url", $"`{key}.jwks_url` must be an https address, and whoever is in between could else sign as anybody; for one on this machine alone `{key}.loopback_http: true` allows http");
        }

        foreach (var (setting, file) in (ReadOnlySpan<(string, string?)>)[("jwks_file", keysFile), ("ca", authority)])
        {
            if (file is not null && !File.Exists(file))
            {
                read.Blame($"{key}.{setting}", $"`{key}.{setting}` names {file}, which is not there");
            }
        }

        return url is null || audience is null
            ? null
            : new Transmitter(
                new Issuer { Name = name, Preset = IssuerPreset.Oidc, Url = url, Audience = audience, KeysUrl = keysUrl, KeysFile = keysFile, Authority = authority, TellsOfEvents = true },
                subjects ?? url);
    }
}
