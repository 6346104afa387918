using Stint.Core.Grants;

namespace Stint.Server.Grants;

/// <summary>A grant with what is known of its target.</summary>
/// <param name="Grant">The grant.</param>
/// <param name="Trouble">What keeps the target from being as wanted, in words; null when nothing does.</param>
/// <param name="Guarantee">How the end is enforced when Stint is down; null for a kind that this server does not run.</param>
/// <param name="Kind">Kind of its resource, by the catalog that decides now; null when that has none of the name.</param>
internal sealed record GrantView(Grant Grant, string? Trouble, Guarantee? Guarantee, string? Kind);
