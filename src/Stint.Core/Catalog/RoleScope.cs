namespace Stint.Core.Catalog;

/// <summary>What a token may ask for: <c>RESOURCE/ROLE</c>, with <c>*</c> for any part of either name.</summary>
public static class RoleScope
{
    /// <summary>Whether a role is in a scope; never, when the scope does not have the form.</summary>
    public static bool Holds(string scope, RoleRef role) => RoleRef.Parse(scope) is { } pattern
        && Words.Glob(pattern.Resource, role.Resource) && Words.Glob(pattern.Role, role.Role);
}
