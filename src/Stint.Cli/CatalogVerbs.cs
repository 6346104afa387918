using System.CommandLine;
using System.Text.Json.Nodes;
using Stint.Core.Catalog;
using Stint.Core.Policies;
using Stint.Server;

namespace Stint.Cli;

/// <summary>The tools of whoever keeps the catalog.</summary>
internal static class CatalogVerbs
{
    public static Command All()
    {
        var catalog = new Command("catalog", "Check and test a catalog, see what it would change, and let it take effect.") { Check(), Test(), Schema() };
        foreach (var verb in CatalogPlanVerbs.All())
        {
            catalog.Add(verb);
        }

        return catalog;
    }

    private static Argument<string> Folder() => new("FOLDER") { Description = "The catalog's folder." };

    private static Command Check()
    {
        var folder = Folder();
        return Verb.Does(new Command("check", "Find everything that is wrong with a catalog, at once.") { folder }, (verb, _) =>
        {
            var load = StintServer.LoadCatalog(verb.Get(folder));
            verb.Terminal.Answer(Loaded(load), () =>
            {
                Tell(verb, load);
                verb.Terminal.Verdict(load.Catalog is not null, load.Catalog is { } catalog
                    ? $"Good: {Cards.Count(catalog.Resources.Count, "resource")}, {catalog.Policies.Count} {(catalog.Policies.Count == 1 ? "policy" : "policies")}, {catalog.People.Count} {(catalog.People.Count == 1 ? "person" : "people")}. Version {catalog.Version[..12]}."
                    : $"{Cards.Count(load.Errors.Count, "error")}.");
            });
            return Task.FromResult(load.Catalog is not null ? ExitCode.Ok : ExitCode.Failed);
        });
    }

    private static Command Test()
    {
        var folder = Folder();
        var junit = new Option<string?>("--junit") { Description = "Write the results as JUnit XML too, for a CI.", HelpName = "FILE" };
        var covered = new Option<bool>("--require-coverage") { Description = "Fail when a rule, or an outcome of a condition, was never exercised." };
        return Verb.Does(new Command("test", "Run the tests that stand beside the policies, and say what they never exercised.") { folder, junit, covered }, async (verb, cancellation) =>
        {
            var load = StintServer.LoadCatalog(verb.Get(folder));
            if (load.Catalog is not { } catalog)
            {
                verb.Terminal.Answer(Loaded(load), () =>
                {
                    Tell(verb, load);
                    verb.Terminal.Verdict(false, $"{Cards.Count(load.Errors.Count, "error")}: nothing was tested.");
                });
                return ExitCode.Failed;
            }

            var report = TestRun.Run(catalog);
            if (verb.Get(junit) is { } file)
            {
                await File.WriteAllTextAsync(file, JUnit.Of(report), cancellation);
            }

            var gaps = report.Coverage.Where(policy => policy.Never.Count > 0).ToList();
            var good = report.Passed && catalog.Tests.Count > 0 && (gaps.Count == 0 || !verb.Get(covered));
            verb.Terminal.Answer(Tested(report, good), () => Tell(verb, report, gaps, good));
            return good ? ExitCode.Ok : ExitCode.Failed;
        });
    }

    private static Command Schema() => Verb.Does(new Command("schema", "Print the JSON schema of the catalog, for your editor."), (_, _) =>
    {
        Console.Out.WriteLine(StintServer.CatalogSchema());
        return Task.FromResult(ExitCode.Ok);
    });

    private static void Tell(Verb verb, CatalogLoad load)
    {
        foreach (var problem in load.Errors)
        {
            verb.Terminal.Line(problem.ToString());
        }

        foreach (var warning in load.Warnings)
        {
            verb.Terminal.Line($"{warning} (warning)");
        }
    }

    private static void Tell(Verb verb, TestReport report, List<PolicyCoverage> gaps, bool good)
    {
        foreach (var result in report.Results.Where(result => result.Differences.Count > 0))
        {
            verb.Terminal.Line($"{result.Test.Place}: {result.Test.Name}");
            foreach (var difference in result.Differences)
            {
                verb.Terminal.Line($"    {difference}");
            }
        }

        if (gaps.Count > 0)
        {
            verb.Terminal.Line("Never exercised:");
            foreach (var policy in gaps)
            {
                verb.Terminal.Line($"  {policy.Place}: {policy.Policy}: {string.Join("; ", policy.Never)}");
            }
        }

        var failed = report.Results.Count(result => result.Differences.Count > 0);
        var exercised = $"{report.Coverage.Count - gaps.Count} of {report.Coverage.Count} policies exercised in full";
        verb.Terminal.Verdict(good, report.Results.Count == 0
            ? "The catalog has no tests. Write them under 'tests'."
            : $"{report.Results.Count - failed} passed, {failed} failed; {exercised}.");
    }

    private static JsonObject Loaded(CatalogLoad load) => new()
    {
        ["ok"] = load.Catalog is not null,
        ["version"] = load.Catalog?.Version,
        ["errors"] = Problems(load.Errors),
        ["warnings"] = Problems(load.Warnings),
    };

    private static JsonObject Tested(TestReport report, bool good) => new()
    {
        ["ok"] = good,
        ["tests"] = new JsonArray([.. report.Results.Select(result => new JsonObject
        {
            ["name"] = result.Test.Name,
            ["file"] = result.Test.Place.File,
            ["line"] = result.Test.Place.Line,
            ["passed"] = result.Differences.Count == 0,
            ["differences"] = new JsonArray([.. result.Differences.Select(difference => JsonValue.Create(difference))]),
            ["verdict"] = VerdictJson.ToNode(result.Verdict, forAsker: false),
        })]),
        ["coverage"] = new JsonArray([.. report.Coverage.Select(policy => new JsonObject
        {
            ["policy"] = policy.Policy,
            ["file"] = policy.Place.File,
            ["line"] = policy.Place.Line,
            ["decided"] = policy.Decided,
            ["conditions"] = new JsonArray([.. policy.Conditions.Select(condition => new JsonObject
            {
                ["key"] = condition.Key,
                ["text"] = condition.Text,
                ["true"] = condition.True,
                ["false"] = condition.False,
            })]),
            ["never"] = new JsonArray([.. policy.Never.Select(never => JsonValue.Create(never))]),
        })]),
    };

    private static JsonArray Problems(IReadOnlyList<CatalogProblem> problems) =>
    [
        .. problems.Select(problem => new JsonObject
        {
            ["file"] = problem.File,
            ["line"] = problem.Line,
            ["column"] = problem.Column,
            ["what"] = problem.What,
            ["way_out"] = problem.WayOut,
        }),
    ];
}
