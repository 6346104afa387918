using Stint.Core.Grants;

namespace Stint.Server.Sessions;

/// <summary>A way in, shown once.</summary>
/// <param name="Grant">The grant, open.</param>
/// <param name="Login">Name to log in with at the gateway.</param>
/// <param name="Secret">Its password. It stands nowhere else.</param>
/// <param name="Kind">Protocol kind of the resource.</param>
/// <param name="Database">The resource's database; null where the kind has none.</param>
internal sealed record MintedLogin(Grant Grant, string Login, string Secret, string Kind, string? Database)
{
    /// <summary>Never the secret.</summary>
    public override string ToString() => $"{Login} for {Grant.Id}";
}
