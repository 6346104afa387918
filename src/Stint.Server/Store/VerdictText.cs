using System.Text.Json;
using Stint.Core.Policies;

namespace Stint.Server.Store;

/// <summary>A verdict as the text that stands on its request.</summary>
internal static class VerdictText
{
    public static string Write(Verdict verdict) => VerdictJson.Write(verdict);

    /// <exception cref="StoreRefusedException">The text is not a verdict.</exception>
    public static Verdict Read(string text)
    {
        try
        {
            return VerdictJson.Read(text);
        }
        catch (JsonException problem)
        {
            throw new StoreRefusedException("A stored verdict cannot be read.", problem);
        }
    }
}
