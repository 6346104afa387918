using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stint.Core;
using Stint.Core.Sessions;
using Stint.Server.Catalog;
using Stint.Server.Identity;
using Stint.Server.Sessions;
using Stint.Server.Store;
using Stint.Server.Web.Pages;

namespace Stint.Server.Web;

/// <summary>Who is, and was, at which target, and what they said there.</summary>
internal sealed class SessionPages(MarkPages marks, FindSessions find, ReadRecording read, FindStatements statements, KillSession kill)
{
    private const int PerPage = 50, MostLines = 400, MostFound = 50;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/sessions", (HttpContext context, Caller caller, SessionPages pages, string? who, string? resource, string? before) => pages.ListAsync(context, caller, who, resource, before)).Page();
        routes.MapGet("/sessions/statements", (HttpContext context, Caller caller, SessionPages pages) => pages.SearchAsync(context, caller)).Page();
        routes.MapGet("/sessions/{id}", (HttpContext context, Caller caller, SessionPages pages, string id, string? q, long? from) => pages.PageAsync(context, caller, new SessionId(id), q ?? "", from ?? 1)).Page();
        routes.MapGet("/sessions/{id}/lines", (HttpContext context, Caller caller, SessionPages pages, string id, long? from) => pages.MoreAsync(context, caller, new SessionId(id), from ?? 1)).Page();
        routes.MapPost("/sessions/{id}/stop", (HttpContext context, Caller caller, SessionPages pages, string id) => pages.StopAsync(context, caller, new SessionId(id))).Page();
    }

    private async Task<IResult> ListAsync(HttpContext context, Caller caller, string? who, string? resource, string? before)
    {
        var cancellation = context.RequestAborted;
        var reader = await Reader.OfAsync(caller, marks, new PageFocus(), cancellation);
        var filter = new SessionFilter { Subject = who is { Length: > 0 } ? new SubjectId(who) : null, Resource = resource is { Length: > 0 } ? resource : null };
        var older = long.TryParse(before, NumberStyles.None, CultureInfo.InvariantCulture, out var seq) ? seq : (long?)null;
        var live = older is null ? (await find.ListAsync(caller.Id, filter with { Live = true }, new Page(PerPage), cancellation)).Items : [];
        var ended = await find.ListAsync(caller.Id, filter with { Live = false }, new Page(PerPage, older), cancellation);
        return PageResult.Of<SessionList>(new Dictionary<string, object?>
        {
            [nameof(SessionList.Reader)] = reader,
            [nameof(SessionList.Person)] = who ?? "",
            [nameof(SessionList.Resource)] = resource ?? "",
            [nameof(SessionList.Others)] = caller.MayRead || OwnsAny(caller),
            [nameof(SessionList.Query)] = context.Request.QueryString.Value ?? "",
            [nameof(SessionList.Live)] = live.Select(session => RequestPages.Shown(session, caller)).ToList(),
            [nameof(SessionList.Ended)] = ended.Items.Select(session => RequestPages.Shown(session, caller)).ToList(),
            [nameof(SessionList.Next)] = ended.Next?.ToString(CultureInfo.InvariantCulture) ?? "",
        });
    }

    private static bool OwnsAny(Caller caller) => caller.Catalog.Resources.Values.Any(resource => caller.Owns(resource.Name));

    private async Task<IResult> PageAsync(HttpContext context, Caller caller, SessionId id, string sought, long from)
    {
        var cancellation = context.RequestAborted;
        var reader = await Reader.OfAsync(caller, marks, new PageFocus(Session: id), cancellation);
        if (await find.GetAsync(caller.Id, id, cancellation) is not Outcome<Session>.Done { Value: var session })
        {
            return Told.NotFound(reader);
        }

        // A search looks through all of it at once; a replay goes through it page by page.
        var part = await read.ReadAsync(caller.Id, id, from, sought.Length > 0 ? ReadRecording.Most : MostLines, TimeSpan.Zero, cancellation);
        var (lines, next, fault) = part switch
        {
            Outcome<RecordingPart>.Done { Value: var seen } => (LinesOf(seen.Records, sought), seen.Next, seen.Fault ?? ""),
            Outcome<RecordingPart>.Refused no => ([], from, $"{Told.Sentence(no.Why)} {(no.Remedy is { } remedy ? Told.Sentence(remedy) : "")}"),
            _ => ([], from, ""),
        };
        var more = part is Outcome<RecordingPart>.Done { Value: { Ended: false } } && (session.State == SessionState.Ended || lines.Count >= MostLines);
        return PageResult.Of<OneSession>(new Dictionary<string, object?>
        {
            [nameof(OneSession.Reader)] = reader,
            [nameof(OneSession.One)] = RequestPages.Shown(session, caller),
            [nameof(OneSession.Database)] = session.Database ?? "",
            [nameof(OneSession.Node)] = session.Node,
            [nameof(OneSession.BreakGlass)] = session.BreakGlass,
            [nameof(OneSession.Sought)] = sought,
            [nameof(OneSession.From)] = from,
            [nameof(OneSession.Lines)] = lines,
            [nameof(OneSession.Next)] = next,
            [nameof(OneSession.More)] = more,
            [nameof(OneSession.Fault)] = fault,
        });
    }

    /// <summary>What was said since; nothing where nothing was.</summary>
    private async Task<IResult> MoreAsync(HttpContext context, Caller caller, SessionId id, long from) =>
        await read.ReadAsync(caller.Id, id, from, MostLines, TimeSpan.Zero, context.RequestAborted) switch
        {
            Outcome<RecordingPart>.Done { Value: { Records.Count: 0, Ended: false } } => Results.NoContent(),
            Outcome<RecordingPart>.Done { Value: var part } => PageResult.Of<SessionLines>(new Dictionary<string, object?>
            {
                [nameof(SessionLines.Id)] = id.Value,
                [nameof(SessionLines.Lines)] = LinesOf(part.Records, ""),
                [nameof(SessionLines.Next)] = part.Next,
                [nameof(SessionLines.Follow)] = !part.Ended,
            }),
            _ => Results.NoContent(),
        };

    private async Task<IResult> StopAsync(HttpContext context, Caller caller, SessionId id)
    {
        var fields = await Fields.ReadAsync(context);
        return await kill.KillAsync(caller.Id, id, fields["comment"], context.RequestAborted) switch
        {
            Outcome<Session>.Done => Results.Redirect($"/sessions/{id}"),
            var no => Told.Of(await Reader.OfAsync(caller, marks, new PageFocus(), context.RequestAborted), no, $"/sessions/{Uri.EscapeDataString(id.Value)}"),
        };
    }

    private async Task<IResult> SearchAsync(HttpContext context, Caller caller)
    {
        string Field(string name) => context.Request.Query[name] is [{ Length: > 0 and <= 500 } one] ? one.Trim() : "";
        DateTimeOffset? Day(string name) => DateTimeOffset.TryParse(Field(name), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at) ? at : null;
        var cancellation = context.RequestAborted;
        var reader = await Reader.OfAsync(caller, marks, new PageFocus(), cancellation);
        var (text, table, person, resource) = (Field("text"), Field("table"), Field("who"), Field("resource"));
        var asked = text.Length + table.Length > 0;
        var found = asked
            ? await statements.FindAsync(
                caller.Id,
                new StatementQuery
                {
                    Text = Or(text),
                    Table = Or(table),
                    Person = person.Length > 0 ? new SubjectId(person) : null,
                    Resource = Or(resource),
                    Since = Day("since"),
                    Until = Day("until")?.AddDays(1),
                },
                MostFound,
                StatementPlace.Parse(Field("cursor")),
                cancellation)
            : new FoundStatements([], null, []);
        return PageResult.Of<StatementList>(new Dictionary<string, object?>
        {
            [nameof(StatementList.Reader)] = reader,
            [nameof(StatementList.Text)] = text,
            [nameof(StatementList.Table)] = table,
            [nameof(StatementList.Person)] = person,
            [nameof(StatementList.Resource)] = resource,
            [nameof(StatementList.Since)] = Field("since"),
            [nameof(StatementList.Until)] = Field("until"),
            [nameof(StatementList.Asked)] = asked,
            [nameof(StatementList.Others)] = caller.MayRead || OwnsAny(caller),
            [nameof(StatementList.Items)] = found.Items.Select(one => new ShownFound(
                one.Session.Id.Value,
                one.Session.Subject.Value,
                one.Session.Role.ToString(),
                one.Hit.Statement.At,
                one.Hit.Statement.Seq,
                TextOf(one.Hit.Statement),
                string.Join(", ", one.Hit.Results.Select(ResultOf)))).ToList(),
            [nameof(StatementList.Next)] = found.Next?.ToString() ?? "",
            [nameof(StatementList.Unread)] = found.Unread.Select(session => session.Value).ToList(),
        });
    }

    private static string? Or(string text) => text.Length > 0 ? text : null;

    /// <summary>A line for each record that says something; with a text, those statements that hold it, and what became of them.</summary>
    private static List<ShownLine> LinesOf(IReadOnlyList<RecordingRecord> records, string sought)
    {
        List<ShownLine> lines = [];
        HashSet<long> kept = [];
        foreach (var record in records)
        {
            switch (record)
            {
                case RecordingRecord.Statement statement when sought.Length == 0 || TextOf(statement).Contains(sought, StringComparison.OrdinalIgnoreCase):
                    kept.Add(statement.Seq);
                    lines.Add(new ShownLine(statement.Seq, statement.At, "statement", TextOf(statement), Parameters(statement)));
                    break;
                case RecordingRecord.Result result when sought.Length == 0 || kept.Contains(result.Of):
                    lines.Add(new ShownLine(result.Seq, result.At, result.Error is null ? "result" : "error", ResultOf(result), ""));
                    break;
                case RecordingRecord.Copy copy when sought.Length == 0 || kept.Contains(copy.Of):
                    lines.Add(new ShownLine(copy.Seq, copy.At, "result", $"COPY {(copy.Direction == CopyDirection.In ? "into" : "out of")} the target: {copy.Rows} rows, {copy.Bytes} bytes", ""));
                    break;
                case RecordingRecord.ServerError error when sought.Length == 0:
                    lines.Add(new ShownLine(error.Seq, error.At, "error", $"{error.Error.Sqlstate}: {error.Error.Message}", ""));
                    break;
                case RecordingRecord.Cancel cancel when sought.Length == 0:
                    lines.Add(new ShownLine(cancel.Seq, cancel.At, "result", $"a cancel request came from {cancel.From}", ""));
                    break;
                case RecordingRecord.SessionClosed closed when sought.Length == 0:
                    lines.Add(new ShownLine(closed.Seq, closed.At, "result", $"the session ended ({Words.SessionEnd[closed.Reason].Replace('_', ' ')}) after {closed.Statements} statements", closed.Note ?? ""));
                    break;
            }
        }

        return lines;
    }

    private static string TextOf(RecordingRecord.Statement statement) => statement.Text is { } text ? text.Value + (text.Truncated ? $" … ({text.Bytes} bytes in all)" : "") : $"fetch from {statement.Portal}";

    private static string Parameters(RecordingRecord.Statement statement) => statement.Parameters.Count == 0
        ? ""
        : string.Join(", ", statement.Parameters.Select((value, index) => $"${index + 1} = {(value.Value is { } given ? $"'{given}'" : "NULL")}")) + (statement.OmittedParameters > 0 ? $" and {statement.OmittedParameters} more" : "");

    private static string ResultOf(RecordingRecord.Result result) => result.Error is { } error
        ? $"{error.Sqlstate}: {error.Message}"
        : $"{result.Tag ?? result.Outcome.ToString().ToLowerInvariant()}{(result.Rows is { } rows ? $", {rows} {(rows == 1 ? "row" : "rows")}" : "")}, {result.Duration.TotalMilliseconds.ToString("0.0", CultureInfo.InvariantCulture)} ms";
}
