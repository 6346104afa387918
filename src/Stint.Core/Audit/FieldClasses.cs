using System.Collections.Frozen;

namespace Stint.Core.Audit;

/// <summary>How far the value of a field may go.</summary>
public enum FieldClass
{
    /// <summary>Says nothing about anybody: hashes, counts, sizes, versions.</summary>
    Public = 1,

    /// <summary>Names of systems, roles, rules and their settings.</summary>
    Internal = 2,

    /// <summary>Says who somebody is, where they are, or what they wrote.</summary>
    Personal = 3,

    /// <summary>Never leaves: replaced before it is hashed. What a field is that the table does not name.</summary>
    Secret = 4,
}

/// <summary>The one table of what may stand in a fact. A name that is missing here is a secret, at every depth of a nested value.</summary>
public static class FieldClasses
{
    /// <summary>What stands in a body in place of a value that must not leave.</summary>
    public const string Withheld = "[secret]";

    private static readonly FrozenDictionary<string, FieldClass> Table = new Dictionary<FieldClass, string>
    {
        [FieldClass.Public] =
            """
            request grant occurrence_of assignment session catalog previous digest saw recording records statements bytes bytes_in
            bytes_out rows size count version format yes key known met attempts late_ms drift_count
            at start_at not_before not_after ends_by opens_from lapses_at until for_seconds max_seconds default_seconds shortened_to_seconds
            lapses_after_seconds begin_within_seconds opening state outcome allowed need missing distinct sequential not_for_reports remind_after_seconds after_seconds delegation offer instead_of record hash index left_out
            change number commit dirty
            requests review break_glass within_seconds report
            user group sign_in cli
            step_up proof proved_at credential public_key authenticator_data signature nonce
            any_parameters times
            serial fingerprint authority
            """,
        [FieldClass.Internal] =
            """
            role roles resource resources kind rule rules by_rule files policy decided_by trace because remedy verdict terms step steps
            from_step recurrence workflow joins extends account login via cause escalate to node reason_code file name drift error guarantee database
            type sender tls labels bundle listener protocol setting mode issuer prefix scope token_id principals attributes previous_name client_data
            """,
        [FieldClass.Personal] =
            """
            authorization_details sql parameters claims told reviewers task subject by for delegate person persons approvers author could from application reason comment note ticket holder requester host added removed
            """,
    }
        .SelectMany(row => row.Value.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(name => (name, row.Key)))
        .ToFrozenDictionary(pair => pair.name, pair => pair.Key, StringComparer.Ordinal);

    /// <summary>Every classified name with its class.</summary>
    public static IReadOnlyDictionary<string, FieldClass> All => Table;

    /// <summary>The class of a name; <see cref="FieldClass.Secret"/> for one that nobody classified.</summary>
    public static FieldClass Of(string field) => Table.GetValueOrDefault(field, FieldClass.Secret);
}
