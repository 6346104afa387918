using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Stint.Core;
using Stint.Core.Audit;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Identity;
using Stint.Server.Requests;
using Stint.Server.Sessions;
using Stint.Server.Store;
using Stint.Server.Web.Pages;

namespace Stint.Server.Web;

/// <summary>What happened, who could and who did, and that nobody changed what is written of it.</summary>
internal sealed class AuditPages(MarkPages marks, SearchLog search, ReadLog log, VerifyLog verify, ExplainAccess explain, TimeProvider clock)
{
    private const int PerPage = 100, MostReach = 200;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/audit", (HttpContext context, Caller caller, AuditPages pages) => pages.PageAsync(context, caller)).Page();
        routes.MapPost("/audit/verify", (HttpContext context, Caller caller, AuditPages pages) => pages.VerifyAsync(context, caller)).Page();
        routes.MapGet("/audit/at", (HttpContext context, Caller caller, AuditPages pages) => pages.AtAsync(context, caller)).Page();
        routes.MapGet("/audit/facts.csv", (HttpContext context, Caller caller, AuditPages pages) => pages.ExportAsync(context, caller)).Page();
        routes.MapGet("/audit/evidence", (string? request) => Results.Redirect($"/api/v1/audit/evidence/{Uri.EscapeDataString(request?.Trim() ?? "")}")).Page();
    }

    /// <summary>Whether there is anything for somebody here: all of it, or what they own.</summary>
    public static bool IsFor(Caller caller) => caller.MayRead || caller.Catalog.Resources.Values.Any(resource => caller.Owns(resource.Name));

    private static string Field(HttpContext context, string name) => context.Request.Query[name] is [{ Length: > 0 and <= 500 } one] ? one.Trim() : "";

    private static DateTimeOffset? Day(string text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var at) ? at : null;

    private static FactFilter FilterOf(HttpContext context) => new()
    {
        Kind = Field(context, "kind") is { Length: > 0 } kind ? kind : null,
        Words = Field(context, "q").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries),
        Since = Day(Field(context, "since")),
        Until = Day(Field(context, "until"))?.AddDays(1),
    };

    private Task<Reader> ReaderAsync(HttpContext context, Caller caller) => Reader.OfAsync(caller, marks, new PageFocus(), context.RequestAborted);

    private async Task<IResult> PageAsync(HttpContext context, Caller caller, ShownVerified? verified = null)
    {
        var reader = await ReaderAsync(context, caller);
        if (!IsFor(caller))
        {
            return Told.NotFound(reader);
        }

        var cancellation = context.RequestAborted;
        var before = long.TryParse(Field(context, "before"), NumberStyles.None, CultureInfo.InvariantCulture, out var seq) ? seq : (long?)null;
        var found = await search.FindAsync(caller.Id, FilterOf(context), before, PerPage, cancellation) is Outcome<FoundFacts>.Done { Value: var facts } ? facts : null;
        var head = await log.HeadAsync(caller.Id, cancellation) is Outcome<SignedCheckpoint>.Done { Value: var signed } ? signed : null;
        return PageResult.Of<Pages.Audit>(new Dictionary<string, object?>
        {
            [nameof(Pages.Audit.Reader)] = reader,
            [nameof(Pages.Audit.All)] = found is not null,
            [nameof(Pages.Audit.Sought)] = Field(context, "q"),
            [nameof(Pages.Audit.Kind)] = Field(context, "kind"),
            [nameof(Pages.Audit.Since)] = Field(context, "since"),
            [nameof(Pages.Audit.Until)] = Field(context, "until"),
            [nameof(Pages.Audit.Facts)] = (found?.Facts ?? []).Select(Shown).ToList(),
            [nameof(Pages.Audit.Next)] = found?.Next?.ToString(CultureInfo.InvariantCulture) ?? "",
            [nameof(Pages.Audit.Head)] = head?.Note ?? "",
            [nameof(Pages.Audit.Size)] = head?.Head.Size ?? 0,
            [nameof(Pages.Audit.Verified)] = verified,
            [nameof(Pages.Audit.Resources)] = caller.Catalog.Resources.Values.Where(resource => caller.MayRead || caller.Owns(resource.Name)).Select(resource => resource.Name).Order(StringComparer.Ordinal).Take(500).ToList(),
        });
    }

    private async Task<IResult> VerifyAsync(HttpContext context, Caller caller)
    {
        var began = Stopwatch.GetTimestamp();
        return await verify.VerifyAsync(caller.Id, context.RequestAborted) is Outcome<VerifyReport>.Done { Value: var report }
            ? await PageAsync(context, caller, new ShownVerified(
                report.Holds,
                report.Log.Facts,
                report.RowsRead,
                Stopwatch.GetElapsedTime(began).TotalSeconds,
                [.. report.Log.Findings.Select(finding => finding.Sentence), .. report.Rows.Select(row => $"{row.About}: {row.Sentence}")]))
            : Told.Trouble(await ReaderAsync(context, caller), "Not yours to do", "Only admins and auditors verify the log.", null, 403);
    }

    private async Task<IResult> AtAsync(HttpContext context, Caller caller)
    {
        var cancellation = context.RequestAborted;
        var reader = await ReaderAsync(context, caller);
        var resource = Field(context, "resource");
        var given = Field(context, "at_utc") is { Length: > 0 } utc ? utc : Field(context, "at");
        var at = given.Length == 0 ? clock.GetUtcNow() : Day(given);
        if (at is not { } moment)
        {
            return Told.Trouble(reader, "That does not make sense as it stands", "The moment is not a day and a time.", "Write it like 2026-03-03T14:00.", 422, "/audit");
        }

        if (await search.AtAsync(caller.Id, resource, moment, cancellation) is not Outcome<LookedBack>.Done { Value: var back })
        {
            return Told.Trouble(reader, "Not found", "There is no such resource, or none that you may know of.", "Owners look back at what they own, admins and auditors at everything.", 404, "/audit");
        }

        List<ShownReach> could = [];
        var left = 0;
        foreach (var role in caller.Catalog.Resources.TryGetValue(resource, out var known) ? known.Roles.Values : [])
        {
            if (await explain.WhoAsync(caller.Id, role.Ref.ToString(), null, moment, 0, MostReach, cancellation) is Outcome<JsonObject>.Done { Value: var reach })
            {
                could.AddRange(reach["items"]!.AsArray().Where(one => (string?)one!["standing"]!["way"] is "rule" or "approval" or "break_glass").Select(one => new ShownReach(
                    (string)one!["subject"]!,
                    (string)one["role"]!,
                    (string?)one["standing"]!["how"] is { Length: > 0 } how ? how : (string?)one["standing"]!["way"] ?? "")));
                left += Math.Max(0, (int)reach["count"]! - MostReach);
            }
        }

        return PageResult.Of<AuditAt>(new Dictionary<string, object?>
        {
            [nameof(AuditAt.Reader)] = reader,
            [nameof(AuditAt.Resource)] = resource,
            [nameof(AuditAt.At)] = moment,
            [nameof(AuditAt.Could)] = could,
            [nameof(AuditAt.Left)] = left,
            [nameof(AuditAt.Had)] = back.Had.Select(grant => new ShownHad(grant.Subject.Value, grant.Role.ToString(), grant.Request.Value, grant.NotBefore!.Value, grant.EndedAt ?? grant.NotAfter!.Value)).ToList(),
            [nameof(AuditAt.Used)] = back.Used.Select(session => RequestPages.Shown(session, caller)).ToList(),
        });
    }

    private async Task<IResult> ExportAsync(HttpContext context, Caller caller)
    {
        if (!log.MayRead(caller.Id))
        {
            return Told.Trouble(await ReaderAsync(context, caller), "Not yours to do", "Only admins and auditors read the log.", null, 403);
        }

        context.Response.ContentType = "text/csv; charset=utf-8";
        context.Response.Headers.ContentDisposition = "attachment; filename=\"stint-facts.csv\"";
        await search.ExportAsync(caller.Id, FilterOf(context), context.Response.Body, context.RequestAborted);
        return Results.Empty;
    }

    private static ShownFact Shown(SealedFact fact)
    {
        var (actor, request) = SearchLog.Read(fact.Body);
        var fields = JsonNode.Parse(fact.Body)!["fields"]!.AsObject();
        var said = string.Join(", ", fields.Where(field => field.Value is JsonValue).Select(field => $"{field.Key} {field.Value}"));
        return new ShownFact(fact.Seq, fact.At, fact.Kind, actor, request, said.Length > 240 ? said[..240] + "…" : said, fact.Body);
    }
}
