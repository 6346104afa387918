using System.Text;
using Stint.Core.Sessions;

namespace Stint.Gateway.Postgres;

// What stands behind the names of statements and portals, and which answers are awaited. Both directions look here.
internal sealed partial class PostgresGuard
{
    private readonly Dictionary<string, Meaning> _known = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Meaning> _portals = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Meaning?> _newStatements = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Meaning?> _newPortals = new(StringComparer.Ordinal);

    // In the order in which the target answers them, each with one message: what it did of these is certain, the others it overlooked.
    private readonly List<(bool IsStatement, string Name, Meaning? Meaning)> _named = [];
    private readonly Dictionary<string, byte[]> _expected = new(StringComparer.Ordinal);
    private TaskCompletionSource? _settled;
    private int _confirmed;
    private bool _midway;
    private bool _bySync;
    private bool _gone;
    private bool _forgets;
    private volatile bool _misread;

    /// <summary>What a name stands for.</summary>
    /// <param name="Listed">Which of the session's statements; several where they differ in their parameters alone, none for what begins or ends a transaction.</param>
    /// <param name="Types">Types of its parameters, as the client named them.</param>
    private sealed record Meaning(int[] Listed, uint[] Types)
    {
        public bool Executed { get; set; }
    }

    // Waits until everything that closes a stretch is answered.
    private async ValueTask SettledAsync()
    {
        Task? settled;
        lock (_lock)
        {
            settled = _gone ? Task.FromException(new IOException("The target left.")) : _settled?.Task;
        }

        if (settled is not null)
        {
            await SendAsync();
            await settled;
        }
    }

    private bool IsMidway()
    {
        lock (_lock)
        {
            return _midway;
        }
    }

    private void Began()
    {
        lock (_lock)
        {
            _midway = true;
        }
    }

    private void Named(bool isStatement, string name, Meaning? meaning)
    {
        lock (_lock)
        {
            _midway = true;
            _named.Add((isStatement, name, meaning));
            (isStatement ? _newStatements : _newPortals)[name] = meaning;
        }
    }

    private Meaning? Statement(string name)
    {
        lock (_lock)
        {
            return _newStatements.TryGetValue(name, out var given) ? given : _known.GetValueOrDefault(name);
        }
    }

    private Meaning? Portal(string name)
    {
        lock (_lock)
        {
            return _newPortals.TryGetValue(name, out var given) ? given : _portals.GetValueOrDefault(name);
        }
    }

    private void Close(bool bySync)
    {
        lock (_lock)
        {
            _overlooking = false;
            _bySync = bySync;
            _settled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_gone)
            {
                _settled.TrySetException(new IOException("The target left."));
            }
        }
    }

    private void Confirm()
    {
        lock (_lock)
        {
            _confirmed++;
        }
    }

    private void Forget()
    {
        lock (_lock)
        {
            _known.Clear();
            _newStatements.Clear();
            _forgets = true;
        }
    }

    // The target in copy-in overlooks a Sync (PostgreSQL documentation, "COPY Operations"): another one will be answered.
    private void SyncOverlooked()
    {
        lock (_lock)
        {
            if (_bySync)
            {
                _settled?.TrySetResult();
                _settled = null;
            }
        }
    }

    private void Ready(byte state)
    {
        lock (_lock)
        {
            foreach (var (isStatement, name, meaning) in _named.Take(_confirmed))
            {
                var names = isStatement ? _known : _portals;
                if (meaning is null)
                {
                    names.Remove(name);
                }
                else
                {
                    names[name] = meaning;
                }
            }

            if (state == (byte)'I')
            {
                _portals.Clear();
            }

            if (_forgets)
            {
                _known.Clear();
                _forgets = false;
            }

            _named.Clear();
            _newStatements.Clear();
            _newPortals.Clear();
            _expected.Clear();
            _confirmed = 0;
            _midway = false;
            _copyRefused = false;
            _settled?.TrySetResult();
            _settled = null;
        }
    }

    private void Gone()
    {
        lock (_lock)
        {
            _gone = true;
            _settled?.TrySetException(new IOException("The target left."));

            // Nobody may be waiting for it.
            _ = _settled?.Task.Exception;
        }
    }

    // What the target's error is replaced with, by the one word of it that only this session's guard can have sent.
    private string Expect(StatementRefusal why)
    {
        var token = Token();
        var role = _session.Role;
        var (sentence, hint) = why switch
        {
            StatementRefusal.NotListed => (
                $"Stint refused this statement: your access to {role} is for {Count()}, and this is none of them.",
                $"See them: stint status {_session.Request}   Ask for another: stint request {role} --statement 'SQL'"),
            StatementRefusal.Parameters => (
                $"Stint refused this statement: your access to {role} is for it with other parameters.",
                $"See them: stint status {_session.Request}   Values are compared in their text form; types that a driver sends in binary have to be named when it prepares."),
            StatementRefusal.Times => (
                $"Stint refused this statement: it ran as often as your access to {role} allows, or that could not be counted.",
                $"See how often: stint status {_session.Request}   Ask for more: stint request {role} --statement 'SQL'"),
            StatementRefusal.Form => (
                $"Stint refused this message: your access to {role} is for exact statements, and what it does stands in none of their texts.",
                "Copied data, functions called by their number, and names that the session did not prepare through the protocol do not go through."),
            _ => (
                $"Stint refused this statement: this session reads texts in another encoding than UTF-8 by now, so that they mean others than those approved for {role}.",
                "Connect again, and leave client_encoding at UTF8."),
        };
        lock (_lock)
        {
            _expected[token] = PostgresMessages.Error("ERROR", PostgresStates.InsufficientPrivilege, sentence, hint);
        }

        return token;
    }

    private string Count() => _statements.List.Count == 1 ? "exactly one statement" : $"exactly {_statements.List.Count} statements";

    private byte[]? RefusalIn(ReadOnlySpan<byte> error)
    {
        lock (_lock)
        {
            foreach (var (token, refusal) in _expected)
            {
                if (error.IndexOf(Encoding.ASCII.GetBytes(token)) >= 0)
                {
                    return refusal;
                }
            }

            return null;
        }
    }
}
