using FsCheck;
using FsCheck.Fluent;
using Stint.Core;
using Stint.Core.Grants;
using Stint.Core.Policies;
using Xunit;

namespace Stint.Tests.Grants;

public class WindowsTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    internal static Grant Grant(GrantState state, double? from, double? to) => new()
    {
        Id = new GrantId("gr-1"),
        Request = new RequestId("req-1"),
        Subject = new SubjectId("ann"),
        Role = new RoleRef("db", "read"),
        State = state,
        Version = 1,
        ReadyAt = Now,
        For = TimeSpan.FromMinutes(30),
        LapsesAt = Now.AddHours(8),
        Record = RecordMode.Default,
        NotBefore = from is { } f ? Now.AddMinutes(f) : null,
        NotAfter = to is { } t ? Now.AddMinutes(t) : null,
    };

    [Fact]
    public void At_NoOther_RunsFromItsOpening() =>
        Assert.Equal((Now, Now.AddMinutes(30)), Core.Grants.Windows.At(Now, TimeSpan.FromMinutes(30), null));

    [Fact]
    public void At_OpenGrantJoined_AddsItsLengthBehindTheOther() =>
        Assert.Equal((Now, Now.AddMinutes(40)), Core.Grants.Windows.At(Now, TimeSpan.FromMinutes(30), Grant(GrantState.Open, -20, 10)));

    [Theory]
    [InlineData(GrantState.Open, 0)]
    [InlineData(GrantState.Open, -1)]
    [InlineData(GrantState.Closing, 10)]
    [InlineData(GrantState.Closed, 10)]
    [InlineData(GrantState.Opening, 10)]
    public void At_OtherNotOpenAnyMore_RunsFromItsOpening(GrantState state, double end) =>
        Assert.Equal((Now, Now.AddMinutes(30)), Core.Grants.Windows.At(Now, TimeSpan.FromMinutes(30), Grant(state, -20, end)));

    [Fact]
    public void Of_OverlappingGrants_WantUntilTheLastEnds()
    {
        var wish = Core.Grants.Windows.Of([Grant(GrantState.Open, -10, 10), Grant(GrantState.Opening, 0, 30), Grant(GrantState.Closing, -10, 90)], Now);

        Assert.Equal(new Wish(true, Now.AddMinutes(30), Now.AddMinutes(10)), wish);
    }

    [Theory]
    [InlineData(GrantState.Ready)]
    [InlineData(GrantState.Closing)]
    [InlineData(GrantState.Closed)]
    public void Of_NoneOpen_WantsNothing(GrantState state) =>
        Assert.Equal(new Wish(false, null, null), Core.Grants.Windows.Of([Grant(state, -10, 10)], Now));

    [Fact]
    public void Of_EndIsNow_WantsNothing() => Assert.False(Core.Grants.Windows.Of([Grant(GrantState.Open, -10, 0)], Now).Wanted);

    [Fact]
    public void Of_AnyGrants_WantsExactlyWhatOneOfThemWants()
    {
        var grants = Gen.ListOf(
            from state in Gen.Elements(Enum.GetValues<GrantState>())
            from end in Gen.Choose(-30, 30)
            select Grant(state, -40, end));
        Check.One(Config.QuickThrowOnFailure.WithMaxTest(300), Prop.ForAll(grants.ToArbitrary(), list =>
        {
            var wish = Core.Grants.Windows.Of([.. list], Now);
            var wanting = list.Where(grant => grant.State is GrantState.Open or GrantState.Opening && grant.NotAfter > Now).ToList();
            return wish.Wanted == wanting.Count > 0
                && wish.Until == wanting.Max(grant => grant.NotAfter)
                && wish.LookAgainAt == wanting.Min(grant => grant.NotAfter);
        }));
    }

    [Theory]
    [InlineData(GrantState.Open, -10, 10, true)]
    [InlineData(GrantState.Open, 0, 10, true)]
    [InlineData(GrantState.Open, -10, 0, false)]
    [InlineData(GrantState.Open, 1, 10, false)]
    [InlineData(GrantState.Opening, -10, 10, false)]
    [InlineData(GrantState.Closing, -10, 10, false)]
    [InlineData(GrantState.Ready, null, null, false)]
    [InlineData(GrantState.Open, null, null, false)]
    public void IsUsableAt_OnlyOpenAndInsideItsWindow(GrantState state, int? from, int? to, bool usable) =>
        Assert.Equal(usable, Grant(state, from, to).IsUsableAt(Now));
}
