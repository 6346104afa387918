namespace Stint.Gateway.Postgres;

/// <summary>The SQLSTATEs that the gateway itself says. PostgreSQL documentation, "PostgreSQL Error Codes".</summary>
internal static class PostgresStates
{
    public const string ProtocolViolation = "08P01";
    public const string CannotConnect = "08001";
    public const string FeatureNotSupported = "0A000";
    public const string InvalidAuthorization = "28000";
    public const string InvalidPassword = "28P01";
    public const string InvalidCatalogName = "3D000";
    public const string InsufficientPrivilege = "42501";
    public const string TooManyConnections = "53300";
    public const string ProgramLimitExceeded = "54000";
    public const string AdminShutdown = "57P01";
    public const string CannotConnectNow = "57P03";
    public const string IdleSessionTimeout = "57P05";
    public const string IoError = "58030";
    public const string Warning = "01000";
}
