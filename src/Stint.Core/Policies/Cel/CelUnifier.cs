namespace Stint.Core.Policies.Cel;

/// <summary>Which types the variables of a signature stand for, as it becomes known.</summary>
internal sealed class CelUnifier
{
    private Dictionary<int, CelType> _bound = [];
    private int _next = 100;

    public CelType Fresh() => CelType.Variable(_next++);

    /// <summary>The same signature with variables of its own, so that two calls do not bind each other.</summary>
    public (CelType[] Parameters, CelType Result) Own(CelOverload overload)
    {
        var own = new Dictionary<int, CelType>();
        return ([.. overload.Parameters.Select(type => Own(type, own))], Own(overload.Result, own));
    }

    private CelType Own(CelType type, Dictionary<int, CelType> own)
    {
        if (type.Kind == CelTypeKind.Variable)
        {
            return own.TryGetValue(type.Number, out var mine) ? mine : own[type.Number] = Fresh();
        }

        return type.Of1.Length == 0 ? type : type.With([.. type.Of1.Select(of => Own(of, own))]);
    }

    /// <summary>What a type is, as far as known.</summary>
    public CelType Seen(CelType type)
    {
        while (type.Kind == CelTypeKind.Variable && _bound.TryGetValue(type.Number, out var to))
        {
            type = to;
        }

        return type;
    }

    /// <summary>A type without variables; what is still open may be anything.</summary>
    public CelType Closed(CelType type)
    {
        type = Seen(type);
        return type.Kind == CelTypeKind.Variable ? CelType.Dyn : type.Of1.Length == 0 ? type : type.With([.. type.Of1.Select(Closed)]);
    }

    /// <summary>Whether values can be given where others are wanted; binds variables when they all can, and none otherwise.</summary>
    public bool Assign(IReadOnlyList<CelType> given, IReadOnlyList<CelType> wanted)
    {
        if (given.Count != wanted.Count)
        {
            return false;
        }

        var before = new Dictionary<int, CelType>(_bound);
        for (var i = 0; i < given.Count; i++)
        {
            if (!Fits(given[i], wanted[i]))
            {
                _bound = before;
                return false;
            }
        }

        return true;
    }

    public bool Assign(CelType given, CelType wanted) => Assign([given], [wanted]);

    /// <summary>One type that both fit, for the elements of a list; anything, when there is no other.</summary>
    public CelType Join(CelType a, CelType b) => Assign(b, a) || Assign(a, b) ? General(a, b) : CelType.Dyn;

    /// <summary>The one of the two that says less.</summary>
    public CelType General(CelType a, CelType b) => SaysLess(a, b) ? a : b;

    private bool Fits(CelType given, CelType wanted)
    {
        given = given.Kind == CelTypeKind.Variable && Seen(given).Kind != CelTypeKind.Variable ? Seen(given) : Last(given);
        var open = Last(wanted);
        if (open.Kind == CelTypeKind.Variable)
        {
            return Bind(given, open.Number);
        }

        if (given.Kind == CelTypeKind.Variable)
        {
            return Bind(open, given.Number);
        }

        var to = open;
        if (given.Kind == CelTypeKind.Dyn || to.Kind == CelTypeKind.Dyn)
        {
            return WidenTo(wanted, given);
        }

        if (given.Kind == CelTypeKind.Null)
        {
            return to.Kind is CelTypeKind.Null or CelTypeKind.Timestamp or CelTypeKind.Duration or CelTypeKind.Record or CelTypeKind.Optional or CelTypeKind.Opaque;
        }

        if (given.Kind != to.Kind || given.Name != to.Name || given.Of1.Length != to.Of1.Length)
        {
            // A type as a value, whatever it is of, is a type.
            return given.Kind == CelTypeKind.Kind && to.Kind == CelTypeKind.Kind;
        }

        if (given.Kind == CelTypeKind.Kind)
        {
            return true;
        }

        for (var i = 0; i < given.Of1.Length; i++)
        {
            if (!Fits(given.Of1[i], to.Of1[i]))
            {
                return false;
            }
        }

        return WidenTo(wanted, given);
    }

    // A variable that was bound to int and now meets dyn stands for dyn from here on.
    private bool WidenTo(CelType wanted, CelType given)
    {
        if (wanted.Kind == CelTypeKind.Variable && SaysLess(given, Seen(wanted)) && !Occurs(given, FinalNumber(wanted)))
        {
            _bound[FinalNumber(wanted)] = given;
        }

        return true;
    }

    private CelType Last(CelType type) => Seen(type);

    private int FinalNumber(CelType type)
    {
        var number = type.Number;
        while (_bound.TryGetValue(number, out var to) && to.Kind == CelTypeKind.Variable)
        {
            number = to.Number;
        }

        return number;
    }

    private bool Bind(CelType type, int variable)
    {
        if (type.Kind == CelTypeKind.Variable && type.Number == variable)
        {
            return true;
        }

        if (Occurs(type, variable))
        {
            return false;
        }

        _bound[variable] = type;
        return true;
    }

    private bool Occurs(CelType type, int variable)
    {
        type = Seen(type);
        return type.Kind == CelTypeKind.Variable ? type.Number == variable : type.Of1.Any(of => Occurs(of, variable));
    }

    private bool SaysLess(CelType a, CelType b)
    {
        (a, b) = (Seen(a), Seen(b));
        if (a.Kind is CelTypeKind.Dyn or CelTypeKind.Variable)
        {
            return true;
        }

        if (b.Kind is CelTypeKind.Dyn or CelTypeKind.Variable || a.Kind != b.Kind || a.Name != b.Name || a.Of1.Length != b.Of1.Length)
        {
            // Null beside a timestamp: the timestamp is the type of both.
            return b.Kind == CelTypeKind.Null && a.Kind is not CelTypeKind.Null;
        }

        for (var i = 0; i < a.Of1.Length; i++)
        {
            if (!SaysLess(a.Of1[i], b.Of1[i]))
            {
                return false;
            }
        }

        return true;
    }
}
