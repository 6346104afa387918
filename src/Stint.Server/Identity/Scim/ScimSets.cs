using Stint.Server.Store;

namespace Stint.Server.Identity.Scim;

/// <summary>Filters as sets of places: each comparison is read once along an index, and <c>and</c>, <c>or</c> and <c>not</c> cost nothing.</summary>
internal sealed class ScimSets(Reads reads, ScimKind kind, bool valued)
{
    private const int ItemBits = 8, MostItems = 1 << ItemBits;

    private Marks? _all;
    private bool _crowded;

    /// <summary>The places of those who fulfil a filter.</summary>
    /// <returns>The set, and whether all in it fulfil it; null when each has to be looked at.</returns>
    public async ValueTask<(Marks Set, bool Exact)?> OfAsync(ScimFilter filter)
    {
        switch (filter)
        {
            case ScimFilter.And when IsPlain(filter) && ScimSql.Compile(kind, reads.Db, filter) is { Exact: true } whole:
                return (await ReadAsync(whole.Where), true);
            case ScimFilter.And and:
                switch (await OfAsync(and.One), await OfAsync(and.Other))
                {
                    case ({ } one, { } other):
                        one.Set.And(other.Set);
                        return (one.Set, one.Exact && other.Exact);
                    case ({ } one, null):
                        return (one.Set, false);
                    case (null, { } other):
                        return (other.Set, false);
                    default:
                        return null;
                }

            case ScimFilter.Or or:
                if (await OfAsync(or.One) is { } left && await OfAsync(or.Other) is { } right)
                {
                    left.Set.Or(right.Set);
                    return (left.Set, left.Exact && right.Exact);
                }

                return null;
            case ScimFilter.Not { Of: ScimFilter.Compare { Path.Attribute.Name: "active", Value: not null } } active when ScimSql.Compile(kind, reads.Db, active) is { Exact: true } flag:
                return (await ReadAsync(flag.Where), true);
            case ScimFilter.Not not:
                // NB. What holds too many holds too few once it is turned round.
                return await OfAsync(not.Of) is { Exact: true } inner ? (await OthersAsync(inner.Set), true) : null;
            case ScimFilter.Among { Path: var path } among when valued && path.Attribute is { Type: ScimType.Complex } && path.Part is null && ScimKept.Holds(kind, path) && await ItemsAsync(path, among.Of) is { } items:
                var holders = new Marks();
                foreach (var item in items.InOrder())
                {
                    holders.Add(item >> ItemBits);
                }

                return (holders, true);
            default:
                var (where, exact) = ScimSql.Compile(kind, reads.Db, filter);
                return exact ? (await ReadAsync(where), true)
                    : filter is ScimFilter.Compare compare && await ValuesAsync(compare) is { } set ? (set, true)
                    : where == DirectoryWhere.All ? null
                    : (await ReadAsync(where), false);
        }
    }

    /// <summary>Whether a database does as well with all of it at once.</summary>
    private static bool IsPlain(ScimFilter filter) => filter switch
    {
        ScimFilter.And and => IsPlain(and.One) && IsPlain(and.Other),
        ScimFilter.Compare => true,
        _ => false,
    };

    private async ValueTask<Marks?> ValuesAsync(ScimFilter.Compare compare)
    {
        if (!valued || !ScimKept.Holds(kind, compare.Path))
        {
            return null;
        }

        // Of one value alone not being equal is the opposite of being equal.
        if (compare is { Operator: ScimOperator.Ne, Value: not null, Path.Attribute.Multi: false })
        {
            return await ValuesAsync(compare with { Operator = ScimOperator.Eq }) is { } same ? await OthersAsync(same) : null;
        }

        var (how, condition, arg) = Condition(compare);
        var set = new Marks();
        if (how != Side.Absent)
        {
            await PlacesAsync(ScimKept.Path(compare.Path, compare.Operator == ScimOperator.Pr && compare.Path.Part is null), condition, arg, (seq, _) => set.Add(seq));
        }

        if (how != Side.There)
        {
            var there = new Marks();
            await PlacesAsync(ScimKept.Path(compare.Path, whole: false), "", null, (seq, _) => there.Add(seq));
            set.Or(await OthersAsync(there));
        }

        return set;
    }

    /// <summary>Which of the values of an attribute fulfil a filter: the place of who has it, and which one it is. Null when it takes a look at each.</summary>
    private async ValueTask<Marks?> ItemsAsync(ScimPath of, ScimFilter filter)
    {
        switch (filter)
        {
            case ScimFilter.And:
                var parts = Parts(filter).ToList();
                var together = parts.OfType<ScimFilter.Compare>().Where(part => Condition(part).How == Side.There).ToList();
                var rest = parts.Where(part => !together.Contains(part)).ToList();
                var both = together.Count == 0 ? null : await TogetherAsync(of, together);
                if (together.Count > 0 && both is null)
                {
                    return null;
                }

                foreach (var part in rest)
                {
                    if (await ItemsAsync(of, part) is not { } one)
                    {
                        return null;
                    }

                    both?.And(one);
                    both ??= one;
                }

                return both;
            case ScimFilter.Or or:
                if (await ItemsAsync(of, or.One) is not { } left || await ItemsAsync(of, or.Other) is not { } right)
                {
                    return null;
                }

                left.Or(right);
                return left;
            case ScimFilter.Not not:
                return await ItemsAsync(of, not.Of) is { } inner && await AllItemsAsync(of) is { } all ? all.Without(inner) : null;
            case ScimFilter.Compare compare when Name(of, compare) is { } name:
                var how = Condition(compare).How;
                var set = how == Side.Absent ? new Marks() : await TogetherAsync(of, [compare]);
                if (how != Side.There && set is not null)
                {
                    var there = new Marks();
                    await PlacesAsync(name, "", null, (seq, item) => AddItem(there, seq, item));
                    if (await AllItemsAsync(of) is not { } every)
                    {
                        return null;
                    }

                    set.Or(every.Without(there));
                }

                return set;
            default:
                return null;
        }
    }

    /// <summary>The values that fulfil several comparisons at once: found by one, and the others looked up for each that it finds.</summary>
    private async ValueTask<Marks?> TogetherAsync(ScimPath of, List<ScimFilter.Compare> compares)
    {
        // What a value is equal to finds few; of which type it is finds most of all.
        var ordered = compares.OrderBy(compare => compare is { Operator: ScimOperator.Eq, Path.Attribute.Name: "value" } ? 0 : compare.Path.Attribute?.Name == "value" ? 1 : 2).ToList();
        var args = new List<object?>();
        var sql = "";
        for (var i = 0; i < ordered.Count; i++)
        {
            if (Name(of, ordered[i]) is not { } name)
            {
                return null;
            }

            var (_, condition, arg) = Condition(ordered[i]);
            args.Add(name);
            var path = $"${args.Count}";
            if (arg is not null)
            {
                args.Add(arg);
                condition = condition.Replace("$2", $"${args.Count}", StringComparison.Ordinal);
            }

            sql += i == 0 ? $"SELECT user_seq, item FROM directory_values AS found WHERE path = {path}{condition}"
                : $" AND EXISTS (SELECT 1 FROM directory_values WHERE user_seq = found.user_seq AND path = {path} AND item = found.item{condition})";
        }

        var set = new Marks();
        await reads.Db.NumbersAsync(
            sql,
            (seq, item) =>
            {
                AddItem(set, seq, item);
                return !_crowded;
            },
            [.. args]);
        return _crowded ? null : set;
    }

    private async ValueTask<Marks?> AllItemsAsync(ScimPath of)
    {
        var all = new Marks();
        await PlacesAsync(of.Attribute!.Name, "", null, (seq, item) => AddItem(all, seq, item));
        return _crowded ? null : all;
    }

    /// <summary>Somebody with more values than there is room for is looked at, and everybody with them.</summary>
    private void AddItem(Marks set, long seq, long item)
    {
        _crowded |= item >= MostItems;
        if (!_crowded)
        {
            set.Add((seq << ItemBits) | item);
        }
    }

    /// <summary>What a part is kept as; null when it is not.</summary>
    private static string? Name(ScimPath of, ScimFilter.Compare compare) =>
        compare.Path is { Attribute: { Name: not "$ref", Type: ScimType.String or ScimType.Boolean or ScimType.Reference } part, Part: null } && of with { Part = part } is var path && ScimSql.Sort(ScimKind.User, path) is null
            ? ScimKept.Path(path, whole: false)
            : null;

    private static IEnumerable<ScimFilter> Parts(ScimFilter filter) => filter is ScimFilter.And and ? Parts(and.One).Concat(Parts(and.Other)) : [filter];

    private enum Side
    {
        /// <summary>Those who have a value that fulfils a condition.</summary>
        There = 1,

        /// <summary>Those who have none.</summary>
        Absent = 2,

        /// <summary>Both.</summary>
        Either = 3,
    }

    private (Side How, string Condition, string? Arg) Condition(ScimFilter.Compare compare)
    {
        if (compare.Operator == ScimOperator.Pr)
        {
            return (Side.There, " AND key > ''", null);
        }

        if (compare.Value is not { } value)
        {
            // Null stands for no value: nothing else can be said of it.
            return (compare.Operator == ScimOperator.Eq ? Side.Absent : Side.There, compare.Operator is ScimOperator.Eq or ScimOperator.Ne ? "" : " AND 1 = 0", null);
        }

        var key = ScimKept.Key(compare.Path.Leaf!, value);
        return compare.Operator switch
        {
            ScimOperator.Eq => (Side.There, " AND key = $2", key),
            ScimOperator.Ne => (Side.Either, " AND key <> $2", key),
            _ when compare.Path.Leaf!.Type == ScimType.Boolean => (Side.There, " AND key <> $2", key),
            ScimOperator.Sw => (Side.There, " AND key >= $2 AND key < $2 || '\U0010FFFF'", key),
            ScimOperator.Co => (Side.There, $" AND {reads.Db.Holds("key", "$2")}", key),
            ScimOperator.Ew => (Side.There, $" AND {reads.Db.EndsWith("key", "$2")}", key),
            ScimOperator.Gt => (Side.There, " AND key > $2", key),
            ScimOperator.Ge => (Side.There, " AND key >= $2", key),
            ScimOperator.Lt => (Side.There, " AND key < $2", key),
            ScimOperator.Le => (Side.There, " AND key <= $2", key),
            _ => throw new InvalidOperationException($"{compare.Operator} compares nothing."),
        };
    }

    private ValueTask PlacesAsync(string path, string condition, string? arg, Action<long, long> take)
    {
        var sql = $"SELECT user_seq, item FROM directory_values WHERE path = $1{condition}";
        Func<long, long, bool> each = (seq, item) =>
        {
            take(seq, item);
            return true;
        };
        return arg is null ? reads.Db.NumbersAsync(sql, each, path) : reads.Db.NumbersAsync(sql, each, path, arg);
    }

    private async ValueTask<Marks> OthersAsync(Marks some)
    {
        _all ??= await ReadAsync(DirectoryWhere.All);
        return _all.Without(some);
    }

    private async ValueTask<Marks> ReadAsync(DirectoryWhere where)
    {
        var set = new Marks();
        await reads.Db.NumbersAsync(
            $"SELECT seq, 0 FROM {(kind == ScimKind.Group ? "directory_groups" : "directory_users")} WHERE {where.Sql}",
            (seq, _) =>
            {
                set.Add(seq);
                return true;
            },
            [.. where.Args]);
        return set;
    }
}

/// <summary>A set of places.</summary>
internal sealed class Marks
{
    private ulong[] _words = new ulong[64];

    public long Count => _words.Sum(word => (long)ulong.PopCount(word));

    public void Add(long place)
    {
        var word = checked((int)(place >> 6));
        if (word >= _words.Length)
        {
            Array.Resize(ref _words, Math.Max(word + 1, _words.Length * 2));
        }

        _words[word] |= 1UL << (int)(place & 63);
    }

    public bool Has(long place) => (place >> 6) < _words.Length && (_words[place >> 6] & (1UL << (int)(place & 63))) != 0;

    public void And(Marks other)
    {
        for (var i = 0; i < _words.Length; i++)
        {
            _words[i] &= i < other._words.Length ? other._words[i] : 0;
        }
    }

    public void Or(Marks other)
    {
        if (other._words.Length > _words.Length)
        {
            Array.Resize(ref _words, other._words.Length);
        }

        for (var i = 0; i < other._words.Length; i++)
        {
            _words[i] |= other._words[i];
        }
    }

    /// <summary>Those that are not among others.</summary>
    public Marks Without(Marks others)
    {
        var rest = new Marks { _words = [.. _words] };
        for (var i = 0; i < Math.Min(rest._words.Length, others._words.Length); i++)
        {
            rest._words[i] &= ~others._words[i];
        }

        return rest;
    }

    public IEnumerable<long> InOrder()
    {
        for (var i = 0; i < _words.Length; i++)
        {
            for (var word = _words[i]; word != 0; word &= word - 1)
            {
                yield return ((long)i << 6) + System.Numerics.BitOperations.TrailingZeroCount(word);
            }
        }
    }
}
