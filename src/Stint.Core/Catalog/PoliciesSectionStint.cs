using System.Collections.Frozen;
using Stint.Core.Catalog.Yaml;

namespace Stint.Core.Catalog;

internal sealed partial class PoliciesSection
{
    /// <summary>The resource that is this installation itself; null for none.</summary>
    private string? _itself;

    /// <summary>What a policy lets in to. NB. Who wrote <c>*</c> for a system did not mean to hand out Stint itself: that has to be named. What says no means it as well.</summary>
    private FrozenSet<RoleRef> WithoutStint(Entry entry, FrozenSet<RoleRef> roles)
    {
        if (_itself is null || !roles.Any(role => role.Resource == _itself))
        {
            return roles;
        }

        List<RoleRef> named = [.. Subjects.Written(entry.Value).Select(text => RoleRef.Parse(text)).OfType<RoleRef>().Where(pattern => pattern.Resource == _itself)];
        var left = roles.Where(role => role.Resource != _itself || named.Exists(pattern => Words.Glob(pattern.Role, role.Role))).ToFrozenSet();
        if (left.Count == 0)
        {
            _reading.Problems.Error(entry.Value.Place, $"'*' does not mean '{_itself}', which is Stint itself, in a policy that lets in", $"name it: {_itself}/ROLE");
        }

        return left;
    }
}
