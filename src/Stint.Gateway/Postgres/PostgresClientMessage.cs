using System.Buffers.Binary;
using Stint.Core.Sessions;

namespace Stint.Gateway.Postgres;

/// <summary>Reads the fields of a client's message as its bytes come, however they are cut, keeping only what is recorded.</summary>
internal sealed class PostgresClientMessage : IDisposable
{
    /// <summary>Longest name of a prepared statement or portal, in bytes.</summary>
    public const int MaxName = 1024;

    private readonly byte[] _scratch = new byte[4];
    private int _scratchSeen;
    private Step _step;
    private int _left;
    private byte[] _formats = new byte[4];
    private int _formatCount;
    private uint[] _types = [];

    private enum Step
    {
        Skip,
        Kind,
        First,
        Second,
        Text,
        TypeCount,
        Type,
        Function,
        FormatCount,
        Format,
        ParameterCount,
        ParameterLength,
        ParameterValue,
    }

    public byte Type { get; private set; }

    /// <summary><c>S</c> or <c>P</c> of Describe and Close.</summary>
    public byte Kind { get; private set; }

    /// <summary>Portal of Bind and Execute; statement of Parse; the name of Describe and Close.</summary>
    public PostgresCapture First { get; } = new(MaxName, hashes: false);

    /// <summary>Statement of Bind.</summary>
    public PostgresCapture Second { get; } = new(MaxName, hashes: false);

    public PostgresCapture Text { get; } = new(RecordingEncoder.MaxText, hashes: true);

    public RecordingParameters Parameters { get; } = new();

    /// <summary>Type numbers of Parse.</summary>
    public ReadOnlySpan<uint> Types => _types.AsSpan(0, TypeCount);

    public int TypeCount { get; private set; }

    public uint Function { get; private set; }

    /// <summary>What the target will not like, and the tap could not follow; null for nothing.</summary>
    public string? Fault { get; private set; }

    /// <summary>Asked for the types of a statement when its values begin.</summary>
    public Func<PostgresClientMessage, uint[]?>? TypesOf { get; set; }

    public void Begin(byte type)
    {
        Type = type;
        _scratchSeen = 0;
        _step = type switch
        {
            (byte)'Q' => Step.Text,
            (byte)'P' or (byte)'B' or (byte)'E' => Step.First,
            (byte)'D' or (byte)'C' => Step.Kind,
            (byte)'F' => Step.Function,
            _ => Step.Skip,
        };

        if (_step != Step.Skip)
        {
            First.Clear();
            Second.Clear();
            Text.Clear();
            TypeCount = 0;
            _formatCount = 0;
            _bound = null;
            Kind = 0;
            Function = 0;
        }

        if (type is (byte)'B' or (byte)'F')
        {
            Parameters.Clear();
        }
    }

    private uint[]? _bound;
    private int _parameter;
    private int _parameters;

    public void Feed(ReadOnlySpan<byte> piece)
    {
        while (piece.Length > 0 && _step != Step.Skip)
        {
            switch (_step)
            {
                case Step.Kind:
                    Kind = piece[0];
                    piece = piece[1..];
                    _step = Step.First;
                    break;
                case Step.First:
                    if (Name(First, ref piece))
                    {
                        _step = Type switch { (byte)'P' => Step.Text, (byte)'B' => Step.Second, _ => Step.Skip };
                    }

                    break;
                case Step.Second:
                    _step = Name(Second, ref piece) ? Step.FormatCount : _step;
                    break;
                case Step.Text:
                    if (UntilNul(Text, ref piece))
                    {
                        _step = Type == (byte)'P' ? Step.TypeCount : Step.Skip;
                    }

                    break;
                case Step.ParameterValue:
                    Value(ref piece);
                    break;
                case Step.Skip:
                    break;
                default:
                    Number(ref piece);
                    break;
            }
        }
    }

    public void Dispose()
    {
        First.Dispose();
        Second.Dispose();
        Text.Dispose();
        Parameters.Dispose();
    }

    /// <summary>Gives back what a large message needed.</summary>
    public void Release()
    {
        _step = Step.Skip;
        Text.Clear();
        Parameters.Clear();
        if (_types.Length > 64)
        {
            _types = [];
            TypeCount = 0;
        }

        if (_formats.Length > 256)
        {
            _formats = new byte[4];
        }
    }

    private bool Name(PostgresCapture to, ref ReadOnlySpan<byte> piece)
    {
        var ended = UntilNul(to, ref piece);
        if (to.Length > MaxName)
        {
            Fault ??= $"The name of a prepared statement or portal is longer than {MaxName} bytes.";
        }

        return ended;
    }

    private static bool UntilNul(PostgresCapture to, ref ReadOnlySpan<byte> piece)
    {
        var end = piece.IndexOf((byte)0);
        to.Add(end < 0 ? piece : piece[..end]);
        piece = end < 0 ? default : piece[(end + 1)..];
        return end >= 0;
    }

    private void Value(ref ReadOnlySpan<byte> piece)
    {
        var take = Math.Min(_left, piece.Length);
        Parameters.Piece(piece[..take]);
        piece = piece[take..];
        _left -= take;
        if (_left == 0)
        {
            NextParameter();
        }
    }

    private void NextParameter() => _step = ++_parameter < _parameters ? Step.ParameterLength : Step.Skip;

    private void Number(ref ReadOnlySpan<byte> piece)
    {
        var size = _step is Step.TypeCount or Step.FormatCount or Step.Format or Step.ParameterCount ? 2 : 4;
        while (_scratchSeen < size && piece.Length > 0)
        {
            _scratch[_scratchSeen++] = piece[0];
            piece = piece[1..];
        }

        if (_scratchSeen < size)
        {
            return;
        }

        _scratchSeen = 0;
        var value = size == 2 ? BinaryPrimitives.ReadUInt16BigEndian(_scratch) : BinaryPrimitives.ReadInt32BigEndian(_scratch);
        switch (_step)
        {
            case Step.TypeCount:
                _left = value;
                _step = value > 0 ? Step.Type : Step.Skip;
                break;
            case Step.Type:
                Room(ref _types, TypeCount);
                _types[TypeCount++] = (uint)value;
                _step = --_left > 0 ? Step.Type : Step.Skip;
                break;
            case Step.Function:
                Function = (uint)value;
                _step = Step.FormatCount;
                break;
            case Step.FormatCount:
                _left = value;
                _step = value > 0 ? Step.Format : Step.ParameterCount;
                break;
            case Step.Format:
                Room(ref _formats, _formatCount);
                _formats[_formatCount++] = (byte)value;
                _step = --_left > 0 ? Step.Format : Step.ParameterCount;
                break;
            case Step.ParameterCount:
                _parameters = value;
                _parameter = 0;
                _bound = value > 0 ? TypesOf?.Invoke(this) : null;
                _step = value > 0 ? Step.ParameterLength : Step.Skip;
                break;
            default:
                BeginParameter(value);
                break;
        }
    }

    private void BeginParameter(int length)
    {
        if (length < -1)
        {
            Fault ??= "A parameter's length is negative.";
            _step = Step.Skip;
            return;
        }

        var format = _formatCount switch { 0 => 0, 1 => _formats[0], _ => _parameter < _formatCount ? _formats[_parameter] : 0 };
        var type = _bound is not null && _parameter < _bound.Length ? _bound[_parameter] : 0;
        Parameters.Begin(type, format != 0, length);
        _left = Math.Max(length, 0);
        if (_left == 0)
        {
            NextParameter();
        }
        else
        {
            _step = Step.ParameterValue;
        }
    }

    private static void Room<T>(ref T[] array, int count)
    {
        if (count == array.Length)
        {
            Array.Resize(ref array, Math.Max(8, count * 2));
        }
    }
}
