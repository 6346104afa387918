namespace Stint.Server.Store;

internal partial class Reads
{
    /// <summary>Names in small letters of the people of the directory who have an address; that is in small letters as well.</summary>
    public ValueTask<List<string>> DirectoryNamesAtAsync(string mail) => Db.ListAsync(
        "SELECT user_key FROM directory_users WHERE id IN (SELECT user_id FROM directory_mails WHERE mail_key = $1)", static row => row.GetString(0), mail);

    /// <summary>Names in small letters of the people of the directory whom it calls so by its external id; where it calls nobody so, of whom has this id here.</summary>
    public async ValueTask<List<string>> DirectoryNamesAsync(string id) =>
        await Db.ListAsync("SELECT user_key FROM directory_users WHERE external_id = $1", static row => row.GetString(0), id) is { Count: > 0 } called
            ? called
            : await Db.ListAsync("SELECT user_key FROM directory_users WHERE id = $1", static row => row.GetString(0), id);
}

internal sealed partial class Work
{
    /// <summary>Keeps when something happened to an account, unless something is known that happened to it later.</summary>
    /// <param name="sender">Who tells.</param>
    /// <param name="name">Of whom, in small letters.</param>
    /// <param name="at">When it happened. Of two at once the one that is told later counts.</param>
    /// <returns>False when a later one is known.</returns>
    public async ValueTask<bool> IsLatestAsync(string sender, string name, DateTimeOffset at) => await Db.RunAsync(
        "INSERT INTO signal_accounts (sender, name, at) VALUES ($1, $2, $3) ON CONFLICT (sender, name) DO UPDATE SET at = excluded.at WHERE signal_accounts.at <= excluded.at", sender, name, at) == 1;

    /// <summary>Keeps that a security event token was taken, and forgets old ones.</summary>
    /// <param name="sender">The transmitter.</param>
    /// <param name="mark">Names the token among the transmitter's: 32 bytes.</param>
    /// <param name="now">When.</param>
    /// <param name="keptFor">How long tokens are remembered.</param>
    /// <returns>False when it was taken before.</returns>
    public async ValueTask<bool> TakeSignalAsync(string sender, byte[] mark, DateTimeOffset now, TimeSpan keptFor)
    {
        await Db.LaterAsync("DELETE FROM signals_taken WHERE at < $1", now - keptFor);
        return await Db.RunAsync("INSERT INTO signals_taken (sender, mark, at) VALUES ($1, $2, $3) ON CONFLICT (sender, mark) DO NOTHING", sender, mark, now) == 1;
    }
}
