using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Stint.Core;
using Stint.Core.Requests;
using Stint.Server.Approvals;
using Stint.Server.Catalog;
using Stint.Server.Store;

namespace Stint.Server.Sessions;

/// <summary>What somebody's open page shows besides what is theirs anyway. What is null is not looked at.</summary>
/// <param name="Request">One request whole.</param>
/// <param name="Session">One session.</param>
internal sealed record PageFocus(RequestId? Request = null, SessionId? Session = null);

/// <summary>How the things stand that somebody's pages show: a mark for each, which changes when they do and says nothing else.</summary>
/// <param name="Grants">What they hold or could begin.</param>
/// <param name="Requests">What they asked.</param>
/// <param name="Approvals">What waits for their answer.</param>
/// <param name="Sessions">The sessions that they may see.</param>
/// <param name="Focus">What the page is about; empty for nothing, and for what they may not see.</param>
/// <param name="Waiting">How many requests wait for their answer, at most <see cref="MarkPages.MostCounted"/>.</param>
internal sealed record PageMarks(string Grants, string Requests, string Approvals, string Sessions, string Focus, int Waiting);

/// <summary>Tells somebody's open pages that what they show is not so any more.</summary>
/// <remarks>
/// NB. It is made of what this person may read, and of nothing else: a change of anything that they may not know of leaves every mark as it
/// was, so that not even the moment of it can be seen.
/// </remarks>
internal sealed class MarkPages(StintStore store, CurrentCatalog catalog, FindSessions sessions, ApprovalSteps steps, TimeProvider clock) : IDisposable
{
    /// <summary>So many waiting requests are counted.</summary>
    public const int MostCounted = 100;

    /// <summary>How often one page looks at most, and at least.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1), Beat = TimeSpan.FromSeconds(15);

    private const int Looked = 50;

    // NB. Many open pages make the marks come later, and never the store slower for whoever works.
    private readonly SemaphoreSlim _few = new(4);

    public void Dispose() => _few.Dispose();

    /// <summary>How it stands now.</summary>
    public async Task<PageMarks> ReadAsync(SubjectId who, PageFocus focus, CancellationToken cancellation)
    {
        await _few.WaitAsync(cancellation);
        try
        {
            var seen = await sessions.ListAsync(who, new SessionFilter(), new Page(Looked), cancellation);
            return await store.ReadAsync(
                async reads =>
                {
                    var grants = await reads.LiveGrantsAsync(who);
                    var asked = await reads.RequestsAsync(new RequestFilter { Subject = who }, new Page(Looked));
                    var waiting = await reads.RequestsAsync(new RequestFilter { State = RequestState.Pending, Awaiting = who, Now = clock.Now() }, new Page(MostCounted));
                    return new PageMarks(
                        Mark(grants.Select(grant => $"{grant.Id} {grant.Version}")),
                        Mark(asked.Items.Select(request => $"{request.Id} {request.Version}")),
                        Mark(waiting.Items.Select(request => $"{request.Id} {request.Version}")),
                        Mark(seen.Items.Select(session => $"{session.Id} {session.Version}")),
                        await FocusAsync(reads, who, focus),
                        waiting.Items.Count);
                },
                cancellation);
        }
        finally
        {
            _few.Release();
        }
    }

    /// <summary>How it stands, again and again: soon after something was written, and every few seconds in any case. It ends when the caller leaves.</summary>
    public async IAsyncEnumerable<PageMarks> FollowAsync(SubjectId who, PageFocus focus, [EnumeratorCancellation] CancellationToken cancellation)
    {
        // Listen first, then read: what is committed in between wakes.
        using var waiter = store.Wakes.Listen(Wakes.Audit);
        while (true)
        {
            yield return await ReadAsync(who, focus, cancellation);
            await Task.Delay(Pause, clock, cancellation);
            using var over = new CancellationTokenSource(Beat, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, cancellation);
            try
            {
                await waiter.WaitAsync(either.Token);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                // Nothing was written for a while: it is said that it stands as it stood.
            }
        }
    }

    private async ValueTask<string> FocusAsync(Reads reads, SubjectId who, PageFocus focus)
    {
        if (focus.Request is { } id && await reads.FindRequestAsync(id) is { } request && await steps.MaySeeAsync(reads, who, request, clock.Now()))
        {
            var grant = await reads.FindGrantAsync(id);
            List<string> parts = [$"{request.Version}", $"{grant?.Version}"];
            parts.AddRange((await reads.ApprovalsAsync(id)).Select(answer => $"{answer.By} {answer.At.Ticks}"));
            parts.AddRange((await reads.OffersAsync(id)).Select(offer => $"{offer}"));
            if (grant is not null && catalog.Now.MaySee(who, request.Subject, request.Role.Resource))
            {
                parts.AddRange((await reads.SessionsOfAsync(grant.Id)).Select(session => $"{session.Id} {session.Version}"));
            }

            return Mark(parts);
        }

        return focus.Session is { } one && await reads.FindSessionAsync(one) is { } found && catalog.Now.MaySee(who, found.Subject, found.Role.Resource)
            ? Mark([$"{found.Version}"])
            : "";
    }

    private static string Mark(IEnumerable<string> parts) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', parts))).AsSpan(0, 6));
}
