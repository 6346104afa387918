using System.Globalization;
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

/// <summary>Where a search goes on.</summary>
/// <param name="Page">The page of sessions, as the sessions' own pages are named; null for the first.</param>
/// <param name="Session">The session to go on in; null to begin with the first of the page.</param>
/// <param name="After">The last record of it that was shown.</param>
internal sealed record StatementPlace(long? Page, SessionId? Session, long After)
{
    /// <summary>As a caller keeps it.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Page}.{Session?.Value}.{After}");

    /// <summary>Reads what <see cref="ToString"/> wrote; null when it is something else.</summary>
    public static StatementPlace? Parse(string text)
    {
        var parts = text.Split('.');
        long page = 0;
        return parts.Length == 3
            && (parts[0].Length == 0 || long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out page))
            && long.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out var after)
            ? new StatementPlace(parts[0].Length == 0 ? null : page, parts[1].Length == 0 ? null : new SessionId(parts[1]), after)
            : null;
    }
}

/// <summary>What a search found.</summary>
/// <param name="Items">Newest session first, in the order of each session.</param>
/// <param name="Next">Where to go on; null when everything was looked through. May come with no items.</param>
/// <param name="Unread">Sessions whose recording is not on this node, or is damaged.</param>
internal sealed record FoundStatements(IReadOnlyList<FoundStatement> Items, StatementPlace? Next, IReadOnlyList<SessionId> Unread);

/// <summary>Finds statements across recordings.</summary>
internal sealed class FindStatements(FindSessions sessions, Recordings recordings)
{
    /// <summary>Most recordings that one search reads; the next one goes on from there.</summary>
    public const int MostSessions = 50;

    /// <summary>Searches the recordings of the sessions that the caller may see.</summary>
    public async Task<FoundStatements> FindAsync(SubjectId who, StatementQuery query, int limit, StatementPlace? start, CancellationToken cancellation)
    {
        var page = await sessions.ListAsync(who, new SessionFilter { Subject = query.Person, Resource = query.Resource }, new Page(MostSessions, start?.Page), cancellation);

        // NB. By name, not by count: sessions that began since the last page must not shift the place.
        if (start?.Session is { } last && page.Items.All(session => session.Id != last))
        {
            // So many began that it stands on an older page by now.
            return new FoundStatements([], page.Next is { } behind ? start with { Page = behind } : null, []);
        }

        var rest = start?.Session is { } place ? page.Items.SkipWhile(session => session.Id != place) : page.Items;
        var search = new Search(recordings, new RecordingQuery(query.Text, query.Table, query.Since, query.Until), limit, cancellation);
        foreach (var session in rest.Where(session => !(session.StartedAt >= query.Until) && !(session.EndedAt < query.Since)))
        {
            if (await recordings.FetchAsync(session, cancellation) is not null)
            {
                search.Unread.Add(session.Id);
                continue;
            }

            var after = start is not null && session.Id == start.Session ? start.After : 0;
            if (await Task.Run(() => search.Read(session, after), cancellation) is { } stopped)
            {
                return new FoundStatements(search.Items, new StatementPlace(start?.Page, session.Id, stopped), search.Unread);
            }
        }

        return new FoundStatements(search.Items, page.Next is { } older ? new StatementPlace(older, null, 0) : null, search.Unread);
    }

    private sealed class Search(Recordings recordings, RecordingQuery wanted, int limit, CancellationToken cancellation)
    {
        public List<FoundStatement> Items { get; } = [];

        public List<SessionId> Unread { get; } = [];

        /// <summary>Adds what one recording has.</summary>
        /// <returns>The last record that was shown when the page is full and there is more; null when the recording was read to its end.</returns>
        public long? Read(Session session, long after)
        {
            using var file = recordings.Open(session);
            if (file is null)
            {
                // One that ended before anything was recorded has nothing to be read.
                if (session.Recording is not null)
                {
                    Unread.Add(session.Id);
                }

                return null;
            }

            var reader = new RecordingReader(file);
            var shown = after;
            foreach (var hit in RecordingSearch.Find(reader, wanted).Where(hit => hit.Statement.Seq > after))
            {
                cancellation.ThrowIfCancellationRequested();
                if (Items.Count >= limit)
                {
                    return shown;
                }

                Items.Add(new FoundStatement(session, hit));
                shown = hit.Statement.Seq;
            }

            if (reader.Fault is not null)
            {
                Unread.Add(session.Id);
            }

            return null;
        }
    }
}
