using System.Text.Json;
using System.Text.Json.Serialization;

namespace Stint.Server.Api;

// The shapes of OpenID's Authorization API 1.0. NB. It demands that members which are not known are passed over, unlike
// the rest of the API; and what is missing is looked for by hand, for it asks for 400 and, in one of several, for a no.

/// <summary>A subject or a resource, as the asker names it.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
internal sealed record EntityBody
{
    /// <summary><c>user</c> or <c>person</c> for a subject; the resource's kind, or <c>resource</c>, for a resource.</summary>
    public string? Type { get; init; }

    /// <summary>Its name in the catalog. Not needed, and passed over, where it is what is searched for.</summary>
    public string? Id { get; init; }

    /// <summary>Read by nothing: what is held does not depend on them.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Properties { get; init; }
}

/// <summary>A role, as the asker names it.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
internal sealed record ActionBody
{
    /// <summary>Name of the role.</summary>
    public string? Name { get; init; }

    /// <summary>Read by nothing.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Properties { get; init; }
}

/// <summary>What a question and a search have in common.</summary>
internal abstract record AskedBody
{
    /// <summary>Who; around several questions, where one of them does not say it; to search for subjects, their type alone.</summary>
    public EntityBody? Subject { get; init; }

    /// <summary>Which role; around several questions, where one of them does not say it; passed over where roles are searched for.</summary>
    public ActionBody? Action { get; init; }

    /// <summary>Where; around several questions, where one of them does not say it; to search for resources, their type alone.</summary>
    public EntityBody? Resource { get; init; }

    /// <summary>Read by nothing: now is the server's now.</summary>
    public IReadOnlyDictionary<string, JsonElement>? Context { get; init; }
}

/// <summary>Whether this subject holds this role at this resource now. Inside `evaluations`, what it lacks is taken from around it.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
internal sealed record EvaluationBody : AskedBody;

/// <summary>Several questions at once, or one.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
internal sealed record EvaluationsBody : AskedBody
{
    /// <summary>The questions, at most 200; absent or empty for the one around them.</summary>
    public IReadOnlyList<EvaluationBody?>? Evaluations { get; init; }

    /// <summary>How they are answered.</summary>
    public EvaluationOptionsBody? Options { get; init; }
}

/// <summary>How several questions are answered.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
internal sealed record EvaluationOptionsBody
{
    /// <summary><c>execute_all</c> answers each; <c>deny_on_first_deny</c> ends with the first no, <c>permit_on_first_permit</c> with the first yes.</summary>
    public string? EvaluationsSemantic { get; init; }
}

/// <summary>A search: like a question, without the name of what is searched for.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
internal sealed record SearchBody : AskedBody
{
    /// <summary>Which part of what is found.</summary>
    public SearchPageBody? Page { get; init; }
}

/// <summary>Which part of what is found.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Skip)]
internal sealed record SearchPageBody
{
    /// <summary>The <c>next_token</c> of an earlier answer to the same search; absent for the first part.</summary>
    public string? Token { get; init; }

    /// <summary>Most results of the answer; 50 when absent, and never more than 200.</summary>
    public long? Limit { get; init; }
}

/// <summary>Whether it is held.</summary>
/// <param name="Decision">True when the subject has an open grant of the role now.</param>
/// <param name="Context">Which, or why not.</param>
internal sealed record DecisionShape(bool Decision, DecisionContextShape Context);

/// <summary>More about a decision. What does not apply is absent.</summary>
internal sealed record DecisionContextShape
{
    /// <summary>With a yes: the grant that lasts longest.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Grant { get; init; }

    /// <summary>With a yes: when that grant ends at the latest. It may be taken away before.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? NotAfter { get; init; }

    /// <summary>With a no: one sentence, the same whatever is behind it.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Reason { get; init; }

    /// <summary>With a no to one of several questions: it could not be read.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DecisionErrorShape? Error { get; init; }
}

/// <summary>Why one of several questions could not be read.</summary>
internal sealed record DecisionErrorShape(int Status, string Message);

/// <summary>The answers to several questions.</summary>
/// <param name="Evaluations">In the order of the questions; fewer than those when the answering ended early.</param>
internal sealed record DecisionsShape(IReadOnlyList<DecisionShape> Evaluations);

/// <summary>Where what was found goes on.</summary>
/// <param name="NextToken">Give it as <c>page.token</c> of the same search for what follows; empty when nothing does.</param>
/// <param name="Count">Results of this answer.</param>
internal sealed record FoundPageShape(string NextToken, int Count);

/// <summary>A subject or a resource that was found, of the type that was asked for.</summary>
internal sealed record EntityShape(string Type, string Id);

/// <summary>A role that was found.</summary>
internal sealed record ActionShape(string Name);

/// <summary>Subjects or resources that were found.</summary>
/// <param name="Page">Where it goes on.</param>
/// <param name="Results">In the order of their names.</param>
internal sealed record FoundEntitiesShape(FoundPageShape Page, IReadOnlyList<EntityShape> Results);

/// <summary>Roles that were found.</summary>
/// <param name="Page">Where it goes on.</param>
/// <param name="Results">In the order of their names.</param>
internal sealed record FoundActionsShape(FoundPageShape Page, IReadOnlyList<ActionShape> Results);

/// <summary>Where the Authorization API is.</summary>
/// <param name="PolicyDecisionPoint">This server's address.</param>
/// <param name="AccessEvaluationEndpoint">For one question.</param>
/// <param name="AccessEvaluationsEndpoint">For several.</param>
/// <param name="SearchSubjectEndpoint">Who holds a role.</param>
/// <param name="SearchResourceEndpoint">Where a subject holds a role.</param>
/// <param name="SearchActionEndpoint">Which roles a subject holds.</param>
internal sealed record AuthzenShape(
    string PolicyDecisionPoint,
    string AccessEvaluationEndpoint,
    string AccessEvaluationsEndpoint,
    string SearchSubjectEndpoint,
    string SearchResourceEndpoint,
    string SearchActionEndpoint);
