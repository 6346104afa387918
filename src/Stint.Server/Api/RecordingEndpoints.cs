using System.Globalization;
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
using Stint.Server.Store;

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
internal sealed record StatementShape(string Session, string Subject, string Role, string Request, long Seq, DateTimeOffset At, string? Text, JsonElement Record);

/// <summary>What was done in sessions, statement for statement.</summary>
internal static class RecordingEndpoints
{
    private const int MostRecords = 500;
    private const int SessionsOfOnePage = 50;
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/sessions/{id}/records", RecordsAsync)
            .Describe("listRecords", "What was recorded in a session", "At most 500 records from the place `from` on, in their order; with `wait_seconds` (at most 60) it answers when there is something to tell. Recordings stand with the node that carried the session.", typeof(RecordsShape), 200, 404, 409, 422);
        api.MapGet("/statements", StatementsAsync)
            .Describe("searchStatements", "Statements across recordings", "By text, person, table, resource and time; newest session first. `next` may come with no items: there is more to look through.", typeof(ListOf<StatementShape>), 200, 422);
    }

    private static async Task<IResult> RecordsAsync(
        Caller caller,
        FindSessions find,
        NodeState node,
        ServerOptions options,
        TimeProvider time,
        string id,
        long? from,
        [FromQuery(Name = "wait_seconds")] int? waitSeconds,
        CancellationToken cancellation)
    {
        if (Answers.WrongWait(waitSeconds) is { } problem)
        {
            return problem;
        }

        var began = time.GetTimestamp();
        while (true)
        {
            // NB. The session is read before its file: one that is over then has nothing more to come.
            var outcome = await find.GetAsync(caller.Id, new SessionId(id), cancellation);
            if (outcome is not Outcome<Session>.Done { Value: var session })
            {
                return outcome.Answer(Mapping.Of, ApiJson.Default.SessionShape);
            }

            var over = session.State == SessionState.Ended;
            var (items, next, missing) = Read(options, session, Math.Max(1, from ?? 1));
            if (missing && over)
            {
                return Answers.Problem(ProblemKind.Refused.Say($"This node does not have the recording; {session.Node} carried the session.", "Ask that node, or share the recordings folder."));
            }

            if (items.Count > 0 || over || node.IsDraining || time.GetElapsedTime(began) >= TimeSpan.FromSeconds(waitSeconds ?? 0))
            {
                return Results.Json(new RecordsShape(items, next, over && items.Count < MostRecords), ApiJson.Default.RecordsShape);
            }

            await Task.Delay(LookEvery, time, cancellation);
        }
    }

    private static (List<JsonElement> Items, long Next, bool Missing) Read(ServerOptions options, Session session, long from)
    {
        var items = new List<JsonElement>();
        var next = from;
        using var file = Open(options, session);
        if (file is null)
        {
            return (items, next, true);
        }

        var reader = new RecordingReader(file);
        while (items.Count < MostRecords && reader.Next() is { } record)
        {
            if (record.Seq >= from)
            {
                items.Add(Json(record));
                next = record.Seq + 1;
            }
        }

        return (items, next, false);
    }

    private static async Task<IResult> StatementsAsync(
        Caller caller,
        FindSessions find,
        ServerOptions options,
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
        var (after, skip) = (default(long?), 0);
        if (cursor is not null)
        {
            var parts = cursor.Split('-');
            if (parts.Length != 2 || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out skip) || (parts[0].Length > 0 && !Number(parts[0], out after)))
            {
                problem = Answers.Invalid([new FieldProblem("cursor", "must be the `next` of an earlier page")]);
            }
        }

        if (problem is not null)
        {
            return problem;
        }

        var filter = new SessionFilter { Subject = person is null ? null : new SubjectId(person), Resource = resource };
        var sessions = await find.ListAsync(caller.Id, filter, new Page(SessionsOfOnePage, after), cancellation);
        var query = new RecordingQuery(text, table, since, until);
        var found = new List<StatementShape>();
        var seen = 0;
        foreach (var session in sessions.Items.Where(session => !(session.StartedAt >= until) && !(session.EndedAt < since)))
        {
            using var file = Open(options, session);
            if (file is null)
            {
                continue;
            }

            foreach (var hit in RecordingSearch.Find(new RecordingReader(file), query))
            {
                cancellation.ThrowIfCancellationRequested();
                if (seen++ < skip)
                {
                    continue;
                }

                if (found.Count == page!.Limit)
                {
                    return Results.Json(new ListOf<StatementShape>(found, string.Create(CultureInfo.InvariantCulture, $"{after}-{skip + found.Count}")), ApiJson.Default.ListOfStatementShape);
                }

                var json = Json(hit.Statement);
                found.Add(new StatementShape(
                    session.Id.Value, session.Subject.Value, session.Role.ToString(), session.Request.Value, hit.Statement.Seq, hit.Statement.At,
                    json.TryGetProperty("text", out var words) && words.ValueKind == JsonValueKind.String ? words.GetString() : null, json));
            }
        }

        return Results.Json(
            new ListOf<StatementShape>(found, sessions.Next is { } older ? string.Create(CultureInfo.InvariantCulture, $"{older}-0") : null), ApiJson.Default.ListOfStatementShape);
    }

    private static bool Number(string text, out long? number)
    {
        var is64 = long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value);
        number = value;
        return is64;
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

    /// <summary>The session's recording; null when it does not stand here.</summary>
    private static FileStream? Open(ServerOptions options, Session session)
    {
        // NB. A session that was not anchored yet has no name of its file on record; the gateway names it after its day.
        // It may have begun its file on one side of midnight and its row on the other.
        var names = session.Recording is { } head
            ? [head.File]
            : new[] { 0, -1, 1 }.Select(days => $"v1/{session.StartedAt.UtcDateTime.AddDays(days).ToString("yyyy'/'MM'/'dd", CultureInfo.InvariantCulture)}/{session.Id.Value}.rec");
        foreach (var path in names.Select(name => Path.Combine(options.RecordFolder, name)))
        {
            if (File.Exists(path))
            {
                return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 64 << 10);
            }
        }

        return null;
    }
}
