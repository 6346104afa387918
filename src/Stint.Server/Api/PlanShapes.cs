namespace Stint.Server.Api;

/// <summary>What other files would change. When they have problems, these are all there is.</summary>
internal sealed record PlanShape
{
    /// <summary>Whether the files are a catalog.</summary>
    public required bool Ok { get; init; }

    /// <summary>Everything that stands against them; empty when they are one.</summary>
    public required IReadOnlyList<CatalogProblemShape> Errors { get; init; }

    /// <summary>What is worth a second look.</summary>
    public required IReadOnlyList<CatalogProblemShape> Warnings { get; init; }

    /// <summary>The catalog that counts, and that the plan starts from.</summary>
    public string? Base { get; init; }

    /// <summary>The catalog that the files make.</summary>
    public string? Version { get; init; }

    /// <summary>Whether nothing would change.</summary>
    public bool? Nothing { get; init; }

    /// <summary>What comes, goes or says something else.</summary>
    public IReadOnlyList<ItemChangeShape>? Changes { get; init; }

    /// <summary>Who gains and who loses.</summary>
    public IReadOnlyList<AccessChangeShape>? Access { get; init; }

    /// <summary>How many people lose something.</summary>
    public int? Losers { get; init; }

    /// <summary>How many changes are left out of the two lists.</summary>
    public int? LeftOut { get; init; }

    /// <summary>Whether it would wait for somebody's yes.</summary>
    public bool? NeedsApproval { get; init; }

    /// <summary>Whose yes, as it stands now; empty for nobody's.</summary>
    public IReadOnlyList<System.Text.Json.Nodes.JsonObject>? Approvals { get; init; }

    /// <summary>What becomes of what is open and of what waits.</summary>
    public ConsequencesShape? Consequences { get; init; }
}

/// <summary>Something that stands against a catalog's file.</summary>
/// <param name="File">Its path below the catalog's folder.</param>
/// <param name="Line">Counted from 1.</param>
/// <param name="Column">Counted from 1.</param>
/// <param name="What">What is wrong.</param>
/// <param name="WayOut">What to do about it; null when that is plain.</param>
internal sealed record CatalogProblemShape(string File, int Line, int Column, string What, string? WayOut);

/// <summary>One thing of a catalog that comes, goes or says something else.</summary>
/// <param name="Kind">What it is: <c>resource</c>, <c>role</c>, <c>group</c>, <c>policy</c>, …</param>
/// <param name="Name">Its name; empty where there is only one.</param>
/// <param name="What"><c>added</c>, <c>removed</c> or <c>changed</c>.</param>
/// <param name="Keys">Which keys say something else; never what they say.</param>
/// <param name="In">Members that come in.</param>
/// <param name="Out">Members that go.</param>
/// <param name="Sentence">The same in words.</param>
internal sealed record ItemChangeShape(string Kind, string Name, string What, IReadOnlyList<string> Keys, IReadOnlyList<string> In, IReadOnlyList<string> Out, string Sentence);

/// <summary>What changes for people who are alike.</summary>
/// <param name="Kind"><c>gains</c>, <c>loses</c>, <c>harder</c>, <c>easier</c> or <c>changed</c>.</param>
/// <param name="Who">Who, by the groups that they share, or by name.</param>
/// <param name="Count">How many people.</param>
/// <param name="People">Their names; of many, the first.</param>
/// <param name="Roles">The roles that it is about.</param>
/// <param name="Before">What they could get.</param>
/// <param name="After">What they will be able to get.</param>
/// <param name="Differences">What is other, in words.</param>
/// <param name="Sentence">All of it in words.</param>
internal sealed record AccessChangeShape(
    string Kind,
    IReadOnlyList<string> Who,
    int Count,
    IReadOnlyList<string> People,
    IReadOnlyList<string> Roles,
    AccessStandingShape Before,
    AccessStandingShape After,
    IReadOnlyList<string> Differences,
    string Sentence);

/// <summary>What becomes of what is open and of what waits.</summary>
/// <param name="Items">One each.</param>
/// <param name="LeftOut">How many more there are.</param>
internal sealed record ConsequencesShape(IReadOnlyList<ConsequenceShape> Items, int LeftOut);

/// <summary>What becomes of one request or grant.</summary>
/// <param name="Kind"><c>request</c> or <c>grant</c>.</param>
/// <param name="Id">Which.</param>
/// <param name="Subject">Whose.</param>
/// <param name="Role"><c>RESOURCE/ROLE</c>.</param>
/// <param name="What"><c>ends</c> at once, <c>falls</c> when it is to open, or <c>keeps</c> what would not be given again.</param>
/// <param name="Because">Why.</param>
internal sealed record ConsequenceShape(string Kind, string Id, string Subject, string Role, string What, string Because);
