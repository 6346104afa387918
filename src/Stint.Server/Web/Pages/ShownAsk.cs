namespace Stint.Server.Web.Pages;

/// <summary>What would come of an asking.</summary>
/// <param name="Tone"><c>good</c>, <c>warn</c> or <c>bad</c>.</param>
/// <param name="Sentence">In a sentence.</param>
/// <param name="More">What belongs to it, or would change it.</param>
public sealed record ShownDecision(string Tone, string Sentence, IReadOnlyList<string> More);

/// <summary>A length that can be chosen.</summary>
/// <param name="Seconds">How long.</param>
/// <param name="Label">In words.</param>
/// <param name="Chosen">Whether it is.</param>
public sealed record ShownLength(long Seconds, string Label, bool Chosen);

/// <summary>What was asked lately, to be asked again.</summary>
/// <param name="What">What for.</param>
/// <param name="ForSeconds">How long; null for what the policies give.</param>
/// <param name="Reason">The justification; empty for none.</param>
/// <param name="Ticket">The ticket; empty for none.</param>
/// <param name="For">How long, in words; empty for what the policies give.</param>
public sealed record ShownAgain(string What, long? ForSeconds, string Reason, string Ticket, string For);
