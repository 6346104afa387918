using System.Collections.Frozen;
using Stint.Core.Approvals;
using Stint.Core.Catalog.Calendars;
using Stint.Core.Policies;
using Stint.Core.Policies.Cel;

namespace Stint.Core.Catalog;

/// <summary>What exists and who may ask for it: one loaded, checked, immutable version.</summary>
public sealed record LoadedCatalog
{
    private PolicyIndex? _index;
    private Memberships? _memberships;

    /// <summary>SHA-256 in hexadecimal over the canonical form of its files (<see cref="CatalogSource"/>).</summary>
    public required string Version { get; init; }

    /// <summary>The files it was read from, for pinning and for evidence.</summary>
    public required CatalogSource Source { get; init; }

    /// <summary>By name.</summary>
    public required FrozenDictionary<string, Resource> Resources { get; init; }

    /// <summary>By name.</summary>
    public required IReadOnlyDictionary<string, Person> People { get; init; }

    /// <summary>By <see cref="SubjectId"/>: <c>workload:NAME</c>.</summary>
    public FrozenDictionary<string, Workload> Workloads { get; init; } = FrozenDictionary<string, Workload>.Empty;

    /// <summary>Group name to its members, groups in groups already resolved.</summary>
    public required FrozenDictionary<string, FrozenSet<SubjectId>> Groups { get; init; }

    /// <summary>Group name to the groups in it, groups in groups counted.</summary>
    public FrozenDictionary<string, FrozenSet<string>> GroupsIn { get; init; } = FrozenDictionary<string, FrozenSet<string>>.Empty;

    /// <summary>Group name to the name of the directory's group whose members it has besides its own.</summary>
    public FrozenDictionary<string, string> FromDirectory { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>By name.</summary>
    public FrozenDictionary<string, Rota> Rotas { get; init; } = FrozenDictionary<string, Rota>.Empty;

    /// <summary>By name.</summary>
    public FrozenDictionary<string, Template> Templates { get; init; } = FrozenDictionary<string, Template>.Empty;

    /// <summary>By name.</summary>
    public FrozenDictionary<string, Bundle> Bundles { get; init; } = FrozenDictionary<string, Bundle>.Empty;

    /// <summary>By name.</summary>
    public FrozenDictionary<string, Calendar> Calendars { get; init; } = FrozenDictionary<string, Calendar>.Empty;

    public required FrozenDictionary<string, Workflow> Workflows { get; init; }

    /// <summary>In the order of their names.</summary>
    public required IReadOnlyList<Policy> Policies { get; init; }

    /// <summary>Which roles one person may not hold beside which others, in the order of their names.</summary>
    public IReadOnlyList<Separation> Separations { get; init; } = [];

    /// <summary>What the policies must never let happen.</summary>
    public IReadOnlyList<Never> Nevers { get; init; } = [];

    /// <summary>What the catalog says its policies answer, in the order of writing.</summary>
    public IReadOnlyList<CatalogTest> Tests { get; init; } = [];

    /// <summary>May revoke, kill sessions and read everything.</summary>
    public required FrozenSet<SubjectId> Admins { get; init; }

    /// <summary>The names that <see cref="Admins"/> was resolved from.</summary>
    public IReadOnlyList<string> AdminNames { get; init; } = [];

    /// <summary>May read everything that is not a secret: audit, sessions, statements.</summary>
    public required FrozenSet<SubjectId> Auditors { get; init; }

    /// <summary>The names that <see cref="Auditors"/> was resolved from.</summary>
    public IReadOnlyList<string> AuditorNames { get; init; } = [];

    /// <summary>Rights in Stint itself that are held for a time, beside the two lists; none for a catalog that was only loaded.</summary>
    public IReadOnlyList<HeldRight> HeldRights { get; init; } = [];

    /// <summary>What the files say, without the directory's people, what others tell of who is on call, and rights that are held for a time.</summary>
    public LoadedCatalog Text => WithoutDirectory ?? this;

    /// <summary>What this was made from by laying the directory, what others tell of who is on call, or rights over it; null for what the files say.</summary>
    internal LoadedCatalog? WithoutDirectory { get; init; }

    /// <summary>Whose yes a change of this catalog needs; null when an admin's applying is enough.</summary>
    public Workflow? ChangeApproval { get; init; }

    /// <summary>Whoever may ask: a person or a workload, disabled or not; null for nobody.</summary>
    /// <remarks>NB. Whoever looks for somebody who answers looks in <see cref="People"/>: machines ask, and never approve.</remarks>
    public Subject? Find(SubjectId subject) => subject.IsWorkload
        ? Workloads.GetValueOrDefault(subject.Value)
        : People.GetValueOrDefault(subject.Value ?? "");

    /// <summary>Whether somebody may ask at all.</summary>
    public bool MayAsk(SubjectId subject) => Find(subject) is { Disabled: false };

    /// <summary>The roles that separations keep apart from a role, with how long they look back at most; null when none is about it.</summary>
    public (IReadOnlySet<RoleRef> Roles, TimeSpan Within)? Against(RoleRef role)
    {
        var about = Separations.Where(separation => separation.Against(role).Count > 0).ToList();
        return about switch
        {
            [] => null,
            [var one] => (one.Against(role), one.Within),
            _ => (about.SelectMany(separation => separation.Against(role)).ToHashSet(), about.Max(separation => separation.Within)),
        };
    }

    /// <summary>The groups that somebody is in, groups in groups counted, in the order of their names.</summary>
    public IReadOnlyList<string> GroupsOf(SubjectId subject) => Membership(subject)?.Names ?? [];

    /// <summary>The same, as conditions read it.</summary>
    internal CelList GroupListOf(SubjectId subject) => Membership(subject)?.List ?? CelList.Empty;

    /// <summary>The rotas in which somebody is on call at a moment, in the order of their names.</summary>
    public IReadOnlyList<string> OnCallFor(SubjectId subject, DateTimeOffset moment) =>
        Rotas.Count == 0 ? [] : [.. Rotas.Values.Where(rota => rota.On(moment).Contains(subject)).Select(rota => rota.Name).Order(StringComparer.Ordinal)];

    private Membership? Membership(SubjectId subject)
    {
        // NB. A copy made with other groups carries the old memberships along: they count for their own groups only.
        var made = _memberships;
        if (!ReferenceEquals(made?.Of, Groups))
        {
            _memberships = made = new Memberships(Groups);
        }

        return made!.BySubject.GetValueOrDefault(subject);
    }

    /// <summary>Which policies are about whom and what. Made at the first question; two threads that come first make the same one twice.</summary>
    internal PolicyIndex Index
    {
        get
        {
            // NB. A copy made with other policies carries the old index along: it counts for its own policies only.
            var index = _index;
            return ReferenceEquals(index?.Policies, Policies) ? index! : _index = new PolicyIndex(Policies);
        }
    }
}

/// <summary>Groups by their members.</summary>
internal sealed class Memberships
{
    public Memberships(FrozenDictionary<string, FrozenSet<SubjectId>> groups)
    {
        Of = groups;
        var found = new Dictionary<SubjectId, List<string>>();
        foreach (var (name, members) in groups.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            foreach (var member in members)
            {
                if (!found.TryGetValue(member, out var list))
                {
                    found[member] = list = [];
                }

                list.Add(name);
            }
        }

        BySubject = found.ToFrozenDictionary(pair => pair.Key, pair => new Membership(pair.Value));
    }

    /// <summary>What it was made from.</summary>
    public FrozenDictionary<string, FrozenSet<SubjectId>> Of { get; }

    public FrozenDictionary<SubjectId, Membership> BySubject { get; }
}

/// <summary>The groups of one subject.</summary>
internal sealed class Membership(IReadOnlyList<string> names)
{
    private CelList? _list;

    /// <summary>In the order of their names.</summary>
    public IReadOnlyList<string> Names { get; } = names;

    public CelList List => _list ??= CelList.Of(Names);
}

/// <summary>The files of a catalog.</summary>
public sealed record CatalogSource(IReadOnlyList<CatalogFile> Files);

/// <summary>One file.</summary>
/// <param name="Name">Path below the catalog's folder, with forward slashes.</param>
/// <param name="Text">Its text.</param>
public sealed record CatalogFile(string Name, string Text);

/// <summary>A system that access is given to.</summary>
public sealed record Resource
{
    public required string Name { get; init; }

    /// <summary>Names the connector and, where there is one, the wire protocol.</summary>
    public required string Kind { get; init; }

    public string Description { get; init; } = "";

    public required FrozenDictionary<string, string> Labels
    {
        get;
        init
        {
            field = value;
            LabelMap = CelMap.Of(value);
        }
    }

    /// <summary>The labels, as conditions read them.</summary>
    internal CelMap LabelMap { get; private init; } = CelMap.Empty;

    /// <summary>Persons who own it, groups resolved.</summary>
    public required FrozenSet<SubjectId> Owners { get; init; }

    /// <summary>The names that <see cref="Owners"/> was resolved from: <c>group:NAME</c> and <c>person:NAME</c>.</summary>
    public IReadOnlyList<string> OwnerNames { get; init; } = [];

    /// <summary>Checked against the kind's shape.</summary>
    public required Settings Settings { get; init; }

    public required FrozenDictionary<string, Role> Roles { get; init; }
}

/// <summary>What one may do at a resource.</summary>
public sealed record Role
{
    public required RoleRef Ref { get; init; }

    public string Description { get; init; } = "";

    /// <summary><c>low</c>, <c>medium</c> or <c>high</c>.</summary>
    public string Risk { get; init; } = "low";

    /// <summary>What it is at the target; checked against the kind's shape.</summary>
    public required Settings Settings { get; init; }
}

/// <summary>Who asks.</summary>
public abstract record Subject
{
    public required SubjectId Id { get; init; }

    /// <summary>For people to read; empty when the catalog gives none.</summary>
    public string Name { get; init; } = "";

    /// <summary>A disabled one can do nothing, and what they hold ends.</summary>
    public bool Disabled { get; init; }
}

/// <summary>Who is known, until identity arrives from elsewhere.</summary>
public sealed record Person : Subject
{
    public string? Mail { get; init; }

    public SubjectId? Manager { get; init; }

    /// <summary>What else is known of them, for conditions.</summary>
    public FrozenDictionary<string, string> Attributes
    {
        get;
        init
        {
            field = value;
            AttributeMap = CelMap.Of(value);
        }
    } = FrozenDictionary<string, string>.Empty;

    /// <summary>The attributes, as conditions read them.</summary>
    internal CelMap AttributeMap { get; private init; } = CelMap.Empty;

    /// <summary>SHA-256 of their tokens; a token is 256 random bits, so that a plain hash cannot be searched.</summary>
    public required IReadOnlyList<byte[]> TokenHashes { get; init; }
}

/// <summary>Approval steps with a name.</summary>
public sealed record Workflow
{
    public required string Name { get; init; }

    public required IReadOnlyList<WorkflowStep> Steps { get; init; }

    /// <summary>Whether a step is asked only once those before it are met; otherwise all are asked at once.</summary>
    public bool Sequential { get; init; }

    /// <summary>Whether nobody counts in two steps.</summary>
    public bool Distinct { get; init; }

    /// <summary>How long a request waits for its decision.</summary>
    public TimeSpan LapsesAfter { get; init; } = TimeSpan.FromHours(24);
}

/// <summary>One step.</summary>
/// <param name="From"><c>owners</c>, <c>manager</c>, <c>skip-manager</c>, <c>group:NAME</c>, <c>person:NAME</c> or <c>on-call:ROTA</c>; several, with a comma and a space between them, for any of those persons.</param>
/// <param name="Need">How many different persons.</param>
public sealed record WorkflowStep(string From, int Need)
{
    /// <summary>After how long without enough answers its people are reminded, and again each time the wait has doubled; null for never.</summary>
    public TimeSpan? Remind { get; init; }

    /// <summary>Who may answer too once it has waited long; null for nobody.</summary>
    public Escalation? Escalate { get; init; }

    /// <summary>Whether the requester's own manager does not count.</summary>
    public bool NotForReports { get; init; }

    /// <summary>How whoever says yes has to prove themselves anew.</summary>
    public StepUp StepUp { get; init; }

    /// <summary>Whether its yes comes from that source whatever happens: a step that escalates to others may be met without it.</summary>
    public bool IsOnlyFrom(string source) => From == source && (Escalate is null || Escalate.To == source);
}

/// <summary>Who may answer too once a step has waited.</summary>
/// <param name="After">How long, from when the step is asked.</param>
/// <param name="To">As <see cref="WorkflowStep.From"/>.</param>
public sealed record Escalation(TimeSpan After, string To);

/// <summary>Who may ask for which roles, for how long, and whose yes it needs; or who may not.</summary>
public sealed record Policy
{
    public required string Name { get; init; }

    /// <summary>The persons it is about, groups resolved.</summary>
    public required FrozenSet<SubjectId> Who { get; init; }

    /// <summary>As the catalog says it, for people: <c>group:developers</c>.</summary>
    public required string WhoText { get; init; }

    /// <summary>The names that <see cref="Who"/> was resolved from: <c>group:NAME</c> and <c>person:NAME</c>.</summary>
    public IReadOnlyList<string> WhoNames { get; init; } = [];

    /// <summary>Whether the rule is about an asking at all; null: always. Where it does not hold, the rule says nothing.</summary>
    public Condition? Where { get; init; }

    /// <summary>Whether the rule holds now; null: always. An asker is told that it does not.</summary>
    public Condition? When { get; init; }

    /// <summary>Access opens during any of these only, and ends with it at the latest; empty: at any time. Of a deny rule: when it denies.</summary>
    public IReadOnlyList<Calendar> During { get; init; } = [];

    /// <summary>Access opens during none of these, and ends before the next one begins; empty: none.</summary>
    public IReadOnlyList<Calendar> NotDuring { get; init; } = [];

    /// <summary>The roles it is about, patterns resolved against this catalog.</summary>
    public required FrozenSet<RoleRef> Roles { get; init; }

    /// <summary>Where it stands in the catalog.</summary>
    public CatalogPlace Place { get; init; }

    /// <summary>As it is written there, its name included: for evidence. Empty for one that was not loaded from a file.</summary>
    public string Text { get; init; } = "";

    /// <summary>Whether it says no.</summary>
    public bool Deny { get; init; }

    /// <summary>The template that gave it what it does not say itself; null for none.</summary>
    public string? Template { get; init; }

    public TimeSpan DefaultFor { get; init; } = TimeSpan.FromHours(1);

    public TimeSpan MaxFor { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Whether a justification must be given.</summary>
    public bool ReasonRequired { get; init; }

    /// <summary>Whether the exact statements that shall run have to be named.</summary>
    public bool StatementsRequired { get; init; }

    /// <summary>Pattern that the ticket must match; null when no ticket is demanded.</summary>
    public string? TicketPattern { get; init; }

    /// <summary>Null: allowed by rule. Otherwise whose yes it needs, unless <see cref="Auto"/> holds.</summary>
    public Workflow? Approve { get; init; }

    /// <summary>Lets in by rule, where it holds, what would need a yes; null: nothing does.</summary>
    public Condition? Auto { get; init; }

    /// <summary>What it takes in an emergency; null for a rule of every day. Such a rule counts for an asking that is break-glass, and for no other.</summary>
    public BreakGlass? BreakGlass { get; init; }

    public RecordMode Record { get; init; } = RecordMode.Default;

    /// <summary>How long an approved one waits to be begun.</summary>
    public TimeSpan BeginWithin { get; init; } = TimeSpan.FromHours(8);
}
