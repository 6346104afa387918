using System.Collections.Frozen;

namespace Stint.Core.Policies.Cel;

/// <summary>A list of the language. Wrap a .NET list once and use it for many evaluations: the wrapper is what allocates.</summary>
public abstract class CelList
{
    private protected CelList()
    {
    }

    /// <summary>How many elements.</summary>
    public abstract int Count { get; }

    /// <summary>The element at an index from 0.</summary>
    public abstract CelValue this[int index] { get; }

    /// <summary>The list with nothing in it.</summary>
    public static CelList Empty { get; } = new Values([]);

    /// <summary>A list of values, which must not change afterwards.</summary>
    public static CelList Of(params CelValue[] values) => values.Length == 0 ? Empty : new Values(values);

    /// <summary>A list of texts, in their order. Looking one up takes constant time.</summary>
    public static CelList Of(IEnumerable<string> texts) => new Texts([.. texts]);

    /// <summary>A set of texts as a list: in ordinal order, so that the same set is the same list.</summary>
    public static CelList OfSet(IEnumerable<string> texts) => new Texts([.. texts.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)]);

    /// <summary>Whether a text is in it.</summary>
    internal abstract bool ContainsText(string text, CelInputs? frame);

    private sealed class Values(CelValue[] values) : CelList
    {
        public override int Count => values.Length;

        public override CelValue this[int index] => values[index];

        internal override bool ContainsText(string text, CelInputs? frame)
        {
            if (frame is not null && !frame.Charge(values.Length))
            {
                return false;
            }

            foreach (ref readonly var value in values.AsSpan())
            {
                if (value.Kind == CelKind.Text && string.Equals(value.String, text))
                {
                    return true;
                }
            }

            return false;
        }
    }

    private sealed class Texts(string[] texts) : CelList
    {
        // Below this, walking is faster than hashing.
        private const int Few = 6;

        private readonly FrozenSet<string>? _set = texts.Length > Few ? texts.ToFrozenSet(StringComparer.Ordinal) : null;

        public override int Count => texts.Length;

        public override CelValue this[int index] => CelValue.From(texts[index]);

        internal override bool ContainsText(string text, CelInputs? frame)
        {
            if (_set is not null)
            {
                return _set.Contains(text);
            }

            foreach (var one in texts)
            {
                if (string.Equals(one, text))
                {
                    return true;
                }
            }

            return false;
        }
    }
}

/// <summary>A map of the language. Keys are bools, ints, uints and strings; an int and a uint of the same number are one key.</summary>
public abstract class CelMap
{
    private protected CelMap()
    {
    }

    /// <summary>How many entries.</summary>
    public abstract int Count { get; }

    /// <summary>The keys, in the order in which macros walk them.</summary>
    internal abstract CelValue KeyAt(int index);

    internal abstract CelValue ValueAt(int index);

    /// <summary>Looks a key up; numbers across their types.</summary>
    public abstract bool TryGet(CelValue key, out CelValue value);

    /// <summary>Looks a text key up.</summary>
    internal abstract bool TryGetText(string key, out CelValue value);

    /// <summary>Looks a text key up whose value is a text; null when there is none or it is no text.</summary>
    internal virtual string? TextOf(string key) => TryGetText(key, out var value) && value.Kind == CelKind.Text ? value.String : null;

    /// <summary>The map with nothing in it.</summary>
    public static CelMap Empty { get; } = new Values([], []);

    /// <summary>A map of texts, which is copied; its keys are walked in ordinal order.</summary>
    public static CelMap Of(IEnumerable<KeyValuePair<string, string>> texts) => new Texts(texts);

    /// <summary>A map of values.</summary>
    /// <exception cref="ArgumentException">A key is of a type that no key may have, or is there twice.</exception>
    public static CelMap Of(params (CelValue Key, CelValue Value)[] entries) =>
        TryMake([.. entries.Select(entry => entry.Key)], [.. entries.Select(entry => entry.Value)], out var wrong)
            ?? throw new ArgumentException(wrong, nameof(entries));

    /// <summary>Null with the reason, when a key cannot be one or is there twice.</summary>
    internal static CelMap? TryMake(CelValue[] keys, CelValue[] values, out string wrong)
    {
        wrong = "";
        if (keys.Length == 0)
        {
            return Empty;
        }

        foreach (ref readonly var key in keys.AsSpan())
        {
            if (key.Kind is not (CelKind.Text or CelKind.Signed or CelKind.Unsigned or CelKind.Truth))
            {
                wrong = $"a map's key is a string, int, uint or bool, not a {CelType.Of(key)}";
                return null;
            }
        }

        var map = new Values(keys, values);
        if (map.Repeated)
        {
            wrong = "a map has the same key twice; leave one of them out";
            return null;
        }

        return map;
    }

    private sealed class Values : CelMap
    {
        private const int Few = 6;

        private readonly CelValue[] _keys;
        private readonly CelValue[] _values;
        private readonly Dictionary<CelValue, int>? _index;

        public Values(CelValue[] keys, CelValue[] values)
        {
            (_keys, _values) = (keys, values);
            if (keys.Length > Few)
            {
                _index = new(keys.Length);
                for (var i = 0; i < keys.Length; i++)
                {
                    Repeated |= !_index.TryAdd(keys[i], i);
                }
            }
            else
            {
                for (var i = 1; i < keys.Length; i++)
                {
                    Repeated |= Find(keys[i]) < i;
                }
            }
        }

        public bool Repeated { get; }

        public override int Count => _keys.Length;

        internal override CelValue KeyAt(int index) => _keys[index];

        internal override CelValue ValueAt(int index) => _values[index];

        public override bool TryGet(CelValue key, out CelValue value)
        {
            var at = CelEquality.TryKey(key, out var held) ? Find(held) : -1;
            value = at < 0 ? default : _values[at];
            return at >= 0;
        }

        internal override bool TryGetText(string key, out CelValue value) => TryGet(CelValue.From(key), out value);

        private int Find(in CelValue key)
        {
            if (_index is not null)
            {
                return _index.TryGetValue(key, out var at) ? at : -1;
            }

            for (var i = 0; i < _keys.Length; i++)
            {
                if (CelEquality.AreEqual(_keys[i], key, null))
                {
                    return i;
                }
            }

            return -1;
        }
    }

    private sealed class Texts : CelMap
    {
        private readonly FrozenDictionary<string, string> _texts;
        private readonly string[] _keys;

        public Texts(IEnumerable<KeyValuePair<string, string>> texts)
        {
            _texts = texts.ToFrozenDictionary(StringComparer.Ordinal);
            _keys = [.. _texts.Keys.Order(StringComparer.Ordinal)];
        }

        public override int Count => _keys.Length;

        internal override CelValue KeyAt(int index) => CelValue.From(_keys[index]);

        internal override CelValue ValueAt(int index) => CelValue.From(_texts[_keys[index]]);

        public override bool TryGet(CelValue key, out CelValue value)
        {
            value = default;
            return key.Kind == CelKind.Text && TryGetText(key.String, out value);
        }

        internal override bool TryGetText(string key, out CelValue value)
        {
            var found = _texts.TryGetValue(key, out var text);
            value = found ? CelValue.From(text) : default;
            return found;
        }

        internal override string? TextOf(string key) => _texts.TryGetValue(key, out var text) ? text : null;
    }
}

/// <summary>A value of a named shape, for lists and maps of them.</summary>
/// <param name="shape">Its shape.</param>
/// <param name="values">One value for each field in the shape's order; <see cref="CelValue.Absent"/> for one that is not there.</param>
public sealed class CelRecord(CelShape shape, params CelValue[] values)
{
    /// <summary>Its shape.</summary>
    public CelShape Shape { get; } = shape;

    internal CelValue[] Values { get; } = values.Length == shape.Fields.Count
        ? values
        : throw new ArgumentException($"{shape.Name} has {shape.Fields.Count} fields, not {values.Length}.", nameof(values));

    /// <summary>As a value.</summary>
    public CelValue ToValue() => new(CelKind.Record, 0, this);
}
