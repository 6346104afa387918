using Stint.Core;
using Stint.Core.Audit;
using Stint.Server.Store;

namespace Stint.Server.Audit;

/// <summary>What is put on record of people at browsers.</summary>
internal static partial class Facts
{
    public static Fact PersonSignedIn(WebSession session) => Of(FactKinds.PersonSignedIn, session, session.MadeAt, session.Person);

    public static Fact PersonProved(WebSession session, DateTimeOffset at) => Of(FactKinds.PersonProved, session, at, session.Person);

    /// <param name="session">Which.</param>
    /// <param name="reason">Why it is over.</param>
    /// <param name="at">When.</param>
    /// <param name="by">Who ended it; null for the server itself.</param>
    public static Fact PersonSignedOut(WebSession session, string reason, DateTimeOffset at, SubjectId? by = null) => new(FactKinds.PersonSignedOut, at, by is { } who ? Actor.Of(who) : Actor.Server)
    {
        ["sign_in"] = session.Id,
        ["subject"] = session.Person.Value,
        ["reason"] = reason,
    };

    public static Fact SignInRefused(string from, long count, DateTimeOffset at) => new(FactKinds.SignInRefused, at, Actor.Server)
    {
        ["from"] = from,
        ["count"] = count,
    };

    /// <param name="person">Of whom; in small letters for what is over by time.</param>
    /// <param name="via">Which provider: <c>oidc:NAME</c>.</param>
    /// <param name="added">Groups that they are in from now on, <c>PROVIDER/GROUP</c>.</param>
    /// <param name="removed">Groups that they are in no longer.</param>
    /// <param name="until">How long it counts; null for what is over.</param>
    /// <param name="at">When.</param>
    public static Fact ProviderGroupsTold(string person, string via, IReadOnlyList<string> added, IReadOnlyList<string> removed, DateTimeOffset? until, DateTimeOffset at) =>
        Told(FactKinds.ProviderGroupsTold, person, via, added, removed, until, at);

    /// <summary>A provider said, or says no longer, what else is known of somebody.</summary>
    /// <param name="person">Whom.</param>
    /// <param name="via">Which provider.</param>
    /// <param name="added">What is new, as <c>name=value</c>.</param>
    /// <param name="removed">What is over.</param>
    /// <param name="until">How long it counts; null for what is over.</param>
    /// <param name="at">When.</param>
    public static Fact ProviderAttributesTold(string person, string via, IReadOnlyList<string> added, IReadOnlyList<string> removed, DateTimeOffset? until, DateTimeOffset at) =>
        Told(FactKinds.ProviderAttributesTold, person, via, added, removed, until, at);

    private static Fact Told(string kind, string person, string via, IReadOnlyList<string> added, IReadOnlyList<string> removed, DateTimeOffset? until, DateTimeOffset at) => new(kind, at, Actor.Server)
    {
        ["subject"] = person,
        ["via"] = via,
        ["added"] = FactValue.List(added),
        ["removed"] = FactValue.List(removed),
        ["until"] = until,
    };

    private static Fact Of(string kind, WebSession session, DateTimeOffset at, SubjectId by) => new(kind, at, Actor.Of(by))
    {
        ["sign_in"] = session.Id,
        ["subject"] = session.Person.Value,
        ["via"] = session.ProvedBy,
        ["at"] = session.ProvedAt,
        ["from"] = session.Address,
        ["until"] = session.ExpiresAt,
    };
}
