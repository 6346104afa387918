namespace Stint.Server.Web.Pages;

/// <summary>A line of a replay.</summary>
/// <param name="Seq">Its place in the recording.</param>
/// <param name="At">When.</param>
/// <param name="Kind"><c>statement</c>, <c>result</c> or <c>error</c>.</param>
/// <param name="Text">What was said.</param>
/// <param name="More">With which values; empty for none.</param>
public sealed record ShownLine(long Seq, DateTimeOffset At, string Kind, string Text, string More);

/// <summary>A statement that was found.</summary>
/// <param name="Session">In which session.</param>
/// <param name="Who">Who ran it.</param>
/// <param name="Role">At what.</param>
/// <param name="At">When.</param>
/// <param name="Seq">Its place in the recording.</param>
/// <param name="Text">What it says.</param>
/// <param name="Result">What became of it; empty while nothing is known.</param>
public sealed record ShownFound(string Session, string Who, string Role, DateTimeOffset At, long Seq, string Text, string Result);
