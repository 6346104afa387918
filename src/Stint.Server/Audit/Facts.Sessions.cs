using System.Globalization;
using Stint.Core;
using Stint.Core.Audit;
using Stint.Core.Grants;
using Stint.Core.Sessions;
using Stint.Server.Store;

namespace Stint.Server.Audit;

// What happens in and to sessions.
internal static partial class Facts
{
    public static Fact CredentialMinted(Grant grant, AssignmentId assignment, string login, DateTimeOffset at) => new(FactKinds.CredentialMinted, at, Actor.Of(grant.Subject))
    {
        ["request"] = grant.Request.Value,
        ["grant"] = grant.Id.Value,
        ["assignment"] = assignment.Value,
        ["login"] = login,
    };

    public static Fact CertificateIssued(Grant grant, AssignmentId assignment, IssuedCertificate certificate, IReadOnlyList<string> principals, DateTimeOffset at) => new(FactKinds.CertificateIssued, at, Actor.Of(grant.Subject))
    {
        ["request"] = grant.Request.Value,
        ["grant"] = grant.Id.Value,
        ["assignment"] = assignment.Value,
        ["serial"] = certificate.Serial.ToString(CultureInfo.InvariantCulture),
        ["fingerprint"] = certificate.Fingerprint,
        ["authority"] = certificate.Authority,
        ["principals"] = principals.ToArray(),
        ["not_before"] = certificate.NotBefore,
        ["not_after"] = certificate.NotAfter,
        ["state"] = "issued",
    };

    public static Fact SessionStarted(SessionId session, Grant grant, AssignmentId assignment, Knock knock, string? database, string node, DateTimeOffset at) => new(FactKinds.SessionStarted, at, Actor.Of(grant.Subject))
    {
        ["request"] = grant.Request.Value,
        ["grant"] = grant.Id.Value,
        ["session"] = session.Value,
        ["assignment"] = assignment.Value,
        ["subject"] = grant.Subject.Value,
        ["role"] = grant.Role.ToString(),
        ["login"] = knock.Login,
        ["from"] = knock.From,
        ["application"] = knock.Application,
        ["database"] = database,
        ["tls"] = knock.Tls,
        ["record"] = Word(grant.Record),
        ["break_glass"] = grant.BreakGlass,
        ["node"] = node,
        ["state"] = Word(SessionState.Live),
    };

    public static Fact SessionAnchored(SessionId session, GrantId grant, RequestId request, RecordingHead head, DateTimeOffset at)
    {
        var fact = new Fact(FactKinds.SessionAnchored, at, Actor.Gateway);
        Head(fact, session, grant, request, head);
        return fact;
    }

    public static Fact SessionEnded(SessionId session, GrantId grant, RequestId request, SessionEnd end, DateTimeOffset at)
    {
        var fact = new Fact(FactKinds.SessionEnded, at, Actor.Gateway);
        Head(fact, session, grant, request, end.Recording);
        fact["reason"] = Word(end.Reason);
        fact["note"] = end.Note;
        fact["at"] = end.At;
        fact["bytes_in"] = end.BytesFromClient;
        fact["bytes_out"] = end.BytesToClient;
        fact["state"] = Word(SessionState.Ended);
        return fact;
    }

    public static Fact SessionKilled(SessionId session, GrantId grant, RequestId request, Actor by, string comment, DateTimeOffset at) => new(FactKinds.SessionKilled, at, by)
    {
        ["request"] = request.Value,
        ["grant"] = grant.Value,
        ["session"] = session.Value,
        ["reason"] = comment,
    };

    /// <param name="session">The session.</param>
    /// <param name="grant">The grant under which it is counted.</param>
    /// <param name="statement">Which statement of the request, from 0.</param>
    /// <param name="count">How often it ran so far under the grant, this time included.</param>
    /// <param name="at">When.</param>
    public static Fact StatementCounted(SessionId session, Grant grant, int statement, long count, DateTimeOffset at) => new(FactKinds.StatementCounted, at, Actor.Gateway)
    {
        ["request"] = grant.Request.Value,
        ["grant"] = grant.Id.Value,
        ["session"] = session.Value,
        ["index"] = statement,
        ["count"] = count,
    };

    /// <param name="session">The session.</param>
    /// <param name="why">Why the last of them did not run.</param>
    /// <param name="count">How many did not so far in the session.</param>
    /// <param name="at">When.</param>
    public static Fact StatementRefused(Session session, StatementRefusal why, long count, DateTimeOffset at) => new(FactKinds.StatementRefused, at, Actor.Gateway)
    {
        ["request"] = session.Request.Value,
        ["grant"] = session.Grant.Value,
        ["session"] = session.Id.Value,
        ["reason_code"] = Word(why),
        ["count"] = count,
    };

    private static string Word(StatementRefusal why) => why switch
    {
        StatementRefusal.NotListed => "not_listed",
        StatementRefusal.Parameters => "parameters",
        StatementRefusal.Times => "times",
        StatementRefusal.Form => "form",
        StatementRefusal.Encoding => "encoding",
        _ => throw new InvalidOperationException($"{why} is not a reason."),
    };

    private static void Head(Fact fact, SessionId session, GrantId grant, RequestId request, RecordingHead? head)
    {
        fact["request"] = request.Value;
        fact["grant"] = grant.Value;
        fact["session"] = session.Value;
        fact["file"] = head?.File;
        fact["recording"] = head is null ? null : Convert.ToHexStringLower(head.Hash);
        fact["records"] = head?.Records;
        fact["bytes"] = head?.Bytes;
        fact["statements"] = head?.Statements;
    }
}
