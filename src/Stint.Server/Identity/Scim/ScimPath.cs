namespace Stint.Server.Identity.Scim;

/// <summary>An attribute, or a part of one, found in the schemas of a type of resource.</summary>
/// <param name="Extension">Whether it belongs to the extension.</param>
/// <param name="Attribute">The attribute; null for the extension as a whole.</param>
/// <param name="Part">The part of it; null for the whole.</param>
internal sealed record ScimPath(bool Extension, ScimAttribute? Attribute, ScimAttribute? Part)
{
    /// <summary>What is compared: the part; for something of many parts its value.</summary>
    public ScimAttribute? Leaf => Part ?? (Attribute is { Type: ScimType.Complex } complex ? complex.Part("value") : Attribute);

    /// <summary>Reads <c>userName</c>, <c>name.givenName</c>, or either with the schema's URN and a colon before it.</summary>
    /// <returns>Null when the type has no such attribute.</returns>
    public static ScimPath? Find(ScimKind kind, string text)
    {
        foreach (var schema in new[] { kind.Core, kind.Extension }.OfType<ScimSchema>())
        {
            if (text.Equals(schema.Id, StringComparison.OrdinalIgnoreCase))
            {
                return schema == kind.Extension ? new ScimPath(true, null, null) : null;
            }

            if (text.Length > schema.Id.Length && text[schema.Id.Length] is ':' && text.StartsWith(schema.Id, StringComparison.OrdinalIgnoreCase))
            {
                return Find(schema, schema == kind.Extension, text[(schema.Id.Length + 1)..]);
            }
        }

        return Find(kind.Core, false, text);
    }

    /// <summary>The same for a name below an attribute, as in a filter in brackets.</summary>
    public static ScimPath? Below(ScimAttribute attribute, string text) => attribute.Part(text) is { } part ? new ScimPath(false, part, null) : null;

    private static ScimPath? Find(ScimSchema schema, bool extension, string text)
    {
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        if (schema.Find(dot < 0 ? text : text[..dot]) is not { } attribute)
        {
            return null;
        }

        return dot < 0 ? new ScimPath(extension, attribute, null)
            : attribute.Part(text[(dot + 1)..]) is { } part ? new ScimPath(extension, attribute, part)
            : null;
    }
}
