namespace Stint.Core.Policies.Cel;

/// <summary>Calls that are more than calls: their arguments are not evaluated first.</summary>
internal static class CelMacros
{
    /// <summary>What a call stands for; null when it is an ordinary one.</summary>
    public static CelExpr? Expand(CelParser parser, CelExpr? target, CelToken name, List<CelExpr> arguments, int end)
    {
        if (target is null)
        {
            return name.Text == "has" && arguments.Count == 1 ? Has(parser, name, arguments[0], end) : null;
        }

        if (target is CelExpr.Name { Text: "cel" } && name.Text == "bind" && arguments.Count == 3)
        {
            return Bound(parser, CelBinding.Bind, arguments[0], arguments[1], arguments[2], target.Start, end);
        }

        return (name.Text, arguments.Count) switch
        {
            ("optMap", 2) => Bound(parser, CelBinding.OptMap, arguments[0], target, arguments[1], target.Start, end),
            ("optFlatMap", 2) => Bound(parser, CelBinding.OptFlatMap, arguments[0], target, arguments[1], target.Start, end),
            ("all", 2) => Walk(parser, CelMacro.All, target, arguments[0], null, null, arguments[1], end),
            ("all", 3) => Walk(parser, CelMacro.All, target, arguments[0], arguments[1], null, arguments[2], end),
            ("exists", 2) => Walk(parser, CelMacro.Exists, target, arguments[0], null, null, arguments[1], end),
            ("exists", 3) => Walk(parser, CelMacro.Exists, target, arguments[0], arguments[1], null, arguments[2], end),
            ("exists_one" or "existsOne", 2) => Walk(parser, CelMacro.ExistsOne, target, arguments[0], null, null, arguments[1], end),
            ("exists_one" or "existsOne", 3) => Walk(parser, CelMacro.ExistsOne, target, arguments[0], arguments[1], null, arguments[2], end),
            ("map", 2) => Walk(parser, CelMacro.Map, target, arguments[0], null, null, arguments[1], end),
            ("map", 3) => Walk(parser, CelMacro.Map, target, arguments[0], null, arguments[1], arguments[2], end),
            ("filter", 2) => Walk(parser, CelMacro.Filter, target, arguments[0], null, arguments[1], null, end),
            ("transformList", 3) => Walk(parser, CelMacro.TransformList, target, arguments[0], arguments[1], null, arguments[2], end),
            ("transformList", 4) => Walk(parser, CelMacro.TransformList, target, arguments[0], arguments[1], arguments[2], arguments[3], end),
            ("transformMap", 3) => Walk(parser, CelMacro.TransformMap, target, arguments[0], arguments[1], null, arguments[2], end),
            ("transformMap", 4) => Walk(parser, CelMacro.TransformMap, target, arguments[0], arguments[1], arguments[2], arguments[3], end),
            ("transformMapEntry", 3) => Walk(parser, CelMacro.TransformMapEntry, target, arguments[0], arguments[1], null, arguments[2], end),
            ("transformMapEntry", 4) => Walk(parser, CelMacro.TransformMapEntry, target, arguments[0], arguments[1], arguments[2], arguments[3], end),
            _ => null,
        };
    }

    private static CelExpr Has(CelParser parser, CelToken name, CelExpr argument, int end)
    {
        if (argument is CelExpr.Select { Test: false } select)
        {
            return parser.Made(new CelExpr.Select
            {
                Start = name.Start,
                End = end,
                Depth = CelParser.Below(select.Operand),
                Operand = select.Operand,
                Field = select.Field,
                FieldStart = select.FieldStart,
                Test = true,
                Optional = select.Optional,
            });
        }

        parser.Fail(argument.Start, "has() asks for one field of something, as has(request.ticket); for a key with other characters write \"key\" in map");
        return argument;
    }

    private static CelExpr.Bind Bound(CelParser parser, CelBinding kind, CelExpr variable, CelExpr value, CelExpr body, int start, int end) => parser.Made(new CelExpr.Bind
    {
        Start = start,
        End = end,
        Depth = CelParser.Below(value, body),
        Kind = kind,
        Variable = Variable(parser, variable),
        Value = value,
        Body = body,
    });

    private static CelExpr.Walk Walk(CelParser parser, CelMacro macro, CelExpr range, CelExpr first, CelExpr? second, CelExpr? filter, CelExpr? body, int end)
    {
        var one = Variable(parser, first);
        var two = second is null ? null : Variable(parser, second);
        if (one == two)
        {
            parser.Fail(second!.Start, "the two variables need different names");
        }

        return parser.Made(new CelExpr.Walk
        {
            Start = range.Start,
            End = end,
            Depth = CelParser.Below([range, .. new[] { filter, body }.OfType<CelExpr>()]),
            Macro = macro,
            Range = range,
            First = one,
            Second = two,
            Filter = filter,
            Body = body,
        });
    }

    private static string Variable(CelParser parser, CelExpr expr)
    {
        if (expr is CelExpr.Name { Rooted: false } name)
        {
            return name.Text;
        }

        parser.Fail(expr.Start, "the first argument names the variable, as in groups.exists(g, g == \"oncall\")");
        return "_";
    }
}
