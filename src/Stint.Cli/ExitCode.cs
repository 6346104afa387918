namespace Stint.Cli;

/// <summary>What the command's exit says to a script. Published in the guide; the numbers do not change.</summary>
internal static class ExitCode
{
    public const int Ok = 0;
    public const int Failed = 1;
    public const int Usage = 2;
    public const int Denied = 3;
    public const int NotFound = 4;
    public const int Conflict = 5;
    public const int TimedOut = 6;
    public const int Unreachable = 7;
    public const int NotLoggedIn = 8;

    /// <summary>Not a failure: something would change, or waits for somebody's yes.</summary>
    public const int Differs = 9;
}

/// <summary>Ends a command with a sentence for the person and a number for the script.</summary>
internal sealed class CommandFailed(int code, string message, string? hint = null, System.Text.Json.Nodes.JsonNode? problem = null)
    : Exception(message)
{
    public int Code { get; } = code;

    /// <summary>The way out; null when there is nothing to add.</summary>
    public string? Hint { get; } = hint;

    /// <summary>The server's problem details; null when the trouble is on this side.</summary>
    public System.Text.Json.Nodes.JsonNode? Problem { get; } = problem;
}
