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

    [Fact]
    public void Count_Sequential_AsksOneStepAfterTheOther()
    {
        PinnedStep[] steps = [Step(1, "bob"), Step(2, "carol", "dan"), Step(1, "eve")];

        var first = Assert.IsType<Tally.Waiting>(InOrder(steps, false, "carol", "dan"));
        Assert.Equal((0, 2), (Assert.Single(first.Open).Index, Assert.Single(first.Later).Index));
        var second = Assert.IsType<Tally.Waiting>(InOrder(steps, false, "bob", "carol"));
        Assert.Equal([new SubjectId("dan")], Assert.Single(second.Open).Could);
        Assert.IsType<Tally.Complete>(InOrder(steps, false, "bob", "carol", "dan", "eve"));
    }

    [Fact]
    public void Count_InAnothersPlace_FillsThatPlaceOnce()
    {
        PinnedStep[] two = [Step(2, "bob", "carol")];

        // Dan sits in Bob's place, once; then Bob himself adds nothing, and neither does Dan a second time.
        Assert.IsType<Tally.Waiting>(Placed(two, ("dan", "bob")));
        Assert.IsType<Tally.Waiting>(Placed(two, ("dan", "bob"), ("bob", null)));
        Assert.IsType<Tally.Waiting>(Placed(two, ("dan", "bob"), ("dan", "carol")));
        Assert.IsType<Tally.Complete>(Placed(two, ("dan", "bob"), ("eve", "carol")));

        // Carol in Bob's place has answered: her own place needs somebody else.
        var waiting = Assert.IsType<Tally.Waiting>(Placed(two, ("carol", "bob")));
        Assert.Empty(waiting.Open[0].Could);
    }

    [Fact]
    public void Count_RequesterInAnothersPlace_OrAnotherInTheirs_NeverCounts()
    {
        Assert.IsType<Tally.Waiting>(Placed([Step(1, "bob")], ("ann", "bob")));
        Assert.IsType<Tally.Waiting>(Placed([Step(1, "ann", "bob")], ("dan", "ann")));
    }

    [Fact]
    public void Count_AnyOrderAndPlaces_CountsNobodyAndNoPlaceTwice()
    {
        string[] names = ["ann", "b", "c", "d", "e"];
        var cases = from list in Gen.NonEmptyListOf(from people in Gen.SubListOf(names) from need in Gen.Choose(1, 2) select Step(need, [.. people]))
                    from given in Gen.ListOf(from person in Gen.Elements(names) from place in Gen.Elements<string?>([null, .. names]) select (By: person, For: place), 5)
                    from distinct in Gen.Elements(true, false)
                    from sequential in Gen.Elements(true, false)
                    select (Steps: list.Take(3).ToArray(), Given: given.ToArray(), Distinct: distinct, Sequential: sequential);
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(1_000), Prop.ForAll(cases.ToArbitrary(), item =>
        {
            var tally = Quorum.Count(item.Steps, item.Distinct, Ann, Digest, [.. item.Given.Select(one => Placed(one.By, one.For))], item.Sequential);

            // The yeses that may count, in their order: a person once, a place once, the requester nowhere.
            var (people, places) = (new HashSet<string>(), new List<string>());
            foreach (var (by, place) in item.Given.Select(one => (one.By, one.For ?? one.By)))
            {
                if (by != "ann" && place != "ann" && !places.Contains(place) && people.Add(by))
                {
                    places.Add(place);
                }
            }

            var filled = item.Distinct
                ? Placeable(item.Steps, places)
                : item.Steps.All(step => places.Count(name => step.Approvers.Contains(new SubjectId(name))) >= step.Need);
            return tally is Tally.Complete == filled
                && (tally is not Tally.Waiting waiting || !item.Sequential || (waiting.Open.Count == 1 && waiting.Later.All(later => later.Index > waiting.Open[0].Index)));
        }));
    }

    private static Tally InOrder(PinnedStep[] steps, bool distinct, params string[] yes) =>
        Quorum.Count(steps, distinct, Ann, Digest, [.. yes.Select(name => Answer(name))], sequential: true);

    private static Tally Placed(PinnedStep[] steps, params (string By, string? For)[] yes) =>
        Quorum.Count(steps, false, Ann, Digest, [.. yes.Select(one => Placed(one.By, one.For))]);

    private static Approval Placed(string by, string? place) => Answer(by) with { For = place is null ? null : new SubjectId(place) };

    /// <summary>Whether every place can be filled with a person of its own, by trying them all.</summary>
    private static bool Placeable(PinnedStep[] steps, List<string> people)
    {
        var places = steps.SelectMany(step => Enumerable.Repeat(step, step.Need)).ToList();
        bool Fill(int place, List<string> left) => place == places.Count
            || left.Where(name => places[place].Approvers.Contains(new SubjectId(name))).ToList().Exists(name => Fill(place + 1, [.. left.Where(other => other != name)]));
        return Fill(0, people);
    }
}
