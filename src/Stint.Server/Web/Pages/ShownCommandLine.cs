namespace Stint.Server.Web.Pages;

/// <summary>A command line that wants in.</summary>
/// <param name="Host">What it calls its machine; empty for nothing.</param>
/// <param name="Version">What it calls its version; empty for nothing.</param>
/// <param name="Address">Where it called from; null for one on the reader's own machine.</param>
/// <param name="Near">Whether the reader comes from the same address.</param>
/// <param name="At">When it asked; null for now.</param>
/// <param name="Code">What it shows for the reader to type; null where nothing is typed.</param>
public sealed record ShownCommandLine(string Host, string Version, string? Address, bool Near, DateTimeOffset? At, string? Code);

/// <summary>A field that a form carries along.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">What it holds.</param>
public sealed record ShownField(string Name, string Value);
