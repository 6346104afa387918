using System.Text.Json.Nodes;
using Stint.Server.Store;

namespace Stint.Server.Identity.Scim;

/// <summary>Filters as conditions on columns that have an index, where they can be.</summary>
internal sealed class ScimSql(ScimKind kind, Db db)
{
    private readonly List<object?> _args = [];

    /// <summary>A condition that every resource fulfils which fulfils the filter.</summary>
    /// <returns>The condition, and whether it says as much as the filter; everything when no column helps.</returns>
    public static (DirectoryWhere Where, bool Exact) Compile(ScimKind kind, Db db, ScimFilter? filter)
    {
        if (filter is null)
        {
            return (DirectoryWhere.All, true);
        }

        var sql = new ScimSql(kind, db);
        return sql.Of(filter) is var (text, exact) ? (new DirectoryWhere(text, sql._args), exact) : (DirectoryWhere.All, false);
    }

    /// <summary>The column that a sorting is by; null when there is none.</summary>
    public static string? Sort(ScimKind kind, ScimPath path) => Name(path) switch
    {
        "id" => "id",
        "externalId" => "external_id",
        "meta.created" => "created_at",
        "meta.lastModified" => "changed_at",
        "displayName" => "display_key",
        "userName" when kind == ScimKind.User => "user_key",
        "name.givenName" => "given_key",
        "name.familyName" => "family_key",
        "title" => "title_key",
        "userType" => "type_key",
        "department" => "department_key",
        "employeeNumber" => "employee_key",
        _ => null,
    };

    public static string Name(ScimPath path) => path.Part is null ? path.Attribute?.Name ?? "" : $"{path.Attribute!.Name}.{path.Part.Name}";

    private (string Sql, bool Exact)? Of(ScimFilter filter)
    {
        switch (filter)
        {
            case ScimFilter.And and:
                return (Of(and.One), Of(and.Other)) switch
                {
                    ({ } one, { } other) => ($"({one.Sql} AND {other.Sql})", one.Exact && other.Exact),
                    ({ } one, null) => (one.Sql, false),
                    (null, { } other) => (other.Sql, false),
                    _ => null,
                };
            case ScimFilter.Or or:
                return Of(or.One) is { } left && Of(or.Other) is { } right ? ($"({left.Sql} OR {right.Sql})", left.Exact && right.Exact) : null;
            case ScimFilter.Not { Of: ScimFilter.Compare { Operator: ScimOperator.Eq or ScimOperator.Ne, Path.Attribute.Name: "active", Value: not null } active }:
                return Compare(active with { Operator = active.Operator == ScimOperator.Eq ? ScimOperator.Ne : ScimOperator.Eq });
            case ScimFilter.Not not:
                // NB. What says too much says too little once it is turned round.
                return Of(not.Of) is { Exact: true } inner ? ($"({inner.Sql} IS NOT TRUE)", true) : null;
            case ScimFilter.Among { Path.Attribute.Name: "emails" } among:
                return Mail(among.Of) is { } mail ? (mail, false) : null;
            case ScimFilter.Among { Path.Attribute.Name: "members" } members when members.Of is ScimFilter.Compare { Operator: ScimOperator.Eq, Path.Attribute.Name: "value", Value: { } id }:
                return (Member(id), true);
            case ScimFilter.Compare compare:
                return Compare(compare);
            default:
                return null;
        }
    }

    private (string Sql, bool Exact)? Compare(ScimFilter.Compare compare)
    {
        var name = Name(compare.Path);
        if (name is "emails" or "emails.value")
        {
            return compare.Operator == ScimOperator.Pr && name == "emails.value" ? ("mail_keys IS NOT NULL", true) : Mail(compare) is { } mail ? (mail, true) : null;
        }

        if (kind == ScimKind.Group && name is "members" or "members.value")
        {
            return compare is { Operator: ScimOperator.Eq, Value: { } id } ? (Member(id), true)
                : compare.Operator == ScimOperator.Pr ? ("EXISTS (SELECT 1 FROM directory_members WHERE group_id = directory_groups.id)", true)
                : null;
        }

        if (kind == ScimKind.User && name is "groups" or "groups.value" or "groups.display" && compare is { Operator: not (ScimOperator.Pr or ScimOperator.Ne), Value: { } which })
        {
            return name != "groups.display" ? compare.Operator == ScimOperator.Eq ? ($"id IN (SELECT member_id FROM directory_members WHERE group_id = {Arg(which.ToString())})", true) : null
                : ($"id IN (SELECT member_id FROM directory_members WHERE group_id IN (SELECT id FROM directory_groups WHERE {Text("display_key", compare.Operator, which.ToString().ToLowerInvariant())}))", true);
        }

        if (name == "active")
        {
            return compare is { Operator: ScimOperator.Eq or ScimOperator.Ne, Value: { } truth }
                ? ($"active = {(ScimValues.Truth(truth) == true == (compare.Operator == ScimOperator.Eq) ? 1 : 0)}", true)
                : null;
        }

        var column = name is "manager" or "manager.value" ? "manager_id" : Sort(kind, compare.Path);
        if (column is null)
        {
            return null;
        }

        if (compare.Operator == ScimOperator.Pr)
        {
            return ($"{column} IS NOT NULL", true);
        }

        if (compare.Value is null)
        {
            return compare.Operator is ScimOperator.Eq or ScimOperator.Ne ? ($"{column} IS {(compare.Operator == ScimOperator.Eq ? "" : "NOT ")}NULL", true) : null;
        }

        var text = compare.Value.ToString();
        if (column is "created_at" or "changed_at")
        {
            // NB. The store keeps whole microseconds: a moment between two of them is not one that columns can be held against.
            var moment = ScimValues.Time(text)!.Value;
            return moment == Stored.Round(moment) ? ($"{column} {Symbol(compare.Operator)} {Arg(Stored.Micros(moment))}", true) : null;
        }

        var exactCase = compare.Path.Leaf!.CaseExact;
        text = exactCase ? text : text.ToLowerInvariant();
        return (Text(column, compare.Operator, text), true);
    }

    private string Text(string column, ScimOperator how, string text) => how switch
    {
        ScimOperator.Ne => $"(({column} = {Arg(text)}) IS NOT TRUE)",
        ScimOperator.Sw => $"({column} >= {Arg(text)} AND {column} < {Arg(text + "\U0010FFFF")})",
        ScimOperator.Co => db.Holds(column, Arg(text)),
        ScimOperator.Ew => $"({db.EndsWith(column, Arg(text))})",
        _ => $"{column} {Symbol(how)} {Arg(text)}",
    };

    private string? Mail(ScimFilter filter) => filter switch
    {
        ScimFilter.And and => Mail(and.One) ?? Mail(and.Other),
        ScimFilter.Compare { Value: { } value, Operator: var how, Path: var path } when Name(path) is "value" or "emails" or "emails.value" && !value.ToString().Contains('\n', StringComparison.Ordinal) => how switch
        {
            ScimOperator.Eq when value.ToString().Length > 0 => $"id IN (SELECT user_id FROM directory_mails WHERE mail_key = {Arg(value.ToString().ToLowerInvariant())})",
            ScimOperator.Sw when value.ToString().Length > 0 => $"id IN (SELECT user_id FROM directory_mails WHERE mail_key >= {Arg(value.ToString().ToLowerInvariant())} AND mail_key < {Arg(value.ToString().ToLowerInvariant() + "\U0010FFFF")})",
            ScimOperator.Eq => db.Holds("mail_keys", Arg("\n\n")),
            ScimOperator.Sw => "mail_keys IS NOT NULL",
            ScimOperator.Ew => db.Holds("mail_keys", Arg($"{value.ToString().ToLowerInvariant()}\n")),
            ScimOperator.Co => db.Holds("mail_keys", Arg(value.ToString().ToLowerInvariant())),
            _ => null,
        },
        _ => null,
    };

    private string Member(JsonValue id) => $"id IN (SELECT group_id FROM directory_members WHERE member_id = {Arg(id.ToString())})";

    private static string Symbol(ScimOperator how) => how switch
    {
        ScimOperator.Eq => "=",
        ScimOperator.Ne => "<>",
        ScimOperator.Gt => ">",
        ScimOperator.Ge => ">=",
        ScimOperator.Lt => "<",
        ScimOperator.Le => "<=",
        _ => throw new InvalidOperationException($"{how} has no symbol."),
    };

    private string Arg(object? value)
    {
        _args.Add(value);
        return $"${_args.Count}";
    }
}
