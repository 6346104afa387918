using System.Text.Json.Nodes;

namespace Stint.Server.Identity.Ldap;

/// <summary>A person as the directory tells of them.</summary>
/// <param name="External">What stays the same whatever else changes.</param>
/// <param name="Dn">Where they stand.</param>
/// <param name="Name">What they are called by.</param>
/// <param name="Active">Whether they may do anything.</param>
/// <param name="Body">What is kept of them, but for the manager.</param>
/// <param name="Manager">Where their manager stands; null for none.</param>
internal sealed record LookedPerson(string External, string Dn, string Name, bool Active, JsonObject Body, string? Manager)
{
    public string Key { get; } = Name.ToLowerInvariant();
}

/// <summary>A group as the directory tells of it.</summary>
/// <param name="External">What stays the same whatever else changes.</param>
/// <param name="Dn">Where it stands.</param>
/// <param name="Name">What it is called.</param>
/// <param name="Members">Where its members stand.</param>
/// <param name="MemberNames">What further members are called.</param>
internal sealed record LookedGroup(string External, string Dn, string Name, IReadOnlyList<string> Members, IReadOnlyList<string> MemberNames)
{
    public string Key { get; } = Name.ToLowerInvariant();
}

/// <summary>What one look at the directory found. It is whole in itself: whatever failed on the way, there is none.</summary>
/// <param name="Whole">Whether it is everybody, so that whoever is not in it is gone.</param>
/// <param name="People">Everybody, or those who changed.</param>
/// <param name="Groups">All groups, or those that changed.</param>
/// <param name="Until">The last change that it saw, by the server's clock; null for none.</param>
/// <param name="Notes">What was passed over, and why, in sentences.</param>
internal sealed record DirectoryLook(bool Whole, IReadOnlyList<LookedPerson> People, IReadOnlyList<LookedGroup> Groups, DateTimeOffset? Until, IReadOnlyList<string> Notes);
