using System.Text.Json;
using System.Text.Json.Nodes;

namespace Stint.Server.Identity.Scim;

/// <summary>Reads filters and paths (the grammars of RFC 7644, figures 1 and 7). Bounded: what a stranger sends is neither long nor deep.</summary>
internal sealed class ScimFilterParser(string text, Func<string, ScimPath?> find)
{
    /// <summary>Longest filter or path, in characters.</summary>
    public const int MostCharacters = 4_096;

    private const int MostDepth = 24;
    private const int MostTerms = 128;

    private Func<string, ScimPath?> _find = find;
    private int _at;
    private int _depth;
    private int _terms;

    public ScimFilter Whole()
    {
        if (text.Length > MostCharacters)
        {
            throw ScimProblem.InvalidFilter($"A filter has at most {MostCharacters} characters.");
        }

        var filter = Either();
        Space();
        return _at == text.Length ? filter : throw Wrong("something follows its end");
    }

    /// <summary>Reads <c>attribute[filter].part</c> of a path.</summary>
    public static (ScimPath Path, ScimFilter? Filter, ScimAttribute? Part) Path(ScimKind kind, string text)
    {
        if (text.Length > MostCharacters)
        {
            throw ScimProblem.InvalidPath($"A path has at most {MostCharacters} characters.");
        }

        var open = text.IndexOf('[', StringComparison.Ordinal);
        var name = (open < 0 ? text : text[..open]).Trim();
        if (ScimPath.Find(kind, name) is not { } path)
        {
            throw ScimProblem.InvalidPath($"A {kind.Name} has no '{name}'.");
        }

        if (open < 0)
        {
            return (path, null, path.Part);
        }

        if (path is not { Attribute: { Multi: true } attribute, Part: null })
        {
            throw ScimProblem.InvalidPath($"'{name}' has one value only; no filter chooses from it.");
        }

        var parser = new ScimFilterParser(text, part => ScimPath.Below(attribute, part)) { _at = open + 1 };
        try
        {
            var filter = parser.Either();
            parser.Space();
            if (parser._at >= text.Length || text[parser._at] != ']')
            {
                throw parser.Wrong("its bracket is not closed");
            }

            var rest = text[(parser._at + 1)..].Trim();
            if (rest.Length == 0)
            {
                return (path, filter, null);
            }

            return rest[0] == '.' && attribute.Part(rest[1..]) is { } part
                ? (path, filter, part)
                : throw ScimProblem.InvalidPath($"'{name}' has no part '{rest.TrimStart('.')}'.");
        }
        catch (ScimProblem problem) when (problem.Type == "invalidFilter")
        {
            throw ScimProblem.InvalidPath(problem.Message);
        }
    }

    private ScimFilter Either()
    {
        if (++_depth > MostDepth)
        {
            throw ScimProblem.InvalidFilter($"A filter is at most {MostDepth} brackets deep.");
        }

        var one = Both();
        while (Word("or"))
        {
            one = new ScimFilter.Or(one, Both());
        }

        _depth--;
        return one;
    }

    private ScimFilter Both()
    {
        var one = Term();
        while (Word("and"))
        {
            one = new ScimFilter.And(one, Term());
        }

        return one;
    }

    private ScimFilter Term()
    {
        if (++_terms > MostTerms)
        {
            throw ScimProblem.InvalidFilter($"A filter compares at most {MostTerms} times.");
        }

        Space();
        if (Take('('))
        {
            return Closed(')');
        }

        var before = _at;
        if (Word("not"))
        {
            Space();
            if (Take('('))
            {
                return new ScimFilter.Not(Closed(')'));
            }

            _at = before;
        }

        var name = Name();
        if (_find(name) is not { } path)
        {
            throw ScimProblem.InvalidFilter($"There is no attribute '{name}' to filter by.");
        }

        if (Take('['))
        {
            if (path is not { Attribute: { Type: ScimType.Complex } attribute, Part: null })
            {
                throw Wrong($"'{name}' has no parts");
            }

            var outer = _find;
            _find = part => ScimPath.Below(attribute, part);
            var inner = Closed(']');
            _find = outer;

            // Beyond the grammar of filters, yet sent by some: emails[type eq "work"].value eq "x" means both of one address.
            return Take('.') ? new ScimFilter.Among(path, new ScimFilter.And(inner, Comparison(ScimPath.Below(attribute, Name()) ?? throw Wrong($"'{name}' has no such part")))) : new ScimFilter.Among(path, inner);
        }

        return Comparison(path);
    }

    private ScimFilter.Compare Comparison(ScimPath path)
    {
        Space();
        var word = Name();
        ScimOperator how = word.ToLowerInvariant() switch
        {
            "eq" => ScimOperator.Eq,
            "ne" => ScimOperator.Ne,
            "co" => ScimOperator.Co,
            "sw" => ScimOperator.Sw,
            "ew" => ScimOperator.Ew,
            "gt" => ScimOperator.Gt,
            "ge" => ScimOperator.Ge,
            "lt" => ScimOperator.Lt,
            "le" => ScimOperator.Le,
            "pr" => ScimOperator.Pr,
            _ => throw Wrong($"'{word}' is no operator"),
        };
        if (how == ScimOperator.Pr)
        {
            return new ScimFilter.Compare(path, how, null);
        }

        if (path.Leaf is not { } leaf)
        {
            throw Wrong("something with parts is compared; name one of them");
        }

        Space();
        var value = Value();
        var ordering = how is ScimOperator.Gt or ScimOperator.Ge or ScimOperator.Lt or ScimOperator.Le;
        var within = how is ScimOperator.Co or ScimOperator.Sw or ScimOperator.Ew;
        if ((leaf.Type is ScimType.Boolean && (ordering || within)) || (leaf.Type is ScimType.Binary && ordering) || (leaf.Type is ScimType.DateTime && within) || (value is null && (ordering || within)))
        {
            throw ScimProblem.InvalidFilter($"'{leaf.Name}' cannot be compared with '{word}'.");
        }

        var fits = value is null || (leaf.Type == ScimType.Boolean ? ScimValues.Truth(value) is not null
            : value.GetValueKind() == JsonValueKind.String && (leaf.Type != ScimType.DateTime || ScimValues.Time(value.GetValue<string>()) is not null));
        return fits ? new ScimFilter.Compare(path, how, value) : throw ScimProblem.InvalidFilter($"'{leaf.Name}' is never {value!.ToJsonString()}.");
    }

    private ScimFilter Closed(char end)
    {
        var filter = Either();
        Space();
        return Take(end) ? filter : throw Wrong($"a '{end}' is missing");
    }

    private JsonValue? Value()
    {
        var start = _at;
        if (_at < text.Length && text[_at] == '"')
        {
            for (_at++; _at < text.Length && text[_at] != '"'; _at++)
            {
                _at += text[_at] == '\\' ? 1 : 0;
            }

            _at++;
        }
        else
        {
            while (_at < text.Length && !char.IsWhiteSpace(text[_at]) && text[_at] is not (')' or ']'))
            {
                _at++;
            }
        }

        try
        {
            var written = _at <= text.Length ? text[start.._at] : "";
            return JsonNode.Parse(written.ToLowerInvariant() is "true" or "false" or "null" ? written.ToLowerInvariant() : written) switch
            {
                null => null,
                JsonValue value => value,
                _ => throw Wrong("a value is missing"),
            };
        }
        catch (JsonException)
        {
            throw Wrong("a value is missing, or not in quotes");
        }
    }

    private string Name()
    {
        Space();
        var start = _at;
        while (_at < text.Length && (char.IsAsciiLetterOrDigit(text[_at]) || text[_at] is ':' or '.' or '-' or '_' or '$'))
        {
            _at++;
        }

        return _at > start ? text[start.._at] : throw Wrong(_at == text.Length ? "it ends too early" : $"'{text[_at]}' stands where a name should");
    }

    private bool Word(string word)
    {
        var before = _at;
        Space();
        if (string.Compare(text, _at, word, 0, word.Length, StringComparison.OrdinalIgnoreCase) == 0
            && (_at + word.Length == text.Length || char.IsWhiteSpace(text[_at + word.Length]) || text[_at + word.Length] == '('))
        {
            _at += word.Length;
            return true;
        }

        _at = before;
        return false;
    }

    private bool Take(char c)
    {
        if (_at < text.Length && text[_at] == c)
        {
            _at++;
            return true;
        }

        return false;
    }

    private void Space()
    {
        while (_at < text.Length && char.IsWhiteSpace(text[_at]))
        {
            _at++;
        }
    }

    private ScimProblem Wrong(string why) => ScimProblem.InvalidFilter($"The filter cannot be read at character {Math.Min(_at, text.Length) + 1}: {why}.");
}
