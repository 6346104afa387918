namespace Stint.Server.Web.Pages;

/// <summary>A grant of whoever looks.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Request">The request that it came of.</param>
/// <param name="Role">What it gives.</param>
/// <param name="Resource">Where.</param>
/// <param name="State">How it stands.</param>
/// <param name="For">How long it lasts, in words.</param>
/// <param name="NotBefore">Start of its window; null before it opens.</param>
/// <param name="NotAfter">End of it; null before it opens.</param>
/// <param name="StartAt">When it opens by itself; null when its holder begins it.</param>
/// <param name="LapsesAt">When it lapses if nobody begins it.</param>
/// <param name="Trouble">What keeps the target from being as wanted, in words; empty for nothing.</param>
/// <param name="Connects">Whether one connects to something under it.</param>
/// <param name="Guarantee">How its end is enforced when Stint is down, in words.</param>
public sealed record ShownGrant(
    string Id, string Request, string Role, string Resource, string State, string For, DateTimeOffset? NotBefore, DateTimeOffset? NotAfter, DateTimeOffset? StartAt, DateTimeOffset LapsesAt, string Trouble, bool Connects, string Guarantee);

/// <summary>A role that whoever looks may ask for.</summary>
/// <param name="Role">Its name.</param>
/// <param name="What">What it is for.</param>
/// <param name="Terms">How long, and whose yes, in words.</param>
/// <param name="Risk">How dangerous it is, in a word; empty for not especially.</param>
/// <param name="Usual">Whether they ask for it often.</param>
/// <param name="Held">Whether they hold it.</param>
public sealed record ShownRole(string Role, string What, string Terms, string Risk, bool Usual, bool Held);

/// <summary>A request in a list.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Who">Who asks.</param>
/// <param name="Role">What for.</param>
/// <param name="For">How long, in words.</param>
/// <param name="Why">The justification; empty for none.</param>
/// <param name="State">How it stands.</param>
/// <param name="AskedAt">Since when.</param>
/// <param name="Next">Whose answer it waits for, or what came of it, in words; empty for nothing.</param>
public sealed record ShownAsking(string Id, string Who, string Role, string For, string Why, string State, DateTimeOffset AskedAt, string Next);
