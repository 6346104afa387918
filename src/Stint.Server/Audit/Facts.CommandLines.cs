using Stint.Core;
using Stint.Core.Audit;
using Stint.Server.Store;

namespace Stint.Server.Audit;

/// <summary>What is put on record of command lines that people log in with.</summary>
internal static partial class Facts
{
    public static Fact CliAnswered(CliAsking asking, CliProof proof, bool yes, DateTimeOffset at) => new(FactKinds.CliAnswered, at, Actor.Of(proof.Person))
    {
        ["subject"] = proof.Person.Value,
        ["yes"] = yes,
        ["kind"] = asking.Kind,
        ["host"] = asking.Self.Host,
        ["from"] = asking.Self.Address,
        ["sign_in"] = proof.SignIn,
    };

    public static Fact CliLoggedIn(CliLogin login) => new(FactKinds.CliLoggedIn, login.MadeAt, Actor.Of(login.Person))
    {
        ["cli"] = login.Id,
        ["subject"] = login.Person.Value,
        ["kind"] = login.Kind,
        ["via"] = login.Proof.By,
        ["at"] = login.Proof.At,
        ["host"] = login.Self.Host,
        ["from"] = login.Self.Address,
        ["sign_in"] = login.Proof.SignIn,
        ["until"] = login.ExpiresAt,
    };

    /// <param name="login">Which.</param>
    /// <param name="reason">Why it is over.</param>
    /// <param name="at">When.</param>
    /// <param name="by">Who ended it; null for the server itself.</param>
    public static Fact CliLoggedOut(CliLogin login, string reason, DateTimeOffset at, SubjectId? by) => new(FactKinds.CliLoggedOut, at, by is { } who ? Actor.Of(who) : Actor.Server)
    {
        ["cli"] = login.Id,
        ["subject"] = login.Person.Value,
        ["reason"] = reason,
    };

    public static Fact CliRefused(string from, long count, DateTimeOffset at) => new(FactKinds.CliRefused, at, Actor.Server)
    {
        ["from"] = from,
        ["count"] = count,
    };
}
