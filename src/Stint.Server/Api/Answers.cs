using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Stint.Core.Approvals;
using Stint.Server.Hosting;
using Stint.Server.Identity;
using Stint.Server.Store;

namespace Stint.Server.Api;

/// <summary>From what came of a use case to an HTTP answer.</summary>
internal static class Answers
{
    /// <summary>Most items of one page.</summary>
    public const int MostItems = 200;

    /// <summary>Longest wait of one call; the caller asks again.</summary>
    public const int MostWaitSeconds = 60;

    public static IResult Answer<T, TShape>(this Outcome<T> outcome, Func<T, TShape> shape, JsonTypeInfo<TShape> type, int status = 200) => outcome switch
    {
        Outcome<T>.Done done => Results.Json(shape(done.Value), type, statusCode: status),
        Outcome<T>.NotFound => NotFound(),
        Outcome<T>.LostRace lost => Problem(ProblemKind.LostRace.Say(Sentence(lost.Why)) with { State = lost.Now is { } now ? StateOf(now) : null }),
        Outcome<T>.NotYours no => Problem(ProblemKind.NotYours.Say(Sentence(no.Why)) with { WhoCould = no.WhoCould.Count == 0 ? null : [.. no.WhoCould.Select(person => person.Value)] }),
        Outcome<T>.Invalid invalid => Invalid([.. invalid.Problems.Select(problem => new FieldProblem(problem.Field, problem.Message))]),
        Outcome<T>.Refused refused => Problem(ProblemKind.Refused.Say(Sentence(refused.Why), refused.Remedy is { } remedy ? Sentence(remedy) : null)),
        _ => throw new InvalidOperationException("An outcome of a kind that the API does not know."),
    };

    /// <summary>The same for what Core writes as JSON itself, so that the command line says it alike without a server.</summary>
    public static IResult Answer(this Outcome<JsonObject> outcome) => outcome is Outcome<JsonObject>.Done { Value: var node }
        ? Results.Text(node.ToJsonString(), "application/json; charset=utf-8", Encoding.UTF8)
        : outcome.Answer(_ => new Health("", null), ApiJson.Default.Health);

    /// <summary>One line of an answer that is told while it is made.</summary>
    public static async Task TellAsync(HttpContext context, JsonObject line, bool flush, CancellationToken cancellation)
    {
        await context.Response.WriteAsync(line.ToJsonString() + "\n", cancellation);
        if (flush)
        {
            await context.Response.Body.FlushAsync(cancellation);
        }
    }

    public static IResult Problem(ApiProblem problem) => new ProblemResult(problem);

    /// <summary>The same words whether it does not exist or is not the caller's to know of.</summary>
    public static IResult NotFound() => Problem(ProblemKind.NotFound.Say("There is no such thing, or none that you may know of."));

    /// <summary>What a one-time code does not open.</summary>
    public static IResult OnlyBreakGlass() => Problem(ProblemKind.NotYours.Say("What a one-time code lets in is break-glass alone.", "Say so: `break_glass` must be true."));

    public static IResult Invalid(IReadOnlyList<FieldProblem> problems) => Problem(ProblemKind.Invalid.Say(errors: problems));

    /// <summary>A page's bounds from the query; null with a problem when they are not bounds.</summary>
    public static (Page? Page, IResult? Problem) PageOf(int? limit, string? cursor)
    {
        var problems = new List<FieldProblem>();
        if (limit is < 1 or > MostItems)
        {
            problems.Add(new FieldProblem("limit", $"must be from 1 to {MostItems}"));
        }

        long? before = null;
        if (cursor is not null)
        {
            before = long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out var seq) ? seq : null;
            if (before is null)
            {
                problems.Add(new FieldProblem("cursor", "must be the `next` of an earlier page"));
            }
        }

        return problems.Count > 0 ? (null, Invalid(problems)) : (new Page(limit ?? 50, before), null);
    }

    public static ListOf<TShape> ListOf<T, TShape>(Paged<T> paged, Func<T, TShape> shape) =>
        new([.. paged.Items.Select(shape)], paged.Next?.ToString(CultureInfo.InvariantCulture));

    /// <summary>A duration of a body, for use cases that check it themselves: what cannot be one becomes one that none of them takes.</summary>
    public static TimeSpan? Seconds(long? seconds) => seconds switch
    {
        null => null,
        > (long)int.MaxValue => TimeSpan.FromSeconds(int.MaxValue),
        < 0 => TimeSpan.Zero,
        { } given => TimeSpan.FromSeconds(given),
    };

    /// <summary>Where an answer was given, as the client names itself.</summary>
    public static string Via(HttpContext context) =>
        context.Request.Headers.UserAgent.ToString().StartsWith("stint/", StringComparison.Ordinal) ? "cli" : "api";

    /// <summary>How a caller proved themselves last: in this browser, or in the one that let their command line in. A token of the catalog proves nothing anew.</summary>
    public static ApprovalProof? Proof(Caller caller) =>
        caller.Session is { } session ? new ApprovalProof.Fresh(session.ProvedAt, session.ProvedBy)
        : caller.CommandLine is { } login ? new ApprovalProof.Fresh(login.Proof.At, login.Proof.By, login.Id)
        : null;

    /// <summary>The problem with a wish to wait; null when there is none.</summary>
    public static IResult? WrongWait(int? seconds) => seconds is < 0 or > MostWaitSeconds
        ? Invalid([new FieldProblem("wait_seconds", $"must be from 0 to {MostWaitSeconds}")])
        : null;

    /// <summary>Waits for news as long as the caller wants and the node does not drain.</summary>
    public static async Task<T> WaitAsync<T>(int? seconds, NodeState node, Func<TimeSpan, CancellationToken, Task<T>> wait, Func<CancellationToken, Task<T>> get, CancellationToken cancellation)
    {
        if (seconds is not > 0 || node.IsDraining)
        {
            return await get(cancellation);
        }

        using var either = CancellationTokenSource.CreateLinkedTokenSource(node.Draining, cancellation);
        try
        {
            return await wait(TimeSpan.FromSeconds(seconds.Value), either.Token);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return await get(cancellation);
        }
    }

    private static string? StateOf(object now) => now switch
    {
        Requests.RequestView view => Words.Request[view.Request.State],
        Requests.BundleView view => Core.Requests.BundleStates.Word(view.State),
        Grants.GrantView view => Words.Grant[view.Grant.State],
        Approvals.ReviewView view => Words.Review[view.Review.State],
        Catalog.ChangeView view => Words.Change[view.Change.State],
        Session session => Words.Session[session.State],
        _ => null,
    };

    /// <summary>A use case's half sentence as a whole one.</summary>
    private static string Sentence(string half)
    {
        if (half.Length == 0)
        {
            return half;
        }

        var whole = new StringBuilder(half);
        whole[0] = char.ToUpperInvariant(whole[0]);
        if (whole[^1] is not ('.' or '?' or '!'))
        {
            whole.Append('.');
        }

        return whole.ToString();
    }
}
