using Stint.Core.Catalog;
using Xunit;

namespace Stint.Tests.Catalog;

public class CatalogProblemsTests
{
    [Theory]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { step_up: passkey, auto: true } }", "'step_up' is about who says yes", "take one of the two out")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { step_up: totp, steps: [ { from: owners } ] } }", "neither passkey nor fresh", "signed in at most 10 minutes ago")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { steps: [ { from: owners, step_up: yes } ] } }", "neither passkey nor fresh", "the approver's passkey signs")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { steps: [ { from: owners, remind: 15 } ] } }", "'remind' is not a duration", "write it as")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { steps: [ { from: owners, escalate: { after: 1h } } ] } }", "'escalate' takes 'after' and 'to'", "write escalate: { after: 30m, to: group:NAME }")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { steps: [ { from: 'on-call:ops' } ] } }", "no rota is called 'ops'", "add it under 'on-call'")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { order: random, steps: [ { from: owners } ] } }", "'order' is neither", "sequential: a step is asked once")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { steps: [ { from: [] } ] } }", "'from' names nobody", "or a list of them")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { steps: [ { from: [manager, skip-manager], need: 3 } ] } }", "asks at most 2", null)]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { not_for_reports: true, steps: [ { from: manager } ] } }", "may not approve for their own reports", "ask skip-manager")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { lapses: 1h, steps: [ { from: owners, escalate: { after: 1h, to: group:leads } } ] } }", "would never escalate", "escalate earlier")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { auto: true, not_for_reports: true } }", "belongs to 'steps'", "write it in the workflow itself")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], aprove: { auto: true }, approve: { auto: true } }", "a policy has no key 'aprove'", "did you mean 'approve'?")]
    [InlineData("policies:\n  p: { who: group:develpers, roles: ['*/*'], approve: { auto: true } }", "no group is called 'develpers'", "did you mean 'developers'?")]
    [InlineData("policies:\n  p: { who: person:anne, roles: ['*/*'], approve: { auto: true } }", "no person is called 'anne'", "did you mean 'ann'?")]
    [InlineData("policies:\n  p: { who: developers, roles: ['*/*'], approve: { auto: true } }", "no person is called 'developers'", "write group:developers")]
    [InlineData("policies:\n  p: { who: [], roles: ['*/*'], approve: { auto: true } }", "'who' names nobody", "leave the key out")]
    [InlineData("policies:\n  p: { roles: ['*/*'], approve: { auto: true } }", "lacks 'who'", "who: group:NAME")]
    [InlineData("policies:\n  p: { who: group:developers, approve: { auto: true } }", "lacks 'roles'", "RESOURCE/ROLE")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'] }", "lacks 'approve'", "auto: true")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { auto: false } }", "not one of", "auto: true")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { auto: true, steps: [ { from: owners } ] } }", "not one of", "auto: true")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { workflow: ownr } }\nworkflows: { owner: { steps: [ { from: owners } ] } }", "no workflow is called 'ownr'", "did you mean 'owner'?")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { workflow: owner, distinct: true } }\nworkflows: { owner: { steps: [ { from: owners } ] } }", "'distinct' belongs to 'steps'", "workflow")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { steps: [] } }", "not a list of at least one", "from: owners")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { steps: [ { from: everybody } ] } }", "'everybody' is nobody", "from: owners")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { steps: [ { from: manager, need: 2 } ] } }", "one manager", null)]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { steps: [ { from: owners, need: 0 } ] } }", "'need' is out of bounds", "from 1 to 20")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { steps: [ { from: owners, need: 2 } ] } }", "nobody could satisfy", "add approvers")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { auto: true }, for: { default: 2h, max: 1h } }", "'default' (2h) is longer than 'max' (1h)", "raise max")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { auto: true }, for: { max: 1 hour } }", "'max' is not a duration", "1h30m")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { auto: true }, begin_within: 10s }", "'begin_within' is out of bounds", "from 1m")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { auto: true }, for: {} }", "'for' is empty", "max")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { auto: true }, reason: { ticket: '(' } }", "'ticket' is not a pattern", "regular expression")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { auto: true }, reason: { ticket: '^(a)\\1$' } }", "'ticket' is not a pattern", "back references")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { auto: true }, reason: { required: yes } }", "neither true nor false", "without quotes")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { auto: true }, record: strikt }", "neither default nor strict", null)]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*', '*/reed*'], approve: { auto: true } }", "no role matches '*/reed*'", "see 'resources'")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*', orders-db/read-onyl], approve: { auto: true } }", "no role is called 'orders-db/read-onyl'", "did you mean 'orders-db/read-only'?")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*', 'orders-db'], approve: { auto: true } }", "'orders-db' is not a role", "RESOURCE/ROLE")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/read-only'], approve: { auto: true } }", "no policy reaches role 'orders-db/owner'", "take it out")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { auto: true } }\n  q: { deny: group:contractors, for: 1h }", "'for' has no meaning beside 'deny'", "only")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { auto: true } }\n  p: { deny: group:contractors }", "'p' stands here a second time", "keep one")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { auto: true } }\n  P: { deny: group:contractors }", "differs from 'p' in capitals only", "keep one")]
    [InlineData("policies:\n  'p q': { deny: group:contractors }\n  p: { who: group:developers, roles: ['*/*'], approve: { auto: true } }", "'p q' cannot name", "letters")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { auto: subject.on_call } }", "whose yes it needs when 'auto' does not hold", "auto: CONDITION")]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { auto: true }, where: subject.groop == 'x' }", "'where': ", null)]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { auto: true }, when: now.getHours() }", "'when': ", null)]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { auto: true }, when: 'now >' }", "'when': ", null)]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { auto: true }, where: resource.labels.env == 'prod' }", "cannot be evaluated at 'orders-db'", "orValue")]
    [InlineData("policies:\n  p: { deny: group:contractors, where: resource.labels.env == 'prod' }\n  q: { who: group:developers, roles: ['*/*'], approve: { auto: true } }", "cannot be evaluated at 'orders-db'", "orValue")]
    [InlineData("policies:\n  p: [who]", "a policy is a mapping, and this is a list", null)]
    [InlineData("policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { auto: true } }\nadmins: group:nobody", "no group is called 'nobody'", "contractors")]
    public void Load_PolicyMistake_IsToldWithTheWayOut(string policies, string what, string? wayOut)
    {
        // Policies come first, so that the mistake's line is one of the first.
        var load = Yaml.Load(policies + "\n" + Yaml.People + "\n" + Yaml.Resources);

        Assert.Null(load.Catalog);
        var error = load.Errors.First(error => error.What.Contains(what, StringComparison.Ordinal));
        Assert.Equal("all.yaml", error.File);
        Assert.True(error.Line > 0 && error.Column > 0);
        Assert.Contains(wayOut ?? "", error.WayOut ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("kind: databse, settings: { host: h }", "no kind of resource is called 'databse'", "did you mean 'database'?")]
    [InlineData("settings: { host: h }", "lacks 'kind'", "database")]
    [InlineData("kind: database", "lacks 'host'", "Where it is.")]
    [InlineData("kind: database, settings: { host: h, port: '5432' }", "'port' is not a whole number", "without quotes")]
    [InlineData("kind: database, settings: { host: h, port: 70000 }", "'port' is out of bounds", "from 1 to 65535")]
    [InlineData("kind: database, settings: { host: h, tls: maybe }", "'tls' is not one of its values", "off, on")]
    [InlineData("kind: database, settings: { host: h, verbose: 1 }", "neither true nor false", "true or false")]
    [InlineData("kind: database, settings: { host: h, timeout: soon }", "'timeout' is not a duration", "45s")]
    [InlineData("kind: database, settings: { host: [h] }", "'host' is a text, and this is a list", null)]
    [InlineData("kind: database, settings: { host: '' }", "'host' is empty", null)]
    [InlineData("kind: database, settings: { hots: h, host: h }", "has no key 'hots'", "did you mean 'host'?")]
    [InlineData("kind: database, settings: { host: h }, labels: [a]", "'labels' is a mapping", null)]
    [InlineData("kind: database, settings: { host: h }, owners: group:leeds", "no group is called 'leeds'", "did you mean 'leads'?")]
    public void Load_ResourceMistake_IsToldWithTheWayOut(string resource, string what, string? wayOut)
    {
        var load = Yaml.Load(Yaml.Whole(
            resources: "resources: { orders-db: { " + resource + ", roles: { read-only: {} } } }",
            policies: "policies: { p: { who: group:developers, roles: ['*/*'], approve: { auto: true } } }"));

        var error = load.Errors.First(error => error.What.Contains(what, StringComparison.Ordinal));
        Assert.Contains(wayOut ?? "", error.WayOut ?? "", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("roles: {}", "has no roles")]
    [InlineData("description: x", "has no roles")]
    [InlineData("roles: { r: { risk: huge } }", "none of low, medium, high")]
    [InlineData("roles: { r: { member_of: ['a;b'] } }", "a group has no semicolon")]
    [InlineData("roles: { r: { member: [a] } }", "has no key 'member'")]
    public void Load_RoleMistake_IsTold(string roles, string what)
    {
        var load = Yaml.Load(Yaml.Whole(
            resources: "resources: { orders-db: { kind: database, settings: { host: h }, " + roles + " } }",
            policies: ""));

        Assert.Contains(load.Errors, error => error.What.Contains(what, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("people: { ann: { manager: bobb }, bob: {} }", "no person is called 'bobb'")]
    [InlineData("people: { ann: { manager: ann } }", "their own manager")]
    [InlineData("people: { ann: { mail: nowhere } }", "not an address")]
    [InlineData("people: { ann: { groups: [a] } }", "'groups'")]
    [InlineData("people: { ann: {} }\ngroups: { a: [group:b], b: [group:c], c: [group:a, ann] }", "circle: a → b → c → a")]
    [InlineData("people: { ann: {} }\ngroups: { a: [group:a] }", "circle: a → a")]
    [InlineData("people: { ann: {} }\ngroups: { a: ann }", "are a list")]
    [InlineData("people: { ann: {} }\ngroups: { a: [anne] }", "no person is called 'anne'")]
    [InlineData("people: { ann: {} }\ngroups: { a: { description: x } }", "lacks 'members'")]
    [InlineData("people: { ann: { name: \"a\\u202Eb\" } }", "turn the direction")]
    [InlineData("people: { ann: { name: \"a\\x1b[31m\" } }", "control characters")]
    public void Load_PeopleMistake_IsTold(string people, string what) =>
        Assert.Contains(Yaml.Load(people).Errors, error => error.What.Contains(what, StringComparison.Ordinal));

    [Theory]
    [InlineData("pager: { zone: Europe/Berln, starts: 2026-01-05 09:00, turn: 7d, people: [ann] }", "no time zone is called 'Europe/Berln'")]
    [InlineData("pager: { zone: UTC, starts: monday, turn: 7d, people: [ann] }", "'starts' is not a day and time")]
    [InlineData("pager: { zone: UTC, starts: 2026-01-05 09:00, turn: 7d, people: [anne] }", "no person is called 'anne'")]
    [InlineData("pager: { zone: UTC, starts: 2026-01-05 09:00, turn: 1m, people: [ann] }", "'turn' is out of bounds")]
    [InlineData("pager: { zone: UTC, starts: 2026-01-05 09:00, people: [ann] }", "lacks 'turn'")]
    [InlineData("pager: { zone: UTC, starts: 2026-01-05 09:00, turn: 7d, people: [] }", "at least one")]
    [InlineData("pager: { zone: UTC, starts: 2026-01-05 09:00, turn: 7d, people: [ann], stand_ins: [ { person: bob, from: 2026-01-06 09:00, until: 2026-01-06 09:00 } ] }", "'until' is not after 'from'")]
    public void Load_RotaMistake_IsTold(string rota, string what) =>
        Assert.Contains(Yaml.Load(Yaml.Whole() + "\non-call: { " + rota + " }").Errors, error => error.What.Contains(what, StringComparison.Ordinal) && error.Line > 0);

    [Theory]
    [InlineData("{ name: a, given: { subject: ann, ask: orders-db/reed-only }, expect: { verdict: allow } }", "no role is called 'orders-db/reed-only'")]
    [InlineData("{ name: a, given: { subject: ann, ask: orders-db/read-only }, expect: {} }", "'expect' is empty")]
    [InlineData("{ name: a, given: { subject: ann, ask: orders-db/read-only }, expect: { verdict: yes } }", "'verdict' is none of")]
    [InlineData("{ name: a, given: { subject: ann, ask: orders-db/read-only }, expect: { because: reed } }", "no policy is called 'reed'")]
    [InlineData("{ name: a, given: { subject: { id: ann, groups: [developer] }, ask: orders-db/read-only }, expect: { verdict: allow } }", "no group is called 'developer'")]
    [InlineData("{ name: a, given: { subject: { groups: [developers] }, ask: orders-db/read-only }, expect: { verdict: allow } }", "'subject' lacks 'id'")]
    [InlineData("{ name: a, given: { subject: ann, ask: orders-db/read-only, at: '2026-03-02T10:00:00' }, expect: { verdict: allow } }", "'at' is not a moment")]
    [InlineData("{ given: { subject: ann, ask: orders-db/read-only }, expect: { verdict: allow } }", "a test lacks 'name'")]
    public void Load_MistakeInATest_IsTold(string test, string what) =>
        Assert.Contains(Yaml.Load(Yaml.Whole() + "\ntests: [ " + test + " ]").Errors, error => error.What.Contains(what, StringComparison.Ordinal) && error.Line > 0);

    [Fact]
    public void Load_MistakeInACondition_IsToldToTheColumn()
    {
        const string text = "policies:\n  p: { who: group:developers, roles: ['*/*'], approve: { auto: true }, when: subject.groop == 'x' }\n";

        var error = Yaml.Bad(text + Yaml.People + "\n" + Yaml.Resources);

        Assert.Equal(2, error.Line);
        Assert.Equal(text.Split('\n')[1].IndexOf("groop", StringComparison.Ordinal) + 1, error.Column);
        Assert.Contains("groups", error.What, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_ManyMistakes_TellsThemAllInOrder()
    {
        var load = Yaml.Load("""
            people:
              ann: { manger: bob, token: short }
            resources:
              db:
                kind: databas
                roles: { r: {} }
            policies:
              p: { who: group:x, roles: [db/s], approve: { workflow: w }, for: soon }
            """);

        Assert.Null(load.Catalog);
        Assert.Equal(7, load.Errors.Count);
        Assert.Equal(load.Errors.OrderBy(error => error.Line).ThenBy(error => error.Column), load.Errors);
        var first = load.Errors[0];
        Assert.Equal((2, 10), (first.Line, first.Column));
        Assert.Equal("all.yaml:2:10: a person has no key 'manger'; did you mean 'manager'?", first.ToString());
    }

    [Fact]
    public void Load_SoleOwnerWhoAsks_IsWarnedOf()
    {
        var load = Yaml.Load(Yaml.Whole(policies: "policies: { p: { who: [group:developers, bob], roles: ['*/*'], approve: { steps: [ { from: owners } ] } } }"));

        Assert.NotNull(load.Catalog);
        Assert.Contains("asked by bob", Assert.Single(load.Warnings).What, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_DisabledOwner_IsWarnedOfAndTakesEffect()
    {
        var people = Yaml.People.Replace("bob: { name: Bob }", "bob: { name: Bob, disabled: true }", StringComparison.Ordinal);

        // A no here would keep the old catalog, and with it the access of the one who was disabled.
        var load = Yaml.Load(Yaml.Whole(people: people));

        Assert.True(Assert.IsType<LoadedCatalog>(load.Catalog).People["bob"].Disabled);
        Assert.Contains(load.Warnings, warning => warning.What.Contains("because of people who are disabled", StringComparison.Ordinal));
    }

    [Fact]
    public void Load_UnanchoredTicketAndEmptyGroup_AreWarnedOf()
    {
        var load = Yaml.Load(Yaml.Whole(
            people: Yaml.People + "\n  nobody: []",
            policies: "policies: { p: { who: group:developers, roles: ['*/*'], approve: { auto: true }, reason: { ticket: 'INC-[0-9]+' } } }"));

        Assert.NotNull(load.Catalog);
        Assert.Equal(2, load.Warnings.Count);
    }
}
