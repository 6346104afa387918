namespace Stint.Server.Web.Pages;

/// <summary>A fact of the log.</summary>
/// <param name="Seq">Its place.</param>
/// <param name="At">When.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Actor">Who did it.</param>
/// <param name="Request">The request that it names; empty for none.</param>
/// <param name="Short">What it says, shortened.</param>
/// <param name="Body">All of it, as it is hashed.</param>
public sealed record ShownFact(long Seq, DateTimeOffset At, string Kind, string Actor, string Request, string Short, string Body);

/// <summary>What a verification found.</summary>
/// <param name="Holds">Whether all of it is as it was signed.</param>
/// <param name="Facts">How many facts were read.</param>
/// <param name="Rows">How many rows were held against them.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Findings">What is wrong.</param>
public sealed record ShownVerified(bool Holds, long Facts, long Rows, double Seconds, IReadOnlyList<string> Findings);

/// <summary>Somebody who could get a role.</summary>
/// <param name="Who">Who.</param>
/// <param name="Role">Which.</param>
/// <param name="How">By whose yes, in words.</param>
public sealed record ShownReach(string Who, string Role, string How);

/// <summary>Somebody who had a role.</summary>
/// <param name="Who">Who.</param>
/// <param name="Role">Which.</param>
/// <param name="Request">By which request.</param>
/// <param name="From">From when.</param>
/// <param name="Until">Until when.</param>
public sealed record ShownHad(string Who, string Role, string Request, DateTimeOffset From, DateTimeOffset Until);
