using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using Npgsql;
using Stint.Core.Grants;

namespace Stint.Connectors.Postgres;

/// <summary>Carries an expected outcome from where a statement failed up to the verb. Never leaves this folder.</summary>
internal sealed class TroubleException : Exception
{
    public TroubleException(VerbOutcome outcome, string? sqlState = null)
        : base(outcome.ToString())
    {
        Outcome = outcome;
        SqlState = sqlState;
    }

    public VerbOutcome Outcome { get; }

    /// <summary>The server's code; null when the answer was not the server's.</summary>
    public string? SqlState { get; }

    /// <summary>Whether the same verb can succeed when it is simply done again at once: two workers met, or a lock was held.</summary>
    public bool IsCollision => SqlState is SqlStates.InternalError or SqlStates.DuplicateObject or SqlStates.UniqueViolation
        or SqlStates.SerializationFailure or SqlStates.DeadlockDetected;

    public static TroubleException Refused(string why, string remedy) => new(new VerbOutcome.Refused(why, remedy));

    public static TroubleException Fenced() => new(new VerbOutcome.Fenced());
}

/// <summary>The one place that says what a failure means: wait and try again, or somebody has to act.</summary>
internal static class Trouble
{
    /// <summary>Of a statement.</summary>
    /// <param name="failure">What the driver threw.</param>
    /// <param name="doing">What was being done, as the end of "While …".</param>
    /// <param name="remedy">What helps when a privilege lacks; null when nothing particular is known.</param>
    public static TroubleException Of(Exception failure, string doing, string? remedy) => failure switch
    {
        PostgresException answer => Answer(answer, doing, remedy),
        NpgsqlException or TimeoutException or IOException or SocketException =>
            new TroubleException(new VerbOutcome.Unreachable($"While {doing}: {Innermost(failure)}")),
        _ => throw new InvalidOperationException($"Unexpected {failure.GetType().Name} while {doing}.", failure),
    };

    /// <summary>Of a connection.</summary>
    public static TroubleException OfConnecting(Exception failure, PostgresSettings target, string database)
    {
        var where = $"{target.Host}:{target.Port}";
        for (var inner = failure; inner is not null; inner = inner.InnerException)
        {
            switch (inner)
            {
                case PostgresException answer when IsClass(answer, SqlStates.AuthorizationClass):
                    return new TroubleException(
                        new VerbOutcome.Refused(
                            $"{where} does not let the login {target.Username} into the database {database}: {answer.MessageText}.",
                            $"Check the password that the catalog names for {target.Username}, and that pg_hba.conf lets it in from here over the connection that `tls: {target.Tls}` makes."),
                        answer.SqlState);
                case PostgresException { SqlState: SqlStates.InvalidDatabaseName } answer:
                    return new TroubleException(
                        new VerbOutcome.Refused($"{where} has no database {database}.", "Correct `database`, `admin_database` or the role's `databases` in the catalog."),
                        answer.SqlState);
                case PostgresException { SqlState: SqlStates.InsufficientPrivilege } answer:
                    return new TroubleException(
                        new VerbOutcome.Refused($"{where}: {answer.MessageText}.", $"GRANT CONNECT ON DATABASE {Sql.Name(database)} TO {Sql.Name(target.Username)};"),
                        answer.SqlState);
                case PostgresException { SqlState: SqlStates.ObjectNotInPrerequisiteState } answer:
                    return new TroubleException(
                        new VerbOutcome.Refused($"{where}: {answer.MessageText}.", $"ALTER DATABASE {Sql.Name(database)} ALLOW_CONNECTIONS true;"),
                        answer.SqlState);
                case PostgresException answer:
                    return Answer(answer, $"connecting to {where}", null);
                case CryptographicException:
                    return TroubleException.Refused($"A certificate for {where} cannot be read: {inner.Message}", "Name a PEM file with certificates as `tls_root_cert`.");
                case AuthenticationException:
                    return TroubleException.Refused(
                        $"The TLS certificate of {where} is not trusted or does not name {target.Host}: {inner.Message}",
                        "Name the certificate authority's PEM file as `tls_root_cert`, use the host name that the certificate carries, or choose a weaker `tls`.");
            }
        }

        return Of(failure, $"connecting to {where}", null);
    }

    private static TroubleException Answer(PostgresException answer, string doing, string? remedy)
    {
        var why = $"While {doing}: {answer.MessageText}";
        if (answer.SqlState == SqlStates.DependentObjectsStillExist && !string.IsNullOrEmpty(answer.Detail))
        {
            // Names of objects only. The details of other errors can hold rows.
            why += $" ({answer.Detail.ReplaceLineEndings("; ")})";
        }

        VerbOutcome outcome = IsTransient(answer)
            ? new VerbOutcome.Unreachable(why)
            : new VerbOutcome.Refused(why, remedy ?? "See the server's own log for what it refused.");
        return new TroubleException(outcome, answer.SqlState);
    }

    private static bool IsTransient(PostgresException answer) =>
        answer.SqlState is SqlStates.LockNotAvailable or SqlStates.InternalError
        || IsClass(answer, SqlStates.ConnectionClass)
        || IsClass(answer, SqlStates.RollbackClass)
        || IsClass(answer, SqlStates.ResourcesClass)
        || IsClass(answer, SqlStates.InterventionClass)
        || IsClass(answer, SqlStates.SystemClass);

    private static bool IsClass(PostgresException answer, string start) => answer.SqlState.StartsWith(start, StringComparison.Ordinal);

    private static string Innermost(Exception failure) =>
        failure.InnerException is { } inner and not PostgresException ? $"{failure.Message} ({inner.Message})" : failure.Message;
}
