using Stint.Core;
using Stint.Core.Catalog;
using Xunit;

namespace Stint.Tests.Catalog;

public sealed class HandOverPatchTests
{
    private const string Resources = """
        # Who answers for what.
        resources:
          orders-db:
            owners: [group:leads, "person:ann", person:dan]   # ann set it up
          stock-db:
            owners:
              - person:ann
              - person:bob
          both-db:
            owners: [person:bob, person:ann]
          bare-db:
            owners: person:ann
        policies:
          ann-reads:
            who: person:ann
            approve: { steps: [ { from: 'owners, person:ann' } ] }
        """;

    private const string People = """
        admins: [ann, group:ops]
        people:
          ann: { manager: cleo }
          joe: { manager: ann }
          jim:
            manager: person:ann
        groups:
          leads: [ann, joe]
        on-call:
          nights:
            people: [joe, ann]
            stand_ins: [ { person: ann, from: 2026-12-24 09:00, until: 2026-12-27 09:00 } ]
        tests:
          - name: ann may
            given: { subject: ann, ask: orders-db/read-only }
        """;

    [Fact]
    public void Of_EveryPlace_IsChangedInItsLine_AndWhatGivesRightsIsOnlyTold()
    {
        var patch = HandOverPatch.Of(new CatalogSource([new CatalogFile("resources.yaml", Resources + "\n"), new CatalogFile("people.yaml", People)]), new SubjectId("ann"), new SubjectId("bob"));

        Assert.Equal(
            """
            --- a/people.yaml
            +++ b/people.yaml
            @@ -1,15 +1,15 @@
            -admins: [ann, group:ops]
            +admins: [bob, group:ops]
             people:
               ann: { manager: cleo }
            -  joe: { manager: ann }
            +  joe: { manager: bob }
               jim:
            -    manager: person:ann
            +    manager: person:bob
             groups:
               leads: [ann, joe]
             on-call:
               nights:
            -    people: [joe, ann]
            +    people: [joe, bob]
            -    stand_ins: [ { person: ann, from: 2026-12-24 09:00, until: 2026-12-27 09:00 } ]
            +    stand_ins: [ { person: bob, from: 2026-12-24 09:00, until: 2026-12-27 09:00 } ]
             tests:
               - name: ann may
                 given: { subject: ann, ask: orders-db/read-only }
            \ No newline at end of file
            --- a/resources.yaml
            +++ b/resources.yaml
            @@ -1,15 +1,14 @@
             # Who answers for what.
             resources:
               orders-db:
            -    owners: [group:leads, "person:ann", person:dan]   # ann set it up
            +    owners: [group:leads, "person:bob", person:dan]   # ann set it up
               stock-db:
                 owners:
            -      - person:ann
                   - person:bob
               both-db:
            -    owners: [person:bob, person:ann]
            +    owners: [person:bob]
               bare-db:
            -    owners: person:ann
            +    owners: person:bob
             policies:
               ann-reads:
                 who: person:ann

            """,
            patch.Diff);
        Assert.Equal(
            ["people.yaml:8: is a member of leads", "resources.yaml:15: is named in policies, ann-reads", "resources.yaml:16: is named in policies, ann-reads"],
            patch.Left.Select(place => $"{place.File}:{place.Line}: {place.What}"));
        Assert.Equal(9, patch.Changed.Count);
        Assert.DoesNotContain("ann", patch.Source.Files[1].Text.Split("policies:")[0].Replace("# ann set it up", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_WhatCannotBeChangedForCertain_IsTold()
    {
        const string text = "x: &who person:ann\nresources:\n  a: { owners: [*who] }\n  b: { owners: [person:ann, person:cleo], more: 1 }\n";
        var patch = HandOverPatch.Of(new CatalogSource([new CatalogFile("a.yaml", text)]), new SubjectId("ann"), new SubjectId("cleo"));
        Assert.Contains("-  b: { owners: [person:ann, person:cleo], more: 1 }\n+  b: { owners: [person:cleo], more: 1 }\n", patch.Diff, StringComparison.Ordinal);
        Assert.Equal(text, HandOverPatch.Of(new CatalogSource([new CatalogFile("a.yaml", text)]), new SubjectId("zoe"), new SubjectId("cleo")).Source.Files[0].Text);
        Assert.Empty(HandOverPatch.Of(new CatalogSource([new CatalogFile("a.yaml", "a: [")]), new SubjectId("ann"), new SubjectId("cleo")).Changed);
    }
}
