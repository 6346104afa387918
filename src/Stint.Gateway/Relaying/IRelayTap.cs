namespace Stint.Gateway.Relaying;

/// <summary>What a protocol reads off the bytes that a relay carries. It sees every byte once, in order, and changes none.</summary>
internal interface IRelayTap
{
    /// <summary>Bytes that the client sent.</summary>
    /// <returns>Up to where whole messages reach in <paramref name="bytes"/>; 0 when none ends here.</returns>
    int FromClient(ReadOnlySpan<byte> bytes);

    /// <summary>Bytes that the target sent.</summary>
    /// <returns>As <see cref="FromClient"/>.</returns>
    int FromServer(ReadOnlySpan<byte> bytes);

    /// <summary>Against which rule one side spoke; null while none did. Nothing is carried after it.</summary>
    string? Violation { get; }

    /// <summary>Whether records stand in the encoder that must be written before the client's last bytes go on.</summary>
    bool MustWrite { get; }

    /// <summary>They are written.</summary>
    void Written();

    /// <summary>Whether the client announced its end.</summary>
    bool ClientSaidGoodbye { get; }

    /// <summary>Whether the target's own last words went to the client.</summary>
    bool ServerSaidGoodbye { get; }

    /// <summary>Whether so much is unanswered that the client has to wait.</summary>
    bool IsFull { get; }

    /// <summary>Whether anything is unanswered.</summary>
    bool IsBusy { get; }

    /// <summary>Whether all bytes from the target make whole messages.</summary>
    bool ServerAtBoundary { get; }

    /// <summary>Whether all bytes from the client make whole messages.</summary>
    bool ClientAtBoundary { get; }

    /// <summary>The session is over: what has no answer gets none.</summary>
    void End();
}

/// <summary>How a protocol says to its two sides what the relay has to say.</summary>
internal interface IRelayVoice
{
    /// <summary>Last words to the client.</summary>
    byte[] Farewell(RelayEnd end);

    /// <summary>Something to know, while the session goes on.</summary>
    byte[] Notice(string sentence, string? hint);

    /// <summary>Last words to the target.</summary>
    byte[] Goodbye { get; }

    /// <summary>Asks the target to stop what it executes for this session. Never throws.</summary>
    Task CancelAtTargetAsync(CancellationToken cancellation);

    /// <summary>What the target calls this connection.</summary>
    string? Backend { get; }
}

/// <summary>Why a relay ends, and what to say.</summary>
/// <param name="Told">Whether the client is told <paramref name="Sentence"/>.</param>
internal sealed record RelayEnd(Core.Sessions.SessionEndReason Reason, string Sentence, string? Hint, bool Told);
