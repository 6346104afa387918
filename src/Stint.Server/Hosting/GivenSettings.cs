using System.Text;
using System.Text.Json;

namespace Stint.Server.Hosting;

/// <summary>One thing that is wrong with the configuration: where it stands, what it is, and the way out.</summary>
internal sealed record OptionProblem(string Place, string Sentence)
{
    public override string ToString() => $"{Place}: {Sentence}";
}

/// <summary>One setting as somebody wrote it.</summary>
/// <param name="Key">Dotted, as the file nests it: <c>web.listen</c>.</param>
/// <param name="Value">A string, a <see cref="JsonNumber"/>, a bool, a list of strings, or null for JSON's null.</param>
/// <param name="Place">File and line, variable, or flag.</param>
/// <param name="Typed">Whether the value has a type of its own (file), or is only text (variable, flag).</param>
/// <param name="Folder">What a relative path in it is relative to.</param>
internal sealed record GivenSetting(string Key, object? Value, string Place, bool Typed, string Folder);

/// <summary>A number of the file, in its own digits.</summary>
internal sealed record JsonNumber(string Digits);

/// <summary>Everything that was given, the strongest source of each key kept: flags, then variables, then the file.</summary>
internal sealed class GivenSettings
{
    private const string Prefix = "STINT_";

    /// <summary>Variables with our prefix that are not settings of the server: they belong to the command line.</summary>
    private static readonly string[] NotSettings = ["STINT_CONFIG", "STINT_SERVER", "STINT_CA", "STINT_TOKEN", "STINT_ID_TOKEN", "STINT_AUDIENCE", "STINT_WORKLOAD"];

    private readonly Dictionary<string, GivenSetting> _given = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, GivenSetting> All => _given;

    /// <summary>Reads the three sources; what cannot be read at all is added to <paramref name="problems"/>.</summary>
    public static GivenSettings Collect(ServeArguments arguments, IReadOnlyDictionary<string, string> environment, List<OptionProblem> problems)
    {
        var settings = new GivenSettings();
        var here = Directory.GetCurrentDirectory();
        var file = arguments.Config ?? environment.GetValueOrDefault("STINT_CONFIG");
        if (file is not null)
        {
            settings.AddFile(file, problems);
        }

        foreach (var (name, value) in environment.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            if (name.StartsWith(Prefix, StringComparison.Ordinal) && !name.StartsWith("STINT_TEST_", StringComparison.Ordinal) && !NotSettings.Contains(name))
            {
                var key = name[Prefix.Length..].ToLowerInvariant().Replace("__", ".", StringComparison.Ordinal);
                settings._given[key] = new GivenSetting(key, value, name, Typed: false, here);
            }
        }

        settings.AddFlag("data", "--data", arguments.Data, here);
        settings.AddFlag("catalog", "--catalog", arguments.Catalog, here);
        settings.AddFlag("web.listen", "--listen", arguments.Listen, here);
        settings.AddFlag("gateway.postgres_listen", "--gateway-listen", arguments.GatewayListen, here);
        settings.AddFlag("store", "--store", arguments.Store, here);
        settings.AddFlag("store_url", "--store-url", arguments.StoreUrl, here);
        settings.AddFlag("roles", "--roles", arguments.Roles, here);
        return settings;
    }

    private void AddFlag(string key, string flag, string? value, string here)
    {
        if (value is not null)
        {
            _given[key] = new GivenSetting(key, value, flag, Typed: false, here);
        }
    }

    private void AddFile(string path, List<OptionProblem> problems)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            problems.Add(new OptionProblem(path, $"cannot be read ({e.Message}); name a file that this user may read"));
            return;
        }

        var span = bytes.AsSpan();
        if (span.StartsWith(Encoding.UTF8.Preamble))
        {
            bytes = span[Encoding.UTF8.Preamble.Length..].ToArray();
        }

        try
        {
            var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true, MaxDepth = 8 });
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
            {
                problems.Add(new OptionProblem(Place(path, bytes, reader.TokenStartIndex), "the configuration is one JSON object: { \"data\": …, \"catalog\": … }"));
                return;
            }

            AddObject(ref reader, "", path, bytes, problems);
            reader.Read();
        }
        catch (JsonException e)
        {
            problems.Add(new OptionProblem($"{path}:{(e.LineNumber ?? 0) + 1}:{(e.BytePositionInLine ?? 0) + 1}", "is not JSON here; look for a missing comma, quote or bracket at this place"));
        }
    }

    private void AddObject(ref Utf8JsonReader reader, string prefix, string path, byte[] bytes, List<OptionProblem> problems)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = prefix + reader.GetString();
            var place = Place(path, bytes, reader.TokenStartIndex);
            reader.Read();
            if (reader.TokenType == JsonTokenType.StartObject)
            {
                AddObject(ref reader, key + ".", path, bytes, problems);
                continue;
            }

            var value = ReadValue(ref reader, key, place, problems);
            if (!_given.TryAdd(key, new GivenSetting(key, value, place, Typed: true, folder)))
            {
                problems.Add(new OptionProblem(place, $"`{key}` stands twice; keep one"));
            }
        }
    }

    private static object? ReadValue(ref Utf8JsonReader reader, string key, string place, List<OptionProblem> problems)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.String:
                return reader.GetString();
            case JsonTokenType.Number:
                return new JsonNumber(Encoding.UTF8.GetString(reader.ValueSpan));
            case JsonTokenType.True:
                return true;
            case JsonTokenType.False:
                return false;
            case JsonTokenType.StartArray:
                var list = new List<string>();
                var depth = reader.CurrentDepth;
                var wrong = false;
                while (reader.Read() && !(reader.TokenType == JsonTokenType.EndArray && reader.CurrentDepth == depth))
                {
                    wrong |= reader.TokenType != JsonTokenType.String;
                    list.Add(reader.TokenType == JsonTokenType.String ? reader.GetString()! : "");
                }

                if (wrong)
                {
                    problems.Add(new OptionProblem(place, $"`{key}` is a list of texts; put each in quotes"));
                }

                return list;
            default:
                return null;
        }
    }

    private static string Place(string path, byte[] bytes, long offset) =>
        $"{path}:{bytes.AsSpan(0, (int)offset).Count((byte)'\n') + 1}";
}
