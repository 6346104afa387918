using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Audit;
using Stint.Core.Requests;

namespace Stint.Server.Audit;

/// <summary>Facts about emergencies, their reviews and their codes, and about tasks that are done.</summary>
internal static partial class Facts
{
    /// <summary>Another system said that a task is done, and something was bound to it.</summary>
    public static Fact TaskDone(string task, string sender, IReadOnlyList<GrantId> ended, IReadOnlyList<RequestId> cancelled, DateTimeOffset at) => new(FactKinds.TaskDone, at, Actor.Sender(sender))
    {
        ["task"] = task,
        ["sender"] = sender,
        ["grant"] = FactValue.List(ended.Select(grant => grant.Value)),
        ["requests"] = FactValue.List(cancelled.Select(request => request.Value)),
        ["count"] = ended.Count + cancelled.Count,
    };

    /// <summary>The glass was broken: who was told, and who reviews it by when.</summary>
    public static Fact GlassBroken(Request request, Review review) => With(
        Of(FactKinds.GlassBroken, review, review.OpenedAt, Actor.Person(review.Person.Value)),
        [
            ("subject", review.Person.Value), ("role", review.Role.ToString()), ("rules", FactValue.List(request.Verdict.DecidedBy)), ("persons", People(review.Told)),
            ("reviewers", People(review.Reviewers)), ("from_step", FactValue.List(review.From)), ("until", review.DueAt), ("reason", request.Reason),
        ]);

    public static Fact GlassSeen(Review review, SubjectId by, DateTimeOffset at) => new(FactKinds.GlassSeen, at, Actor.Person(by.Value))
    {
        ["request"] = review.Request.Value,
        ["review"] = review.Id.Value,
        ["by"] = by.Value,
    };

    public static Fact ReviewOverdue(Review review, DateTimeOffset at) => With(
        Of(FactKinds.ReviewOverdue, review, at, Actor.Keeper), [("subject", review.Person.Value), ("until", review.DueAt)]);

    /// <summary>A review was closed: by whom, and what they made of it.</summary>
    /// <param name="review">The review, closed.</param>
    /// <param name="cause">Why they could: <c>named</c> at the asking, <c>handed_over</c> since, or <c>nobody_left</c>.</param>
    public static Fact ReviewClosed(Review review, string cause) => With(
        Of(review.State == ReviewState.Accepted ? FactKinds.ReviewAccepted : FactKinds.ConcernRaised, review, review.ClosedAt!.Value, Actor.Person(review.ClosedBy!.Value.Value)),
        [("by", review.ClosedBy!.Value.Value), ("comment", review.Comment), ("cause", cause)]);

    /// <summary>What somebody who left was to review is another's to review as well.</summary>
    public static Fact ReviewHandedOver(Review review, SubjectId left, SubjectId to, Actor by, DateTimeOffset at) => With(
        Of(FactKinds.ReviewHandedOver, review, at, by), [("for", left.Value), ("person", to.Value)]);

    public static Fact BreakGlassCodesMade(SubjectId who, int count, DateTimeOffset at) => new(FactKinds.BreakGlassCodesMade, at, Actor.Person(who.Value))
    {
        ["subject"] = who.Value,
        ["count"] = count,
    };

    /// <param name="who">Whose code it was.</param>
    /// <param name="from">The address that it came from.</param>
    /// <param name="left">How many codes they have left.</param>
    /// <param name="until">Until when the way in lasts.</param>
    /// <param name="at">When.</param>
    public static Fact BreakGlassLoggedIn(SubjectId who, string from, int left, DateTimeOffset until, DateTimeOffset at) => new(FactKinds.BreakGlassLoggedIn, at, Actor.Person(who.Value))
    {
        ["subject"] = who.Value,
        ["from"] = from,
        ["count"] = left,
        ["until"] = until,
    };

    /// <param name="from">Where the last of the tries came from.</param>
    /// <param name="count">How many tries since the last such fact.</param>
    /// <param name="at">When.</param>
    public static Fact BreakGlassRefused(string from, long count, DateTimeOffset at) => new(FactKinds.BreakGlassRefused, at, Actor.Server)
    {
        ["from"] = from,
        ["count"] = count,
    };

    private static Fact Of(string kind, Review review, DateTimeOffset at, Actor by) => new(kind, at, by)
    {
        ["request"] = review.Request.Value,
        ["review"] = review.Id.Value,
        ["state"] = Word(review.State),
        ["version"] = review.Version,
    };

    private static FactValue People(IReadOnlyList<SubjectId> people) => FactValue.List(people.Select(person => person.Value));
}
