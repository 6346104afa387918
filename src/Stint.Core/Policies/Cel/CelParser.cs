namespace Stint.Core.Policies.Cel;

/// <summary>Tokens to a tree, by precedence climbing. Ends at the first place where the grammar is left.</summary>
internal sealed class CelParser
{
    private static readonly string[] Reserved =
    [
        "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package", "namespace", "return", "var", "void", "while",
    ];

    private readonly List<CelToken> _tokens;
    private readonly CelProblems _problems;
    private readonly CelLimits _limits;
    private int _next;
    private int _depth;
    private int _nodes;
    private bool _failed;

    private CelParser(List<CelToken> tokens, CelProblems problems, CelLimits limits) => (_tokens, _problems, _limits) = (tokens, problems, limits);

    /// <summary>The tree, or null with the problems noted.</summary>
    public static CelExpr? Parse(string source, CelProblems problems, CelLimits limits)
    {
        if (source.Length > limits.Source)
        {
            problems.Add(0, $"it has {source.Length} characters; {limits.Source} is the most. Split it into several conditions");
            return null;
        }

        var parser = new CelParser(new CelLexer(source, problems).Read(), problems, limits);
        if (parser.Now.Kind == CelTokenKind.End)
        {
            if (problems.Count == 0)
            {
                problems.Add(0, "it is empty; write a condition, or leave the key out");
            }

            return null;
        }

        var expr = parser.Expression();
        if (!parser._failed && parser.Now.Kind != CelTokenKind.End)
        {
            parser.Unexpected("an operator or the end");
        }

        return problems.Count == 0 ? expr : null;
    }

    // Behind a mistake the parser stands at the end, and may be told to go on from there.
    private CelToken Now => _tokens[Math.Min(_next, _tokens.Count - 1)];

    private int Before => _next == 0 ? 0 : _tokens[Math.Min(_next, _tokens.Count) - 1].End;

    private CelExpr Expression()
    {
        if (++_depth > _limits.Depth)
        {
            Fail(Now.Start, $"it is nested more than {_limits.Depth} deep; name a part with cel.bind, or split the condition");
        }

        var expr = Binary(0);
        if (Take("?"))
        {
            var then = Binary(0);
            Expect(":", "between the two outcomes of ?");
            var otherwise = Expression();
            expr = Made(new CelExpr.Choice { Start = expr.Start, End = Before, Depth = Below(expr, then, otherwise), Condition = expr, Then = then, Else = otherwise });
        }

        _depth--;
        return expr;
    }

    // 0: ||, 1: &&, 2: relations, 3: + -, 4: * / %
    private static int Level(in CelToken token) => token.Kind != CelTokenKind.Sign ? -1 : token.Text switch
    {
        "||" => 0,
        "&&" => 1,
        "==" or "!=" or "<" or "<=" or ">" or ">=" or "in" => 2,
        "+" or "-" => 3,
        "*" or "/" or "%" => 4,
        _ => -1,
    };

    private CelExpr Binary(int level)
    {
        var left = level == 4 ? Unary() : Binary(level + 1);
        if (level < 2)
        {
            return Chain(level, left);
        }

        while (Level(Now) == level)
        {
            var sign = Now;
            _next++;
            var right = level == 4 ? Unary() : Binary(level + 1);
            left = Called(sign.Text == "in" ? "@in" : $"_{sign.Text}_", sign.Start, left.Start, null, [left, right]);
        }

        return left;
    }

    private CelExpr Chain(int level, CelExpr first)
    {
        if (Level(Now) != level)
        {
            return first;
        }

        var terms = new List<CelExpr> { first };
        while (Level(Now) == level)
        {
            _next++;
            terms.Add(Binary(level + 1));
            Count();
        }

        return Made(new CelExpr.Logic { Start = first.Start, End = Before, Depth = Below([.. terms]), IsAnd = level == 1, Terms = terms });
    }

    private CelExpr Unary()
    {
        var signs = new List<CelToken>();
        while (Now.Is("!") || Now.Is("-"))
        {
            signs.Add(Now);
            _next++;
            Count();
        }

        if (signs.Exists(sign => sign.Text != signs[0].Text))
        {
            Fail(signs[0].Start, "'!' and '-' cannot be mixed; put the inner one into parentheses");
        }

        // A minus before a number belongs to it: the smallest int has no positive counterpart.
        CelExpr expr;
        var number = Now.Kind == CelTokenKind.Value && Now.Value.Kind is CelKind.Signed or CelKind.Floating;
        if (number && signs.Count > 0 && signs[^1].Text == "-")
        {
            var sign = signs[^1];
            signs.RemoveAt(signs.Count - 1);
            expr = Member(Number(sign.Start, true));
        }
        else
        {
            expr = Member(null);
        }

        for (var i = signs.Count - 1; i >= 0 && !_failed; i--)
        {
            expr = Called(signs[i].Text == "!" ? "!_" : "-_", signs[i].Start, signs[i].Start, null, [expr]);
        }

        return expr;
    }

    private CelExpr.Literal Number(int start, bool negative)
    {
        var token = Now;
        _next++;
        var value = token.Value;
        if (value.Kind == CelKind.Floating)
        {
            value = CelValue.From(negative ? -value.Floating : value.Floating);
        }
        else if (value.Kind == CelKind.Signed)
        {
            if (token.Magnitude > (negative ? 1UL << 63 : long.MaxValue))
            {
                _problems.Add(start, "this number is beyond an int's 64 bits; write it with u for a uint, or with .0 for a double");
            }

            value = CelValue.From(unchecked(negative ? -(long)token.Magnitude : (long)token.Magnitude));
        }

        return Made(new CelExpr.Literal { Start = start, End = token.End, Value = value });
    }

    private CelExpr Member(CelExpr? begun)
    {
        var expr = begun ?? Primary();
        while (!_failed)
        {
            if (Take("."))
            {
                var optional = Take("?");
                var name = Now;
                if (name.Kind is not (CelTokenKind.Name or CelTokenKind.Quoted))
                {
                    Unexpected("the name of a field or function");
                    return expr;
                }

                _next++;
                if (name.Kind == CelTokenKind.Name && !optional && Now.Is("("))
                {
                    expr = Method(expr, name);
                    continue;
                }

                expr = Made(new CelExpr.Select { Start = expr.Start, End = name.End, Depth = Below(expr), Operand = expr, Field = name.Text, FieldStart = name.Start, Optional = optional });
            }
            else if (Now.Is("["))
            {
                var at = Now.Start;
                _next++;
                var optional = Take("?");
                var index = Expression();
                Expect("]", "behind the index");
                expr = Called(optional ? "_[?_]" : "_[_]", at, expr.Start, null, [expr, index]);
            }
            else if (Now.Is("{") && IsPath(expr))
            {
                Fail(Now.Start, "there are no message types here; write a map, as {\"key\": value}");
            }
            else
            {
                return expr;
            }
        }

        return expr;
    }

    private static bool IsPath(CelExpr expr) => expr switch
    {
        CelExpr.Name => true,
        CelExpr.Select { Optional: false } select => IsPath(select.Operand),
        _ => false,
    };

    private CelExpr Method(CelExpr target, CelToken name)
    {
        var arguments = Arguments();
        return CelMacros.Expand(this, target, name, arguments, Before)
            ?? Called(name.Text, name.Start, target.Start, target, arguments);
    }

    private List<CelExpr> Arguments()
    {
        Expect("(", "before the arguments");
        var arguments = new List<CelExpr>();
        if (!Now.Is(")"))
        {
            do
            {
                arguments.Add(Expression());
            }
            while (Take(",") && !_failed);
        }

        Expect(")", "behind the arguments");
        return arguments;
    }

    private CelExpr Primary()
    {
        var token = Now;
        if (token.Kind == CelTokenKind.Value)
        {
            return Number(token.Start, false);
        }

        if (Take("("))
        {
            var inner = Expression();
            Expect(")", "to close the parenthesis");
            return inner;
        }

        if (Take("["))
        {
            return List(token.Start);
        }

        if (Take("{"))
        {
            return Map(token.Start);
        }

        var rooted = Take(".");
        var name = Now;
        if (name.Kind != CelTokenKind.Name)
        {
            Unexpected("a value");
            return Made(new CelExpr.Literal { Start = token.Start, End = token.End, Value = CelValue.Null });
        }

        if (Reserved.Contains(name.Text))
        {
            Fail(name.Start, $"'{name.Text}' is a reserved word and names nothing; put it into quotes to mean the text");
        }

        _next++;
        if (!Now.Is("("))
        {
            return Made(new CelExpr.Name { Start = token.Start, End = name.End, Text = name.Text, Rooted = rooted });
        }

        var arguments = Arguments();
        return CelMacros.Expand(this, null, name, arguments, Before) ?? Called(name.Text, name.Start, token.Start, null, arguments);
    }

    private CelExpr.ListOf List(int start)
    {
        var items = new List<(CelExpr, bool)>();
        while (!Now.Is("]") && !_failed)
        {
            var optional = Take("?");
            items.Add((Expression(), optional));
            if (!Take(","))
            {
                break;
            }
        }

        Expect("]", "to close the list");
        return Made(new CelExpr.ListOf { Start = start, End = Before, Depth = Below([.. items.Select(item => item.Item1)]), Items = items });
    }

    private CelExpr.MapOf Map(int start)
    {
        var entries = new List<(CelExpr, CelExpr, bool)>();
        while (!Now.Is("}") && !_failed)
        {
            var optional = Take("?");
            var key = Expression();
            Expect(":", "between key and value");
            entries.Add((key, Expression(), optional));
            if (!Take(","))
            {
                break;
            }
        }

        Expect("}", "to close the map");
        return Made(new CelExpr.MapOf { Start = start, End = Before, Depth = Below([.. entries.SelectMany<(CelExpr Key, CelExpr Value, bool), CelExpr>(entry => [entry.Key, entry.Value])]), Entries = entries });
    }

    private CelExpr.Call Called(string function, int at, int start, CelExpr? target, IReadOnlyList<CelExpr> arguments) =>
        Made(new CelExpr.Call { Start = start, End = Before, Depth = Below(target is null ? [.. arguments] : [target, .. arguments]), Function = function, FunctionStart = at, Target = target, Arguments = arguments });

    internal static int Below(params CelExpr[] children) => children.Length == 0 ? 1 : children.Max(child => child.Depth) + 1;

    /// <summary>Counts a node, and refuses a tree that has become too large or too deep.</summary>
    internal T Made<T>(T expr)
        where T : CelExpr
    {
        Count();
        if (expr.Depth > _limits.Depth)
        {
            Fail(expr.Start, $"it is nested more than {_limits.Depth} deep; name a part with cel.bind, or split the condition");
        }

        return expr;
    }

    private void Count()
    {
        if (++_nodes > _limits.Nodes)
        {
            Fail(Now.Start, $"it has more than {_limits.Nodes} parts; split it into several conditions");
        }
    }

    private bool Take(string sign)
    {
        var taken = Now.Is(sign);
        _next += taken ? 1 : 0;
        return taken;
    }

    private void Expect(string sign, string why)
    {
        if (!Take(sign))
        {
            Unexpected($"'{sign}' {why}");
        }
    }

    private void Unexpected(string wanted)
    {
        var found = Now.Kind switch
        {
            CelTokenKind.End => "the end",
            CelTokenKind.Value => "a constant",
            CelTokenKind.Quoted => $"`{Now.Text}`",
            _ => $"'{Now.Text}'",
        };
        if (Now.Kind != CelTokenKind.Broken)
        {
            Fail(Now.Start, $"here stands {found} where {wanted} should be");
        }

        Stop();
    }

    internal void Fail(int offset, string message)
    {
        if (!_failed)
        {
            _problems.Add(offset, message);
        }

        Stop();
    }

    // Everything that is still open ends at once, instead of complaining about what follows from the first mistake.
    private void Stop()
    {
        _failed = true;
        _next = _tokens.Count - 1;
    }
}
