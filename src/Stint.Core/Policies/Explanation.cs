using System.Text.Json.Nodes;
using Stint.Core.Approvals;
using Stint.Core.Catalog;

namespace Stint.Core.Policies;

/// <summary>Would somebody get a role, by which rule, with whose yes, and what would change the answer.</summary>
public sealed record Explanation
{
    public required SubjectId Subject { get; init; }

    public required RoleRef Role { get; init; }

    /// <summary>The moment that was asked about.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>Of the catalog that answers.</summary>
    public required string CatalogVersion { get; init; }

    /// <summary>What they could get at best.</summary>
    public required Standing Standing { get; init; }

    /// <summary>Through which rules and groups.</summary>
    public required IReadOnlyList<RulePath> Paths { get; init; }

    /// <summary>What the policies say; to somebody who asks as the rules demand, unless a length, a reason or a ticket was given.</summary>
    public required Verdict Verdict { get; init; }

    /// <summary>What would change the answer, a sentence each without a full stop; empty when it is a yes by rule already.</summary>
    public required IReadOnlyList<string> Changes { get; init; }

    /// <summary>Whether the person in question may be told that the role exists.</summary>
    public bool Known => Verdict is not Verdict.Deny { Known: false };

    /// <summary>Explains. The answer is for whoever may read the whole catalog, unless <paramref name="forAsker"/>.</summary>
    /// <param name="catalog">The catalog that answers.</param>
    /// <param name="question">Who, what and when. Without length, reason and ticket they are taken to be as demanded.</param>
    /// <param name="forAsker">Leaves out whatever only says something about rules for others. The caller still has to look at <see cref="Known"/>.</param>
    public static Explanation Of(LoadedCatalog catalog, Question question, bool forAsker)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(question);
        var reach = Who.Reach(new Standings(catalog, question.Now), question.Subject, question.Role);
        var verdict = Decider.Decide(catalog, question with { DemandsMet = question is { For: null, Reason: null, Ticket: null } });
        return new Explanation
        {
            Subject = question.Subject,
            Role = question.Role,
            At = question.Now,
            CatalogVersion = catalog.Version,
            Standing = forAsker && reach.Standing.Way == Way.None ? reach.Standing with { Because = null, Rules = [] } : reach.Standing,
            Paths = forAsker ? [.. reach.Paths.Select(path => path with { Through = [path.Through[0]] })] : reach.Paths,
            Verdict = verdict,
            Changes = [.. Remedies(verdict).Concat(forAsker ? [] : Wider(catalog, question, reach)).Distinct(StringComparer.Ordinal)],
        };
    }

    /// <summary>As JSON: <c>subject role at catalog_version standing paths verdict changes</c>.</summary>
    /// <param name="forAsker">Leaves out the rules that are not about the asker.</param>
    public JsonObject ToNode(bool forAsker) => new()
    {
        ["subject"] = Subject.Value,
        ["role"] = Role.ToString(),
        ["at"] = At.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture),
        ["catalog_version"] = CatalogVersion,
        ["standing"] = Standing.ToNode(),
        ["paths"] = new JsonArray([.. Paths.Select(path => new JsonObject { ["rule"] = path.Rule, ["through"] = Standing.Texts(path.Through) })]),
        ["verdict"] = VerdictJson.ToNode(Verdict, forAsker),
        ["changes"] = Standing.Texts(Changes),
    };

    private static IEnumerable<string> Remedies(Verdict verdict) => verdict.TraceForAsker
        .Where(line => line.Remedy is not null && line.Outcome is RuleOutcome.NotMet or RuleOutcome.Failed or RuleOutcome.Decided)
        .Select(line => $"{line.Rule}: {line.Remedy}");

    /// <summary>What whoever keeps the catalog could change: a denial, a group, a rule.</summary>
    private static IEnumerable<string> Wider(LoadedCatalog catalog, Question question, Reach reach)
    {
        if (catalog.Find(question.Subject) is not { } subject)
        {
            yield return $"{question.Subject} is not in the catalog: add {(question.Subject.IsWorkload ? "it under 'workloads'" : "them under 'people'")}";
            yield break;
        }

        if (subject.Disabled)
        {
            yield return $"{question.Subject} is disabled: take 'disabled' out";
            yield break;
        }

        if (reach.Standing.Way == Way.Denied)
        {
            foreach (var denial in reach.Standing.Rules.Select(rule => catalog.Policies.First(policy => policy.Name == rule)).Where(policy => policy.Deny))
            {
                yield return $"{denial.Name} denies it to {denial.WhoText}: out of that, the other rules would decide";
            }
        }

        if (reach.Standing.Way == Way.Unmet)
        {
            yield return reach.Standing.Because!;
        }

        // NB. Another rule never makes an answer softer that some rule gives already: only who has none gains by joining.
        if (reach.Paths.Count == 0 || reach.Paths.All(path => catalog.Policies.First(policy => policy.Name == path.Rule).Deny))
        {
            if (!catalog.Resources.TryGetValue(question.Role.Resource, out var resource) || !resource.Roles.ContainsKey(question.Role.Role))
            {
                yield return $"the catalog has no role {question.Role}";
                yield break;
            }

            foreach (var policy in catalog.Policies.Where(policy => !policy.Deny && policy.Roles.Contains(question.Role)).Take(20))
            {
                var how = policy.Approve is { } workflow
                    ? $"with {string.Join(" and ", workflow.Steps.Select(step => (step.Need == 1 ? $"a yes from {step.From}" : $"{step.Need} yeses from {step.From}") + StepUps.Added(step.StepUp)))}"
                    : policy.BreakGlass is null ? "by rule" : "as break-glass";
                yield return $"{policy.Name} lets {policy.WhoText} have it {how}: {question.Subject} is not among them";
            }
        }
    }
}
