using System.Text.Json.Serialization;
using Stint.Core;
using Stint.Core.Grants;
using Stint.Core.Policies;
using Stint.Core.Requests;
using Stint.Core.Sessions;
using Stint.Server.Hosting;

namespace Stint.Server.Nodes;

/// <summary>How a gateway node presents itself when it links up.</summary>
/// <param name="Version">Its program version.</param>
/// <param name="UpSeconds">How long its process has run: sessions from before are over.</param>
/// <param name="Door">Where its clients knock; null while nobody can.</param>
/// <param name="Sessions">What it carries.</param>
internal sealed record LinkBody(string Version, double UpSeconds, DoorShape? Door, IReadOnlyList<string> Sessions);

/// <summary>Where clients of a gateway knock, and what they are told of TLS.</summary>
internal sealed record DoorShape(string Host, int Port, string SslMode, string? CertificateToTrust)
{
    public static DoorShape Of(GatewayDoor door) => new(door.Host, door.Port, door.SslMode, door.CertificateToTrust);
}

/// <summary>What a gateway node carries, said every few seconds.</summary>
internal sealed record BeatBody(string Version, double UpSeconds, DoorShape? Door, IReadOnlyList<string> Sessions);

/// <summary>One line from the control plane to a gateway node. Exactly one member is set; none for a line that only says that the link lives.</summary>
internal sealed record NodeLine
{
    public WelcomeShape? Welcome { get; init; }

    public CutShape? Cut { get; init; }

    public ExtendShape? Extend { get; init; }

    public FetchShape? Fetch { get; init; }
}

/// <summary>First line: the node is known, and what it carries was looked at.</summary>
/// <param name="Node">Its name.</param>
/// <param name="MockSecret">Makes an unknown login look like the same known one at every node.</param>
/// <param name="Now">The control plane's clock.</param>
internal sealed record WelcomeShape(string Node, byte[] MockSecret, DateTimeOffset Now);

internal sealed record CutShape(string Session, SessionEndReason Reason, string Sentence, string? Hint);

internal sealed record ExtendShape(string Session, DateTimeOffset NotAfter);

/// <summary>A part of a recording is wanted.</summary>
/// <param name="Ticket">Under which it is sent; good once.</param>
/// <param name="File">Below the recordings folder.</param>
/// <param name="Offset">First byte wanted.</param>
internal sealed record FetchShape(string Ticket, string File, long Offset);

internal sealed record LoginBody(string Login);

/// <param name="Verifier">Null for a login that is unknown or over.</param>
internal sealed record LoginFound(LoginVerifier? Verifier);

internal sealed record AdmitShape(AdmittedShape? Admitted, GateAnswer.Refused? Refused);

/// <summary>A session that may run: what the gateway needs of its grant, and where to dial.</summary>
internal sealed record AdmittedShape(
    string Session,
    string Grant,
    string Request,
    string Subject,
    string Resource,
    string Role,
    DateTimeOffset NotBefore,
    DateTimeOffset NotAfter,
    RecordMode Record,
    double? IdleSeconds,
    int Connections,
    Upstream Upstream)
{
    /// <summary>The exact statements that may run in it; null for whatever the role allows. Not written then: a node of an older version reads the rest, and refuses what it could not hold anybody to.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Statements { get; init; }

    public static AdmittedShape Of(AuthorizedSession session, DateTimeOffset notBefore) => new(
        session.Id.Value,
        session.Grant.Value,
        session.Request.Value,
        session.Subject.Value,
        session.Role.Resource,
        session.Role.Role,
        notBefore,
        session.NotAfter,
        session.Record,
        session.Limits.Idle?.TotalSeconds,
        session.Limits.Connections,
        session.Upstream)
    {
        Statements = session.Statements?.Text,
    };

    /// <summary>The session again, from the same facts and by the same decision; null when the gateway's own clock says that it is over.</summary>
    public AuthorizedSession? Decide(DateTimeOffset now)
    {
        var grant = new Grant
        {
            Id = new GrantId(Grant),
            Request = new RequestId(Request),
            Subject = new SubjectId(Subject),
            Role = new RoleRef(Resource, Role),
            State = GrantState.Open,
            Version = 1,
            ReadyAt = NotBefore,
            For = NotAfter - NotBefore,
            LapsesAt = NotAfter,
            NotBefore = NotBefore,
            NotAfter = NotAfter,
            Record = Record,
            Statements = Statements is null ? null : ExactStatements.Parse(Statements),
        };
        var limits = new SessionLimits(IdleSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null, Connections);
        return Admission.Decide(new SessionId(Session), [grant], now, Upstream, limits);
    }
}

internal sealed record AnchorBody(string Session, RecordingHead Head);

internal sealed record CountBody(string Session, int Statement);

internal sealed record HeldToBody(string Session, StatementRefusal Why, long Count);

internal sealed record CutBody(string Session, string? Backend);

internal sealed record EndedBody(string Session, SessionEnd End);

internal sealed record NodeDone(bool Done);

/// <summary>The words between a gateway node and the control plane.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(LinkBody))]
[JsonSerializable(typeof(BeatBody))]
[JsonSerializable(typeof(NodeLine))]
[JsonSerializable(typeof(LoginBody))]
[JsonSerializable(typeof(LoginFound))]
[JsonSerializable(typeof(Knock))]
[JsonSerializable(typeof(AdmitShape))]
[JsonSerializable(typeof(AnchorBody))]
[JsonSerializable(typeof(CountBody))]
[JsonSerializable(typeof(HeldToBody))]
[JsonSerializable(typeof(CutBody))]
[JsonSerializable(typeof(EndedBody))]
[JsonSerializable(typeof(NodeDone))]
internal sealed partial class NodeJson : JsonSerializerContext;
