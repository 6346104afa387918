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
