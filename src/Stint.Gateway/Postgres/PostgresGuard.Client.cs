using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Stint.Core.Sessions;
using Stint.Gateway.Relaying;

namespace Stint.Gateway.Postgres;

internal sealed partial class PostgresGuard
{
    /// <summary>Longest message that is looked at, in bytes; no longer one goes on. What can be listed is far shorter, values of any parameters have to fit.</summary>
    public const int MostMessage = 1024 * 1024;

    private const int ToldEach = 10;

    private readonly ArrayBufferWriter<byte> _body = new();
    private readonly ArrayBufferWriter<byte> _out = new();
    private PostgresFrames _client;
    private bool _dropped;
    private long _refused;

    // NB. From an error to the next Sync the target overlooks everything: nothing of it is sent at all.
    private bool _overlooking;
    private volatile bool _copyRefused;
    private bool _goodbye;

    private async ValueTask FromClientAsync(ReadOnlyMemory<byte> bytes)
    {
        while (Advance(ref bytes))
        {
            await MessageAsync(_client.Type);
        }
    }

    // Reads on to the end of a message. False when it is not whole yet.
    private bool Advance(ref ReadOnlyMemory<byte> bytes)
    {
        var rest = bytes.Span;
        while (rest.Length > 0)
        {
            if (!_client.InBody)
            {
                if (!_client.TryHead(ref rest, out var started))
                {
                    throw new PostgresWireException("A message's length is not possible.");
                }

                if (!started)
                {
                    break;
                }

                _body.Clear();
                _dropped = _client.Left > MostMessage || _client.Type is (byte)'d' or (byte)'c' or (byte)'f';
            }

            var piece = _client.TakeBody(ref rest);
            if (!_dropped)
            {
                _body.Write(piece);
            }

            if (_client.Left == 0)
            {
                _client.Finish();
                bytes = bytes[^rest.Length..];
                return true;
            }
        }

        bytes = default;
        return false;
    }

    private async ValueTask MessageAsync(byte type)
    {
        switch (type)
        {
            case (byte)'X':
                _goodbye = true;
                Pass(type);
                return;
            case (byte)'d' or (byte)'c' or (byte)'f':
                await CopyAsync();
                return;
            case (byte)'H':
                Pass(type);
                return;
            default:
                break;
        }

        await SettledAsync();
        if (_overlooking && type != (byte)'S')
        {
            return;
        }

        switch (type)
        {
            case (byte)'S':
                Pass(type);
                Close(bySync: true);
                break;
            case (byte)'Q':
                await QueryAsync();
                break;
            case (byte)'F':
                await RefuseAsync(StatementRefusal.Form, alone: true);
                break;
            case (byte)'P':
                await ParseAsync();
                break;
            case (byte)'B':
                await BindAsync();
                break;
            case (byte)'E':
                await ExecuteAsync();
                break;
            case (byte)'D' when !_dropped:
                Pass(type);
                Began();
                break;
            case (byte)'C' when !_dropped && CloseName(_body.WrittenSpan) is var (isStatement, name):
                Pass(type);
                Named(isStatement, name, null);
                break;
            default:
                await RefuseAsync(StatementRefusal.Form, alone: false);
                break;
        }
    }

    private async ValueTask QueryAsync()
    {
        if (IsMidway())
        {
            // The target would overlook it or not, depending on what it has not answered yet.
            EndWith("A query came in the middle of prepared statements, without a Sync before it.", "Send a Sync first, as every driver does.");
            return;
        }

        var body = _body.WrittenMemory;
        if (_dropped || body.Length == 0 || body.Span.IndexOf((byte)0) != body.Length - 1)
        {
            await RefuseAsync(StatementRefusal.NotListed, alone: true);
            return;
        }

        var found = Find(body.Span[..^1]);
        var why = found is null ? StatementRefusal.NotListed
            : found.Listed.Length > 0 && !Array.Exists(found.Listed, at => _statements.List[at].Parameters is not { Count: > 0 }) ? StatementRefusal.Parameters
            : await CountAsync([.. found.Listed.Where(at => _statements.List[at].Parameters is not { Count: > 0 })]) ? null : (StatementRefusal?)StatementRefusal.Times;
        if (why is { } refused)
        {
            await RefuseAsync(refused, alone: true);
            return;
        }

        Pass((byte)'Q');
        Close(bySync: false);
    }

    private async ValueTask ParseAsync()
    {
        var found = ReadParse(_body.WrittenSpan) is var (_, text, _) && !_dropped ? Find(_body.WrittenSpan[text]) : null;
        if (found is null || ReadParse(_body.WrittenSpan) is not var (name, _, types))
        {
            await RefuseAsync(StatementRefusal.NotListed, alone: false);
            return;
        }

        Pass((byte)'P');
        Named(isStatement: true, name, found with { Types = types });
    }

    private async ValueTask BindAsync()
    {
        if (_dropped || PostgresBind.Read(_body.WrittenSpan) is not { } bind || Statement(bind.Statement) is not { } statement)
        {
            await RefuseAsync(StatementRefusal.Form, alone: false);
            return;
        }

        int[] fit = [.. statement.Listed.Where(at => bind.Fits(_body.WrittenSpan, _statements.List[at].Parameters, statement.Types))];
        if (statement.Listed.Length > 0 ? fit.Length == 0 : bind.Count > 0)
        {
            await RefuseAsync(StatementRefusal.Parameters, alone: false);
            return;
        }

        Pass((byte)'B');
        Named(isStatement: false, bind.Portal, new Meaning(fit, []));
    }

    private async ValueTask ExecuteAsync()
    {
        var body = _body.WrittenMemory;
        var end = body.Span.IndexOf((byte)0);
        if (_dropped || end < 0 || body.Length != end + 5 || Portal(Encoding.Latin1.GetString(body.Span[..end])) is not { } portal)
        {
            await RefuseAsync(StatementRefusal.Form, alone: false);
            return;
        }

        // One that is gone on with is not another run.
        if (!portal.Executed && !await CountAsync(portal.Listed))
        {
            await RefuseAsync(StatementRefusal.Times, alone: false);
            return;
        }

        portal.Executed = true;
        Pass((byte)'E');
        Began();
    }

    // Data that nobody approved: the copy fails with the first of it, and the target overlooks the rest.
    private async ValueTask CopyAsync()
    {
        if (!_copyRefused)
        {
            _copyRefused = true;
            await TellAsync(StatementRefusal.Form);
            Put((byte)'f', PostgresMessages.Text(Expect(StatementRefusal.Form)));
        }
    }

    private Meaning? Find(ReadOnlySpan<byte> text)
    {
        if (_misread)
        {
            return null;
        }

        var bare = Stint.Core.Requests.ExactStatements.Bare(text);
        return _statements.Find(text) is { Length: > 0 } listed ? new Meaning(listed, []) : bare.Length == 0 || PostgresBegin.Is(bare) ? new Meaning([], []) : null;
    }

    // True for what may run any number of times, or once more.
    private async ValueTask<bool> CountAsync(int[] listed)
    {
        if (listed.Length == 0 || Array.Exists(listed, at => _statements.List[at].Times is null))
        {
            return true;
        }

        // Whoever counts may wait for a disk or for another machine: not on the thread that carries other sessions.
        await SendAsync();
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        foreach (var at in listed)
        {
            try
            {
                if (await _gate.CountAsync(_session.Id, at, CancellationToken.None))
                {
                    return true;
                }
            }
            catch (Exception failed)
            {
                // NB. What cannot be counted does not run.
                Log.GateFailed(_logger, failed);
                return false;
            }
        }

        return false;
    }

    // Sends in its place what fails at the target, whatever state that is in: its grammar is looked at before anything else.
    private async ValueTask RefuseAsync(StatementRefusal why, bool alone)
    {
        if (alone && IsMidway())
        {
            EndWith("A query came in the middle of prepared statements, without a Sync before it.", "Send a Sync first, as every driver does.");
            return;
        }

        why = _misread ? StatementRefusal.Encoding : why;
        await TellAsync(why);
        var token = Expect(why);
        if (alone)
        {
            Put((byte)'Q', PostgresMessages.Text(token));
            Close(bySync: false);
            return;
        }

        Put((byte)'P', [.. PostgresMessages.Text(token), .. PostgresMessages.Text(token), 0, 0]);
        Began();
        _overlooking = true;
    }

    private async ValueTask TellAsync(StatementRefusal why)
    {
        var count = ++_refused;
        if (count > ToldEach && !long.IsPow2(count))
        {
            return;
        }

        await SendAsync();
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            await _gate.HeldToAsync(_session.Id, why, count, CancellationToken.None);
        }
        catch (Exception failed)
        {
            // It does not run either way, and the recording has it.
            Log.GateFailed(_logger, failed);
        }
    }

    private void EndWith(string sentence, string hint)
    {
        _relay?.End(new RelayEnd(SessionEndReason.ProtocolError, sentence, hint, Told: true));
        throw new IOException(sentence);
    }

    private void Pass(byte type) => Put(type, _body.WrittenSpan);

    private void Put(byte type, ReadOnlySpan<byte> body)
    {
        var to = _out.GetSpan(5 + body.Length);
        to[0] = type;
        BinaryPrimitives.WriteInt32BigEndian(to[1..], body.Length + 4);
        body.CopyTo(to[5..]);
        _out.Advance(5 + body.Length);
    }

    private async ValueTask SendAsync()
    {
        if (_out.WrittenCount == 0)
        {
            return;
        }

        // NB. Somebody may have counted for a while: what was let in before the end does not go out behind it.
        if (!_goodbye && _relay is { IsOver: true })
        {
            _out.Clear();
            throw new IOException("The session is over.");
        }

        await _target.WriteAsync(_out.WrittenMemory);
        _out.ResetWrittenCount();
    }

    // Name, where its text stands, types; null for what is no Parse.
    private static (string Name, Range Text, uint[] Types)? ReadParse(ReadOnlySpan<byte> body)
    {
        var name = body.IndexOf((byte)0);
        var length = name < 0 ? -1 : body[(name + 1)..].IndexOf((byte)0);
        if (length < 0)
        {
            return null;
        }

        var text = (name + 1)..(name + 1 + length);
        var rest = body[(name + length + 2)..];
        if (rest.Length < 2 || rest.Length != 2 + (4 * BinaryPrimitives.ReadUInt16BigEndian(rest)))
        {
            return null;
        }

        var types = new uint[(rest.Length - 2) / 4];
        for (var at = 0; at < types.Length; at++)
        {
            types[at] = BinaryPrimitives.ReadUInt32BigEndian(rest[(2 + (4 * at))..]);
        }

        return (Encoding.Latin1.GetString(body[..name]), text, types);
    }

    private static (bool IsStatement, string Name)? CloseName(ReadOnlySpan<byte> body) =>
        body.Length >= 2 && body[0] is (byte)'S' or (byte)'P' && body[1..].IndexOf((byte)0) == body.Length - 2
            ? (body[0] == (byte)'S', Encoding.Latin1.GetString(body[1..^1]))
            : null;
}
