using System.Text.Json;
using System.Text.Json.Serialization;

namespace Stint.Server.Api;

/// <summary>Every shape of the API. What it does not know it refuses.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    NumberHandling = JsonNumberHandling.Strict,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    UseStringEnumConverter = false)]
[JsonSerializable(typeof(ApiProblem))]
[JsonSerializable(typeof(WhoAmI))]
[JsonSerializable(typeof(Health))]
[JsonSerializable(typeof(ExchangedShape))]
[JsonSerializable(typeof(OAuthProblem))]
[JsonSerializable(typeof(OAuthMetadata))]
[JsonSerializable(typeof(CliTokensShape))]
[JsonSerializable(typeof(DeviceShape))]
[JsonSerializable(typeof(CommandLineShape))]
[JsonSerializable(typeof(ListOf<CommandLineShape>), TypeInfoPropertyName = "ListOfCommandLineShape")]
[JsonSerializable(typeof(SignalProblem))]
[JsonSerializable(typeof(MakeTokenBody))]
[JsonSerializable(typeof(MadeTokenShape))]
[JsonSerializable(typeof(TokenShape))]
[JsonSerializable(typeof(ListOf<TokenShape>), TypeInfoPropertyName = "ListOfTokenShape")]
[JsonSerializable(typeof(ListOf<RoleShape>), TypeInfoPropertyName = "ListOfRoleShape")]
[JsonSerializable(typeof(ListOf<RequestShape>), TypeInfoPropertyName = "ListOfRequestShape")]
[JsonSerializable(typeof(ListOf<GrantShape>), TypeInfoPropertyName = "ListOfGrantShape")]
[JsonSerializable(typeof(ListOf<SessionShape>), TypeInfoPropertyName = "ListOfSessionShape")]
[JsonSerializable(typeof(RecordsShape))]
[JsonSerializable(typeof(StatementsShape))]
[JsonSerializable(typeof(ListOf<FactShape>), TypeInfoPropertyName = "ListOfFactShape")]
[JsonSerializable(typeof(PreviewShape))]
[JsonSerializable(typeof(ProofShape))]
[JsonSerializable(typeof(KeyShape))]
[JsonSerializable(typeof(VerifyShape))]
[JsonSerializable(typeof(BackupBody))]
[JsonSerializable(typeof(BackupShape))]
[JsonSerializable(typeof(SealBody))]
[JsonSerializable(typeof(SealShape))]
[JsonSerializable(typeof(DriftShape))]
[JsonSerializable(typeof(StatusShape))]
[JsonSerializable(typeof(CatalogShape))]
[JsonSerializable(typeof(ExplanationShape))]
[JsonSerializable(typeof(WhoShape))]
[JsonSerializable(typeof(PlanShape))]
[JsonSerializable(typeof(PlanBody))]
[JsonSerializable(typeof(ApplyBody))]
[JsonSerializable(typeof(RollbackBody))]
[JsonSerializable(typeof(ReplayBody))]
[JsonSerializable(typeof(AnswerBody))]
[JsonSerializable(typeof(AppliedShape))]
[JsonSerializable(typeof(ExportShape))]
[JsonSerializable(typeof(ListOf<EntryShape>), TypeInfoPropertyName = "ListOfEntryShape")]
[JsonSerializable(typeof(ListOf<ChangeShape>), TypeInfoPropertyName = "ListOfChangeShape")]
[JsonSerializable(typeof(LoginShape))]
[JsonSerializable(typeof(CertificateBody))]
[JsonSerializable(typeof(CertificateShape))]
[JsonSerializable(typeof(AuthorityShape))]
[JsonSerializable(typeof(AskBody))]
[JsonSerializable(typeof(AskBundleBody))]
[JsonSerializable(typeof(BundleAskingShape))]
[JsonSerializable(typeof(BundlePreviewShape))]
[JsonSerializable(typeof(ListOf<BundleShape>), TypeInfoPropertyName = "ListOfBundleShape")]
[JsonSerializable(typeof(SaveBody))]
[JsonSerializable(typeof(SavedShape))]
[JsonSerializable(typeof(ListOf<SavedShape>), TypeInfoPropertyName = "ListOfSavedShape")]
[JsonSerializable(typeof(ApproveBody))]
[JsonSerializable(typeof(DenyBody))]
[JsonSerializable(typeof(OfferBody))]
[JsonSerializable(typeof(AcceptBody))]
[JsonSerializable(typeof(DelegateBody))]
[JsonSerializable(typeof(DelegationShape))]
[JsonSerializable(typeof(ListOf<DelegationShape>), TypeInfoPropertyName = "ListOfDelegationShape")]
[JsonSerializable(typeof(ReviewShape))]
[JsonSerializable(typeof(ListOf<ReviewShape>), TypeInfoPropertyName = "ListOfReviewShape")]
[JsonSerializable(typeof(CloseReviewBody))]
[JsonSerializable(typeof(TaskEndShape))]
[JsonSerializable(typeof(OnCallBody))]
[JsonSerializable(typeof(OnCallShape))]
[JsonSerializable(typeof(CodesBody))]
[JsonSerializable(typeof(CodesShape))]
[JsonSerializable(typeof(CodeLoginBody))]
[JsonSerializable(typeof(CodeLoginShape))]
[JsonSerializable(typeof(CommentBody))]
[JsonSerializable(typeof(RevokeBody))]
[JsonSerializable(typeof(ConfirmPullBody))]
[JsonSerializable(typeof(PullShape))]
[JsonSerializable(typeof(OffboardBody))]
[JsonSerializable(typeof(OffboardShape))]
[JsonSerializable(typeof(RestoreBody))]
[JsonSerializable(typeof(HandOverBody))]
[JsonSerializable(typeof(HandOverShape))]
[JsonSerializable(typeof(HandOverChangeShape))]
[JsonSerializable(typeof(RestoreShape))]
[JsonSerializable(typeof(LinkShape))]
[JsonSerializable(typeof(SignInShape))]
[JsonSerializable(typeof(ListOf<SignInShape>), TypeInfoPropertyName = "ListOfSignInShape")]
[JsonSerializable(typeof(EmptyBody))]
[JsonSerializable(typeof(CancelBody))]
[JsonSerializable(typeof(EvaluationBody))]
[JsonSerializable(typeof(EvaluationsBody))]
[JsonSerializable(typeof(SearchBody))]
[JsonSerializable(typeof(DecisionShape))]
[JsonSerializable(typeof(DecisionsShape))]
[JsonSerializable(typeof(FoundEntitiesShape))]
[JsonSerializable(typeof(FoundActionsShape))]
[JsonSerializable(typeof(AuthzenShape))]
internal sealed partial class ApiJson : JsonSerializerContext
{
    /// <summary>Makes the framework's options, which read the bodies and describe the shapes, the same as those of this context.</summary>
    public static void Apply(JsonSerializerOptions options)
    {
        var own = Default.Options;
        options.TypeInfoResolverChain.Insert(0, Default);
        options.PropertyNamingPolicy = own.PropertyNamingPolicy;
        options.PropertyNameCaseInsensitive = false;
        options.UnmappedMemberHandling = own.UnmappedMemberHandling;
        options.AllowDuplicateProperties = own.AllowDuplicateProperties;
        options.NumberHandling = own.NumberHandling;
        options.RespectNullableAnnotations = own.RespectNullableAnnotations;
        options.RespectRequiredConstructorParameters = own.RespectRequiredConstructorParameters;
    }
}
