namespace Stint.Server.Store;

internal partial class Reads
{
    /// <summary>Whether a provider's logout was heard before.</summary>
    public async ValueTask<bool> HasLogoutAsync(byte[] mark) => await Db.NumberAsync("SELECT COUNT(*) FROM provider_logouts WHERE mark = $1", mark) > 0;
}

internal sealed partial class Work
{
    /// <summary>Notes that a provider's logout was heard.</summary>
    /// <param name="mark">Names it.</param>
    /// <param name="until">When it is too old to be heard again.</param>
    public ValueTask<int> KeepLogoutAsync(byte[] mark, DateTimeOffset until) => Db.RunAsync("INSERT INTO provider_logouts (mark, kept_until) VALUES ($1, $2) ON CONFLICT (mark) DO NOTHING", mark, until);

    /// <summary>Forgets those that are too old to be heard again.</summary>
    public ValueTask<int> ForgetLogoutsAsync(DateTimeOffset now) => Db.RunAsync("DELETE FROM provider_logouts WHERE kept_until <= $1", now);
}
