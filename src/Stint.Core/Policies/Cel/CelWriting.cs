using System.Globalization;
using System.Text;

namespace Stint.Core.Policies.Cel;

/// <summary>Values and signatures as text, for people.</summary>
internal static class CelWriting
{
    /// <summary>Without quotes, as <c>%s</c> writes it.</summary>
    public static string Plain(in CelValue value) => value.Kind switch
    {
        CelKind.Null => "null",
        CelKind.Truth => value.Bits != 0 ? "true" : "false",
        CelKind.Signed => value.Bits.ToString(CultureInfo.InvariantCulture),
        CelKind.Unsigned => value.Unsigned.ToString(CultureInfo.InvariantCulture),
        CelKind.Floating => CelText.Say(value.Floating),
        CelKind.Text => value.String,
        CelKind.Timestamp => CelTime.Say(value),
        CelKind.Duration => CelTime.SayDuration(value.Bits),
        CelKind.Kind => value.Type.Name,
        CelKind.Address or CelKind.Network => value.Ref!.ToString()!,
        CelKind.Optional => value.HasInner ? $"optional({Plain(value.Inner)})" : "optional.none()",
        _ => CelType.Of(value).ToString(),
    };

    /// <summary>As a source would have it, as far as there is a way to write it.</summary>
    public static string Literal(in CelValue value)
    {
        switch (value.Kind)
        {
            case CelKind.Text:
                return CelText.Quote(value.String);
            case CelKind.Unsigned:
                return Plain(value) + "u";
            case CelKind.Floating:
                var text = CelText.Say(value.Floating);
                return text.Contains('.', StringComparison.Ordinal) || text.Contains('e', StringComparison.Ordinal) || text.Contains('n', StringComparison.Ordinal) ? text : text + ".0";
            case CelKind.Bytes:
                var bytes = new StringBuilder("b\"");
                foreach (var octet in value.Octets)
                {
                    bytes.Append(CultureInfo.InvariantCulture, $"\\x{octet:x2}");
                }

                return bytes.Append('"').ToString();
            case CelKind.Timestamp:
                return $"timestamp(\"{Plain(value)}\")";
            case CelKind.Duration:
                return $"duration(\"{Plain(value)}\")";
            case CelKind.List:
                var list = value.List;
                return $"[{string.Join(", ", Enumerable.Range(0, list.Count).Select(i => Literal(list[i])))}]";
            case CelKind.Map:
                var map = value.Map;
                return $"{{{string.Join(", ", Enumerable.Range(0, map.Count).Select(i => $"{Literal(map.KeyAt(i))}: {Literal(map.ValueAt(i))}"))}}}";
            case CelKind.Optional:
                return value.HasInner ? $"optional.of({Literal(value.Inner)})" : "optional.none()";
            case CelKind.Failure:
                return $"failed: {value.Error.Message}";
            default:
                return Plain(value);
        }
    }

    /// <summary>A call with these types, as an author would write it.</summary>
    public static string Signature(string name, bool member, IReadOnlyList<CelType> types) => name switch
    {
        "_[_]" => $"{types[0]}[{types[1]}]",
        "_[?_]" => $"{types[0]}[?{types[1]}]",
        "@in" => $"{types[0]} in {types[1]}",
        "!_" or "-_" => $"{name[0]}{types[0]}",
        ['_', .. var sign, '_'] => $"{types[0]} {sign} {types[1]}",
        _ when member => $"{types[0]}.{name}({string.Join(", ", types.Skip(1))})",
        _ => $"{name}({string.Join(", ", types)})",
    };
}
