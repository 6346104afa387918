namespace Stint.Gateway.Postgres;

/// <summary>What a client may set as it connects when its session is for exact statements: what changes how answers look, and nothing that changes what a statement means.</summary>
internal static class PostgresSettled
{
    /// <summary>What is in the way, and what to do; null when nothing is.</summary>
    public static (string Sentence, string Hint)? Wrong(IEnumerable<KeyValuePair<string, string>> parameters)
    {
        foreach (var (name, value) in parameters)
        {
            // NB. The target takes the names of settings in any case.
            var why = name.ToUpperInvariant() switch
            {
                "USER" or "DATABASE" or "REPLICATION" or "APPLICATION_NAME" or "EXTRA_FLOAT_DIGITS" => null,
                "CLIENT_ENCODING" => PostgresGuard.IsUtf8(value.Trim('\'', ' ')) ? null : "Connect with client_encoding=UTF8 (PGCLIENTENCODING=UTF8): what was approved is compared as UTF-8.",
                "DATESTYLE" => value.Trim().Equals("ISO", StringComparison.OrdinalIgnoreCase) ? null : "Leave DateStyle out, or set it to ISO: in another order of day and month, a statement means another day.",
                "TIMEZONE" => value.Trim().ToUpperInvariant() is "UTC" or "ETC/UTC" or "GMT" ? null : "Leave TimeZone out, or set it to UTC (for Java: -Duser.timezone=UTC): on another clock, a statement means other times.",
                _ => name.StartsWith("_pq_.", StringComparison.Ordinal) ? null : "Leave it out; settings such as search_path, role and options change what a statement means.",
            };
            if (why is not null)
            {
                return ($"Your access is for exact statements, and a connection under it does not set {Printable(name)}.", why);
            }
        }

        return null;
    }

    private static string Printable(string name) => new([.. name.Take(63).Select(letter => char.IsControl(letter) ? '?' : letter)]);
}
