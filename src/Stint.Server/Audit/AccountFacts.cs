using System.Buffers.Text;
using Stint.Core;
using Stint.Core.Audit;

namespace Stint.Server.Audit;

/// <summary>Facts about what lets persons in here without an identity provider: never a password, a code or a link.</summary>
internal static partial class Facts
{
    /// <param name="until">Until when the link works.</param>
    /// <param name="node">The server that offers it.</param>
    /// <param name="at">When.</param>
    public static Fact SetUpOffered(DateTimeOffset until, string node, DateTimeOffset at) => new(FactKinds.SetUpOffered, at, Actor.Server)
    {
        ["until"] = until,
        ["node"] = node,
    };

    public static Fact InviteMade(SubjectId who, SubjectId by, DateTimeOffset until, DateTimeOffset at) => OfLink(FactKinds.InviteMade, who, by, until, at);

    public static Fact AccountReset(SubjectId who, SubjectId by, DateTimeOffset until, DateTimeOffset at) => OfLink(FactKinds.AccountReset, who, by, until, at);

    /// <param name="who">Whose.</param>
    /// <param name="via">What it was made by: <c>set_up</c>, <c>invite</c>, <c>reset</c>, or <c>self</c> by somebody who was signed in.</param>
    /// <param name="from">The address that it was made from.</param>
    /// <param name="at">When.</param>
    public static Fact AccountMade(SubjectId who, string via, string from, DateTimeOffset at) => new(FactKinds.AccountMade, at, Actor.Person(who.Value))
    {
        ["subject"] = who.Value,
        ["via"] = via,
        ["from"] = from,
    };

    public static Fact PasskeyAdded(SubjectId who, byte[] id, DateTimeOffset at) => OfPasskey(FactKinds.PasskeyAdded, who, id, at);

    public static Fact PasskeyRemoved(SubjectId who, byte[] id, DateTimeOffset at) => OfPasskey(FactKinds.PasskeyRemoved, who, id, at);

    public static Fact PasswordSet(SubjectId who, DateTimeOffset at) => OfAccount(FactKinds.PasswordSet, who, at);

    public static Fact PasswordRemoved(SubjectId who, DateTimeOffset at) => OfAccount(FactKinds.PasswordRemoved, who, at);

    public static Fact TotpSet(SubjectId who, DateTimeOffset at) => OfAccount(FactKinds.TotpSet, who, at);

    public static Fact TotpRemoved(SubjectId who, DateTimeOffset at) => OfAccount(FactKinds.TotpRemoved, who, at);

    public static Fact RecoveryCodesMade(SubjectId who, int count, DateTimeOffset at)
    {
        var fact = OfAccount(FactKinds.RecoveryCodesMade, who, at);
        fact["count"] = count;
        return fact;
    }

    /// <param name="who">Whose code it was.</param>
    /// <param name="from">The address that it came from.</param>
    /// <param name="left">How many they have left.</param>
    /// <param name="at">When.</param>
    public static Fact RecoveryCodeUsed(SubjectId who, string from, int left, DateTimeOffset at)
    {
        var fact = OfAccount(FactKinds.RecoveryCodeUsed, who, at);
        fact["from"] = from;
        fact["count"] = left;
        return fact;
    }

    private static Fact OfLink(string kind, SubjectId who, SubjectId by, DateTimeOffset until, DateTimeOffset at) => new(kind, at, Actor.Person(by.Value))
    {
        ["subject"] = who.Value,
        ["by"] = by.Value,
        ["until"] = until,
    };

    private static Fact OfPasskey(string kind, SubjectId who, byte[] id, DateTimeOffset at)
    {
        var fact = OfAccount(kind, who, at);
        fact["credential"] = Base64Url.EncodeToString(id);
        return fact;
    }

    private static Fact OfAccount(string kind, SubjectId who, DateTimeOffset at) => new(kind, at, Actor.Person(who.Value))
    {
        ["subject"] = who.Value,
    };
}
