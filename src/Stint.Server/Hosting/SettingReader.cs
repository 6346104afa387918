using System.Globalization;
using System.Net;

namespace Stint.Server.Hosting;

/// <summary>Turns given settings into values, and remembers which keys were asked for: what nobody asked for is unknown.</summary>
internal sealed class SettingReader(GivenSettings given, List<OptionProblem> problems)
{
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    /// <summary>Adds a problem at the place where the key was written.</summary>
    public void Blame(string key, string sentence) =>
        problems.Add(new OptionProblem(given.All.TryGetValue(key, out var setting) ? setting.Place : "configuration", sentence));

    public bool IsGiven(string key) => given.All.TryGetValue(key, out var setting) && setting.Value is not null;

    /// <summary>The names that stand below a key, each once, in their order: <c>webhooks.shop.preset</c> is below <c>webhooks</c> by <c>shop</c>.</summary>
    public IReadOnlyList<string> NamesBelow(string key) =>
    [
        .. given.All.Keys.Where(given => given.StartsWith(key + ".", StringComparison.Ordinal))
            .Select(given => given[(key.Length + 1)..].Split('.')[0])
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal),
    ];

    /// <summary>The first setting that was given below a key, to blame for what is missing beside it.</summary>
    public string FirstBelow(string key) => given.All.Keys.Where(given => given.StartsWith(key + ".", StringComparison.Ordinal)).Order(StringComparer.Ordinal).First();

    public string? Text(string key)
    {
        if (Take(key) is not { } setting)
        {
            return null;
        }

        if (setting.Value is not string text)
        {
            return Wrong<string>(setting, "must be a text in quotes");
        }

        return string.IsNullOrWhiteSpace(text) ? Wrong<string>(setting, "is empty; give a value or leave it out") : text;
    }

    /// <summary>A path; a relative one is relative to the file that says it, or to the current folder for a variable or flag.</summary>
    public string? FilePath(string key)
    {
        if (Text(key) is not { } text)
        {
            return null;
        }

        if (text.Contains('\0', StringComparison.Ordinal))
        {
            return Wrong<string>(given.All[key], "is not a path");
        }

        return Path.GetFullPath(text, given.All[key].Folder);
    }

    public T? OneOf<T>(string key, params (string Name, T Value)[] choices)
        where T : struct
    {
        if (Text(key) is not { } text)
        {
            return null;
        }

        foreach (var (name, value) in choices)
        {
            if (name == text)
            {
                return value;
            }
        }

        return Wrong<T>(given.All[key], $"is `{text}`; say one of {string.Join(", ", choices.Select(choice => choice.Name))}");
    }

    public bool? Flag(string key)
    {
        if (Take(key) is not { } setting)
        {
            return null;
        }

        return setting switch
        {
            { Value: bool flag } => flag,
            { Typed: false, Value: "true" } => true,
            { Typed: false, Value: "false" } => false,
            _ => WrongValue<bool>(setting, "must be true or false"),
        };
    }

    public long? Number(string key, long least, long most)
    {
        if (Take(key) is not { } setting)
        {
            return null;
        }

        var digits = setting.Value is JsonNumber number ? number.Digits : setting.Typed ? null : setting.Value as string;
        return digits is not null && long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most
            ? value
            : WrongValue<long>(setting, $"must be a whole number from {least} to {most}");
    }

    /// <summary>A number and a unit: <c>30s</c>, <c>15m</c>, <c>8h</c>, <c>2d</c>.</summary>
    public TimeSpan? Duration(string key, TimeSpan least, TimeSpan most)
    {
        if (Text(key) is not { } text)
        {
            return null;
        }

        var unit = text[^1] switch
        {
            's' => TimeSpan.FromSeconds(1),
            'm' => TimeSpan.FromMinutes(1),
            'h' => TimeSpan.FromHours(1),
            'd' => TimeSpan.FromDays(1),
            _ => TimeSpan.Zero,
        };
        if (unit == TimeSpan.Zero || !int.TryParse(text[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            || unit * count < least || unit * count > most)
        {
            return WrongValue<TimeSpan>(given.All[key], $"is `{text}`; give a number and a unit (30s, 15m, 8h, 2d) from {Say(least)} to {Say(most)}");
        }

        return unit * count;
    }

    /// <summary><c>ADDRESS:PORT</c>; <c>[::1]:PORT</c> for IPv6, <c>*:PORT</c> for every address, <c>localhost:PORT</c> for 127.0.0.1.</summary>
    public IPEndPoint? Listen(string key)
    {
        if (Text(key) is not { } text)
        {
            return null;
        }

        var spelled = text.StartsWith("localhost:", StringComparison.Ordinal) ? "127.0.0.1" + text["localhost".Length..]
            : text.StartsWith("*:", StringComparison.Ordinal) ? "0.0.0.0" + text[1..]
            : text;
        var colon = spelled.LastIndexOf(':');
        var bare = colon >= 0 && spelled.AsSpan(0, colon).Contains(':') && !spelled.StartsWith('[');
        if (colon <= 0 || bare || !IPEndPoint.TryParse(spelled, out var end)
            || !ushort.TryParse(spelled[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out _))
        {
            return Wrong<IPEndPoint>(given.All[key], $"is `{text}`; give an address and a port, such as 127.0.0.1:8420 or [::1]:8420");
        }

        return end;
    }

    public Uri? Url(string key)
    {
        if (Text(key) is not { } text)
        {
            return null;
        }

        return Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.UserInfo.Length == 0
            ? url
            : Wrong<Uri>(given.All[key], "must be an http:// or https:// address without a user in it");
    }

    /// <summary>A JSON list, or a text with commas.</summary>
    public IReadOnlyList<string>? Texts(string key)
    {
        if (Take(key) is not { } setting)
        {
            return null;
        }

        var items = setting.Value switch
        {
            List<string> list => list,
            string text => [.. text.Split(',', StringSplitOptions.TrimEntries)],
            _ => null,
        };
        if (items is null || items.Any(string.IsNullOrWhiteSpace))
        {
            return Wrong<List<string>>(setting, "must be a list of texts, none of them empty");
        }

        return items;
    }

    public IReadOnlyList<IPNetwork> Networks(string key)
    {
        var networks = new List<IPNetwork>();
        foreach (var text in Texts(key) ?? [])
        {
            if (IPNetwork.TryParse(text, out var network))
            {
                networks.Add(network);
            }
            else if (IPAddress.TryParse(text, out var single))
            {
                networks.Add(new IPNetwork(single, single.GetAddressBytes().Length * 8));
            }
            else
            {
                Wrong<string>(given.All[key], $"holds `{text}`; name networks such as 10.0.0.0/8 whose host bits are zero, or single addresses");
            }
        }

        return networks;
    }

    /// <summary>Every key that was given and that nothing asked for.</summary>
    /// <param name="excepted">Variables that are not settings.</param>
    public void BlameUnknown(params string?[] excepted)
    {
        foreach (var setting in given.All.Values.Where(setting => !_known.Contains(setting.Key) && !excepted.Contains(setting.Place)))
        {
            var near = _known.Select(known => (Known: known, Distance: Distance(known, setting.Key))).MinBy(pair => pair.Distance);
            problems.Add(new OptionProblem(
                setting.Place,
                near.Distance <= 3
                    ? $"`{setting.Key}` is not a setting; did you mean `{near.Known}`?"
                    : $"`{setting.Key}` is not a setting; take it out, or see docs/guide/configure.md for those there are"));
        }
    }

    private static string Say(TimeSpan span) =>
        span.TotalDays >= 1 && span.Hours == 0 ? $"{(int)span.TotalDays}d"
        : span.TotalHours >= 1 && span.Minutes == 0 ? $"{(int)span.TotalHours}h"
        : span.TotalMinutes >= 1 && span.Seconds == 0 ? $"{(int)span.TotalMinutes}m"
        : $"{(int)span.TotalSeconds}s";

    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var next = Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                diagonal = row[j];
                row[j] = next;
            }
        }

        return row[b.Length];
    }

    private GivenSetting? Take(string key)
    {
        _known.Add(key);
        if (!given.All.TryGetValue(key, out var setting))
        {
            return null;
        }

        // NB. Somebody who wrote null meant something; only they know what. `otlp` alone is documented to take it.
        if (setting.Value is null && key != "otlp")
        {
            problems.Add(new OptionProblem(setting.Place, $"`{key}` is null; give a value or leave it out"));
        }

        return setting.Value is null ? null : setting;
    }

    private T? Wrong<T>(GivenSetting setting, string sentence)
    {
        problems.Add(new OptionProblem(setting.Place, $"`{setting.Key}` {sentence}"));
        return default;
    }

    private T? WrongValue<T>(GivenSetting setting, string sentence)
        where T : struct
    {
        problems.Add(new OptionProblem(setting.Place, $"`{setting.Key}` {sentence}"));
        return null;
    }
}
