namespace Stint.Server.Store;

/// <summary>What can be read, all of it as of one moment. Valid until the delegate that got it returns.</summary>
internal partial class Reads
{
    internal Reads(Db db) => Db = db;

    internal Db Db { get; }

    /// <summary>Appended to look-ups that a write bases a change on.</summary>
    private protected virtual string Lock => "";

    private protected virtual string SkipLocked => "";
}
