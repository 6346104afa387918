namespace Stint.Server.Web.Pages;

/// <summary>A moment in the life of a request.</summary>
/// <param name="At">When.</param>
/// <param name="What">What happened.</param>
/// <param name="Who">By whom; empty for nobody.</param>
/// <param name="More">What was said with it; empty for nothing.</param>
/// <param name="Tone"><c>good</c>, <c>bad</c>, or empty.</param>
/// <param name="Href">Where more of it is; empty for nowhere.</param>
public sealed record ShownMoment(DateTimeOffset At, string What, string Who = "", string More = "", string Tone = "", string Href = "");

/// <summary>A counter-offer.</summary>
/// <param name="Id">Its name.</param>
/// <param name="By">Whose.</param>
/// <param name="What">What it offers, in words.</param>
/// <param name="Comment">Why; empty for nothing.</param>
/// <param name="Open">Whether it can be taken.</param>
public sealed record ShownOffer(string Id, string By, string What, string Comment, bool Open);

/// <summary>A session in a list.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Who">Whose.</param>
/// <param name="Role">At what.</param>
/// <param name="Request">Under which request.</param>
/// <param name="Client">From where, and with what.</param>
/// <param name="Live">Whether it runs.</param>
/// <param name="StartedAt">Since when.</param>
/// <param name="EndedAt">When it ended; null while it runs.</param>
/// <param name="Statements">How many statements, as last anchored; null when nothing was.</param>
/// <param name="Why">Why it ended; empty while it runs.</param>
/// <param name="MayStop">Whether whoever looks may stop it.</param>
/// <param name="Own">Whether it is theirs.</param>
public sealed record ShownSession(
    string Id, string Who, string Role, string Request, string Client, bool Live, DateTimeOffset StartedAt, DateTimeOffset? EndedAt, long? Statements, string Why, bool MayStop, bool Own);

/// <summary>A request that waits for the answer of whoever looks.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Who">Who asks.</param>
/// <param name="Role">What for.</param>
/// <param name="Risk">How dangerous it is, in a word; empty for not especially.</param>
/// <param name="For">How long, in words.</param>
/// <param name="Minutes">The same in minutes, rounded up.</param>
/// <param name="StartAt">When it would open by itself; null for once it is approved.</param>
/// <param name="Reason">Why; empty for no reason.</param>
/// <param name="Ticket">The ticket; empty for none.</param>
/// <param name="Rest">What stands with it; empty for nothing.</param>
/// <param name="AskedAt">When it was asked.</param>
/// <param name="LapsesAt">Until when it waits.</param>
/// <param name="Digest">What an answer is bound to.</param>
/// <param name="Because">Why it came to whoever looks.</param>
/// <param name="Others">Who else could answer; empty for nobody.</param>
/// <param name="LastTime">Their last session with it; null for one that whoever looks may not know of, and for none.</param>
/// <param name="Holds">What else they hold there; empty for what whoever looks may not know, and for nothing.</param>
/// <param name="Proof">Whether a yes takes a fresh proof, which the whole page asks for.</param>
/// <param name="Statements">The only statements that may run.</param>
public sealed record ShownCard(
    string Id,
    string Who,
    string Role,
    string Risk,
    string For,
    int Minutes,
    DateTimeOffset? StartAt,
    string Reason,
    string Ticket,
    string Rest,
    DateTimeOffset AskedAt,
    DateTimeOffset LapsesAt,
    string Digest,
    string Because,
    string Others,
    ShownSession? LastTime,
    IReadOnlyList<ShownHad> Holds,
    bool Proof,
    IReadOnlyList<ShownStatement> Statements);

/// <summary>Who answers for somebody who is away.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Person">Who is away.</param>
/// <param name="Delegate">Who answers.</param>
/// <param name="From">From when.</param>
/// <param name="Until">Until when.</param>
public sealed record ShownDelegation(string Id, string Person, string Delegate, DateTimeOffset From, DateTimeOffset Until);
