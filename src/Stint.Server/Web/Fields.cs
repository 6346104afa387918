using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Stint.Server.Web;

/// <summary>What a page's form or script sent: texts by name, and a passkey's answer where there is one.</summary>
internal sealed class Fields
{
    private const int Longest = 8_000;

    private readonly Dictionary<string, string> _texts = new(StringComparer.Ordinal);

    private Fields()
    {
    }

    /// <summary>A passkey's answer, as JSON; empty for none.</summary>
    public string Credential { get; private set; } = "";

    /// <summary>A field; empty when it is missing, or longer than any of ours.</summary>
    public string this[string name] => _texts.GetValueOrDefault(name, "");

    /// <summary>Reads a form, or the JSON of our scripts; what is neither has no fields.</summary>
    public static async Task<Fields> ReadAsync(HttpContext context)
    {
        var fields = new Fields();
        try
        {
            if (context.Request.HasFormContentType)
            {
                var form = await context.Request.ReadFormAsync(context.RequestAborted);
                foreach (var (name, value) in form.Where(field => field.Value is [{ Length: <= Longest }]))
                {
                    fields._texts[name] = value.ToString();
                }
            }
            else if (context.Request.HasJsonContentType())
            {
                using var json = await JsonDocument.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted);
                foreach (var member in json.RootElement.ValueKind == JsonValueKind.Object ? json.RootElement.EnumerateObject() : default)
                {
                    if (member.Value.ValueKind == JsonValueKind.String && member.Value.GetString() is { Length: <= Longest } text)
                    {
                        fields._texts[member.Name] = text;
                    }
                    else if (member.NameEquals("credential") && member.Value.ValueKind == JsonValueKind.Object)
                    {
                        fields.Credential = member.Value.GetRawText();
                    }
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidDataException)
        {
            // Nothing was said then.
        }

        return fields;
    }
}
