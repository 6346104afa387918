using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Server.Store;
using Xunit;

namespace Stint.Tests.Store;

public sealed class ReviewRowsTests
{
    public static TheoryData<string> Kinds => TestStore.Kinds;

    private static readonly SubjectId Bob = new("bob");

    private static Request Emergency(TestStore test, string subject = "ann") => test.Asking(subject, RequestState.Approved) with { BreakGlass = true };

    private static Review Of(TestStore test, Request request) => new()
    {
        Id = new ReviewId(test.NextId("rv")),
        Request = request.Id,
        Person = request.Subject,
        Role = request.Role,
        State = ReviewState.Open,
        Version = 1,
        OpenedAt = TestStore.Now,
        DueAt = TestStore.Now.AddHours(24),
        From = ["group:security", "owners"],
        Reviewers = [Bob],
        Told = [Bob, new SubjectId("carol")],
    };

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Review_WrittenAndRead_IsTheSame(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var review = await test.WriteAsync(async work =>
        {
            var request = await work.InsertAsync(Emergency(test));
            var kept = await work.InsertAsync(Of(test, request));
            var grant = await work.InsertAsync(test.Right(request) with { BreakGlass = true });
            Assert.True((await work.FindGrantAsync(grant.Id))!.BreakGlass);
            return kept!;
        });
        var read = await test.ReadAsync(async reads => (await reads.FindReviewAsync(review.Id))!);
        Assert.Equal(review with { From = read.From, Reviewers = read.Reviewers, Told = read.Told }, read);
        Assert.Equal(review.From, read.From);
        Assert.Equal(review.Told, read.Told);
        Assert.Equal(review.Id, (await test.ReadAsync(async reads => await reads.FindOpenReviewAsync(review.Person)))!.Id);
        Assert.Single((await test.ReadAsync(async reads => await reads.ReviewsAsync(new ReviewFilter { Concerning = Bob }, new Page()))).Items);
        Assert.Empty((await test.ReadAsync(async reads => await reads.ReviewsAsync(new ReviewFilter { Concerning = new SubjectId("eve") }, new Page()))).Items);

        // While it is open there is no other of the same person.
        Assert.Null(await test.WriteAsync(async work => await work.InsertAsync(Of(test, await work.InsertAsync(Emergency(test))))));
        Assert.NotNull(await test.WriteAsync(async work => await work.InsertAsync(Of(test, await work.InsertAsync(Emergency(test, "eve"))))));
        var closed = await test.WriteAsync(async work => await work.MoveAsync(read, read with { State = ReviewState.Concern, ClosedAt = TestStore.Now, ClosedBy = Bob, Comment = "odd" }));
        Assert.Null(await test.WriteAsync(async work => await work.MoveAsync(read, read with { State = ReviewState.Accepted, ClosedAt = TestStore.Now, ClosedBy = Bob, Comment = "fine" })));
        Assert.Equal(2, closed!.Version);
        Assert.NotNull(await test.WriteAsync(async work => await work.InsertAsync(Of(test, await work.InsertAsync(Emergency(test))))));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task TheDatabase_RefusesWhatMustNotBe(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var (request, review) = await test.WriteAsync(async work =>
        {
            var asked = await work.InsertAsync(Emergency(test));
            return (asked, (await work.InsertAsync(Of(test, asked)))!);
        });
        await test.WriteAsync(async work => await work.InsertAsync(test.Right(request) with { BreakGlass = true }));
        foreach (var attack in new[]
                 {
                     "UPDATE reviews SET state = 'accepted', version = version + 1",
                     "UPDATE reviews SET state = 'accepted', version = version + 1, closed_at = 1, closed_by = 'ann', comment = 'all fine'",
                     "UPDATE reviews SET state = 'accepted', version = version + 1, closed_at = 1, closed_by = 'bob', comment = ''",
                     "UPDATE reviews SET state = 'accepted', closed_at = 1, closed_by = 'bob', comment = 'x'",
                     "UPDATE reviews SET due_at = due_at + 1, version = version + 1",
                     "UPDATE reviews SET reviewers = 'ann', version = version + 1",
                     "UPDATE reviews SET person = 'eve', version = version + 1",
                     "DELETE FROM reviews",
                     "UPDATE review_people SET person = 'ann'",
                     "DELETE FROM review_people",
                     $"INSERT INTO review_people (review_id, person, reviews, told) VALUES ('{review.Id}', 'ann', 1, 0)",
                     "UPDATE requests SET break_glass = 0, version = version + 1",
                     "UPDATE grants SET break_glass = 0, version = version + 1",
                     "UPDATE grants SET record = 'default', version = version + 1",
                 })
        {
            await Assert.ThrowsAsync<StoreRefusedException>(() => test.AttackAsync(attack));
        }

        // No right by break-glass without its review, none that says so of another, none that is not recorded strictly.
        await Assert.ThrowsAsync<StoreRefusedException>(() => test.WriteAsync(async work =>
        {
            await work.InsertAsync(test.Right(await work.InsertAsync(Emergency(test, "eve"))) with { BreakGlass = true });
            await work.Db.CatchUpAsync();
        }));
        await Assert.ThrowsAsync<StoreRefusedException>(() => test.WriteAsync(async work =>
        {
            await work.InsertAsync(test.Right(await work.InsertAsync(test.Asking("eve", RequestState.Approved))) with { BreakGlass = true });
            await work.Db.CatchUpAsync();
        }));
        await Assert.ThrowsAsync<StoreRefusedException>(() => test.WriteAsync(async work =>
        {
            var asked = await work.InsertAsync(Emergency(test, "eve"));
            await work.InsertAsync(Of(test, asked));
            await work.InsertAsync(test.Right(asked) with { BreakGlass = true, Record = RecordMode.Default });
            await work.Db.CatchUpAsync();
        }));
        await Assert.ThrowsAsync<StoreRefusedException>(() => test.WriteAsync(async work => await work.InsertAsync(Of(test, await work.InsertAsync(test.Asking("eve", RequestState.Approved))))));
        await Assert.ThrowsAsync<StoreRefusedException>(() => test.WriteAsync(async work =>
        {
            await work.InsertAsync(test.Asking("eve") with { BreakGlass = true });
            await work.Db.CatchUpAsync();
        }));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Codes_AreUsedOnce_AndNeverChange(string kind)
    {
        await using var test = await TestStore.OpenAsync(kind);
        var (ann, one, two, pass) = (new SubjectId("ann"), new byte[32], Enumerable.Repeat((byte)1, 32).ToArray(), Enumerable.Repeat((byte)2, 32).ToArray());
        await test.WriteAsync(async work => await work.ReplaceCodesAsync(ann, [one, two], TestStore.Now));
        GlassPass Pass(byte[] hash, string who = "ann", double hours = 1) => new(hash, new SubjectId(who), TestStore.Now, TestStore.Now.AddHours(hours));
        Assert.False(await test.WriteAsync(async work => await work.UseCodeAsync(one, Pass(pass, "eve"))));
        await Assert.ThrowsAsync<StoreRefusedException>(() => test.WriteAsync(async work => await work.UseCodeAsync(one, Pass(pass, hours: 2))));
        Assert.True(await test.WriteAsync(async work => await work.UseCodeAsync(one, Pass(pass))));
        Assert.False(await test.WriteAsync(async work => await work.UseCodeAsync(one, Pass(two))));
        Assert.False(await test.ReadAsync(async reads => await reads.HasCodeAsync(ann, one)));
        Assert.True(await test.ReadAsync(async reads => await reads.HasCodeAsync(ann, two)));
        Assert.Equal(1, await test.ReadAsync(async reads => await reads.CodesLeftAsync(ann)));
        foreach (var attack in new[]
                 {
                     "UPDATE glass_codes SET used_at = NULL", "UPDATE glass_codes SET person = 'eve'", "DELETE FROM glass_codes",
                     "UPDATE glass_passes SET expires_at = expires_at + 1", "UPDATE glass_passes SET person = 'eve'", "DELETE FROM glass_passes",
                 })
        {
            await Assert.ThrowsAsync<StoreRefusedException>(() => test.AttackAsync(attack));
        }

        Assert.Equal(1, await test.WriteAsync(async work => await work.ReplaceCodesAsync(ann, [pass], TestStore.Now)));
        Assert.False(await test.WriteAsync(async work => await work.UseCodeAsync(two, Pass(two))));
    }
}
