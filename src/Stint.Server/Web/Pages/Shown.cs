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
