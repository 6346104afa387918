using System.Globalization;
using System.Text;
using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Audit;
using Stint.Core.Catalog;
using Stint.Core.Grants;
using Stint.Core.Requests;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Audit;

/// <summary>A row that is not what the facts about it say.</summary>
/// <param name="About">The row: a request's, grant's, assignment's or session's identifier.</param>
/// <param name="Sentence">What differs, for a person, with a full stop.</param>
internal sealed record RowFinding(string About, string Sentence);

/// <summary>What an online verification found.</summary>
/// <param name="Log">The log itself, against its signed heads.</param>
/// <param name="Rows">Rows that differ from what the facts say; at most <see cref="VerifyLog.MostRows"/>.</param>
/// <param name="RowsRead">How many rows were held against the log.</param>
internal sealed record VerifyReport(LogReport Log, IReadOnlyList<RowFinding> Rows, long RowsRead)
{
    /// <summary>Whether every fact is as it was signed, and every row is as the facts say.</summary>
    public bool Holds => Log.Holds && Rows.Count == 0;
}

/// <summary>Verifies the log as it stands in the store, and every row against its last fact: whoever edits a table leaves the log behind.</summary>
internal sealed class VerifyLog(StintStore store, CurrentCatalog catalog, Checkpoints checkpoints)
{
    /// <summary>Most differing rows that are told.</summary>
    public const int MostRows = 100;

    // Signatures cost a tenth of a millisecond each; a log with a head for each second of a year has thirty million.
    private const int MostHeads = 1000;
    private const int Batch = 2000;

    public async Task<Outcome<VerifyReport>> VerifyAsync(SubjectId who, CancellationToken cancellation)
    {
        if (!catalog.Now.MayReadAll(who))
        {
            return new Outcome<VerifyReport>.NotYours("only admins and auditors verify the log", []);
        }

        return new Outcome<VerifyReport>.Done(await VerifyAsync(cancellation));
    }

    /// <summary>Verifies for whoever runs the server.</summary>
    public async Task<VerifyReport> VerifyAsync(CancellationToken cancellation)
    {
        await checkpoints.SignAsync(cancellation);

        // One moment for all of it: what is committed meanwhile is neither in the facts nor in the rows.
        return await store.ReadAsync(
            async reads =>
            {
                var said = new Said();
                var log = await LogAsync(reads, said, cancellation);
                var rows = new RowCheck(said);
                await rows.RunAsync(reads, cancellation);
                return new VerifyReport(log, rows.Findings, rows.Read);
            },
            cancellation);
    }

    private async Task<LogReport> LogAsync(Reads reads, Said said, CancellationToken cancellation)
    {
        var size = (await reads.LogHeadAsync()).Size;
        var verifier = new LogVerifier(checkpoints.Key, await HeadsAsync(reads, size), allowTail: true);
        for (long from = 0; ;)
        {
            cancellation.ThrowIfCancellationRequested();
            var facts = await reads.FactsAsync(from, Batch);
            foreach (var fact in facts)
            {
                verifier.Add(fact.Seq, Encoding.UTF8.GetBytes(fact.Body), fact.LeafHash.AsSpan());
                said.Take(fact);
            }

            if (facts.Count < Batch)
            {
                return verifier.Finish();
            }

            from = facts[^1].Seq + 1;
        }
    }

    /// <summary>The newest head, and others evenly before it, so that a change is named within a short stretch.</summary>
    private static async Task<List<SignedCheckpoint>> HeadsAsync(Reads reads, long size)
    {
        var heads = new List<SignedCheckpoint>();
        var step = Math.Max(1, size / MostHeads);
        for (long from = 0; await reads.NextCheckpointAsync(from) is { } head; from = Math.Max(head.Head.Size + 1, from + step))
        {
            heads.Add(head);
        }

        if (await reads.LastCheckpointAsync() is { } last && !heads.Exists(head => head.Head.Size == last.Head.Size))
        {
            heads.Add(last);
        }

        return heads;
    }
}

/// <summary>What the last facts say about each row.</summary>
internal sealed class Said
{
    private readonly Dictionary<string, string> _states = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _details = new(StringComparer.Ordinal);

    /// <summary>What they say of the directory.</summary>
    public DirectorySaid Directory { get; } = new();

    /// <summary>Rows that facts speak of.</summary>
    public int Count => _states.Count;

    public IEnumerable<string> Names => _states.Keys;

    /// <summary>The state that the last fact gives a row; null when none does.</summary>
    public string? StateOf(string id) => _states.GetValueOrDefault(id);

    /// <summary>The window of a grant once opened, the digest of a request, the head of a session's recording, who answers for whom; null when no fact says it.</summary>
    public string? DetailOf(string id) => _details.GetValueOrDefault(id);

    /// <summary>What a request's series is called here: it has a state beside the request's own.</summary>
    public static string SeriesOf(string request) => $"the series of {request}";

    /// <summary>What a right that was given is called here: a person may be given one again, and never two that are over at the same time.</summary>
    public static string RightOf(string person, string until) => $"the right of {person} until {until}";

    /// <summary>What an answer to a change of the catalog is called here.</summary>
    public static string AnswerOf(string change, string person) => $"the answer of {person} to {change}";

    /// <summary>What is on record of such an answer.</summary>
    public static string Answer(bool yes, string? saw, ApprovalProof? proof) => $"{yes}/{saw}/{(proof is null ? "" : ProofJson.Write(proof))}";

    /// <summary>What a request's exact statements are called here: its grant carries them too.</summary>
    public static string StatementsOf(string request) => $"the statements of {request}";

    /// <summary>What a certificate is called here: its number alone says nothing.</summary>
    public static string CertificateOf(string serial) => $"the certificate {serial}";

    public void Take(SealedFact fact)
    {
        FactBody body;
        try
        {
            body = FactBody.Parse(fact.Body);
        }
        catch (FormatException)
        {
            // The log's own verification names it.
            return;
        }

        Directory.Take(body);
        var kind = body.Kind;
        var id = body.Text(kind.StartsWith("Request", StringComparison.Ordinal) ? "request"
            : kind.StartsWith("Grant", StringComparison.Ordinal) ? "grant"
            : kind.StartsWith("Assignment", StringComparison.Ordinal) ? "assignment"
            : kind.StartsWith("Delegation", StringComparison.Ordinal) ? "delegation"
            : kind.StartsWith("Session", StringComparison.Ordinal) ? "session"
            : kind.StartsWith("Change", StringComparison.Ordinal) ? "change"
            : kind.StartsWith("Bundle", StringComparison.Ordinal) ? "bundle"
            : kind is FactKinds.TokenMade or FactKinds.TokenRevoked ? "token_id"
            : kind.StartsWith("Review", StringComparison.Ordinal) || kind is FactKinds.GlassBroken or FactKinds.ConcernRaised ? "review" : "");
        if (kind is FactKinds.SeriesBegan or FactKinds.SeriesEnded && body.Text("request") is { } series)
        {
            id = SeriesOf(series);
        }

        if (kind == FactKinds.RightGiven && body.Text("subject") is { } person && body.Text("until") is { } until)
        {
            id = RightOf(person, until);
        }

        if (kind == FactKinds.CertificateIssued && body.Text("serial") is { } serial)
        {
            id = CertificateOf(serial);
        }

        if (id is null)
        {
            return;
        }

        if (kind == FactKinds.ChangeAnswered)
        {
            var answer = AnswerOf(id, body.Text("by") ?? "");
            _states[answer] = "given";
            _details[answer] = Answer(body.Find("yes") is { ValueKind: System.Text.Json.JsonValueKind.True }, body.Text("saw"), body.Find("proof") is { ValueKind: System.Text.Json.JsonValueKind.Object } proof ? ProofJson.Read(proof) : null);
        }

        if (body.Text("state") is { } state)
        {
            _states[id] = state;
        }

        var detail = kind switch
        {
            FactKinds.RequestAsked when body.Text("bundle") is { } bundle => $"{bundle}/{body.Text("digest")}",
            FactKinds.RequestAsked or FactKinds.ChangeProposed => body.Text("digest"),
            FactKinds.BundleAsked => $"{body.Text("name")}/{body.Text("subject")}/{body.Number("left_out")}/{body.Text("digest")}",
            FactKinds.SeriesBegan => body.Text("rule"),
            FactKinds.GrantOpened => $"{body.Text("not_before")}/{body.Text("not_after")}",
            FactKinds.SessionAnchored or FactKinds.SessionEnded => body.Text("recording"),
            FactKinds.AssignmentAdding => body.Text("account"),
            FactKinds.GlassBroken => $"{body.Text("request")}/{body.Text("subject")}/{body.Text("until")}",
            FactKinds.TokenMade => $"{body.Text("subject")}/{body.Text("prefix")}/{body.Text("until")}/{Scope(body)}",
            FactKinds.CertificateIssued => $"{body.Text("grant")}/{body.Text("fingerprint")}/{body.Text("authority")}/{body.Text("not_before")}/{body.Text("not_after")}",
            FactKinds.RightGiven => $"{body.Text("role")}/{body.Text("cause")}",
            FactKinds.DelegationMade => $"{body.Text("person")}/{body.Text("delegate")}/{body.Text("start_at")}/{body.Text("until")}",
            _ => null,
        };
        if (detail is not null)
        {
            _details[id] = detail;
        }

        if (kind == FactKinds.RequestAsked && body.Find("authorization_details") is { ValueKind: System.Text.Json.JsonValueKind.Array } statements)
        {
            _details[StatementsOf(id)] = Hash(statements.GetRawText());
        }
    }

    /// <summary>Exact statements, short: of a log with many of them, only this is kept in memory.</summary>
    public static string Hash(string statements) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(statements)));

    private static string Scope(FactBody body) => body.Find("scope") is { ValueKind: System.Text.Json.JsonValueKind.Array } scope ? string.Join(' ', scope.EnumerateArray().Select(one => one.GetString())) : "";
}

/// <summary>Holds every row against what was said of it.</summary>
internal sealed class RowCheck(Said said)
{
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private readonly List<CatalogChange> _answered = [];

    public List<RowFinding> Findings { get; } = [];

    public long Read { get; private set; }

    public async Task RunAsync(Reads reads, CancellationToken cancellation)
    {
        await EachAsync(page => reads.RequestsAsync(new RequestFilter(), page), request =>
        {
            Check(request.Id.Value, Facts.Word(request.State), request.Bundle is { } bundle ? $"{bundle}/{request.Digest}" : request.Digest, "what was asked");
            CheckStatements(request.Id.Value, request.Id, request.Statements);
        }, cancellation);
        await EachAsync(page => reads.BundlesAsync(page), asking => Check(asking.Id.Value, "asked", $"{asking.Name}/{asking.Subject}/{asking.LeftOut}/{asking.Digest}", "what was asked for together"), cancellation);
        foreach (var series in await reads.SeriesAsync())
        {
            Check(Said.SeriesOf(series.Request.Value), Facts.Word(series.State), (await reads.FindRequestAsync(series.Request))?.Recurrence?.Text, "when it comes again");
        }

        await EachAsync(page => reads.GrantsAsync(new GrantFilter(), page), Check, cancellation);
        await EachAsync(page => reads.AssignmentsAsync(new AssignmentFilter(), page), assignment => CheckAssignment(assignment), cancellation);
        await EachAsync(page => reads.SessionsAsync(new SessionFilter(), page), session => Check(
            session.Id.Value,
            Facts.Word(session.State),
            session.Recording is { } head ? Convert.ToHexStringLower(head.Hash) : said.DetailOf(session.Id.Value),
            "the head of its recording"), cancellation);
        await EachAsync(page => reads.CertificatesAsync(page), certificate => Check(
            Said.CertificateOf(certificate.Serial.ToString(CultureInfo.InvariantCulture)),
            "issued",
            $"{certificate.Grant}/{certificate.Fingerprint}/{certificate.Authority}/{CanonicalTime.Write(certificate.NotBefore)}/{CanonicalTime.Write(certificate.NotAfter)}",
            "whose it is, who signed it, or how long it counts"), cancellation);
        await EachAsync(page => reads.DelegationsAsync(null, page), Check, cancellation);
        foreach (var right in await reads.RightsAsync(null))
        {
            Check(Said.RightOf(right.Person.Value, CanonicalTime.Write(right.Until)), "given", $"{StintRights.NameOf(right.Right)}/{right.Cause}", "which right, or by what");
        }

        await EachAsync(
            page => reads.TokensAsync(null, page),
            token => Check(token.Id, token.RevokedAt is null ? "made" : "revoked", $"{token.Subject}/{token.Prefix}/{CanonicalTime.Write(token.ExpiresAt)}/{string.Join(' ', token.Scope)}", "whose token it is, what for, or how long"),
            cancellation);
        await EachAsync(
            page => reads.ReviewsAsync(new ReviewFilter(), page),
            review => Check(review.Id.Value, Facts.Word(review.State), $"{review.Request}/{review.Person}/{CanonicalTime.Write(review.DueAt)}", "whose break-glass it is about, or when it is due"),
            cancellation);
        await EachAsync(
            page => reads.ChangesAsync(null, page with { Limit = 20 }),
            change =>
            {
                Check(change.Id.Value, Facts.Word(change.State), CatalogChange.DigestOf(change) == change.Digest ? change.Digest : null, "what was proposed");
                _answered.Add(change with { Files = new CatalogSource([]) });
            },
            cancellation);
        foreach (var change in _answered)
        {
            Check(change, await reads.AnswersAsync(change.Id));
        }

        Read += await said.Directory.CheckAsync(reads, Find);
        foreach (var missing in said.Names.Where(name => !_seen.Contains(name)))
        {
            Find(missing, $"The log speaks of {missing}, and the store has no such row.");
        }
    }

    /// <summary>Answers to a change: as they were given, each signature checked again; and what took effect had the yeses that it needs.</summary>
    private void Check(CatalogChange change, List<Approval> answers)
    {
        foreach (var answer in answers)
        {
            var name = Said.AnswerOf(change.Id.Value, answer.By.Value);
            Check(name, "given", Said.Answer(answer.Yes, answer.SawDigest, answer.Proof), "what it was, or its proof");
            if (answer.Proof is not null && StepUps.Counting(answer.Proof, answer.SawDigest, answer.At) is null)
            {
                Find(name, $"The proof of {name} proves nothing: {(answer.Proof is ApprovalProof.Passkey signed ? signed.Assertion.Against(answer.SawDigest) : "it was longer ago")}.");
            }
        }

        // NB. A yes whose proof proves nothing is a yes without one.
        List<Approval> counting = [.. answers.Select(answer => answer with { Proof = StepUps.Counting(answer.Proof, answer.SawDigest, answer.At) })];
        if (change.State == ChangeState.Applied && Quorum.Count(change.Steps, change.Distinct, change.Proposer ?? default, change.Digest, counting) is not Tally.Complete)
        {
            Find(change.Id.Value, $"{change.Id} took effect without the yeses that its steps demand.");
        }
    }

    private void Check(Grant grant)
    {
        Check(
            grant.Id.Value,
            Facts.Word(grant.State),
            grant is { NotBefore: { } from, NotAfter: { } until } ? $"{CanonicalTime.Write(from)}/{CanonicalTime.Write(until)}" : null,
            "its window");
        CheckStatements(grant.Id.Value, grant.Request, grant.Statements);
    }

    private void CheckStatements(string id, RequestId request, ExactStatements? statements)
    {
        if (said.DetailOf(Said.StatementsOf(request.Value)) != (statements is null ? null : Said.Hash(statements.Canonical)))
        {
            Find(id, $"{id} differs from the log: for which exact statements it is, is not what the fact about {request} says.");
        }
    }

    private void Check(Delegation delegation) => Check(
        delegation.Id.Value,
        delegation.EndedAt is null ? "made" : "ended",
        $"{delegation.Person}/{delegation.Delegate}/{CanonicalTime.Write(delegation.From)}/{CanonicalTime.Write(delegation.Until)}",
        "who answers for whom, or how long");

    /// <summary>An assignment that was made and not looked at yet has no fact of its own; its grant's opening is on record.</summary>
    private void CheckAssignment(Assignment assignment)
    {
        if (assignment is { State: AssignmentState.Adding, Until: null } && said.StateOf(assignment.Id.Value) is null)
        {
            Read++;
            return;
        }

        Check(assignment.Id.Value, Facts.Word(assignment.State), assignment.Account, "its account");
    }

    private void Check(string id, string state, string? detail, string what)
    {
        Read++;
        _seen.Add(id);
        if (said.StateOf(id) is not { } told)
        {
            Find(id, $"The store has {id}, and no fact says where it came from.");
            return;
        }

        if (told != state)
        {
            Find(id, $"{id} is '{state}' in the store; its last fact says '{told}'.");
        }

        if (said.DetailOf(id) is { } expected && expected != detail)
        {
            Find(id, $"{id} differs from the log: {what} is not what its fact says.");
        }
    }

    private void Find(string about, string sentence)
    {
        if (Findings.Count < VerifyLog.MostRows)
        {
            Findings.Add(new RowFinding(about, sentence));
        }
    }

    private static async Task EachAsync<T>(Func<Page, ValueTask<Paged<T>>> read, Action<T> check, CancellationToken cancellation)
    {
        long? before = null;
        do
        {
            cancellation.ThrowIfCancellationRequested();
            var page = await read(new Page(1000, before));
            foreach (var item in page.Items)
            {
                check(item);
            }

            before = page.Next;
        }
        while (before is not null);
    }
}
