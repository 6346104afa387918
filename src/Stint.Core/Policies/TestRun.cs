using System.Collections.Frozen;
using Stint.Core.Approvals;
using Stint.Core.Catalog;

namespace Stint.Core.Policies;

/// <summary>Runs the tests that stand beside the policies. Pure: each says itself when it is asked.</summary>
public static class TestRun
{
    /// <summary>Every test of a catalog, and what they exercised.</summary>
    public static TestReport Run(LoadedCatalog catalog)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        var coverage = new Coverage(catalog);
        var results = new List<TestResult>();
        foreach (var test in catalog.Tests)
        {
            var world = Overlay(catalog, test);
            if (test.Bundle is { } bundle)
            {
                results.Add(Together(world, world.Bundles[bundle], test, coverage));
                continue;
            }

            var question = new Question(test.Subject, test.Ask, test.For, test.Reason, test.Ticket, test.Start, test.At) { Held = test.Held, BreakGlass = test.BreakGlass, Task = test.Task, Claims = test.Claims, Statements = test.Statements };
            var verdict = Decider.Decide(world, question);
            coverage.Note(world, question, verdict);
            results.Add(new TestResult(test, verdict, Differences(test.Expect, verdict, test.Start ?? test.At)));
        }

        return new TestReport(results, coverage.Report());
    }

    /// <summary>A test of a bundle: each role by itself, and what they share. As a whole it is as strict as its strictest role.</summary>
    private static TestResult Together(LoadedCatalog world, Bundle bundle, CatalogTest test, Coverage coverage)
    {
        Question Ask(RoleRef role, TimeSpan? length, IReadOnlyList<RoleRef> before) => new(test.Subject, role, length, test.Reason, test.Ticket, test.Start, test.At)
        {
            Held = [.. test.Held, .. before.Select(one => new Held(one, test.Start ?? test.At, null, Promised: true))],
        };
        var decided = BundleDecider.Decide(world, bundle, test.For ?? bundle.For, Ask);
        foreach (var one in decided.Roles)
        {
            coverage.Note(world, Ask(one.Role, null, []), one.Verdict);
        }

        var verdicts = decided.Roles.ToDictionary(one => one.Role, one => one.Verdict);
        foreach (var (role, because) in decided.Hidden)
        {
            verdicts[role] = new Verdict.Deny(because, Known: false) { Trace = [] };
        }

        var whole = verdicts.Values.FirstOrDefault(verdict => verdict is Verdict.Deny) ?? decided.Needs ?? verdicts[bundle.Roles[0]];
        var found = Differences(test.Expect with { Steps = null }, whole, test.Start ?? test.At);
        if (test.Expect.Steps is { } steps && Listed(steps) is var expected && (Listed(decided.Needs?.Steps.Select(step => step.From)) ?? "none") is var actual && expected != actual)
        {
            found.Add($"steps: expected {expected}, got {actual}");
        }

        foreach (var (role, verdict) in test.Expect.Roles ?? new Dictionary<RoleRef, string>())
        {
            if (VerdictJson.Name(verdicts[role]) is var answer && answer != verdict)
            {
                found.Add($"{role}: expected {verdict}, got {answer}{(verdicts[role] is Verdict.Deny deny ? $" ({deny.Because})" : "")}");
            }
        }

        return new TestResult(test, whole, found);
    }

    /// <summary>The catalog as the test's subject finds it: with the groups, attributes, manager and rotas that the test gives them.</summary>
    internal static LoadedCatalog Overlay(LoadedCatalog catalog, CatalogTest test)
    {
        if (test.Subject.IsWorkload)
        {
            var machines = new Dictionary<string, Workload>(catalog.Workloads, StringComparer.Ordinal);
            machines.TryAdd(test.Subject.Value, new Workload { Id = test.Subject });
            var peopled = catalog with { Workloads = machines.ToFrozenDictionary(StringComparer.Ordinal) };
            return test.Groups is null ? peopled : Regrouped(peopled, test.Subject, test.Groups);
        }

        var known = catalog.People.GetValueOrDefault(test.Subject.Value) ?? new Person { Id = test.Subject, TokenHashes = [] };
        var person = known with { Attributes = test.Attributes ?? known.Attributes, Manager = test.Manager ?? known.Manager };
        var people = new Dictionary<string, Person>(catalog.People, StringComparer.Ordinal) { [test.Subject.Value] = person };
        var rotas = new Dictionary<string, Rota>(catalog.Rotas, StringComparer.Ordinal);
        if (test.OnCall is { } onCall)
        {
            var moment = test.Start ?? test.At;
            foreach (var rota in catalog.Rotas.Values.Where(rota => rota.On(moment).Contains(test.Subject)))
            {
                rotas.Remove(rota.Name);
            }

            if (onCall)
            {
                rotas["(test)"] = new Rota { Name = "(test)", Zone = TimeZoneInfo.Utc, Starts = DateTime.MinValue, Turn = TimeSpan.FromDays(366), People = [test.Subject] };
            }
        }

        var world = catalog with { People = people.ToFrozenDictionary(StringComparer.Ordinal), Rotas = rotas.ToFrozenDictionary(StringComparer.Ordinal) };
        return test.Groups is null ? world : Regrouped(world, test.Subject, test.Groups);
    }

    private static LoadedCatalog Regrouped(LoadedCatalog catalog, SubjectId subject, IReadOnlyList<string> groups)
    {
        var own = groups.ToHashSet(StringComparer.Ordinal);
        own.UnionWith(catalog.GroupsIn.Where(pair => pair.Value.Overlaps(groups)).Select(pair => pair.Key));
        return catalog with
        {
            Groups = catalog.Groups.ToFrozenDictionary(pair => pair.Key, pair => With(pair.Value, subject, own.Contains(pair.Key)), StringComparer.Ordinal),
            Policies =
            [
                .. catalog.Policies.Select(policy => policy with
                {
                    Who = With(policy.Who, subject, policy.WhoNames.Any(name => name == subject.Full || (name.StartsWith("group:", StringComparison.Ordinal) && own.Contains(name["group:".Length..])))),
                }),
            ],
        };
    }

    private static FrozenSet<SubjectId> With(FrozenSet<SubjectId> members, SubjectId subject, bool isMember) =>
        members.Contains(subject) == isMember ? members : (isMember ? members.Append(subject) : members.Where(member => member != subject)).ToFrozenSet();

    private static List<string> Differences(Expectation expect, Verdict verdict, DateTimeOffset opens)
    {
        var found = new List<string>();
        var terms = verdict switch
        {
            Verdict.Allow allow => allow.Terms,
            Verdict.NeedsApproval needs => needs.Terms,
            _ => null,
        };

        void Compare(string what, string? expected, string actual)
        {
            if (expected is not null && expected != actual)
            {
                found.Add($"{what}: expected {expected}, got {actual}");
            }
        }

        Compare("verdict", expect.Verdict, VerdictJson.Name(verdict));
        Compare("because", Listed(expect.Because), Listed(verdict.DecidedBy) ?? "no rule");
        Compare("for", Said(expect.For), Said(terms?.For) ?? "nothing");
        Compare("max", Said(expect.Max), Said(terms?.Max) ?? "nothing");
        Compare("step_up", expect.StepUp, verdict is Verdict.NeedsApproval proved ? StepUps.Word(proved.Steps.Max(step => step.StepUp)) ?? "none" : "none");
        Compare("steps", Listed(expect.Steps), verdict is Verdict.NeedsApproval asked ? Listed(asked.Steps.Select(step => step.From))! : "none");
        Compare("record", expect.Record?.ToString(), terms?.Record.ToString() ?? "none");
        Compare("opens", At(expect.Opens), At(terms is null ? null : terms.OpensFrom ?? opens) ?? "never");
        Compare("ends_by", At(expect.EndsBy), At(terms?.EndsBy) ?? "no such end");
        Compare("break_glass", expect.BreakGlass?.ToString(), (verdict is Verdict.Allow { Glass: not null }).ToString());
        Compare("known", expect.Known?.ToString(), (verdict is not Verdict.Deny { Known: false }).ToString());
        if (found.Count > 0 && verdict is Verdict.Deny deny)
        {
            found.Add($"the answer was: {deny.Because}");
        }

        return found;
    }

    private static string? Listed(IEnumerable<string>? names) => names is null || !names.Any() ? null : string.Join(", ", names.Order(StringComparer.Ordinal));

    private static string? At(DateTimeOffset? moment) => moment is { } at ? Moments.Say(at) : null;

    private static string? Said(TimeSpan? duration) => duration is { } length ? Words.Say(length) : null;
}

/// <summary>What came of a catalog's tests.</summary>
/// <param name="Results">In the order of the tests.</param>
/// <param name="Coverage">Each policy and then each separation, in the order of the names, with what was exercised of it.</param>
public sealed record TestReport(IReadOnlyList<TestResult> Results, IReadOnlyList<PolicyCoverage> Coverage)
{
    public bool Passed => Results.All(result => result.Differences.Count == 0);
}

/// <summary>One test's outcome.</summary>
/// <param name="Test">The test.</param>
/// <param name="Verdict">What the policies said.</param>
/// <param name="Differences">What differs from what was expected, for a person; empty when it passed.</param>
public sealed record TestResult(CatalogTest Test, Verdict Verdict, IReadOnlyList<string> Differences);

/// <summary>What the tests exercised of one policy.</summary>
/// <param name="Policy">Its name.</param>
/// <param name="Place">Where it stands.</param>
/// <param name="Decided">In how many tests the verdict rested on it.</param>
/// <param name="Conditions">Each condition, and each part of one that can be true or false by itself.</param>
public sealed record PolicyCoverage(string Policy, CatalogPlace Place, int Decided, IReadOnlyList<ConditionCoverage> Conditions)
{
    /// <summary>What no test exercised, in words; empty when all was.</summary>
    public IReadOnlyList<string> Never =>
    [
        .. Decided == 0 ? (string[])["it never decided"] : [],
        .. Conditions.SelectMany(condition => condition.Never),
    ];
}

/// <summary>What the tests exercised of a condition, or of a part of one.</summary>
/// <param name="Key"><c>where</c>, <c>when</c> or <c>auto</c>.</param>
/// <param name="Text">The condition, or the part.</param>
/// <param name="True">In how many tests it held.</param>
/// <param name="False">In how many it did not.</param>
public sealed record ConditionCoverage(string Key, string Text, int True, int False)
{
    internal IEnumerable<string> Never => (True, False) switch
    {
        (0, 0) => [$"'{Key}' was never looked at: {Text}"],
        (0, _) => [$"'{Key}' never held: {Text}"],
        (_, 0) => [$"'{Key}' always held: {Text}"],
        _ => [],
    };
}
