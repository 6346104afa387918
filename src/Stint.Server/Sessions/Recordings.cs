using System.Globalization;
using Stint.Server.Nodes;
using Stint.Server.Store;

namespace Stint.Server.Sessions;

/// <summary>Finds the files of recordings: those of this node, and copies of those that stand with gateway nodes.</summary>
/// <remarks>
/// A gateway node keeps what it recorded. Whoever reads one here has the part that is missing sent over the node's link,
/// and it stays here. A copy is as good as the original: it is held against the heads that are under the audit log.
/// </remarks>
internal sealed class Recordings(Installation installation, NodeTokens nodes, NodeLinks links, TimeProvider clock)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim[] _turns = [.. Enumerable.Range(0, 16).Select(_ => new SemaphoreSlim(1, 1))];

    /// <summary>Opens a session's recording, which its gateway may be writing; null when it is not on this node.</summary>
    public FileStream? Open(Session session) => PathOf(session) is { } path
        ? new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 64 * 1024)
        : null;

    /// <summary>How long the file is now; 0 when it is not on this node.</summary>
    public long LengthOf(Session session) => PathOf(session) is { } path ? new FileInfo(path).Length : 0;

    /// <summary>Brings here what a gateway node has recorded since the last time. Nothing happens for a session of this node.</summary>
    /// <returns>Null when all of it is here; otherwise why not, in a sentence without its full stop.</returns>
    public async Task<string?> FetchAsync(Session session, CancellationToken cancellation)
    {
        if (!nodes.Names.Contains(session.Node) || (session is { EndedAt: not null, Recording: { } whole } && LengthOf(session) >= whole.Bytes))
        {
            return null;
        }

        var turn = _turns[(uint)session.Id.GetHashCode() % _turns.Length];
        await turn.WaitAsync(cancellation);
        try
        {
            return await FetchInTurnAsync(session, cancellation);
        }
        finally
        {
            turn.Release();
        }
    }

    private async Task<string?> FetchInTurnAsync(Session session, CancellationToken cancellation)
    {
        if (links.Find(session.Node) is not { } link)
        {
            return $"the recording stands on the gateway {session.Node}, which is not linked to this server now";
        }

        // Its day is not certain until its first head is anchored: the file is looked for under each.
        foreach (var name in PathOf(session) is { } known ? [Path.GetRelativePath(RootOf(session), known).Replace('\\', '/')] : NamesOf(session))
        {
            try
            {
                if (await FetchAsync(link, session, name, cancellation))
                {
                    return null;
                }
            }
            catch (TimeoutException)
            {
                return $"the gateway {session.Node} does not send the recording";
            }
        }

        return session.Recording is null ? null : $"the gateway {session.Node} does not have the recording any more";
    }

    private async Task<bool> FetchAsync(NodeLink link, Session session, string name, CancellationToken cancellation)
    {
        var path = Path.Combine(RootOf(session), name);
        var here = File.Exists(path) ? new FileInfo(path).Length : 0;
        while (true)
        {
            var part = await link.FetchAsync(name, here, Patience, clock, cancellation);
            if (part.Length < 0)
            {
                return false;
            }

            if (part.Bytes.Length > 0)
            {
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                await using var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, 1);
                file.Position = here;
                await file.WriteAsync(part.Bytes, cancellation);
                here += part.Bytes.Length;
            }

            if (part.Bytes.Length == 0 || here >= part.Length)
            {
                return true;
            }
        }
    }

    private string? PathOf(Session session)
    {
        var root = RootOf(session);

        // NB. The name comes from the database: it must not lead out of the folder.
        return NamesOf(session)
            .Select(name => Path.GetFullPath(Path.Combine(root, name)))
            .FirstOrDefault(path => path.StartsWith(root, StringComparison.Ordinal) && File.Exists(path));
    }

    // Until its first head is anchored, the session's row does not name the file; the gateway names it after its day.
    // It may have begun its file on one side of midnight and its row on the other.
    private static IEnumerable<string> NamesOf(Session session) => session.Recording is { } head
        ? [head.File]
        : new[] { 0, -1, 1 }.Select(days => $"v1/{session.StartedAt.UtcDateTime.AddDays(days).ToString("yyyy'/'MM'/'dd", CultureInfo.InvariantCulture)}/{session.Id.Value}.rec");

    // NB. What gateway nodes send stands apart from what was recorded here: none can write over another's, or over ours.
    private string RootOf(Session session)
    {
        var own = Path.GetFullPath(installation.RecordingsFolder).TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar;
        return nodes.Names.Contains(session.Node) ? Path.Combine(own, "nodes", session.Node) + Path.DirectorySeparatorChar : own;
    }
}
