using Stint.Core;
using Stint.Core.Sessions;
using Stint.Server.Store;

namespace Stint.Server.Sessions;

/// <summary>Which statements are wanted. What is null does not matter.</summary>
internal sealed record StatementQuery
{
    /// <summary>Appears in the statement or in a parameter, in whatever case.</summary>
    public string? Text { get; init; }

    /// <summary>A table's name as SQL writes it.</summary>
    public string? Table { get; init; }

    public SubjectId? Person { get; init; }

    public string? Resource { get; init; }

    /// <summary>Inclusive.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Exclusive.</summary>
    public DateTimeOffset? Until { get; init; }
}

/// <summary>A statement that was found.</summary>
/// <param name="Session">Where it was said.</param>
/// <param name="Hit">What was said, and what became of it.</param>
internal sealed record FoundStatement(Session Session, RecordingHit Hit);

/// <summary>What a search found.</summary>
/// <param name="Items">Newest session first, in the order of each session.</param>
/// <param name="Sessions">How many recordings were read.</param>
/// <param name="More">Whether the search stopped at its bound and older sessions were not read.</param>
/// <param name="Unread">Sessions whose recording is not on this node, or is damaged.</param>
internal sealed record FoundStatements(IReadOnlyList<FoundStatement> Items, int Sessions, bool More, IReadOnlyList<SessionId> Unread);

/// <summary>Finds statements across recordings.</summary>
internal sealed class FindStatements(FindSessions sessions, Recordings recordings)
{
    /// <summary>Most recordings that one search reads.</summary>
    public const int MostSessions = 5000;

    /// <summary>Searches the recordings of the sessions that the caller may see.</summary>
    public async Task<FoundStatements> FindAsync(SubjectId who, StatementQuery query, int limit, CancellationToken cancellation)
    {
        var wanted = new RecordingQuery(query.Text, query.Table, query.Since, query.Until);
        var (items, unread, read) = (new List<FoundStatement>(), new List<SessionId>(), 0);
        long? before = null;
        do
        {
            var page = await sessions.ListAsync(who, new SessionFilter { Subject = query.Person, Resource = query.Resource }, new Page(200, before), cancellation);
            foreach (var session in page.Items.Where(session => !(session.StartedAt >= query.Until) && !(session.EndedAt < query.Since)))
            {
                if (items.Count >= limit || read >= MostSessions)
                {
                    return new FoundStatements(items, read, true, unread);
                }

                read++;
                await Task.Run(() => Search(session, wanted, limit, items, unread, cancellation), cancellation);
            }

            before = page.Next;
        }
        while (before is not null);
        return new FoundStatements(items, read, false, unread);
    }

    private void Search(Session session, RecordingQuery wanted, int limit, List<FoundStatement> items, List<SessionId> unread, CancellationToken cancellation)
    {
        using var file = recordings.Open(session);
        if (file is null)
        {
            unread.Add(session.Id);
            return;
        }

        var reader = new RecordingReader(file);
        foreach (var hit in RecordingSearch.Find(reader, wanted))
        {
            cancellation.ThrowIfCancellationRequested();
            items.Add(new FoundStatement(session, hit));
            if (items.Count >= limit)
            {
                return;
            }
        }

        if (reader.Fault is not null)
        {
            unread.Add(session.Id);
        }
    }
}
