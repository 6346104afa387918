using Stint.Core;
using Stint.Core.Audit;
using Stint.Server.Store;

namespace Stint.Server.Audit;

/// <summary>Facts about the directory, and about those who were sent away here.</summary>
internal static partial class Facts
{
    /// <summary>Most members that one fact names.</summary>
    public const int MostMembers = 200;

    public static Fact UserProvisioned(DirectoryUser user, DirectoryKeys keys, Actor by) => Of(FactKinds.UserProvisioned, user, keys, user.ChangedAt, by);

    /// <param name="user">The user, changed.</param>
    /// <param name="keys">What is known of them now.</param>
    /// <param name="changed">Names of the attributes that changed.</param>
    /// <param name="by">Who tells it.</param>
    public static Fact UserChanged(DirectoryUser user, DirectoryKeys keys, IReadOnlyList<string> changed, Actor by) => With(
        Of(FactKinds.UserChanged, user, keys, user.ChangedAt, by), [("attributes", FactValue.List(changed))]);

    public static Fact UserRemoved(DirectoryUser user, DirectoryKeys keys, DateTimeOffset at, Actor by) => Of(FactKinds.UserRemoved, user, keys, at, by);

    public static Fact GroupProvisioned(DirectoryGroup group, (IReadOnlyList<string> Names, int Count) members, Actor by) => With(
        Of(FactKinds.GroupProvisioned, group, group.ChangedAt, by), [("added", FactValue.List(members.Names)), ("count", members.Count)]);

    /// <param name="group">The group, changed.</param>
    /// <param name="before">What it was called.</param>
    /// <param name="added">Who came.</param>
    /// <param name="removed">Who went.</param>
    /// <param name="by">Who tells it.</param>
    public static Fact GroupChanged(DirectoryGroup group, string before, (IReadOnlyList<string> Names, int Count) added, (IReadOnlyList<string> Names, int Count) removed, Actor by) => With(
        Of(FactKinds.GroupChanged, group, group.ChangedAt, by),
        [("previous_name", before == group.DisplayName ? null : before), ("added", FactValue.List(added.Names)), ("removed", FactValue.List(removed.Names)), ("count", added.Count + removed.Count)]);

    public static Fact GroupRemoved(DirectoryGroup group, (IReadOnlyList<string> Names, int Count) members, DateTimeOffset at, Actor by) => With(
        Of(FactKinds.GroupRemoved, group, at, by), [("removed", FactValue.List(members.Names)), ("count", members.Count)]);

    /// <summary>The directory tells that too many leave at once.</summary>
    /// <param name="refused">Who.</param>
    /// <param name="most">How many may at most.</param>
    /// <param name="at">When it told so.</param>
    public static Fact PullRefused(RefusedPull refused, long most, DateTimeOffset at) => new(FactKinds.PullRefused, at, Actor.Ldap)
    {
        ["count"] = refused.Leaving,
        ["known"] = refused.Of,
        ["allowed"] = most,
        ["digest"] = refused.Mark,
    };

    /// <summary>An admin confirmed that they have all left.</summary>
    /// <param name="who">The admin.</param>
    /// <param name="pull">How the pulling stands.</param>
    /// <param name="at">When.</param>
    public static Fact PullConfirmed(SubjectId who, DirectoryPull pull, DateTimeOffset at) => new(FactKinds.PullConfirmed, at, Actor.Of(who))
    {
        ["by"] = who.Value,
        ["count"] = pull.Leaving,
        ["known"] = pull.LeavingOf,
        ["digest"] = pull.Mark,
    };

    /// <param name="pull">How the pulling stands.</param>
    /// <param name="at">When it was noticed.</param>
    public static Fact DirectorySilent(DirectoryPull pull, DateTimeOffset at) => new(FactKinds.DirectorySilent, at, Actor.Ldap)
    {
        ["until"] = pull.GoodAt,
        ["reason"] = pull.Trouble,
    };

    public static Fact DirectoryHeard(DateTimeOffset at) => new(FactKinds.DirectoryHeard, at, Actor.Ldap);

    /// <param name="rota">Which rota.</param>
    /// <param name="added">Who is on call now and was not.</param>
    /// <param name="removed">Who was and is no more.</param>
    /// <param name="why">By what.</param>
    /// <param name="by">Who told it.</param>
    /// <param name="at">When it was noticed.</param>
    public static Fact OnCallChanged(string rota, IEnumerable<string> added, IEnumerable<string> removed, string why, Actor by, DateTimeOffset at) => new(FactKinds.OnCallChanged, at, by)
    {
        ["name"] = rota,
        ["added"] = FactValue.List([.. added]),
        ["removed"] = FactValue.List([.. removed]),
        ["reason"] = why,
    };

    public static Fact PersonOffboarded(Offboarded gone) => Of(FactKinds.PersonOffboarded, gone.Person, gone.By, gone.Reason, gone.At);

    public static Fact PersonRestored(string person, string by, string reason, DateTimeOffset at) => Of(FactKinds.PersonRestored, person, by, reason, at);

    public static Fact PersonOffboarded(Offboarded gone, Actor by) => Of(FactKinds.PersonOffboarded, gone.Person, by, gone.Reason, gone.At);

    public static Fact PersonRestored(string person, Actor by, string reason, DateTimeOffset at) => Of(FactKinds.PersonRestored, person, by, reason, at);

    /// <summary>What a transmitter of security events told.</summary>
    public static Fact SignalTaken(string sender, string cause, IReadOnlyList<SubjectId> people, long count, DateTimeOffset at) => new(FactKinds.SignalTaken, at, Actor.Sender(sender))
    {
        ["sender"] = sender,
        ["cause"] = cause,
        ["persons"] = FactValue.List(people.Select(person => person.Value)),
        ["count"] = count,
    };

    public static Fact SignalRefused(string from, long count, DateTimeOffset at) => new(FactKinds.SignalRefused, at, Actor.Server)
    {
        ["from"] = from,
        ["count"] = count,
    };

    private static Fact Of(string kind, string person, Actor by, string reason, DateTimeOffset at) => new(kind, at, by)
    {
        ["subject"] = person,
        ["by"] = by.ToString(),
        ["reason"] = reason,
    };

    private static Fact Of(string kind, string person, string by, string reason, DateTimeOffset at) => new(kind, at, Actor.Person(by))
    {
        ["subject"] = person,
        ["by"] = by,
        ["reason"] = reason,
    };

    private static Fact Of(string kind, DirectoryUser user, DirectoryKeys keys, DateTimeOffset at, Actor by) => new(kind, at, by)
    {
        ["user"] = user.Id,
        ["subject"] = keys.UserName,
        ["state"] = keys.Active ? "active" : "inactive",
        ["version"] = user.Version,
    };

    private static Fact Of(string kind, DirectoryGroup group, DateTimeOffset at, Actor by) => new(kind, at, by)
    {
        ["group"] = group.Id,
        ["name"] = group.DisplayName,
        ["version"] = group.Version,
    };
}
