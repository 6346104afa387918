namespace Stint.Core.Requests;

/// <summary>Where a request stands. The names are what the store and the API write.</summary>
public enum RequestState
{
    /// <summary>Asked, and somebody's yes is still missing. Nothing is open, nothing is promised.</summary>
    Pending = 1,

    /// <summary>Every needed yes is there, or a rule said yes. It does not mean that access is open: see the grant.</summary>
    Approved = 2,

    /// <summary>A policy or a person said no. It does not keep the subject from asking again.</summary>
    Denied = 3,

    /// <summary>The requester took it back before it was decided, or the task that it was bound to is done.</summary>
    Cancelled = 4,

    /// <summary>Nobody decided in time. It is nobody's no.</summary>
    Lapsed = 5,
}

/// <summary>The moves of a request.</summary>
public static class RequestMoves
{
    /// <summary><c>Pending → Approved · Denied · Cancelled · Lapsed</c>.</summary>
    public static Moves<RequestState> Table { get; } = new(
        (RequestState.Pending, [RequestState.Approved, RequestState.Denied, RequestState.Cancelled, RequestState.Lapsed]));
}
