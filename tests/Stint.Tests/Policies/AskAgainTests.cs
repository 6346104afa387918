using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Catalog;
using Stint.Core.Policies;
using Stint.Tests.Catalog;
using Xunit;

namespace Stint.Tests.Policies;

public class AskAgainTests
{
    private const string Rest = "\n  rest: { who: carol, roles: ['*/*'], approve: { auto: true } }";
    private const string Auto = "policies:\n  p: { who: ann, roles: ['*/owner'], for: { max: 4h }, reason: { ticket: '^INC-[0-9]+$' }, approve: { auto: true } }" + Rest;
    private const string Asked = "policies:\n  p: { who: ann, roles: ['*/owner'], for: { max: 4h }, approve: { steps: [ { from: owners } ] } }" + Rest;
    private const string Digest = "d1";

    private static readonly Question Question = DeciderTests.Ask("ann", "orders-db/owner", TimeSpan.FromHours(2), "r", "INC-1");

    private static LoadedCatalog Catalog(string policies, string? people = null) => Yaml.Good(Yaml.Whole(policies: policies, people: people));

    private static Approval Yes(string by, string digest = Digest) =>
        new() { Request = new RequestId("req-1"), By = new SubjectId(by), Yes = true, At = Question.Now, SawDigest = digest, Via = "cli" };

    private static Again Again(string then, string now, params Approval[] approvals) => Again(then, Catalog(now), Question, approvals);

    private static Again Again(string then, LoadedCatalog now, Question question, params Approval[] approvals) =>
        Decider.AskAgain(now, question, Decider.Decide(Catalog(then), Question), approvals, Digest, []);

    private static string Fell(Again again) => Assert.IsType<Again.Fell>(again).Because;

    [Fact]
    public void AskAgain_NothingChanged_Stands() =>
        Assert.Equal(TimeSpan.FromHours(2), Assert.IsType<Again.Stands>(Again(Auto, Auto)).Terms.For);

    [Fact]
    public void AskAgain_PastStart_IsNotLookedAtAgain() =>
        Assert.IsType<Again.Stands>(Again(Auto, Catalog(Auto), Question with { StartAt = Question.Now.AddHours(-1) }));

    [Fact]
    public void AskAgain_ShorterMaximum_Shortens() =>
        Assert.Equal(TimeSpan.FromHours(1), Assert.IsType<Again.Stands>(Again(Auto, Auto.Replace("4h", "1h", StringComparison.Ordinal))).Terms.For);

    [Fact]
    public void AskAgain_LongerMaximum_StaysAsAgreed() =>
        Assert.Equal(TimeSpan.FromHours(2), Assert.IsType<Again.Stands>(Again(Auto, Auto.Replace("4h", "8h", StringComparison.Ordinal))).Terms.For);

    [Fact]
    public void AskAgain_RecordBecameLaxOrStrict_IsStrict()
    {
        var strict = Auto.Replace("approve:", "record: strict, approve:", StringComparison.Ordinal);

        Assert.Equal(RecordMode.Strict, Assert.IsType<Again.Stands>(Again(strict, Auto)).Terms.Record);
        Assert.Equal(RecordMode.Strict, Assert.IsType<Again.Stands>(Again(Auto, strict)).Terms.Record);
    }

    [Fact]
    public void AskAgain_NowDenied_FallsAndNamesTheRule() =>
        Assert.Contains("never", Fell(Again(Auto, Auto + "\n  never: { deny: ann }")), StringComparison.Ordinal);

    [Fact]
    public void AskAgain_RuleGone_Falls() =>
        Assert.Contains("any longer", Fell(Again(Auto, "policies:" + Rest)), StringComparison.Ordinal);

    [Fact]
    public void AskAgain_PersonDisabled_Falls() =>
        Fell(Again(Auto, Catalog(Auto, Yaml.People.Replace("name: Ann,", "name: Ann, disabled: true,", StringComparison.Ordinal)), Question));

    [Fact]
    public void AskAgain_TicketNoLongerMatches_Falls() =>
        Assert.Contains("ticket", Fell(Again(Auto, Auto.Replace("INC", "CHG", StringComparison.Ordinal))), StringComparison.Ordinal);

    [Fact]
    public void AskAgain_NowNeedsApproval_FallsAndSaysWhose() =>
        Assert.Contains("owners of orders-db (1 more)", Fell(Again(Auto, Asked)), StringComparison.Ordinal);

    [Fact]
    public void AskAgain_ApprovalsStillCount_Stands() => Assert.IsType<Again.Stands>(Again(Asked, Asked, Yes("bob")));

    [Fact]
    public void AskAgain_ApproverNoLongerOne_Falls() =>
        Fell(Again(Asked, Catalog(Asked, Yaml.People.Replace("leads: [bob]", "leads: [carol]", StringComparison.Ordinal)), Question, Yes("bob")));

    [Fact]
    public void AskAgain_ApprovalOfSomethingElseOrBySelf_Falls()
    {
        Fell(Again(Asked, Asked, Yes("bob", "another")));
        Fell(Again(Asked, Asked, Yes("ann")));
        Fell(Again(Asked, Asked, Yes("bob"), Yes("carol") with { Yes = false }));
    }

    [Fact]
    public void AskAgain_NowByRule_Stands() => Assert.IsType<Again.Stands>(Again(Asked, Auto, Yes("bob")));
}
