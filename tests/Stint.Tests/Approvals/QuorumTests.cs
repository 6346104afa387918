using FsCheck;
using FsCheck.Fluent;
using Stint.Core;
using Stint.Core.Approvals;
using Xunit;

namespace Stint.Tests.Approvals;

public class QuorumTests
{
    private const string Digest = "d";
    private static readonly SubjectId Ann = new("ann");

    private static PinnedStep Step(int need, params string[] people) => new("s", "group:s", [.. people.Select(name => new SubjectId(name))], need);

    private static Approval Answer(string by, bool yes = true, string digest = Digest) => new()
    {
        Request = new RequestId("req-1"),
        By = new SubjectId(by),
        Yes = yes,
        At = new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero),
        SawDigest = digest,
        Via = "cli",
    };

    private static Tally Count(PinnedStep[] steps, bool distinct, params string[] yes) =>
        Quorum.Count(steps, distinct, Ann, Digest, [.. yes.Select(name => Answer(name))]);

    [Fact]
    public void Count_RequesterApprovesOwn_StaysOpen()
    {
        var waiting = Assert.IsType<Tally.Waiting>(Count([Step(1, "ann", "bob")], false, "ann"));

        Assert.Equal([new SubjectId("bob")], Assert.Single(waiting.Open).Could);
    }

    [Theory]
    [InlineData("bob", false)]
    [InlineData("bob bob", false)]
    [InlineData("bob eve", false)]
    [InlineData("bob carol", true)]
    [InlineData("bob carol dan", true)]
    public void Count_TwoNeeded_TakesTwoDifferentOfThem(string yes, bool complete) =>
        Assert.Equal(complete, Count([Step(2, "bob", "carol", "dan")], false, yes.Split(' ')) is Tally.Complete);

    [Fact]
    public void Count_Missing_SaysHowManyAndWho()
    {
        var open = Assert.Single(Assert.IsType<Tally.Waiting>(Count([Step(3, "bob", "carol", "dan")], false, "carol")).Open);

        Assert.Equal(2, open.Missing);
        Assert.Equal([new SubjectId("bob"), new SubjectId("dan")], open.Could);
    }

    [Fact]
    public void Count_OneNo_EndsItWhateverTheYeses()
    {
        var tally = Quorum.Count([Step(1, "bob")], false, Ann, Digest, [Answer("bob"), Answer("carol", yes: false, digest: "other")]);

        Assert.Equal("carol", Assert.IsType<Tally.Refused>(tally).By.By.Value);
    }

    [Fact]
    public void Count_YesToSomethingElse_DoesNotCount() =>
        Assert.IsType<Tally.Waiting>(Quorum.Count([Step(1, "bob")], false, Ann, Digest, [Answer("bob", digest: "older")]));

    [Fact]
    public void Count_OnePersonInTwoSteps_CountsTwiceUnlessDistinct()
    {
        PinnedStep[] steps = [Step(1, "bob", "carol"), Step(1, "bob", "dan")];

        Assert.IsType<Tally.Complete>(Count(steps, false, "bob"));
        Assert.Single(Assert.IsType<Tally.Waiting>(Count(steps, true, "bob")).Open);
        Assert.IsType<Tally.Complete>(Count(steps, true, "bob", "dan"));
    }

    [Theory]
    [InlineData("bob carol")]
    [InlineData("carol bob")]
    public void Count_Distinct_MovesWhoeverCanStandElsewhere(string yes) =>
        Assert.IsType<Tally.Complete>(Count([Step(1, "bob", "carol"), Step(1, "bob")], true, yes.Split(' ')));

    [Fact]
    public void CanBeMet_OnlyTheRequesterIsThere_IsNo()
    {
        Assert.False(Quorum.CanBeMet([Step(1, "ann")], false, Ann));
        Assert.False(Quorum.CanBeMet([Step(1)], false, Ann));
        Assert.False(Quorum.CanBeMet([Step(1, "bob"), Step(1, "bob")], true, Ann));
        Assert.True(Quorum.CanBeMet([Step(1, "bob"), Step(1, "bob")], false, Ann));
        Assert.True(Quorum.CanBeMet([Step(1, "ann", "bob")], false, Ann));
    }

    [Fact]
    public void Count_Distinct_AgreesWithTryingEveryPlacing()
    {
        string[] names = ["ann", "b", "c", "d", "e"];
        var steps = from count in Gen.Choose(1, 3)
                    from list in Gen.ListOf(from people in Gen.SubListOf(names) from need in Gen.Choose(1, 2) select Step(need, [.. people]), count)
                    from yes in Gen.SubListOf(names)
                    select (Steps: list.ToArray(), Yes: yes.ToArray());
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500), Prop.ForAll(steps.ToArbitrary(), item =>
            Count(item.Steps, true, item.Yes) is Tally.Complete == Placeable(item.Steps, [.. item.Yes.Where(name => name != "ann")])));
    }

    [Fact]
    public void Count_OneMoreYes_NeverReopens()
    {
        string[] names = ["ann", "b", "c", "d"];
        var cases = from list in Gen.NonEmptyListOf(from people in Gen.SubListOf(names) from need in Gen.Choose(1, 2) select Step(need, [.. people]))
                    from yes in Gen.SubListOf(names)
                    from more in Gen.Elements(names)
                    from distinct in Gen.Elements(true, false)
                    select (Steps: list.Take(3).ToArray(), Yes: yes.ToArray(), More: more, Distinct: distinct);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(500), Prop.ForAll(cases.ToArbitrary(), item =>
            Count(item.Steps, item.Distinct, item.Yes) is not Tally.Complete || Count(item.Steps, item.Distinct, [.. item.Yes, item.More]) is Tally.Complete));
    }

    /// <summary>Whether every place can be filled with a person of its own, by trying them all.</summary>
    private static bool Placeable(PinnedStep[] steps, List<string> people)
    {
        var places = steps.SelectMany(step => Enumerable.Repeat(step, step.Need)).ToList();
        bool Fill(int place, List<string> left) => place == places.Count
            || left.Where(name => places[place].Approvers.Contains(new SubjectId(name))).ToList().Exists(name => Fill(place + 1, [.. left.Where(other => other != name)]));
        return Fill(0, people);
    }
}
