using Microsoft.Extensions.Logging;

namespace Stint.Server.Catalog;

internal static partial class Log
{
    [LoggerMessage(150, LogLevel.Information, "The catalog {Version}, which took effect elsewhere, counts here too")]
    public static partial void CatalogFollowed(this ILogger log, string version);

    [LoggerMessage(151, LogLevel.Error, "The catalog {Version} counts, and does not load with this program; the one before decides here")]
    public static partial void CatalogNotLoaded(this ILogger log, string version);

    [LoggerMessage(152, LogLevel.Warning, "The calendar of the rota {Rota} cannot be had: {Why}. What it said last counts until it is too old")]
    public static partial void CalendarFailed(this ILogger log, string rota, string why);
}
