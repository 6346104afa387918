namespace Stint.Server.Web.Pages;

// What pages show, in shapes of their own: a component is public, and what it is not given cannot stand in it.

/// <summary>A link that says what it does.</summary>
/// <param name="Label">What it says.</param>
/// <param name="Href">Where it leads.</param>
public sealed record ShownLink(string Label, string Href);

/// <summary>A signed-in browser.</summary>
/// <param name="Id">Its name.</param>
/// <param name="Agent">What it calls itself.</param>
/// <param name="Here">Whether it is the one that looks.</param>
/// <param name="By">How its person proved who they are.</param>
/// <param name="Address">Where they signed in from.</param>
/// <param name="Since">Since when.</param>
/// <param name="Ends">When it counts no longer, if it is not used before.</param>
public sealed record ShownSignIn(string Id, string Agent, bool Here, string By, string Address, DateTimeOffset Since, DateTimeOffset Ends);

/// <summary>A passkey of whoever looks.</summary>
/// <param name="Id">Its id, base64url.</param>
/// <param name="Name">What they call it.</param>
/// <param name="Synced">Whether it may be on several devices.</param>
/// <param name="Since">Since when.</param>
/// <param name="Used">When it was used last; null for never.</param>
public sealed record ShownPasskey(string Id, string Name, bool Synced, DateTimeOffset Since, DateTimeOffset? Used);

/// <summary>A step of a request.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="State">How it stands.</param>
/// <param name="Need">How many yeses it takes.</param>
/// <param name="Missing">How many are missing.</param>
/// <param name="StepUp">How a yes is proved anew, in words; empty for not at all.</param>
/// <param name="Could">Who could answer.</param>
public sealed record ShownStep(string Name, string State, int Need, int Missing, string StepUp, string Could);

/// <summary>An answer to a request.</summary>
/// <param name="By">Whose.</param>
/// <param name="Said">What it was.</param>
/// <param name="Comment">What they wrote; empty for nothing.</param>
/// <param name="At">When.</param>
public sealed record ShownAnswer(string By, string Said, string Comment, DateTimeOffset At);

/// <summary>A statement that may run.</summary>
/// <param name="Sql">Its whole text.</param>
/// <param name="How">With which parameters and how often, in words; empty for neither.</param>
public sealed record ShownStatement(string Sql, string How);
