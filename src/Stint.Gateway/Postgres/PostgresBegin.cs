using System.Collections.Frozen;
using System.Text;

namespace Stint.Gateway.Postgres;

/// <summary>The words that begin and end a transaction. They do nothing else, and drivers say them by themselves.</summary>
internal static class PostgresBegin
{
    // NB. Whole texts, not words that may be combined: READ WRITE would lift what a role's settings forbid, PREPARE
    // TRANSACTION leaves something behind, and AND CHAIN goes on with what was set before.
    private static readonly FrozenSet<string> Texts = ((string[])[
        .. ((string[])["BEGIN", "BEGIN TRANSACTION", "BEGIN WORK", "START TRANSACTION"]).SelectMany(begin => (string[])[
            begin,
            $"{begin} ISOLATION LEVEL READ COMMITTED",
            $"{begin} ISOLATION LEVEL REPEATABLE READ",
            $"{begin} ISOLATION LEVEL SERIALIZABLE"]),
        .. ((string[])["COMMIT", "END", "ROLLBACK"]).SelectMany(end => (string[])[end, $"{end} TRANSACTION", $"{end} WORK"]),
    ]).ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    private static readonly int Longest = Texts.Max(text => text.Length);

    /// <summary>Whether a text, without what is behind it, is one of them.</summary>
    public static bool Is(ReadOnlySpan<byte> bare) => bare.Length <= Longest && Ascii.IsValid(bare) && Texts.Contains(Encoding.ASCII.GetString(bare));
}
