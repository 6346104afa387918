using Microsoft.Extensions.DependencyInjection;
using Stint.Core.Audit;
using Stint.Core.Sessions;
using Stint.Server.Approvals;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Catalog.OnCall;
using Stint.Server.Grants;
using Stint.Server.Identity;
using Stint.Server.Identity.Accounts;
using Stint.Server.Identity.Ldap;
using Stint.Server.Identity.Scim;
using Stint.Server.Identity.Signals;
using Stint.Server.Nodes;
using Stint.Server.Requests;
using Stint.Server.Sessions;

namespace Stint.Server;

/// <summary>Every use case, each once.</summary>
internal static class UseCases
{
    /// <summary>
    /// Adds them. Whoever calls this adds beside them: the store, <see cref="CurrentCatalog"/>, <see cref="CatalogTruth"/>, the list of connectors,
    /// <see cref="Installation"/>, the secrets, the sealer, <see cref="IdSource"/>, the clock, <see cref="KeeperOptions"/>,
    /// <see cref="GateOptions"/>, <see cref="NodeTokens"/>, <see cref="Issuers"/>, <see cref="Transmitters"/>, <see cref="WebSessionLimits"/>, <see cref="CliLimits"/>,
    /// <see cref="SignInWays"/>, <see cref="RelyingParty"/>, the log's signer, and logging.
    /// </summary>
    public static IServiceCollection AddUseCases(this IServiceCollection services) => services
        .AddSingleton<RequestViews>()
        .AddSingleton<AskForRole>()
        .AddSingleton<CancelRequest>()
        .AddSingleton<BundleViews>()
        .AddSingleton<AskForBundle>()
        .AddSingleton<FindBundles>()
        .AddSingleton<SaveRequests>()
        .AddSingleton<AnswerBundle>()
        .AddSingleton<FindRequests>()
        .AddSingleton<FindRoles>()
        .AddSingleton<ApproveRequest>()
        .AddSingleton<DenyRequest>()
        .AddSingleton<ApprovalSteps>()
        .AddSingleton<DelegateAnswers>()
        .AddSingleton<FindDelegations>()
        .AddSingleton<OfferInstead>()
        .AddSingleton<AcceptOffer>()
        .AddSingleton<TellGlass>()
        .AddSingleton<FindReviews>()
        .AddSingleton<CloseReview>()
        .AddSingleton<SeeGlass>()
        .AddSingleton<MakeCodes>()
        .AddSingleton<LoginByCode>()
        .AddSingleton<PlatformTokens>()
        .AddSingleton<ExchangeToken>()
        .AddSingleton<StaticTokens>()
        .AddSingleton<WebSessions>()
        .AddSingleton<CliAskings>()
        .AddSingleton<CliTokens>()
        .AddSingleton<CliLogins>()
        .AddSingleton<KnownDevice>()
        .AddSingleton(new Passwords())
        .AddSingleton<Passkeys>()
        .AddSingleton<SignInByPassword>()
        .AddSingleton<SignInByPasskey>()
        .AddSingleton<ManageAccount>()
        .AddSingleton<AccountLinks>()
        .AddSingleton<GrantViews>()
        .AddSingleton<GrantSteps>()
        .AddSingleton<BeginGrant>()
        .AddSingleton<EndGrant>()
        .AddSingleton<RevokeGrant>()
        .AddSingleton<DoneTask>()
        .AddSingleton<FindGrants>()
        .AddSingleton<EvaluateAccess>()
        .AddSingleton<Targets>()
        .AddSingleton<SeriesSweep>()
        .AddSingleton<Sweeps>()
        .AddSingleton<AssignmentWork>()
        .AddSingleton<Keeper>()
        .AddSingleton<StartUp>()
        .AddSingleton<ScanDrift>()
        .AddSingleton<LiveSessions>()
        .AddSingleton<SessionOrders>()
        .AddSingleton<SessionWatch>()
        .AddSingleton<Upstreams>()
        .AddSingleton<SessionGate>()
        .AddSingleton<ISessionGate>(provider => provider.GetRequiredService<SessionGate>())
        .AddSingleton<HeldGrant>()
        .AddSingleton<MintLogin>()
        .AddSingleton<IssueCertificate>()
        .AddSingleton<FindAuthority>()
        .AddSingleton<ListRevoked>()
        .AddSingleton<KillSession>()
        .AddSingleton<FindSessions>()
        .AddSingleton<MarkPages>()
        .AddSingleton<NodeLinks>()
        .AddSingleton<NodeGate>()
        .AddSingleton<Recordings>()
        .AddSingleton<ReadRecording>()
        .AddSingleton<FindStatements>()
        .AddSingleton<CatalogVersions>()
        .AddSingleton<EndLeavers>()
        .AddSingleton(new DirectorySource(Actor.Directory))
        .AddSingleton<FollowDirectory>()
        .AddSingleton<SecurityEventTokens>()
        .AddSingleton<TakeSignal>()
        .AddSingleton<FollowRights>()
        .AddSingleton<GiveFirstRight>()
        .AddSingleton<HandOver>()
        .AddSingleton<OffboardPerson>()
        .AddSingleton<ConfirmPull>()
        .AddSingleton<ScimUsers>()
        .AddSingleton<ScimGroups>()
        .AddSingleton<ScimQuery>()
        .AddSingleton<ScimBulk>()
        .AddSingleton<ApplyCatalog>()
        .AddSingleton<CatalogChanges>()
        .AddSingleton<ChangeCatalog>()
        .AddSingleton<PlanCatalog>()
        .AddSingleton<KeepReports>()
        .AddSingleton<ReplayCatalog>()
        .AddSingleton<FollowCatalog>()
        .AddSingleton(new FetchCalendar([]))
        .AddSingleton<FollowRotas>()
        .AddSingleton<TellOnCall>()
        .AddSingleton<ExplainAccess>()
        .AddSingleton<Checkpoints>()
        .AddSingleton<VerifyLog>()
        .AddSingleton<ReadLog>()
        .AddSingleton<SearchLog>()
        .AddSingleton<CollectEvidence>()
        .AddSingleton<ReadStatus>();

    /// <summary>Adds what runs by itself: the keeper, the watch over sessions, the signing of heads. <see cref="StartUp"/> runs before.</summary>
    public static IServiceCollection AddLoops(this IServiceCollection services) => services
        .AddHostedService<KeeperLoop>()
        .AddHostedService(provider => provider.GetRequiredService<SessionWatch>())
        .AddHostedService<CheckpointLoop>();
}
