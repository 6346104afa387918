using Stint.Core.Requests;

namespace Stint.Server.Identity;

/// <summary>Another system that may say when tasks are done, or who is on call.</summary>
/// <param name="Name">Its name in the configuration.</param>
/// <param name="Preset">Whose signatures and payloads its calls have.</param>
/// <param name="Secret">What both know.</param>
/// <param name="Tasks">What the names of the tasks that it may end begin with; empty for none.</param>
internal sealed record Sender(string Name, WebhookPreset Preset, string Secret, string Tasks)
{
    /// <summary>Whether it may say who is on call, in the rotas that the catalog gives it.</summary>
    public bool TellsOnCall { get; init; }

    /// <summary>Whether a task is its own. <paramref name="task"/> is as <see cref="TaskName.Normal"/> gives it.</summary>
    public bool Owns(string task) => Tasks.Length > 0 && task.StartsWith(Tasks, StringComparison.Ordinal);

    /// <summary>Never the secret.</summary>
    public override string ToString() => Name;
}

/// <summary>Every sender that is configured.</summary>
internal sealed class Senders(IReadOnlyList<Sender> all)
{
    // NB. Whoever names nobody goes through the same motions as a known sender with a wrong signature.
    private readonly string _nobodys = Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(32));

    public IReadOnlyList<Sender> All { get; } = all;

    /// <summary>The sender of that name, or one that nobody can be.</summary>
    public (Sender Sender, bool Known) Find(string? name, WebhookPreset otherwise) => All.FirstOrDefault(sender => sender.Name == name) is { } found
        ? (found, true)
        : (new Sender("", otherwise, _nobodys, ""), false);
}
