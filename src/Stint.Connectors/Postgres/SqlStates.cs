namespace Stint.Connectors.Postgres;

/// <summary>The error codes that decide something here (PostgreSQL documentation, Appendix A "PostgreSQL Error Codes").</summary>
internal static class SqlStates
{
    public const string PrivilegeNotGranted = "01007";
    public const string InvalidDatabaseName = "3D000";
    public const string InsufficientPrivilege = "42501";
    public const string DuplicateObject = "42710";
    public const string UndefinedObject = "42704";
    public const string UniqueViolation = "23505";
    public const string ObjectNotInPrerequisiteState = "55000";
    public const string LockNotAvailable = "55P03";
    public const string DependentObjectsStillExist = "2BP01";
    public const string SerializationFailure = "40001";
    public const string DeadlockDetected = "40P01";
    public const string QueryCanceled = "57014";
    public const string InvalidGrantOperation = "0LP01";

    /// <summary>"tuple concurrently updated" has no code of its own.</summary>
    public const string InternalError = "XX000";

    /// <summary>First two characters: connection exceptions.</summary>
    public const string ConnectionClass = "08";

    /// <summary>First two characters: the login was not let in.</summary>
    public const string AuthorizationClass = "28";

    /// <summary>First two characters: transaction rolled back for no fault of its own.</summary>
    public const string RollbackClass = "40";

    /// <summary>First two characters: no more connections, memory or disk.</summary>
    public const string ResourcesClass = "53";

    /// <summary>First two characters: an operator or a shutdown ended it, or its time was over.</summary>
    public const string InterventionClass = "57";

    /// <summary>First two characters: I/O at the server.</summary>
    public const string SystemClass = "58";
}
