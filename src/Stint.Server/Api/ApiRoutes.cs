using Microsoft.AspNetCore.Routing;

namespace Stint.Server.Api;

/// <summary>Every endpoint below <c>/api/v1</c>, step by step.</summary>
internal static class ApiRoutes
{
    public static void Map(RouteGroupBuilder api)
    {
        WhoAmIEndpoints.Map(api);
        RequestEndpoints.Map(api);
        BundleEndpoints.Map(api);
        SavedEndpoints.Map(api);
        ApprovalEndpoints.Map(api);
        ReviewEndpoints.Map(api);
        BreakGlassEndpoints.Map(api);
        TaskEndpoints.Map(api);
        OnCallEndpoints.Map(api);
        TokenEndpoints.Map(api);
        SignInEndpoints.Map(api);
        CommandLineEndpoints.Map(api);
        GrantEndpoints.Map(api);
        CertificateEndpoints.Map(api);
        SessionEndpoints.Map(api);
        RecordingEndpoints.Map(api);
        StatusEndpoints.Map(api);
        CatalogEndpoints.Map(api);
        ExplainEndpoints.Map(api);
        AuditEndpoints.Map(api);
        PeopleEndpoints.Map(api);
        AdminEndpoints.Map(api);
    }
}
