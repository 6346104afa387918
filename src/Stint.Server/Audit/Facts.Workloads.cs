using Stint.Core;
using Stint.Core.Audit;
using Stint.Server.Store;

namespace Stint.Server.Audit;

/// <summary>What is put on record of machines and their tokens.</summary>
internal static partial class Facts
{
    public static Fact WorkloadAdmitted(WorkloadPass pass, string from) => new(FactKinds.WorkloadAdmitted, pass.MadeAt, Actor.Of(pass.Subject))
    {
        ["subject"] = pass.Subject.Value,
        ["issuer"] = pass.Issuer,
        ["claims"] = Claims(pass.Claims),
        ["from"] = from,
        ["until"] = pass.ExpiresAt,
    };

    public static Fact WorkloadRefused(string from, long count, DateTimeOffset at) => new(FactKinds.WorkloadRefused, at, Actor.Server)
    {
        ["from"] = from,
        ["count"] = count,
    };

    public static Fact TokenMade(WorkloadToken token) => Of(FactKinds.TokenMade, token, token.MadeAt, Actor.Of(token.MadeBy), "made");

    public static Fact TokenRevoked(WorkloadToken token, SubjectId by, DateTimeOffset at) => Of(FactKinds.TokenRevoked, token, at, Actor.Of(by), "revoked");

    private static Fact Of(string kind, WorkloadToken token, DateTimeOffset at, Actor by, string state) => new(kind, at, by)
    {
        ["token_id"] = token.Id,
        ["prefix"] = token.Prefix,
        ["subject"] = token.Subject.Value,
        ["scope"] = FactValue.List(token.Scope),
        ["until"] = token.ExpiresAt,
        ["state"] = state,
    };

    private static FactValue Claims(IReadOnlyDictionary<string, string> claims) =>
        FactValue.List(claims.OrderBy(claim => claim.Key, StringComparer.Ordinal).Select(claim => $"{claim.Key}={claim.Value}"));
}
