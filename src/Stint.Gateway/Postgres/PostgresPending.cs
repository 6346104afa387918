using System.Text;

namespace Stint.Gateway.Postgres;

/// <summary>A text that the target holds under a name.</summary>
internal sealed class PostgresPrepared(long seq, uint[] types)
{
    /// <summary>Its record.</summary>
    public long Seq { get; } = seq;

    /// <summary>Types of its parameters, as the client named them and the target completed them.</summary>
    public uint[] Types { get; set; } = types;
}

/// <summary>A prepared text with its values.</summary>
internal sealed class PostgresPortal(long seq, PostgresPrepared? of)
{
    /// <summary>What it binds; null for a text that no Parse brought.</summary>
    public PostgresPrepared? Of { get; } = of;

    /// <summary>Record of its Bind.</summary>
    public long Seq { get; } = seq;

    /// <summary>The statement that executed it first; 0 for none. A later one goes on where that one stopped.</summary>
    public long FirstExecuted { get; set; }
}

/// <summary>What a client sent and the target has not answered yet.</summary>
internal struct PostgresOp
{
    public PostgresOpKind Kind;

    /// <summary>The record that stands for it; 0 for none.</summary>
    public long Seq;

    /// <summary>When it was sent on.</summary>
    public long Started;

    /// <summary>Results so far.</summary>
    public int Results;

    /// <summary>The name it changes the meaning of.</summary>
    public string? Name;

    /// <summary>What the name stood for before: comes back when the target refuses.</summary>
    public object? Before;

    /// <summary>What it works on.</summary>
    public object? On;
}

internal enum PostgresOpKind : byte
{
    Query,
    Function,
    Parse,
    Bind,
    Describe,
    Execute,
    CloseStatement,
    ClosePortal,
    Sync,

    /// <summary>Copy data began: the target, once in copy-in, overlooks every Sync before it.</summary>
    CopyMark,
}

/// <summary>Names, and questions without an answer, in order. Bounded.</summary>
internal sealed class PostgresPending
{
    /// <summary>Most prepared statements and portals by name in one session, each.</summary>
    public const int MaxNames = 65_536;

    /// <summary>From here on the client is not read until the target has answered some.</summary>
    public const int Full = 65_536;

    private readonly Dictionary<string, object> _statements = new(StringComparer.Ordinal);
    private readonly Dictionary<string, object> _portals = new(StringComparer.Ordinal);
    private PostgresOp[] _ops = new PostgresOp[4];
    private int _head;

    public int Count { get; private set; }

    public bool TooManyNames => _statements.Count > MaxNames || _portals.Count > MaxNames;

    public ref PostgresOp this[int index] => ref _ops[(_head + index) & (_ops.Length - 1)];

    public ref PostgresOp Add(PostgresOpKind kind, long seq, long started)
    {
        if (Count == _ops.Length)
        {
            var larger = new PostgresOp[_ops.Length * 2];
            for (var at = 0; at < Count; at++)
            {
                larger[at] = this[at];
            }

            _ops = larger;
            _head = 0;
        }

        Count++;
        ref var op = ref this[Count - 1];
        op = new PostgresOp { Kind = kind, Seq = seq, Started = started };
        return ref op;
    }

    public void RemoveHead()
    {
        this[0] = default;
        _head = (_head + 1) & (_ops.Length - 1);
        Count--;
        if (Count == 0 && _ops.Length > 64)
        {
            _ops = new PostgresOp[4];
            _head = 0;
        }
    }

    public void RemoveLast() => this[--Count] = default;

    public void RemoveRange(int index, int count)
    {
        for (var at = index; at + count < Count; at++)
        {
            this[at] = this[at + count];
        }

        for (; count > 0; count--)
        {
            RemoveLast();
        }
    }

    public PostgresPrepared? Statement(ReadOnlySpan<byte> name) => Find(_statements, name) as PostgresPrepared;

    public PostgresPortal? Portal(ReadOnlySpan<byte> name) => Find(_portals, name) as PostgresPortal;

    public void Name(ref PostgresOp op, ReadOnlySpan<byte> name, object? meaning)
    {
        op.Name = Key(name);
        var map = Map(op.Kind);
        map.TryGetValue(op.Name, out op.Before);
        op.On = meaning;
        Set(map, op.Name, meaning);
    }

    /// <summary>The target refused or overlooked it: its name means again what it meant.</summary>
    public void Undo(in PostgresOp op)
    {
        if (op.Name is not null)
        {
            Set(Map(op.Kind), op.Name, op.Before);
        }
    }

    /// <summary>Gives a name its meaning again after <see cref="Undo"/>.</summary>
    public void Redo(ref PostgresOp op)
    {
        if (op.Name is not null)
        {
            var map = Map(op.Kind);
            map.TryGetValue(op.Name, out op.Before);
            Set(map, op.Name, op.On);
        }
    }

    public void ForgetStatements() => _statements.Clear();

    private static void Set(Dictionary<string, object> map, string name, object? meaning)
    {
        if (meaning is null)
        {
            map.Remove(name);
        }
        else
        {
            map[name] = meaning;
        }
    }

    private Dictionary<string, object> Map(PostgresOpKind kind) =>
        kind is PostgresOpKind.Parse or PostgresOpKind.CloseStatement ? _statements : _portals;

    private static object? Find(Dictionary<string, object> map, ReadOnlySpan<byte> name)
    {
        if (name.Length == 0)
        {
            return map.GetValueOrDefault("");
        }

        Span<char> key = stackalloc char[PostgresClientMessage.MaxName];
        var length = Encoding.Latin1.GetChars(name, key);
        return map.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(key[..length], out var found) ? found : null;
    }

    private static string Key(ReadOnlySpan<byte> name) => name.Length == 0 ? "" : Encoding.Latin1.GetString(name);
}
