namespace Stint.Server.Store;

/// <summary>The store cannot be used right now: away, full, broken or too slow. Nothing that failed with this was acknowledged; it may still have happened when the connection was lost during a commit.</summary>
internal sealed class StoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A row with this key stands already, and the caller did not say what that means.</summary>
internal sealed class StoreConflictException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The database refused what would break an invariant (an illegal move, a moved deadline, a changed fact). It is always a bug of the caller.</summary>
internal sealed class StoreRefusedException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The store cannot be opened as it is: a newer schema, an edited migration, a second process, a file that others may read. The message says what to do.</summary>
internal sealed class StoreSetupException(string message, Exception? inner = null) : Exception(message, inner);
