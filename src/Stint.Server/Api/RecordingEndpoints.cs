using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stint.Core;
using Stint.Core.Sessions;
using Stint.Server.Hosting;
using Stint.Server.Identity;
using Stint.Server.Sessions;

namespace Stint.Server.Api;

/// <summary>A statement that was found.</summary>
/// <param name="Session">In which session.</param>
/// <param name="Subject">Who ran it.</param>
/// <param name="Role">At what.</param>
/// <param name="Request">Under which request.</param>
/// <param name="Seq">Its place in the recording.</param>
/// <param name="At">When it was sent on.</param>
/// <param name="Text">Its text; null when a cursor was executed that no record knows.</param>
/// <param name="Record">The whole record.</param>
/// <param name="Results">What became of it, as recorded; empty while it runs, or when the session ended before.</param>
internal sealed record StatementShape(string Session, string Subject, string Role, string Request, long Seq, DateTimeOffset At, string? Text, JsonElement Record, IReadOnlyList<JsonElement> Results);

/// <summary>A page of statements.</summary>
/// <param name="Items">Newest session first, in the order of each session.</param>
/// <param name="Next">Give it as <c>cursor</c> for what follows; null when everything was looked through.</param>
/// <param name="Unread">Sessions whose recording this node does not have, or cannot read whole.</param>
internal sealed record StatementsShape(IReadOnlyList<StatementShape> Items, string? Next, IReadOnlyList<string> Unread);

/// <summary>What was done in sessions, statement for statement.</summary>
internal static class RecordingEndpoints
{
    private const int MostRecords = 500;

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/sessions/{id}/records", RecordsAsync)
            .Describe("listRecords", "What was recorded in a session", "At most 500 records from the place `from` on, in their order; with `wait_seconds` (at most 60) it answers when there is something to tell. For the holder, owners of the resource, auditors and admins. Recordings stand with the node that carried the session; what a linked gateway node has is brought here when it is read.", typeof(RecordsShape), 200, 404, 409, 422);
        api.MapGet("/statements", StatementsAsync)
            .Describe("searchStatements", "Statements across recordings", "By text, person, table, resource and time; newest session first. `next` may come with no items: there is more to look through. One's own; with `resource`, those of a resource that one owns; everything for admins and auditors.", typeof(StatementsShape), 200, 422);
    }

    private static async Task<IResult> RecordsAsync(
        Caller caller,
        ReadRecording read,
        NodeState node,
        string id,
        long? from,
        [FromQuery(Name = "wait_seconds")] int? waitSeconds,
        CancellationToken cancellation)
    {
        if (Answers.WrongWait(waitSeconds) is { } problem)
        {
            return problem;
        }

        if (from < 1)
        {
            return Answers.Invalid([new FieldProblem("from", "must be 1 or more: the first record is 1")]);
        }

        var outcome = await Answers.WaitAsync(
            waitSeconds,
            node,
            (wait, token) => read.ReadAsync(caller.Id, new SessionId(id), from ?? 1, MostRecords, wait, token),
            token => read.ReadAsync(caller.Id, new SessionId(id), from ?? 1, MostRecords, TimeSpan.Zero, token),
            cancellation);
        return outcome.Answer(
            part => new RecordsShape([.. part.Records.Select(Json)], part.Next, part.Ended, part.Fault),
            ApiJson.Default.RecordsShape);
    }

    private static async Task<IResult> StatementsAsync(
        Caller caller,
        FindStatements find,
        string? text,
        string? person,
        string? table,
        string? resource,
        DateTimeOffset? since,
        DateTimeOffset? until,
        int? limit,
        string? cursor,
        CancellationToken cancellation)
    {
        var (page, problem) = Answers.PageOf(limit, null);
        var place = cursor is null ? null : StatementPlace.Parse(cursor);
        if (problem is null && cursor is not null && place is null)
        {
            problem = Answers.Invalid([new FieldProblem("cursor", "must be the `next` of an earlier page")]);
        }

        if (problem is not null)
        {
            return problem;
        }

        var query = new StatementQuery { Text = text, Table = table, Person = person is null ? null : new SubjectId(person), Resource = resource, Since = since, Until = until };
        var found = await find.FindAsync(caller.Id, query, page!.Limit, place, cancellation);
        return Results.Json(
            new StatementsShape([.. found.Items.Select(Of)], found.Next?.ToString(), [.. found.Unread.Select(session => session.Value)]),
            ApiJson.Default.StatementsShape);
    }

    private static StatementShape Of(FoundStatement found)
    {
        var (session, statement) = (found.Session, found.Hit.Statement);
        var json = Json(statement);
        return new StatementShape(
            session.Id.Value,
            session.Subject.Value,
            session.Role.ToString(),
            session.Request.Value,
            statement.Seq,
            statement.At,
            json.TryGetProperty("text", out var words) && words.ValueKind == JsonValueKind.String ? words.GetString() : null,
            json,
            [.. found.Hit.Results.Select(Json)]);
    }

    private static JsonElement Json(RecordingRecord record)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            RecordingJson.Write(writer, record);
        }

        using var document = JsonDocument.Parse(buffer.WrittenMemory);
        return document.RootElement.Clone();
    }
}
