using System.Collections.Frozen;
using FsCheck;
using FsCheck.Fluent;
using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Catalog;
using Stint.Core.Policies;
using Xunit;

namespace Stint.Tests.Policies;

/// <summary>What holds for every catalog and every question.</summary>
public class DeciderPropertyTests
{
    private static readonly string[] Names = ["ann", "bob", "carol", "dan"];
    private static readonly RoleRef[] Roles = [new("db", "read"), new("db", "write"), new("web", "read")];
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    private static readonly Gen<Policy> Rules =
        from who in Gen.SubListOf(Names)
        from roles in Gen.SubListOf(Roles)
        from deny in Gen.Frequency((1, Gen.Constant(true)), (5, Gen.Constant(false)))
        from minutes in Gen.Choose(1, 120)
        from more in Gen.Choose(0, 120)
        from reason in Gen.Elements(true, false)
        from ticket in Gen.Elements<string?>(null, null, "^INC-[0-9]+$")
        from workflow in Workflows
        from strict in Gen.Elements(RecordMode.Default, RecordMode.Strict)
        select new Policy
        {
            Name = "",
            Who = who.Select(name => new SubjectId(name)).ToFrozenSet(),
            WhoText = string.Join(", ", who),
            Roles = roles.ToFrozenSet(),
            Deny = deny,
            DefaultFor = TimeSpan.FromMinutes(minutes),
            MaxFor = TimeSpan.FromMinutes(minutes + more),
            ReasonRequired = reason,
            TicketPattern = ticket,
            Approve = deny ? null : workflow,
            Record = strict,
        };

    private static Gen<Workflow?> Workflows =>
        from any in Gen.Elements(true, false)
        from steps in Gen.NonEmptyListOf(
            from of in Gen.Elements("owners", "manager", "group:all", "group:some", "person:dan")
            from need in Gen.Choose(1, 2)
            select new WorkflowStep(of, need))
        from distinct in Gen.Elements(true, false)
        from lapses in Gen.Choose(1, 24)
        select any ? new Workflow { Name = "w", Steps = [.. steps.Take(3)], Distinct = distinct, LapsesAfter = TimeSpan.FromHours(lapses) } : null;

    private static readonly Gen<Question> Questions =
        from who in Gen.Elements(Names)
        from role in Gen.Elements(Roles)
        from minutes in Gen.Elements<int?>(null, 1, 30, 60, 240)
        from reason in Gen.Elements<string?>(null, "because")
        from ticket in Gen.Elements<string?>(null, "INC-7", "x")
        select new Question(new SubjectId(who), role, minutes is { } m ? TimeSpan.FromMinutes(m) : null, reason, ticket, null, Now);

    private static readonly Gen<(List<Policy> Policies, Policy Extra, Question Question, int Seed)> Cases =
        from policies in Gen.ListOf(Rules)
        from extra in Rules
        from question in Questions
        from seed in Gen.Choose(0, int.MaxValue - 1)
        select (policies.ToList(), extra, question, seed);

    private static readonly LoadedCatalog Empty = new()
    {
        Version = "v",
        Source = new CatalogSource([]),
        Resources = new[] { Make("db", "read", "write"), Make("web", "read") }.ToFrozenDictionary(resource => resource.Name),
        People = Names.ToFrozenDictionary(name => name, name => new Person { Id = new SubjectId(name), TokenHashes = [], Manager = name == "ann" ? new SubjectId("bob") : null, Disabled = name == "dan" }),
        Groups = new Dictionary<string, FrozenSet<SubjectId>>
        {
            ["all"] = Names.Select(name => new SubjectId(name)).ToFrozenSet(),
            ["some"] = new[] { new SubjectId("ann"), new SubjectId("bob") }.ToFrozenSet(),
        }.ToFrozenDictionary(),
        Workflows = FrozenDictionary<string, Workflow>.Empty,
        Policies = [],
        Admins = FrozenSet<SubjectId>.Empty,
        Auditors = FrozenSet<SubjectId>.Empty,
    };

    private static LoadedCatalog Catalog(IEnumerable<Policy> policies) => Empty with { Policies = [.. policies] };

    private static Resource Make(string name, params string[] roles) => new()
    {
        Name = name,
        Kind = "k",
        Labels = FrozenDictionary<string, string>.Empty,
        Owners = new[] { new SubjectId("bob"), new SubjectId("carol") }.ToFrozenSet(),
        Settings = Settings.Empty,
        Roles = roles.ToFrozenDictionary(role => role, role => new Role { Ref = new RoleRef(name, role), Settings = Settings.Empty }),
    };

    /// <summary>0 no, 1 with approval, 2 by rule.</summary>
    private static int Softness(Verdict verdict) => verdict switch
    {
        Verdict.Allow => 2,
        Verdict.NeedsApproval => 1,
        _ => 0,
    };

    private static List<Policy> Named(List<Policy> policies) => [.. policies.Select((policy, i) => policy with { Name = $"p{i}" })];

    private static bool AnyRuleAbout(List<Policy> policies, Question question) =>
        policies.Exists(policy => !policy.Deny && policy.Who.Contains(question.Subject) && policy.Roles.Contains(question.Role));

    private static void Holds(Func<List<Policy>, Policy, Question, int, bool> property) =>
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(300), Prop.ForAll(Cases.ToArbitrary(), item => property(Named(item.Policies), item.Extra with { Name = "extra" }, item.Question, item.Seed)));

    [Fact]
    public void AddingADeny_NeverTurnsANoIntoAYes() =>
        Holds((policies, extra, question, _) =>
            Softness(Decider.Decide(Catalog([.. policies, extra with { Deny = true, Approve = null }]), question)) <= Softness(Decider.Decide(Catalog(policies), question)));

    [Fact]
    public void AddingAnyRuleBesideAnother_NeverSoftens() =>
        Holds((policies, extra, question, _) =>
            !AnyRuleAbout(policies, question) || Softness(Decider.Decide(Catalog([.. policies, extra]), question)) <= Softness(Decider.Decide(Catalog(policies), question)));

    [Fact]
    public void AddingAnApprovalBesideAnother_KeepsEveryDemand() =>
        Holds((policies, extra, question, _) =>
        {
            if (!AnyRuleAbout(policies, question) || extra.Deny || Decider.Decide(Catalog([.. policies, extra]), question) is not Verdict.NeedsApproval after)
            {
                return true;
            }

            return Decider.Decide(Catalog(policies), question) switch
            {
                Verdict.NeedsApproval before => (!before.Distinct || after.Distinct) && after.Terms.Max <= before.Terms.Max && after.Terms.For <= before.Terms.For
                    && after.Terms.Record >= before.Terms.Record
                    && before.Steps.All(step => after.Steps.Any(other => other.From == step.From && other.Need >= step.Need)),
                Verdict.Allow => true,
                _ => false,
            };
        });

    [Fact]
    public void Order_OfPolicies_DoesNotMatter() =>
        Holds((policies, extra, question, seed) =>
        {
            List<Policy> all = [.. policies, extra];
            var shuffled = all.ToArray();
            new System.Random(seed).Shuffle(shuffled);
            var (one, other) = (Decider.Decide(Catalog(all), question), Decider.Decide(Catalog(shuffled), question));
            return Softness(one) == Softness(other) && one.DecidedBy.Order(StringComparer.Ordinal).SequenceEqual(other.DecidedBy.Order(StringComparer.Ordinal)) && (one, other) switch
            {
                (Verdict.Allow a, Verdict.Allow b) => a.Terms == b.Terms,
                (Verdict.NeedsApproval a, Verdict.NeedsApproval b) => a.Terms == b.Terms && a.Distinct == b.Distinct
                    && a.Steps.Select(step => $"{step.From} {step.Need}").Order(StringComparer.Ordinal).SequenceEqual(b.Steps.Select(step => $"{step.From} {step.Need}").Order(StringComparer.Ordinal)),
                (Verdict.Deny a, Verdict.Deny b) => a.Known == b.Known,
                _ => false,
            };
        });

    [Fact]
    public void Verdict_EveryOne_NamesEachRuleOnceAndCanBeFulfilled() =>
        Holds((policies, _, question, _) =>
        {
            var verdict = Decider.Decide(Catalog(policies), question);
            var named = verdict.Trace.Select(line => line.Rule).Order(StringComparer.Ordinal).SequenceEqual(policies.Select(policy => policy.Name).Order(StringComparer.Ordinal));
            return named && verdict switch
            {
                Verdict.Allow allow => allow.Terms.For <= allow.Terms.Max && verdict.DecidedBy.Count > 0,
                Verdict.NeedsApproval needs => needs.Terms.For <= needs.Terms.Max && Quorum.CanBeMet(needs.Steps, needs.Distinct, question.Subject)
                    && needs.Steps.All(step => !step.Approvers.Contains(question.Subject) && !step.Approvers.Contains(new SubjectId("dan"))),
                _ => true,
            };
        });

    [Fact]
    public void Json_EveryVerdict_ComesBackTheSame() =>
        Holds((policies, _, question, _) =>
        {
            var json = VerdictJson.Write(Decider.Decide(Catalog(policies), question));
            return VerdictJson.Write(VerdictJson.Read(json)) == json;
        });
}
