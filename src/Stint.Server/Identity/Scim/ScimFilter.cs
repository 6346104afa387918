using System.Text.Json;
using System.Text.Json.Nodes;

namespace Stint.Server.Identity.Scim;

/// <summary>What an attribute is held against.</summary>
internal enum ScimOperator
{
    Eq = 1,
    Ne = 2,
    Co = 3,
    Sw = 4,
    Ew = 5,
    Gt = 6,
    Ge = 7,
    Lt = 8,
    Le = 9,
    Pr = 10,
}

/// <summary>A filter (RFC 7644, section 3.4.2.2).</summary>
internal abstract record ScimFilter
{
    private ScimFilter()
    {
    }

    public sealed record And(ScimFilter One, ScimFilter Other) : ScimFilter;

    public sealed record Or(ScimFilter One, ScimFilter Other) : ScimFilter;

    public sealed record Not(ScimFilter Of) : ScimFilter;

    /// <param name="Path">What is looked at.</param>
    /// <param name="Operator">How.</param>
    /// <param name="Value">Held against what: a text, a number, true or false; null for none.</param>
    public sealed record Compare(ScimPath Path, ScimOperator Operator, JsonValue? Value) : ScimFilter;

    /// <summary>Whether one value of many fulfils all of a filter.</summary>
    public sealed record Among(ScimPath Path, ScimFilter Of) : ScimFilter;

    /// <summary>Reads a filter.</summary>
    /// <exception cref="ScimProblem">It is none, or it asks what cannot be asked.</exception>
    public static ScimFilter Parse(ScimKind kind, string text) => new ScimFilterParser(text, name => ScimPath.Find(kind, name)).Whole();

    /// <summary>Whether a resource fulfils it.</summary>
    public bool Holds(JsonObject resource) => this switch
    {
        And and => and.One.Holds(resource) && and.Other.Holds(resource),
        Or or => or.One.Holds(resource) || or.Other.Holds(resource),
        Not not => !not.Of.Holds(resource),
        Among among => ScimValues.Items(resource, among.Path).Any(item => item is JsonObject each && among.Of.Holds(each)),
        Compare compare => Compares(compare, resource),
        _ => throw new InvalidOperationException("A filter of a kind that nobody knows."),
    };

    /// <summary>Every comparison in it.</summary>
    public IEnumerable<ScimPath> Paths => this switch
    {
        And and => and.One.Paths.Concat(and.Other.Paths),
        Or or => or.One.Paths.Concat(or.Other.Paths),
        Not not => not.Of.Paths,
        Among among => [among.Path],
        Compare compare => [compare.Path],
        _ => [],
    };

    private static bool Compares(Compare compare, JsonObject resource)
    {
        if (compare.Operator == ScimOperator.Pr)
        {
            return ScimValues.Items(resource, compare.Path).Any(ScimValues.IsPresent);
        }

        var leaf = compare.Path.Leaf!;
        var values = ScimValues.Leaves(resource, compare.Path).ToList();
        if (compare.Value is null || values.Count == 0)
        {
            // Null stands for no value, and nothing is equal to what is not there.
            return compare.Operator == ScimOperator.Eq ? compare.Value is null && values.Count == 0 : compare.Operator == ScimOperator.Ne && (compare.Value is null) == (values.Count > 0);
        }

        return values.Any(value => ScimValues.Compare(leaf, compare.Operator, value, compare.Value));
    }
}

/// <summary>Looks into resources.</summary>
internal static class ScimValues
{
    /// <summary>The values of an attribute or a part, those of many one by one.</summary>
    public static IEnumerable<JsonNode> Items(JsonObject resource, ScimPath path)
    {
        var container = path.Extension ? resource[ScimSchemas.Enterprise.Id] as JsonObject : resource;
        if (container is null)
        {
            return [];
        }

        if (path.Attribute is null)
        {
            return [container];
        }

        IEnumerable<JsonNode> items = container[path.Attribute.Name] switch
        {
            null => [],
            JsonArray array => array.OfType<JsonNode>(),
            JsonNode one => [one],
        };
        return path.Part is null ? items : items.OfType<JsonObject>().Select(item => item[path.Part.Name]).OfType<JsonNode>();
    }

    /// <summary>What is compared: values, or of complex ones their <c>value</c>.</summary>
    public static IEnumerable<JsonValue> Leaves(JsonObject resource, ScimPath path) =>
        Items(resource, path).Select(item => item is JsonObject complex ? complex["value"] : item).OfType<JsonValue>();

    public static bool IsPresent(JsonNode node) => node switch
    {
        JsonArray array => array.Count > 0,
        JsonObject complex => complex.Any(pair => pair.Value is not null),
        _ => node.GetValueKind() != JsonValueKind.String || node.GetValue<string>().Length > 0,
    };

    public static bool Compare(ScimAttribute attribute, ScimOperator how, JsonValue value, JsonValue to)
    {
        if (attribute.Type == ScimType.Boolean)
        {
            return Truth(value) is { } is_ && Truth(to) is { } wanted && is_ == wanted == (how == ScimOperator.Eq);
        }

        if (value.GetValueKind() != JsonValueKind.String || to.GetValueKind() != JsonValueKind.String)
        {
            return how == ScimOperator.Ne;
        }

        var (one, other) = (value.GetValue<string>(), to.GetValue<string>());
        if (attribute.Type == ScimType.DateTime && Time(one) is { } at && Time(other) is { } moment)
        {
            return Ordered(how, at.CompareTo(moment));
        }

        if (!attribute.CaseExact)
        {
            (one, other) = (one.ToLowerInvariant(), other.ToLowerInvariant());
        }

        return how switch
        {
            ScimOperator.Co => one.Contains(other, StringComparison.Ordinal),
            ScimOperator.Sw => one.StartsWith(other, StringComparison.Ordinal),
            ScimOperator.Ew => one.EndsWith(other, StringComparison.Ordinal),
            _ => Ordered(how, string.CompareOrdinal(one, other)),
        };
    }

    /// <summary>A truth, also where it is written as a text, as Entra ID does; null when it is none.</summary>
    public static bool? Truth(JsonNode? node) => node?.GetValueKind() switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.String when bool.TryParse(node.GetValue<string>(), out var truth) => truth,
        _ => null,
    };

    /// <summary>A moment (xsd:dateTime); null when it is none.</summary>
    public static DateTimeOffset? Time(string text) =>
        DateTimeOffset.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    private static bool Ordered(ScimOperator how, int order) => how switch
    {
        ScimOperator.Eq => order == 0,
        ScimOperator.Ne => order != 0,
        ScimOperator.Gt => order > 0,
        ScimOperator.Ge => order >= 0,
        ScimOperator.Lt => order < 0,
        ScimOperator.Le => order <= 0,
        _ => false,
    };
}
