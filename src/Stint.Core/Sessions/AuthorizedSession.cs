using Stint.Core.Grants;
using Stint.Core.Policies;
using Stint.Core.Requests;

namespace Stint.Core.Sessions;

/// <summary>Proof that a session may run. Only <see cref="Admission"/> makes one, and only from a usable grant.</summary>
public sealed class AuthorizedSession
{
    private readonly Lock _lock = new();
    private readonly List<SessionOrder> _waiting = [];
    private Action<SessionOrder>? _listener;

    internal AuthorizedSession(SessionId id, Grant grant, Upstream upstream, SessionLimits limits)
    {
        Id = id;
        Subject = grant.Subject;
        Role = grant.Role;
        Grant = grant.Id;
        Request = grant.Request;
        Record = grant.Record;
        Statements = grant.Statements;
        NotAfter = grant.NotAfter!.Value;
        Upstream = upstream;
        Limits = limits;
    }

    public SessionId Id { get; }

    public SubjectId Subject { get; }

    public RoleRef Role { get; }

    public GrantId Grant { get; }

    public RequestId Request { get; }

    public RecordMode Record { get; }

    /// <summary>The exact statements that may run in it, and nothing else; null for whatever the role allows.</summary>
    public ExactStatements? Statements { get; }

    /// <summary>The deadline at admission. Later ones come as <see cref="SessionOrder.Extend"/>.</summary>
    public DateTimeOffset NotAfter { get; }

    public Upstream Upstream { get; }

    public SessionLimits Limits { get; }

    /// <summary>Takes the orders from now on; those given before come first. One listener, called on the giver's thread: it must be quick and never throw.</summary>
    public void Listen(Action<SessionOrder> listener)
    {
        lock (_lock)
        {
            if (_listener is not null)
            {
                throw new InvalidOperationException("A session has one listener.");
            }

            _listener = listener;
            _waiting.ForEach(listener);
            _waiting.Clear();
        }
    }

    /// <summary>Gives an order. Kept until somebody listens.</summary>
    public void Give(SessionOrder order)
    {
        lock (_lock)
        {
            if (_listener is null)
            {
                _waiting.Add(order);
            }
            else
            {
                _listener(order);
            }
        }
    }
}

/// <summary>Bounds of one session.</summary>
/// <param name="Idle">Longest silence of the client; null for no bound.</param>
/// <param name="Connections">Most sessions at once under the assignment.</param>
public sealed record SessionLimits(TimeSpan? Idle, int Connections);

/// <summary>Whether a knock may come in.</summary>
public static class Admission
{
    /// <summary>The grants that allow the same as a login's own: those for the same exact statements, or those for whatever the role allows.</summary>
    /// <remarks>NB. What may do everything is never carried on by what may do three things, nor the other way round.</remarks>
    public static List<Grant> Alike(IReadOnlyList<Grant> grants, ExactStatements? statements) => [.. grants.Where(grant => Equals(grant.Statements, statements))];

    /// <summary>The session, or null when none of the grants is usable at <paramref name="now"/>.</summary>
    /// <param name="id">Its name.</param>
    /// <param name="grants">The grants of the login's assignment that are <see cref="Alike"/>.</param>
    /// <param name="now">The moment.</param>
    /// <param name="upstream">Where to dial.</param>
    /// <param name="limits">Its bounds.</param>
    /// <remarks>Of several usable grants the one that ends last carries the session; the strictest recording of them all holds.</remarks>
    public static AuthorizedSession? Decide(SessionId id, IReadOnlyList<Grant> grants, DateTimeOffset now, Upstream upstream, SessionLimits limits)
    {
        var usable = grants.Where(grant => grant.IsUsableAt(now)).OrderByDescending(grant => grant.NotAfter).ToList();
        if (usable.Count == 0)
        {
            return null;
        }

        var record = usable.Max(grant => grant.Record);
        return new AuthorizedSession(id, usable[0] with { Record = record }, upstream, limits);
    }
}
