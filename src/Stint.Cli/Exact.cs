using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Stint.Cli;

/// <summary>Exact statements: reading them from the command line and from files, and showing them whole to whoever answers.</summary>
internal static class Exact
{
    private const string Type = "stint:statements";

    private const string Form = "Write SQL with each statement's end at the end of a line (;), or a JSON array of texts and of { \"sql\": …, \"parameters\": […] or \"any_parameters\": true, \"times\": … }.";

    /// <summary><c>authorization_details</c> (RFC 9396); null when neither option was given.</summary>
    public static JsonArray? Of(IReadOnlyList<string>? texts, string? file)
    {
        if (texts is not { Count: > 0 } && file is null)
        {
            return null;
        }

        var statements = new JsonArray();
        foreach (var text in texts ?? [])
        {
            statements.Add(new JsonObject { ["sql"] = text });
        }

        foreach (var one in file is null ? [] : Read(file))
        {
            statements.Add(one);
        }

        return [new JsonObject { ["type"] = Type, ["statements"] = statements }];
    }

    /// <summary>The statements of a text: each ends where a line ends with a semicolon, and the last where the text does.</summary>
    public static IEnumerable<string> Split(string text)
    {
        var statement = new List<string>();
        foreach (var line in text.Replace("\r\n", "\n", StringComparison.Ordinal).Split('\n'))
        {
            statement.Add(line);
            if (line.TrimEnd().EndsWith(';'))
            {
                yield return string.Join('\n', statement).Trim();
                statement.Clear();
            }
        }

        if (string.Join('\n', statement).Trim() is { Length: > 0 } rest)
        {
            yield return rest;
        }
    }

    /// <summary>Shows them, each line of each, so that nothing of it can hide.</summary>
    public static void Show(Action<string> write, JsonObject item)
    {
        if (item["authorization_details"] is not JsonArray details)
        {
            return;
        }

        var all = details.OfType<JsonObject>().SelectMany(detail => Cards.Array(detail, "statements")).ToList();
        write($"  exactly   {all.Count} statement{(all.Count == 1 ? "" : "s")}, and nothing else:");
        for (var at = 0; at < all.Count; at++)
        {
            var number = string.Create(CultureInfo.InvariantCulture, $"{at + 1}.");
            foreach (var line in ((string)all[at]["sql"]!).Split('\n'))
            {
                write($"            {number,-3} {line}");
                number = "";
            }

            var with = (bool?)all[at]["any_parameters"] == true ? "with any parameters"
                : all[at]["parameters"] is JsonArray { Count: > 0 } values ? $"with {string.Join(", ", values.Select(value => value is null ? "NULL" : $"'{value}'"))}"
                : "";
            var times = all[at]["times"] is { } most ? $"at most {most} times" : "";
            if (with.Length + times.Length > 0)
            {
                write($"                  ({string.Join(", ", ((string[])[with, times]).Where(part => part.Length > 0))})");
            }
        }
    }

    private static IEnumerable<JsonObject> Read(string file)
    {
        string text;
        try
        {
            text = File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandFailed(ExitCode.Usage, $"{file} cannot be read: {e.Message}", null);
        }

        if (!text.AsSpan().TrimStart().StartsWith("["))
        {
            return Split(text).Select(one => new JsonObject { ["sql"] = one });
        }

        try
        {
            return [.. JsonNode.Parse(text)!.AsArray().SelectMany(Items)];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new CommandFailed(ExitCode.Usage, $"{file} begins like a JSON array and is none: {e.Message}", Form);
        }

        IEnumerable<JsonObject> Items(JsonNode? item) => item switch
        {
            JsonObject detail when detail["statements"] is JsonArray more => (string?)detail["type"] == Type
                ? more.SelectMany(Items)
                : throw new CommandFailed(ExitCode.Usage, $"{file} has authorization_details of another type than {Type}.", Form),
            JsonObject one => [one.DeepClone().AsObject()],
            JsonValue value when value.TryGetValue<string>(out var sql) => [new JsonObject { ["sql"] = sql }],
            _ => throw new CommandFailed(ExitCode.Usage, $"{file} has something else where a statement should be.", Form),
        };
    }
}
