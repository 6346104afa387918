using System.Buffers;
using System.Collections.Frozen;
using System.Text;
using System.Text.Json;

namespace Stint.Server.Store;

/// <summary>Claims as the store keeps them: a JSON object of texts, in the order of the names.</summary>
internal static class ClaimsText
{
    public static string Write(IReadOnlyDictionary<string, string> claims)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var (name, value) in claims.OrderBy(claim => claim.Key, StringComparer.Ordinal))
            {
                json.WriteString(name, value);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <exception cref="StoreRefusedException">The store holds something else.</exception>
    public static FrozenDictionary<string, string> Read(string text)
    {
        try
        {
            using var json = JsonDocument.Parse(text);
            return json.RootElement.EnumerateObject().ToFrozenDictionary(one => one.Name, one => one.Value.GetString()!, StringComparer.Ordinal);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new StoreRefusedException("The store holds claims of a workload that cannot be read.");
        }
    }
}
