namespace Stint.Server.Identity;

/// <summary>A way to sign in that begins with a link.</summary>
/// <param name="Label">What it says.</param>
/// <param name="Href">Where it leads; <c>then</c> is added to it.</param>
internal sealed record SignInWay(string Label, string Href);

/// <summary>Every way to sign in that begins with a link.</summary>
internal sealed class SignInWays(IReadOnlyList<SignInWay> all)
{
    public IReadOnlyList<SignInWay> All { get; } = all;
}
