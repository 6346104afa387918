using System.Collections.Frozen;
using Stint.Core.Catalog.Yaml;

namespace Stint.Core.Catalog;

/// <summary>Reads settings against a kind's shape. NB. No problem here repeats a value: a secret may stand in the wrong field.</summary>
internal static class SettingsReading
{
    public static Settings Read(Reading reading, MapNode map, string of, IReadOnlyList<Field> fields)
    {
        reading.Keys(map, of, [.. fields.Select(field => field.Name)]);
        var values = new Dictionary<string, object>(StringComparer.Ordinal);
        foreach (var field in fields)
        {
            if (map.Find(field.Name) is not { } entry)
            {
                if (field.Required)
                {
                    reading.Problems.Error(map.Place, $"{of} lacks '{field.Name}'", field.Description);
                }

                continue;
            }

            if (Value(reading, entry.Value, $"'{field.Name}'", field) is { } value)
            {
                values[field.Name] = value;
            }
        }

        return new Settings(values.ToFrozenDictionary(StringComparer.Ordinal));
    }

    private static object? Value(Reading reading, Node node, string what, Field field) => field.Type switch
    {
        FieldType.Text => Checked(reading, node, what, field, reading.Text(node, what, 4_000, newLines: true)),
        FieldType.Number => reading.Whole(node, what, field.Min, field.Max),
        FieldType.Flag => reading.Flag(node, what),
        FieldType.Duration => reading.Duration(node, what, TimeSpan.FromSeconds(1), Words.LongestDuration),
        FieldType.TextList => List(reading, node, what, field),
        FieldType.Secret => Secret(reading, node, what),
        _ => throw new InvalidOperationException($"Field type {field.Type} is not known."),
    };

    private static string? Checked(Reading reading, Node node, string what, Field field, string? text)
    {
        if (text is null)
        {
            return null;
        }

        if (text.Length == 0)
        {
            reading.Problems.Error(node.Place, $"{what} is empty");
            return null;
        }

        if (field.OneOf is { } allowed && !allowed.Contains(text))
        {
            reading.Problems.Error(node.Place, $"{what} is not one of its values", $"it takes {string.Join(", ", allowed)}");
            return null;
        }

        if (field.Check?.Invoke(text) is { } wrong)
        {
            reading.Problems.Error(node.Place, $"{what}: {wrong}");
            return null;
        }

        return text;
    }

    private static List<string>? List(Reading reading, Node node, string what, Field field)
    {
        var texts = new List<string>();
        foreach (var item in node is ListNode list ? list.Items : [node])
        {
            if (Checked(reading, item, what, field, reading.Text(item, $"each of {what}", 4_000, newLines: true)) is { } text)
            {
                texts.Add(text);
            }
        }

        if (node is ListNode { Items.Count: 0 } && field.Required)
        {
            reading.Problems.Error(node.Place, $"{what} is empty", field.Description);
        }

        return texts;
    }

    private static SecretRef? Secret(Reading reading, Node node, string what)
    {
        const string wayOut = "name where it stands: { env: VARIABLE }, { file: PATH } or { sealed: TEXT } (stint seal makes one)";
        if (node is not MapNode map)
        {
            reading.Problems.Error(node.Place, $"{what} is a secret, and secrets never stand in the catalog", $"{wayOut}; if one stood here, change it, because it may be in the history of the files");
            return null;
        }

        if (map.Entries is not [{ Key: "env" or "file" or "sealed" } entry])
        {
            reading.Problems.Error(node.Place, $"{what} does not name one place of a secret", wayOut);
            return null;
        }

        if (entry.Value is not TextNode { IsNull: false, Value.Length: > 0 and <= 8_000 } text || !Words.IsShowable(text.Value, newLines: false))
        {
            reading.Problems.Error(entry.Value.Place, $"'{entry.Key}' of {what} is not a text", wayOut);
            return null;
        }

        var source = entry.Key switch
        {
            "env" => SecretSource.Env,
            "file" => SecretSource.File,
            _ => SecretSource.Sealed,
        };
        if (source == SecretSource.Env && !text.Value.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
        {
            // NB. Not repeated: whoever misunderstood the key may have written the password itself.
            reading.Problems.Error(entry.Value.Place, $"'env' of {what} cannot name a variable of the environment", "take letters, digits and _");
            return null;
        }

        return new SecretRef(source, text.Value);
    }
}
