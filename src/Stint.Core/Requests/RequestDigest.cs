using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Stint.Core.Approvals;
using Stint.Core.Policies;

namespace Stint.Core.Requests;

/// <summary>What an approver says yes to, in 64 characters.</summary>
public static class RequestDigest
{
    /// <summary>SHA-256, in lower-case hexadecimal, over the canonical JSON of the asking.</summary>
    /// <param name="request">The request as it was asked; its <see cref="Request.Digest"/> is not looked at.</param>
    public static string Of(Request request) => Convert.ToHexStringLower(SHA256.HashData(Canonical(request).Span));

    /// <summary>The bytes that are hashed: one JSON object without white space, its members in this order, each always there.</summary>
    /// <remarks>
    /// <c>id subject role for_seconds reason ticket start_at extends steps distinct catalog_version</c>; a step is
    /// <c>name from need approvers</c>. Where a step says so, <c>escalate</c> (<c>after_seconds to approvers</c>) and
    /// <c>not_for_reports</c> and <c>step_up</c> follow, then <c>sequential</c> where the steps have an order, and <c>recurrence</c> or <c>occurrence_of</c> before <c>catalog_version</c> where it is a series or of one: an
    /// asking without them has the bytes that it always had. So has one without <c>break_glass</c>, which stands before <c>steps</c> where it is so, and one without <c>task</c> before that, and one without <c>claims</c>, names and values in the order of the names, before that, and one without <c>authorization_details</c>, as <see cref="ExactStatements.Text"/> writes them, before that. Absent values are <c>null</c>, times are UTC with six digits behind the second,
    /// characters outside of ASCII are escaped.
    /// </remarks>
    public static ReadOnlyMemory<byte> Canonical(Request request)
    {
        var needs = request.Verdict as Verdict.NeedsApproval;
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("id", request.Id.Value);
            json.WriteString("subject", request.Subject.Value);
            json.WriteString("role", request.Role.ToString());
            json.WriteNumber("for_seconds", (long)request.For.TotalSeconds);
            json.WriteString("reason", request.Reason);
            json.WriteString("ticket", request.Ticket);
            json.WriteString("start_at", request.StartAt?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture));
            json.WriteString("extends", request.Extends?.Value);
            if (request.Statements is { } statements)
            {
                // NB. An approver says yes to these texts and to no others.
                json.WritePropertyName("authorization_details");
                json.WriteRawValue(statements.Text);
            }

            if (request.Claims is { } claims)
            {
                // NB. An approver says yes to what this run of the job is: its repository, its ref, its environment.
                json.WriteStartObject("claims");
                foreach (var (name, value) in claims.OrderBy(claim => claim.Key, StringComparer.Ordinal))
                {
                    json.WriteString(name, value);
                }

                json.WriteEndObject();
            }

            if (request.Task is { } task)
            {
                json.WriteString("task", task);
            }

            if (request.BreakGlass)
            {
                json.WriteBoolean("break_glass", true);
            }

            WriteSteps(json, needs);
            if (request.Recurrence is { } series)
            {
                json.WriteString("recurrence", series.Text);
            }

            if (request.OccurrenceOf is { } of)
            {
                json.WriteString("occurrence_of", of.Value);
            }

            json.WriteString("catalog_version", request.CatalogVersion);
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    /// <summary>Writes <c>steps distinct</c> and, where the steps have an order, <c>sequential</c>.</summary>
    internal static void WriteSteps(Utf8JsonWriter json, Verdict.NeedsApproval? needs)
    {
        json.WriteStartArray("steps");
        foreach (var step in needs?.Steps ?? [])
        {
            json.WriteStartObject();
            json.WriteString("name", step.Name);
            json.WriteString("from", step.From);
            json.WriteNumber("need", step.Need);
            json.WriteStartArray("approvers");
            foreach (var person in step.Approvers)
            {
                json.WriteStringValue(person.Value);
            }

            json.WriteEndArray();
            if (step.Escalate is { } escalate)
            {
                // NB. Who could be asked later stands in what the first approver sees: escalating changes no digest.
                json.WriteStartObject("escalate");
                json.WriteNumber("after_seconds", (long)escalate.After.TotalSeconds);
                json.WriteString("to", escalate.To);
                json.WriteStartArray("approvers");
                foreach (var person in escalate.Approvers)
                {
                    json.WriteStringValue(person.Value);
                }

                json.WriteEndArray();
                json.WriteEndObject();
            }

            if (step.NotForReports)
            {
                json.WriteBoolean("not_for_reports", true);
            }

            if (StepUps.Word(step.StepUp) is { } stepUp)
            {
                json.WriteString("step_up", stepUp);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteBoolean("distinct", needs?.Distinct ?? false);
        if (needs?.Sequential == true)
        {
            json.WriteBoolean("sequential", true);
        }
    }
}
