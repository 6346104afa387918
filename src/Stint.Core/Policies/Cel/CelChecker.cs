using Stint.Core.Catalog;

namespace Stint.Core.Policies.Cel;

/// <summary>
/// Gives every node its type and every name what it stands for. Goes on behind a mistake, with the type <c>dyn</c> for what it could
/// not tell, so that several mistakes are reported at once and none of them twice.
/// </summary>
internal sealed class CelChecker
{
    private readonly CelEnvironment _environment;
    private readonly CelProblems _problems;
    private readonly bool _strict;
    private readonly CelUnifier _types = new();
    private readonly List<(string Name, int Local, CelType Type)> _scope = [];
    private readonly List<CelExpr> _checked = [];
    private int _locals;

    private CelChecker(CelEnvironment environment, CelProblems problems, bool strict) => (_environment, _problems, _strict) = (environment, problems, strict);

    /// <summary>Checks a tree.</summary>
    /// <param name="strict">False leaves mistakes of types and names to the evaluation, as the language allows; policies are always strict.</param>
    /// <returns>The number of local variables that an evaluation needs room for.</returns>
    public static int Check(CelExpr expr, CelEnvironment environment, CelType expected, CelProblems problems, bool strict)
    {
        var checker = new CelChecker(environment, problems, strict);
        var type = checker.Type(expr);
        foreach (var node in checker._checked)
        {
            node.Type = checker._types.Closed(node.Type);
        }

        if (strict && expected.Kind != CelTypeKind.Dyn && !checker._types.Assign(type, expected))
        {
            problems.Add(expr.Start, $"it gives a {checker.Say(type)} where a {expected} is needed{(expected.Kind == CelTypeKind.Truth ? "; compare it with something" : "")}");
        }

        return checker._locals;
    }

    private string Say(CelType type) => _types.Closed(type).ToString();

    private void Problem(int offset, string message)
    {
        if (_strict)
        {
            _problems.Add(offset, message);
        }
    }

    private CelType Type(CelExpr expr)
    {
        var type = expr switch
        {
            CelExpr.Literal literal => CelType.Of(literal.Value),
            CelExpr.Name name => Name(name),
            CelExpr.Select select => Select(select),
            CelExpr.Call call => Call(call),
            CelExpr.Logic logic => Logic(logic),
            CelExpr.Choice choice => Choice(choice),
            CelExpr.ListOf list => List(list),
            CelExpr.MapOf map => Map(map),
            CelExpr.Walk walk => Walk(walk),
            CelExpr.Bind bind => Bind(bind),
            _ => CelType.Dyn,
        };
        expr.Type = type;
        _checked.Add(expr);
        return type;
    }

    private (string Name, int Local, CelType Type)? Local(string name)
    {
        for (var i = _scope.Count - 1; i >= 0; i--)
        {
            if (_scope[i].Name == name)
            {
                return _scope[i];
            }
        }

        return null;
    }

    /// <summary>The dotted path that an expression spells from an input or namespace; null when it is none, or begins with a local variable.</summary>
    private string? Path(CelExpr expr, out bool rooted)
    {
        rooted = false;
        switch (expr)
        {
            case CelExpr.Name name:
                rooted = name.Rooted;
                return name.Rooted || Local(name.Text) is null ? name.Text : null;
            case CelExpr.Select { Test: false, Optional: false } select when Path(select.Operand, out rooted) is { } path:
                return $"{path}.{select.Field}";
            default:
                return null;
        }
    }

    private CelPlace? Place(string path, bool rooted)
    {
        for (var container = rooted ? "" : _environment.Container; container.Length > 0; container = container[..Math.Max(0, container.LastIndexOf('.'))])
        {
            if (_environment.Find($"{container}.{path}") is { } place)
            {
                return place;
            }
        }

        return _environment.Find(path);
    }

    private static CelType? Kind(string path) => path switch
    {
        "bool" => CelType.Bool,
        "int" => CelType.Int,
        "uint" => CelType.Uint,
        "double" => CelType.Double,
        "string" => CelType.String,
        "bytes" => CelType.Bytes,
        "list" => CelType.AnyList,
        "map" => CelType.AnyMap,
        "null_type" => CelType.Null,
        "type" => CelType.Kinds,
        "google.protobuf.Timestamp" => CelType.Timestamp,
        "google.protobuf.Duration" => CelType.Duration,
        "optional_type" => CelType.AnyOptional,
        "net.IP" => CelType.Address,
        "net.CIDR" => CelType.Network,
        _ => null,
    };

    private CelType Name(CelExpr.Name name)
    {
        if (!name.Rooted && Local(name.Text) is { } local)
        {
            name.Local = local.Local;
            return local.Type;
        }

        if (Place(name.Text, name.Rooted) is { } place)
        {
            name.Place = place;
            return place.Field.Type;
        }

        if (Kind(name.Text) is { } kind)
        {
            name.Kind = kind;
            return CelType.KindOf(kind);
        }

        IReadOnlyCollection<string> known = [.. _environment.Names, .. _scope.Select(one => one.Name)];
        Problem(name.Start, CelLibrary.Knows(name.Text)
            ? $"{name.Text} is a function; write {name.Text}(…)"
            : $"nothing is known as {name.Text}; {Words.Meant(name.Text, known, "put it into quotes to mean the text")}");
        return CelType.Dyn;
    }

    private CelType Select(CelExpr.Select select)
    {
        if (!select.Test && !select.Optional && Path(select, out var rooted) is { } path)
        {
            if (Place(path, rooted) is { } place)
            {
                select.Place = place;
                return place.Field.Type;
            }

            if (Kind(path) is { } kind)
            {
                select.Kind = kind;
                return CelType.KindOf(kind);
            }
        }

        var operand = _types.Seen(Type(select.Operand));
        if (PlaceOf(select.Operand) is { Children: { } children } shape)
        {
            if (children.TryGetValue(select.Field, out var child))
            {
                select.Place = child;
                return Selected(select, child.Field.Type, false);
            }

            Problem(select.FieldStart, $"{shape.Path} has no field {select.Field}; {Words.Meant(select.Field, children.Keys, $"see which fields a {shape.Field.Type} has")}");
            return Selected(select, CelType.Dyn, false);
        }

        var optional = operand.Kind == CelTypeKind.Optional;
        var inner = optional ? _types.Seen(operand.Of1[0]) : operand;
        switch (inner.Kind)
        {
            case CelTypeKind.Dyn or CelTypeKind.Variable:
                return Selected(select, CelType.Dyn, optional);
            case CelTypeKind.Map when _types.Assign(CelType.String, inner.Of1[0]):
                return Selected(select, inner.Of1[1], optional);
            case CelTypeKind.Map:
                Problem(select.FieldStart, $"the keys of this map are of the type {Say(inner.Of1[0])}; write [key]");
                return Selected(select, inner.Of1[1], optional);
            case CelTypeKind.Record when inner.Shape!.IndexOf(select.Field) is >= 0 and var index:
                return Selected(select, inner.Shape.Fields[index].Type, optional);
            case CelTypeKind.Record:
                Problem(select.FieldStart, $"a {inner.Name} has no field {select.Field}; {Words.Meant(select.Field, [.. inner.Shape!.Fields.Select(field => field.Name)], "see which fields it has")}");
                return Selected(select, CelType.Dyn, optional);
            default:
                Problem(select.FieldStart, $"a {Say(inner)} has no fields; .{select.Field} asks for one{(CelLibrary.Knows(select.Field) ? $", write .{select.Field}() to call the function" : "")}");
                return Selected(select, CelType.Dyn, optional);
        }
    }

    private static CelType Selected(CelExpr.Select select, CelType type, bool optional) =>
        select.Test ? CelType.Bool : select.Optional || optional ? CelType.Optional(type) : type;

    private static CelPlace? PlaceOf(CelExpr expr) => expr switch
    {
        CelExpr.Name name => name.Place,
        CelExpr.Select { Test: false, Optional: false } select => select.Place,
        _ => null,
    };

    private CelType Call(CelExpr.Call call)
    {
        call.Resolved = call.Function;
        if (call.Target is not null && Path(call.Target, out var rooted) is { } path && Place(path, rooted) is null && CelLibrary.Find($"{path}.{call.Function}", false).Count > 0)
        {
            call.Resolved = $"{path}.{call.Function}";
            call.Target = null;
        }

        if (call.Resolved is "math.greatest" or "math.least" && call.Arguments.Count > 1)
        {
            call.Arguments = [new CelExpr.ListOf { Start = call.Arguments[0].Start, End = call.Arguments[^1].End, Depth = call.Depth, Items = [.. call.Arguments.Select(item => (item, false))] }];
        }

        var all = call.All;
        var given = all.Select(Type).ToList();
        var overloads = CelLibrary.Find(call.Resolved, call.Target is not null);
        if (overloads.Count == 0)
        {
            Problem(call.FunctionStart, Unknown(call));
            return CelType.Dyn;
        }

        var fitting = new List<CelOverload>();
        CelType? result = null;
        foreach (var overload in overloads)
        {
            var (wanted, gives) = _types.Own(overload);
            if (_types.Assign(given, wanted))
            {
                fitting.Add(overload);
                result = result is null || result.Kind == CelTypeKind.Dyn || _types.Closed(result).Same(_types.Closed(gives)) ? result ?? gives : CelType.Dyn;
            }
        }

        call.Overloads = _strict ? fitting : [.. overloads.Where(overload => overload.Parameters.Length == all.Count)];
        if (fitting.Count == 0)
        {
            Problem(call.FunctionStart, Mismatch(call, given, overloads));
            return CelType.Dyn;
        }

        if (CelConstants.Check(call) is { } wrong)
        {
            Problem(wrong.Where.Start, wrong.Message);
        }

        return result!;
    }

    private static string Unknown(CelExpr.Call call)
    {
        if (CelLibrary.Find(call.Function, call.Target is null).Count > 0)
        {
            return call.Target is null ? $"{call.Function} is written behind a value, as value.{call.Function}(…)" : $"{call.Function} is written with its value in the parentheses, as {call.Function}(…)";
        }

        if (call.Function is "all" or "exists" or "exists_one" or "existsOne" or "map" or "filter" or "transformList" or "transformMap" or "transformMapEntry" or "optMap" or "optFlatMap" or "has")
        {
            return call.Function == "has" ? "has takes one field of something, as has(request.ticket)" : $"{call.Function} takes a variable and an expression over it, as groups.{call.Function}(g, g == \"oncall\")";
        }

        var known = CelLibrary.Names.Where(key => key.Member == call.Target is not null).Select(key => key.Name).ToHashSet();
        return $"there is no function {call.Function}; {Words.Meant(call.Function, known, "see the guide for those there are")}";
    }

    private string Mismatch(CelExpr.Call call, List<CelType> given, IReadOnlyList<CelOverload> overloads)
    {
        var types = given.ConvertAll(_types.Closed);
        if (call.Function is "_==_" or "_!=_")
        {
            return $"a {types[0]} never equals a {types[1]}; convert one of them";
        }

        var written = CelWriting.Signature(call.Resolved, call.Target is not null, types);
        // A map indexed with the wrong type of key says more than the list of all indexings.
        var forms = overloads.Select(overload => overload.ToString()).Distinct().ToList();
        return $"there is no {written}; there is {string.Join(", ", forms.Take(6))}{(forms.Count > 6 ? " and more" : "")}";
    }

    private CelType Logic(CelExpr.Logic logic)
    {
        foreach (var term in logic.Terms)
        {
            Condition(term, logic.IsAnd ? "&& joins conditions" : "|| joins conditions");
        }

        return CelType.Bool;
    }

    private void Condition(CelExpr expr, string why)
    {
        var type = Type(expr);
        if (!_types.Assign(type, CelType.Bool))
        {
            Problem(expr.Start, $"{why}, and this is a {Say(type)}; compare it with something");
        }
    }

    private CelType Choice(CelExpr.Choice choice)
    {
        Condition(choice.Condition, "? asks a condition");
        var then = Type(choice.Then);
        var otherwise = Type(choice.Else);
        var one = _types.Fresh();
        if (_types.Assign([then, otherwise], [one, one]))
        {
            return one;
        }

        Problem(choice.Else.Start, $"the two outcomes of ? are a {Say(then)} and a {Say(otherwise)}; give both one type");
        return CelType.Dyn;
    }

    private CelType List(CelExpr.ListOf list)
    {
        CelType? joined = null;
        foreach (var (item, optional) in list.Items)
        {
            var type = Given(item, optional);
            joined = joined is null ? type : _types.Join(joined, type);
        }

        return CelType.List(joined ?? _types.Fresh());
    }

    /// <summary>The type of an element; of what an optional holds, behind a question mark.</summary>
    private CelType Given(CelExpr expr, bool optional)
    {
        var type = Type(expr);
        if (!optional)
        {
            return type;
        }

        var inner = _types.Fresh();
        if (!_types.Assign(type, CelType.Optional(inner)))
        {
            Problem(expr.Start, $"? takes an optional, and this is a {Say(type)}; leave the ? out, or write optional.of(…)");
            return CelType.Dyn;
        }

        return _types.Seen(type).Kind == CelTypeKind.Dyn ? CelType.Dyn : inner;
    }

    private CelType Map(CelExpr.MapOf map)
    {
        CelType? keys = null;
        CelType? values = null;
        foreach (var (key, value, optional) in map.Entries)
        {
            var type = Type(key);
            if (_types.Seen(type).Kind is not (CelTypeKind.Text or CelTypeKind.Signed or CelTypeKind.Unsigned or CelTypeKind.Truth or CelTypeKind.Dyn or CelTypeKind.Variable))
            {
                Problem(key.Start, $"a map's key is a string, int, uint or bool, not a {Say(type)}");
            }

            keys = keys is null ? type : _types.Join(keys, type);
            var held = Given(value, optional);
            values = values is null ? held : _types.Join(values, held);
        }

        return CelType.Map(keys ?? _types.Fresh(), values ?? _types.Fresh());
    }

    private CelType Walk(CelExpr.Walk walk)
    {
        var range = _types.Seen(Type(walk.Range));
        var (key, value) = range.Kind switch
        {
            CelTypeKind.List => (CelType.Int, range.Of1[0]),
            CelTypeKind.Map => (range.Of1[0], range.Of1[1]),
            _ => (CelType.Dyn, CelType.Dyn),
        };
        if (range.Kind is not (CelTypeKind.List or CelTypeKind.Map or CelTypeKind.Dyn or CelTypeKind.Variable))
        {
            Problem(walk.Range.Start, $"this walks a list or a map, and it is given a {Say(range)}");
        }

        walk.Local = _scope.Count;
        _scope.Add((walk.First, walk.Local, walk.Second is null && range.Kind != CelTypeKind.Map ? value : key));
        _scope.Add((walk.Second ?? "", walk.Local + 1, value));
        _locals = Math.Max(_locals, _scope.Count);
        if (walk.Filter is not null)
        {
            Condition(walk.Filter, "which elements are taken is a condition");
        }

        var asks = walk.Macro is CelMacro.All or CelMacro.Exists or CelMacro.ExistsOne;
        var body = CelType.Bool;
        if (walk.Body is not null && asks)
        {
            Condition(walk.Body, "what is asked of each element is a condition");
        }
        else if (walk.Body is not null)
        {
            body = Type(walk.Body);
        }

        var element = _scope[^2].Type;
        _scope.RemoveRange(_scope.Count - 2, 2);
        return walk.Macro switch
        {
            CelMacro.Filter => CelType.List(element),
            CelMacro.Map or CelMacro.TransformList => CelType.List(body),
            CelMacro.TransformMap => CelType.Map(key, body),
            CelMacro.TransformMapEntry => Entry(walk, body),
            CelMacro.All or CelMacro.Exists or CelMacro.ExistsOne => CelType.Bool,
            _ => CelType.Dyn,
        };
    }

    private CelType Entry(CelExpr.Walk walk, CelType body)
    {
        var map = CelType.Map(_types.Fresh(), _types.Fresh());
        if (!_types.Assign(body, map))
        {
            Problem(walk.Body!.Start, $"transformMapEntry makes each element a map of new entries, and this is a {Say(body)}; write {{key: value}}");
        }

        return map;
    }

    private CelType Bind(CelExpr.Bind bind)
    {
        var value = _types.Seen(Type(bind.Value));
        if (bind.Kind != CelBinding.Bind)
        {
            var inner = _types.Fresh();
            if (!_types.Assign(value, CelType.Optional(inner)))
            {
                Problem(bind.Value.Start, $"this takes an optional, and it is given a {Say(value)}; write optional.of(…), or .?field for a field that may be missing");
            }

            value = value.Kind == CelTypeKind.Dyn ? CelType.Dyn : inner;
        }

        bind.Local = _scope.Count;
        _scope.Add((bind.Variable, bind.Local, value));
        _locals = Math.Max(_locals, _scope.Count);
        var body = Type(bind.Body);
        _scope.RemoveAt(_scope.Count - 1);
        if (bind.Kind == CelBinding.OptFlatMap && !_types.Assign(body, CelType.Optional(_types.Fresh())))
        {
            Problem(bind.Body.Start, $"optFlatMap gives an optional, and this is a {Say(body)}; write optMap");
        }

        return bind.Kind == CelBinding.OptMap ? CelType.Optional(body) : body;
    }
}
