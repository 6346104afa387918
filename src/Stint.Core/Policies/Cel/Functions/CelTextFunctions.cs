using static Stint.Core.Policies.Cel.CelLibrary;
using static Stint.Core.Policies.Cel.CelType;

namespace Stint.Core.Policies.Cel;

/// <summary>The strings extension: positions count code points from 0.</summary>
internal static class CelTextFunctions
{
    public static IEnumerable<CelOverload> All()
    {
        var text = CelType.String;
        yield return On("charAt", text, (f, a) => Sub(f, a[0].String, a[1].Bits, Math.Min(a[1].Bits + 1, CelText.Length(a[0].String))), text, Int);
        yield return On("indexOf", Int, (f, a) => IndexOf(f, a[0].String, a[1].String, 0), text, text);
        yield return On("indexOf", Int, (f, a) => IndexOf(f, a[0].String, a[1].String, a[2].Bits), text, text, Int);
        yield return On("lastIndexOf", Int, (f, a) => LastIndexOf(f, a[0].String, a[1].String, CelText.Length(a[0].String)), text, text);
        yield return On("lastIndexOf", Int, (f, a) => LastIndexOf(f, a[0].String, a[1].String, a[2].Bits), text, text, Int);
        yield return On("substring", text, (f, a) => Sub(f, a[0].String, a[1].Bits, CelText.Length(a[0].String)), text, Int);
        yield return On("substring", text, (f, a) => Sub(f, a[0].String, a[1].Bits, a[2].Bits), text, Int, Int);
        yield return On("lowerAscii", text, (_, a) => CelValue.From(CelText.MapAscii(a[0].String, false)), text);
        yield return On("upperAscii", text, (_, a) => CelValue.From(CelText.MapAscii(a[0].String, true)), text);
        yield return On("trim", text, (_, a) => CelValue.From(CelText.Trim(a[0].String)), text);
        yield return On("reverse", text, (_, a) => CelValue.From(CelText.Reverse(a[0].String)), text);
        yield return On("replace", text, (f, a) => Replace(f, a[0].String, a[1].String, a[2].String, -1), text, text, text);
        yield return On("replace", text, (f, a) => Replace(f, a[0].String, a[1].String, a[2].String, a[3].Bits), text, text, text, Int);
        yield return On("split", CelType.List(text), (f, a) => Split(f, a[0].String, a[1].String, -1), text, text);
        yield return On("split", CelType.List(text), (f, a) => Split(f, a[0].String, a[1].String, a[2].Bits), text, text, Int);
        yield return On("join", text, (f, a) => Join(f, a[0].List, ""), CelType.List(text));
        yield return On("join", text, (f, a) => Join(f, a[0].List, a[1].String), CelType.List(text), text);
        yield return On("format", text, (f, a) => CelFormat.Format(f, a[0].String, a[1].List), text, CelType.List(Dyn));
        yield return Of("strings.quote", text, (f, a) => a[0].String.Length * 2 > f.Limits.Text ? CelOperators.TooLong(f) : CelValue.From(CelText.Quote(a[0].String)), text);
    }

    private static CelValue OutOf(CelInputs frame, long index) => frame.Fail(CelErrorCode.BadValue, $"the position {index} lies outside of the text; ask for its size() before");

    private static CelValue Sub(CelInputs frame, string text, long from, long to)
    {
        var (start, end) = (CelText.UnitOf(text, from), CelText.UnitOf(text, to));
        return start < 0 ? OutOf(frame, from)
            : end < 0 ? OutOf(frame, to)
            : end < start ? frame.Fail(CelErrorCode.BadValue, $"the text from {from} to {to} ends before it begins; turn the two round")
            : CelValue.From(text[start..end]);
    }

    private static CelValue IndexOf(CelInputs frame, string text, string part, long from)
    {
        var start = CelText.UnitOf(text, from);
        if (start < 0)
        {
            return OutOf(frame, from);
        }

        var found = text.IndexOf(part, start, StringComparison.Ordinal);
        return CelValue.From(found < 0 ? -1 : CelText.PointOf(text, found));
    }

    private static CelValue LastIndexOf(CelInputs frame, string text, string part, long from)
    {
        var start = CelText.UnitOf(text, from);
        if (start < 0)
        {
            return OutOf(frame, from);
        }

        var found = text.AsSpan(0, Math.Min(text.Length, start + part.Length)).LastIndexOf(part, StringComparison.Ordinal);
        return CelValue.From(part.Length == 0 ? from : found < 0 ? -1 : CelText.PointOf(text, found));
    }

    private static CelValue Replace(CelInputs frame, string text, string old, string by, long most)
    {
        if (most == 0)
        {
            return CelValue.From(text);
        }

        var made = new System.Text.StringBuilder();
        var at = 0;
        for (var done = 0L; most < 0 || done < most; done++)
        {
            // An empty text stands before every character and at the end.
            var found = old.Length > 0 ? text.IndexOf(old, at, StringComparison.Ordinal) : done == 0 ? 0 : at < text.Length ? at + (char.IsHighSurrogate(text[at]) ? 2 : 1) : -1;
            if (found < 0 || found > text.Length)
            {
                break;
            }

            made.Append(text, at, found - at).Append(by);
            at = found + old.Length;
            if (made.Length > frame.Limits.Text)
            {
                return CelOperators.TooLong(frame);
            }

            if (!frame.Charge(1))
            {
                return frame.TooMany();
            }
        }

        made.Append(text, at, text.Length - at);
        return made.Length > frame.Limits.Text ? CelOperators.TooLong(frame) : CelValue.From(made.ToString());
    }

    private static CelValue Split(CelInputs frame, string text, string by, long most)
    {
        var parts = new List<CelValue>();
        var at = 0;
        while (most != 0)
        {
            var next = by.Length > 0 ? text.IndexOf(by, at, StringComparison.Ordinal) : at < text.Length ? at + (char.IsHighSurrogate(text[at]) ? 2 : 1) : -1;
            if (next < 0 || (by.Length == 0 && next >= text.Length) || (most > 0 && parts.Count == most - 1))
            {
                if (by.Length > 0 || at < text.Length)
                {
                    parts.Add(CelValue.From(text[at..]));
                }

                break;
            }

            parts.Add(CelValue.From(text[at..next]));
            at = next + by.Length;
            if (parts.Count > frame.Limits.Elements)
            {
                return CelOperators.TooMany(frame);
            }

            if (!frame.Charge(1))
            {
                return frame.TooMany();
            }
        }

        return CelValue.From(CelList.Of([.. parts]));
    }

    private static CelValue Join(CelInputs frame, CelList list, string between)
    {
        var made = new System.Text.StringBuilder();
        for (var i = 0; i < list.Count; i++)
        {
            var one = list[i];
            if (one.Kind != CelKind.Text)
            {
                return frame.Fail(CelErrorCode.NoSuchOverload, $"join() takes a list of strings, and one element is a {CelType.Of(one)}");
            }

            made.Append(i == 0 ? "" : between).Append(one.String);
            if (made.Length > frame.Limits.Text)
            {
                return CelOperators.TooLong(frame);
            }
        }

        return frame.Charge(made.Length >> 4) ? CelValue.From(made.ToString()) : frame.TooMany();
    }
}
