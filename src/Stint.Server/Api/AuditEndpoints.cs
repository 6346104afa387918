using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Stint.Core;
using Stint.Core.Audit;
using Stint.Server.Audit;
using Stint.Server.Identity;

namespace Stint.Server.Api;

/// <summary>A fact in its place.</summary>
/// <param name="Seq">Its place, from 0.</param>
/// <param name="Kind">What happened.</param>
/// <param name="At">When.</param>
/// <param name="Body">Its canonical text: what is hashed.</param>
/// <param name="LeafHash">Its leaf's hash in the tree, in base64.</param>
internal sealed record FactShape(long Seq, string Kind, DateTimeOffset At, string Body, string LeafHash);

/// <summary>A proof of RFC 6962.</summary>
/// <param name="Hashes">In base64, in the order in which they are used.</param>
internal sealed record ProofShape(IReadOnlyList<string> Hashes);

/// <summary>The key that the log's heads are signed with.</summary>
internal sealed record KeyShape(string Name, string Public, string Fingerprint);

/// <summary>One thing that is wrong with the log.</summary>
internal sealed record LogFindingShape(string Fault, long? Seq, long? LastSeq, string? Kind, string? About, string Sentence);

/// <summary>What a verification found.</summary>
/// <param name="Holds">Whether every fact is as it was signed, and every row is as the facts say.</param>
/// <param name="Facts">How many facts were read.</param>
/// <param name="RowsRead">How many rows were held against them.</param>
/// <param name="Findings">What is wrong with the log.</param>
/// <param name="Rows">Rows that differ from what the facts say.</param>
internal sealed record VerifyShape(bool Holds, long Facts, long RowsRead, IReadOnlyList<LogFindingShape> Findings, IReadOnlyList<RowFinding> Rows);

/// <summary>Reading and proving what happened.</summary>
internal static class AuditEndpoints
{
    public static void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/audit/head", async (Caller caller, ReadLog log, CancellationToken cancellation) =>
                await log.HeadAsync(caller.Id, cancellation) is Outcome<SignedCheckpoint>.Done { Value: var head }
                    ? Results.Text(head.Note, "text/plain; charset=utf-8")
                    : Forbidden())
            .Describe("auditHead", "A signed head of the log", "A checkpoint as C2SP writes it, as text. For admins and auditors.", null, 200, 403)
            .Produces(200, contentType: "text/plain");
        api.MapGet("/audit/key", (Caller caller, Checkpoints checkpoints) => Results.Json(
                new KeyShape(checkpoints.Key.Name, checkpoints.Key.Public, checkpoints.Key.Fingerprint), ApiJson.Default.KeyShape))
            .Describe("auditKey", "The key that signs the log's heads", "Its public half, for whoever verifies elsewhere.", typeof(KeyShape));
        api.MapGet("/audit/facts", async (Caller caller, ReadLog log, long? from, int? limit, CancellationToken cancellation) =>
                limit is < 1 or > 1000
                    ? Answers.Invalid([new FieldProblem("limit", "must be from 1 to 1000")])
                    : (await log.FactsAsync(caller.Id, from ?? 0, limit ?? 200, cancellation)).Answer(
                        facts => new ListOf<FactShape>(
                            [.. facts.Select(fact => new FactShape(fact.Seq, fact.Kind, fact.At, fact.Body, fact.LeafHash.ToString()))],
                            facts.Count == (limit ?? 200) ? (facts[^1].Seq + 1).ToString(System.Globalization.CultureInfo.InvariantCulture) : null),
                        ApiJson.Default.ListOfFactShape))
            .Describe("auditFacts", "Facts from a place on, in order", "`next` is the `from` of what follows. For admins and auditors.", typeof(ListOf<FactShape>), 200, 403, 422);
        api.MapGet("/audit/proof/inclusion", async (Caller caller, ReadLog log, long seq, long size, CancellationToken cancellation) =>
                (await log.InclusionAsync(caller.Id, seq, size, cancellation)).Answer(Proof, ApiJson.Default.ProofShape))
            .Describe("auditInclusion", "That a fact is under a head", "The audit path of RFC 6962 for the fact `seq` under the head of `size`.", typeof(ProofShape), 200, 403, 422);
        api.MapGet("/audit/proof/consistency", async (Caller caller, ReadLog log, long from, long to, CancellationToken cancellation) =>
                (await log.ConsistencyAsync(caller.Id, from, to, cancellation)).Answer(Proof, ApiJson.Default.ProofShape))
            .Describe("auditConsistency", "That one head continues another", "The consistency proof of RFC 6962 between two sizes.", typeof(ProofShape), 200, 403, 422);
        api.MapGet("/audit/export", ExportAsync)
            .Describe("auditExport", "The whole log", "JSON Lines that `stint audit verify FILE` checks with no server. For admins and auditors.", null, 200, 403)
            .Produces(200, contentType: "application/jsonl");
        api.MapPost("/audit/verify", async (Caller caller, VerifyLog verify, [FromBody] EmptyBody? body, CancellationToken cancellation) =>
                (await verify.VerifyAsync(caller.Id, cancellation)).Answer(Of, ApiJson.Default.VerifyShape))
            .Describe("auditVerify", "Verify the log where it stands", "Every fact against the signed heads, and every row against its facts. For admins and auditors.", typeof(VerifyShape), 200, 403);
        api.MapGet("/audit/evidence/{request}", async (Caller caller, CollectEvidence collect, string request, CancellationToken cancellation) =>
                await collect.CollectAsync(caller.Id, new RequestId(request), cancellation) switch
                {
                    Outcome<byte[]>.Done { Value: var file } => Results.Bytes(file, "application/json", $"evidence-{request}.json"),
                    Outcome<byte[]>.NotYours no => Answers.Problem(ProblemKind.NotYours.Say(no.Why)),
                    _ => Answers.NotFound(),
                })
            .Describe("auditEvidence", "Everything that proves one request", "One file for `stint audit verify FILE`. It holds the whole catalog: for admins and auditors.", null, 200, 403, 404)
            .Produces(200, contentType: "application/json");
    }

    private static async Task<IResult> ExportAsync(Caller caller, ReadLog log, HttpContext context, CancellationToken cancellation)
    {
        if (!log.MayRead(caller.Id))
        {
            return Forbidden();
        }

        context.Response.ContentType = "application/jsonl";
        context.Response.Headers.ContentDisposition = "attachment; filename=\"stint-log.jsonl\"";
        await log.ExportAsync(caller.Id, context.Response.Body, cancellation);
        return Results.Empty;
    }

    private static IResult Forbidden() => Answers.Problem(ProblemKind.NotYours.Say("Only admins and auditors read the log."));

    private static ProofShape Proof(IReadOnlyList<TreeHash> hashes) => new([.. hashes.Select(hash => hash.ToString())]);

    private static VerifyShape Of(VerifyReport report) => new(
        report.Holds,
        report.Log.Facts,
        report.RowsRead,
        [.. report.Log.Findings.Select(finding => new LogFindingShape(
            JsonNamingPolicy.SnakeCaseLower.ConvertName(finding.Fault.ToString()), finding.Seq, finding.LastSeq, finding.Kind, finding.About, finding.Sentence))],
        report.Rows);
}
