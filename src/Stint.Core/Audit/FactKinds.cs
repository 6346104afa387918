namespace Stint.Core.Audit;

/// <summary>What a fact can say: past tense, one word for one change. A kind never changes its meaning once it stands in a log.</summary>
public static class FactKinds
{
    /// <summary>Somebody asked for a bundle. Fields: <c>request bundle name subject for_seconds reason ticket start_at roles left_out steps distinct sequential catalog digest state</c>; <c>request</c> is the first of its requests, one of <c>roles</c> is <c>request role for_seconds outcome</c>, and <c>digest</c> is what its approvers are shown.</summary>
    public const string BundleAsked = nameof(BundleAsked);

    /// <summary>Somebody keeps an asking to repeat it; it asks for nothing. Fields: <c>subject name role bundle</c>, one of the last two.</summary>
    public const string AskingSaved = nameof(AskingSaved);

    /// <summary>Somebody keeps an asking no longer. Fields as <see cref="AskingSaved"/>.</summary>
    public const string AskingForgotten = nameof(AskingForgotten);

    /// <summary>Somebody asked. Fields: <c>request subject role for_seconds opening start_at reason ticket extends catalog verdict digest lapses_at</c>, <c>bundle</c> for a part of one, and <c>claims</c> for a workload: one of them is <c>name=value</c>, as its token said; <c>authorization_details</c> where it is for exact statements, as <see cref="Requests.ExactStatements.Text"/> writes them.</summary>
    public const string RequestAsked = nameof(RequestAsked);

    /// <summary>The policies, or the last yes that was missing, let a request through. Fields: <c>request by_rule for_seconds</c>.</summary>
    public const string RequestApproved = nameof(RequestApproved);

    /// <summary>One no ended a request. Fields: <c>request reason</c>.</summary>
    public const string RequestDenied = nameof(RequestDenied);

    /// <summary>The requester took it back. Fields: <c>request reason</c>.</summary>
    public const string RequestCancelled = nameof(RequestCancelled);

    /// <summary>Nobody decided in time, or it was not begun in time. Fields: <c>request reason</c>.</summary>
    public const string RequestLapsed = nameof(RequestLapsed);

    /// <summary>One person's yes or no. Fields: <c>request by for delegation offer yes saw comment shortened_to_seconds via proof</c>; <c>proof</c> is how they proved themselves anew, null when nothing demanded it, <c>saw</c> is the digest that the asking names, <c>for</c> the approver who was away and in whose place it was given, <c>offer</c> the counter-offer that it was given with.</summary>
    public const string ApprovalGiven = nameof(ApprovalGiven);

    /// <summary>A step's turn came, or somebody came on call for it. Fields: <c>request step name persons cause</c>; <c>step</c> counts from 0, <c>cause</c> is <c>opened</c> or <c>on_call</c>.</summary>
    public const string ApproversAsked = nameof(ApproversAsked);

    /// <summary>A step's people were reminded. Fields: <c>request step name persons count</c>.</summary>
    public const string ApproversReminded = nameof(ApproversReminded);

    /// <summary>A step waited too long, and more people may answer it. Fields: <c>request step name persons to state version</c>.</summary>
    public const string RequestEscalated = nameof(RequestEscalated);

    /// <summary>An admin let somebody answer a step of a request where a person was to who left. Fields: <c>request step name for person</c>; <c>for</c> left, <c>person</c> may answer since.</summary>
    public const string AnswerHandedOver = nameof(AnswerHandedOver);

    /// <summary>An admin let somebody review a break-glass where a person was to who left. Fields: <c>request review for person state version</c>.</summary>
    public const string ReviewHandedOver = nameof(ReviewHandedOver);

    /// <summary>Somebody said who answers for them while they are away. Fields: <c>delegation person delegate start_at until state</c>.</summary>
    public const string DelegationMade = nameof(DelegationMade);

    /// <summary>A delegation was ended early. Fields as <see cref="DelegationMade"/>.</summary>
    public const string DelegationEnded = nameof(DelegationEnded);

    /// <summary>An approver offered something less than was asked. Fields: <c>request offer by for delegation role for_seconds start_at comment saw via</c>.</summary>
    public const string OfferMade = nameof(OfferMade);

    /// <summary>The requester took an offer, and a new request was made of it. Fields: <c>request offer by for instead_of role for_seconds start_at</c>; <c>request</c> is the new one, <c>instead_of</c> the one that the offer was made to.</summary>
    public const string OfferAccepted = nameof(OfferAccepted);

    /// <summary>A request with a series was approved, and its occurrences come from now on. Fields: <c>request subject rule start_at state version</c>.</summary>
    public const string SeriesBegan = nameof(SeriesBegan);

    /// <summary>Nothing more opens of a series. Fields: <c>request subject reason note count state version</c>.</summary>
    public const string SeriesEnded = nameof(SeriesEnded);

    /// <summary>An occurrence was over before anything could open it. Fields: <c>request start_at until</c>.</summary>
    public const string OccurrenceMissed = nameof(OccurrenceMissed);

    /// <summary>Another system said that a task is done: requests that were bound to it and waited were cancelled, grants ended. Only when there were any. Fields: <c>task sender grant requests count</c>; <c>sender</c> is its name in the configuration, <c>requests</c> those that were cancelled.</summary>
    public const string TaskDone = nameof(TaskDone);

    /// <summary>Somebody broke the glass: their asking was let in at once, everybody named was told, and a review was opened. Fields: <c>request review subject role rules persons reviewers from_step until reason state version</c>; <c>persons</c> were told, <c>until</c> is when the review is due.</summary>
    public const string GlassBroken = nameof(GlassBroken);

    /// <summary>Somebody who was told of a break-glass said that they saw it. Fields: <c>request review by</c>.</summary>
    public const string GlassSeen = nameof(GlassSeen);

    /// <summary>A review was not closed in time; it stays open. Fields: <c>request review subject until state version</c>.</summary>
    public const string ReviewOverdue = nameof(ReviewOverdue);

    /// <summary>A reviewer found right what was done. Fields: <c>request review by comment cause state version</c>; <c>cause</c> is <c>named</c>, <c>handed_over</c> since, or <c>nobody_left</c> when none of those whom the asking named could review any more.</summary>
    public const string ReviewAccepted = nameof(ReviewAccepted);

    /// <summary>A reviewer found something wrong with what was done. Fields as <see cref="ReviewAccepted"/>.</summary>
    public const string ConcernRaised = nameof(ConcernRaised);

    /// <summary>Somebody made one-time codes for emergencies; those before are void. Never the codes. Fields: <c>subject count</c>.</summary>
    public const string BreakGlassCodesMade = nameof(BreakGlassCodesMade);

    /// <summary>Somebody came in with a one-time code. Fields: <c>subject from count until</c>; <c>count</c> codes are left, <c>until</c> is how long the way in lasts.</summary>
    public const string BreakGlassLoggedIn = nameof(BreakGlassLoggedIn);

    /// <summary>One-time codes were tried in vain: at most six facts a minute tell of all tries since the last. Fields: <c>from count</c>; what was typed is nowhere.</summary>
    public const string BreakGlassRefused = nameof(BreakGlassRefused);

    /// <summary>A browser was signed in. Fields: <c>sign_in subject via at from until</c>; <c>via</c> is how the person proved who they are, <c>at</c> when. Never a secret.</summary>
    public const string PersonSignedIn = nameof(PersonSignedIn);

    /// <summary>Somebody who is signed in proved anew who they are. Fields as <see cref="PersonSignedIn"/>.</summary>
    public const string PersonProved = nameof(PersonProved);

    /// <summary>A signed-in browser counts no longer. Fields: <c>sign_in subject reason</c>; an end by time has no fact, it stands in <see cref="PersonSignedIn"/>.</summary>
    public const string PersonSignedOut = nameof(PersonSignedOut);

    /// <summary>Somebody tried to sign in, in vain: at most six facts a minute tell of all tries since the last. Fields: <c>from count</c>; what was typed is nowhere.</summary>
    public const string SignInRefused = nameof(SignInRefused);

    /// <summary>A provider said at a sign-in in which of its groups somebody is that the catalog names, or what it said is over by time. Fields: <c>subject via added removed until</c>; <c>until</c> is null for what is over, and of a subject that only left groups by time the name is in small letters.</summary>
    public const string ProviderGroupsTold = nameof(ProviderGroupsTold);

    /// <summary>A provider said at a sign-in what its table of attributes names of somebody, or what it said is over by time. Fields as <see cref="ProviderGroupsTold"/>; one of <c>added</c> and <c>removed</c> is <c>name=value</c>.</summary>
    public const string ProviderAttributesTold = nameof(ProviderAttributesTold);

    /// <summary>A workload was let in with the token of its platform. Fields: <c>subject issuer claims from until</c>; one of <c>claims</c> is <c>name=value</c>, <c>until</c> is how long the way in lasts. Never a token.</summary>
    public const string WorkloadAdmitted = nameof(WorkloadAdmitted);

    /// <summary>Tokens of platforms were shown in vain: at most six facts a minute tell of all tries since the last. Fields: <c>from count</c>; what was shown is nowhere.</summary>
    public const string WorkloadRefused = nameof(WorkloadRefused);

    /// <summary>A static token was made for a workload; never the token. Fields: <c>token_id prefix subject scope until state</c>; <c>prefix</c> is how it begins.</summary>
    public const string TokenMade = nameof(TokenMade);

    /// <summary>A static token counts no longer. Fields as <see cref="TokenMade"/>.</summary>
    public const string TokenRevoked = nameof(TokenRevoked);

    /// <summary>Somebody answered a command line that wants in for them. Fields: <c>subject yes kind host from sign_in</c>; <c>kind</c> is <c>device</c> or <c>loopback</c>, <c>host</c> what it calls its machine, <c>from</c> where it called from, <c>sign_in</c> the browser that they answered in.</summary>
    public const string CliAnswered = nameof(CliAnswered);

    /// <summary>A command line was let in. Fields: <c>cli subject kind via at host from sign_in until</c>; <c>via</c> is how the person proved who they are in the browser, <c>at</c> when. Never a token.</summary>
    public const string CliLoggedIn = nameof(CliLoggedIn);

    /// <summary>A command line counts no longer. Fields: <c>cli subject reason</c>; an end by time has no fact, it stands in <see cref="CliLoggedIn"/>.</summary>
    public const string CliLoggedOut = nameof(CliLoggedOut);

    /// <summary>Codes and tokens of command lines were tried in vain: at most six facts a minute tell of all tries since the last. Fields: <c>from count</c>; what was shown is nowhere.</summary>
    public const string CliRefused = nameof(CliRefused);
    /// <summary>No administrator had a way in, and a server offers a one-time link to make the first one; never the link. Fields: <c>until node</c>.</summary>
    public const string SetUpOffered = nameof(SetUpOffered);

    /// <summary>An admin made a one-time link for somebody who has no way in here; never the link. Fields: <c>subject by until</c>.</summary>
    public const string InviteMade = nameof(InviteMade);

    /// <summary>An admin voided every way in that somebody had here, and made a one-time link for new ones. Fields as <see cref="InviteMade"/>.</summary>
    public const string AccountReset = nameof(AccountReset);

    /// <summary>Somebody made what lets them in here. Fields: <c>subject via from</c>; <c>via</c> is <c>set_up</c>, <c>invite</c>, <c>reset</c>, or <c>self</c> for who was signed in.</summary>
    public const string AccountMade = nameof(AccountMade);

    /// <summary>A passkey lets somebody in from now on. Fields: <c>subject credential</c>.</summary>
    public const string PasskeyAdded = nameof(PasskeyAdded);

    /// <summary>A passkey lets nobody in any more. Fields as <see cref="PasskeyAdded"/>.</summary>
    public const string PasskeyRemoved = nameof(PasskeyRemoved);

    /// <summary>Somebody has another password. Fields: <c>subject</c>.</summary>
    public const string PasswordSet = nameof(PasswordSet);

    /// <summary>Somebody has no password any more. Fields: <c>subject</c>.</summary>
    public const string PasswordRemoved = nameof(PasswordRemoved);

    /// <summary>Somebody's password takes a code of their app as well. Fields: <c>subject</c>.</summary>
    public const string TotpSet = nameof(TotpSet);

    /// <summary>Somebody's password takes no code of an app any more. Fields: <c>subject</c>.</summary>
    public const string TotpRemoved = nameof(TotpRemoved);

    /// <summary>Somebody made recovery codes; those before are void. Never the codes. Fields: <c>subject count</c>.</summary>
    public const string RecoveryCodesMade = nameof(RecoveryCodesMade);

    /// <summary>Somebody used a recovery code up. Fields: <c>subject from count</c>; <c>count</c> codes are left.</summary>
    public const string RecoveryCodeUsed = nameof(RecoveryCodeUsed);

    /// <summary>Somebody was made administrator of Stint itself for a time, by no grant: nobody was there who could have approved one. Fields: <c>subject role until cause state</c>; <c>state</c> is <c>given</c>.</summary>
    public const string RightGiven = nameof(RightGiven);

    /// <summary>A right exists and waits to be opened. Fields: <c>request grant subject role for_seconds joins task break_glass</c>.</summary>
    public const string GrantReady = nameof(GrantReady);

    /// <summary>The clock started; the target is being changed. Fields: <c>request grant not_before not_after ends_by assignment verdict</c>.</summary>
    public const string GrantOpening = nameof(GrantOpening);

    /// <summary>Access stands. Fields: <c>request grant not_before not_after ends_by assignment</c>.</summary>
    public const string GrantOpened = nameof(GrantOpened);

    /// <summary>Access is being taken away. Fields: <c>request grant reason</c>.</summary>
    public const string GrantClosing = nameof(GrantClosing);

    /// <summary>Access is over. Fields: <c>request grant reason late_ms</c>.</summary>
    public const string GrantClosed = nameof(GrantClosed);

    /// <summary>The intent to change a target for a subject and a role, committed before the change. Fields: <c>assignment grant request subject role account until</c>.</summary>
    public const string AssignmentAdding = nameof(AssignmentAdding);

    /// <summary>It stands at the target. Fields as <see cref="AssignmentAdding"/>.</summary>
    public const string AssignmentAdded = nameof(AssignmentAdded);

    /// <summary>The intent to take it away. Fields: <c>assignment grant request reason</c>.</summary>
    public const string AssignmentRemoving = nameof(AssignmentRemoving);

    /// <summary>It no longer stands. Fields: <c>assignment grant request attempts</c>.</summary>
    public const string AssignmentRemoved = nameof(AssignmentRemoved);

    /// <summary>A removal keeps failing; it is still being tried. Fields: <c>assignment grant request attempts error</c>.</summary>
    public const string RemovalStuck = nameof(RemovalStuck);

    /// <summary>A holder was given a way in; the secret itself is nowhere in the log. Fields: <c>request grant login</c>.</summary>
    public const string CredentialMinted = nameof(CredentialMinted);

    /// <summary>A holder was given a certificate for a key of their own. Fields: <c>request grant assignment serial fingerprint authority principals not_before not_after state</c>; <c>fingerprint</c> is their key's, <c>authority</c> the SHA-256 of the key of the CA that signed, in hexadecimal.</summary>
    public const string CertificateIssued = nameof(CertificateIssued);

    /// <summary>A connection was let in. Fields: <c>request grant session subject role from application record break_glass node</c>.</summary>
    public const string SessionStarted = nameof(SessionStarted);

    /// <summary>The head of a recording while it grows. Fields: <c>request grant session file recording records bytes statements</c>; <c>recording</c> is the chain's head in hexadecimal.</summary>
    public const string SessionAnchored = nameof(SessionAnchored);

    /// <summary>A connection is over. Fields of <see cref="SessionAnchored"/> and <c>reason note bytes_in bytes_out</c>.</summary>
    public const string SessionEnded = nameof(SessionEnded);

    /// <summary>Somebody ordered the end of one session. Fields: <c>request grant session reason</c>.</summary>
    public const string SessionKilled = nameof(SessionKilled);

    /// <summary>A statement that may run so many times only was let through once more. Fields: <c>request grant session index count</c>; <c>index</c> is its place among those of the request, from 0, <c>count</c> how often it ran so far under the grant.</summary>
    public const string StatementCounted = nameof(StatementCounted);

    /// <summary>A session that is for exact statements sent another, which was not passed on: told for the first ten of a session, and whenever their number has doubled. Fields: <c>request grant session reason_code count</c>; what was sent stands in the recording.</summary>
    public const string StatementRefused = nameof(StatementRefused);

    /// <summary>A catalog version took effect. Fields: <c>catalog files previous number note change commit author dirty</c>.</summary>
    public const string CatalogApplied = nameof(CatalogApplied);

    /// <summary>Somebody wanted a catalog to take effect and it did not: it was not theirs to do, or another counted by then. Fields: <c>catalog previous reason note</c>.</summary>
    public const string CatalogRefused = nameof(CatalogRefused);

    /// <summary>A change of the catalog waits for somebody's yes. Fields: <c>change catalog previous files digest steps distinct lapses_at note commit author dirty state version</c>.</summary>
    public const string ChangeProposed = nameof(ChangeProposed);

    /// <summary>One person's yes or no to a change. Fields: <c>change by yes saw comment via proof version</c>; <c>proof</c> is how they proved themselves anew, null when nothing demanded it.</summary>
    public const string ChangeAnswered = nameof(ChangeAnswered);

    /// <summary>A change is decided: it took effect, or it did not. Fields: <c>change catalog reason state version</c>.</summary>
    public const string ChangeEnded = nameof(ChangeEnded);

    /// <summary>Somebody had a report kept, to look at it in a browser until then; never the key that opens it. Fields: <c>report by catalog count bytes until</c>; <c>catalog</c> is the one that was replayed, <c>count</c> how many requests it would answer otherwise.</summary>
    public const string ReportKept = nameof(ReportKept);

    /// <summary>A person came into the directory. Fields: <c>user subject state version</c>; <c>user</c> is the id there, <c>state</c> is <c>active</c> or <c>inactive</c>.</summary>
    public const string UserProvisioned = nameof(UserProvisioned);

    /// <summary>What the directory says of a person changed. Fields of <see cref="UserProvisioned"/> and <c>attributes</c>: names of those that changed, never what they hold.</summary>
    public const string UserChanged = nameof(UserChanged);

    /// <summary>A person is in the directory no more: who has the name here has left. Fields as <see cref="UserProvisioned"/>.</summary>
    public const string UserRemoved = nameof(UserRemoved);

    /// <summary>A group came into the directory. Fields: <c>group name added count version</c>; <c>added</c> names at most 200 members, <c>count</c> is how many they are.</summary>
    public const string GroupProvisioned = nameof(GroupProvisioned);

    /// <summary>A group of the directory has another name or other members. Fields: <c>group name previous_name added removed count version</c>; at most 200 names each, <c>count</c> is how many came and went.</summary>
    public const string GroupChanged = nameof(GroupChanged);

    /// <summary>A group is in the directory no more. Fields: <c>group name removed count version</c>.</summary>
    public const string GroupRemoved = nameof(GroupRemoved);

    /// <summary>The directory told that more people leave, or lose a group, than may at once: nothing of it was taken over. Fields: <c>count known allowed digest</c>; <c>digest</c> names who they are and what each loses.</summary>
    public const string PullRefused = nameof(PullRefused);

    /// <summary>An admin confirmed that all of those have left: a look that tells the same of them is taken over. Fields: <c>by count known digest</c>; <c>digest</c> as in <see cref="PullRefused"/>.</summary>
    public const string PullConfirmed = nameof(PullConfirmed);

    /// <summary>The directory was not heard of for too long. Fields: <c>until reason</c>; <c>until</c> is when it was last, absent for never.</summary>
    public const string DirectorySilent = nameof(DirectorySilent);

    /// <summary>It was heard of again. No fields.</summary>
    public const string DirectoryHeard = nameof(DirectoryHeard);

    /// <summary>Others are on call by what a calendar or a sender tells, or nobody is because it is too old. Fields: <c>name added removed reason</c>; <c>name</c> is the rota's.</summary>
    public const string OnCallChanged = nameof(OnCallChanged);

    /// <summary>A transmitter of security events told what became of sessions or an account. Fields: <c>sender cause persons count</c>; <c>sender</c> is its name in the configuration, <c>cause</c> the last part of the event's address, <c>persons</c> who is meant here (nobody, where none is known by what it said), <c>count</c> how many grants, requests and signed-in browsers ended with it, or people were sent away.</summary>
    public const string SignalTaken = nameof(SignalTaken);

    /// <summary>Security event tokens were shown in vain: at most six facts a minute tell of all tries since the last. Fields: <c>from count</c>; what was shown is nowhere.</summary>
    public const string SignalRefused = nameof(SignalRefused);

    /// <summary>An admin, or a transmitter of security events, sent somebody away, whatever catalog and directory say. Fields: <c>subject by reason</c>.</summary>
    public const string PersonOffboarded = nameof(PersonOffboarded);

    /// <summary>They took that back. Fields as <see cref="PersonOffboarded"/>.</summary>
    public const string PersonRestored = nameof(PersonRestored);

    /// <summary>An asking that the policies denied, or that was malformed. Fields: <c>request subject role reason catalog verdict</c>.</summary>
    public const string AskRefused = nameof(AskRefused);

    /// <summary>A target differs from its open grants. Fields: <c>resource account drift</c>.</summary>
    public const string DriftFound = nameof(DriftFound);

    /// <summary>A server process began to work. Fields: <c>node version roles</c>.</summary>
    public const string ServerStarted = nameof(ServerStarted);

    /// <summary>A server process stopped in order. Fields: <c>node reason</c>.</summary>
    public const string ServerStopped = nameof(ServerStopped);

    /// <summary>The log's signing key was made. Fields: <c>key</c> (its public text).</summary>
    public const string KeyCreated = nameof(KeyCreated);

    /// <summary>A secret was stored sealed; never the secret. Fields: <c>name</c>.</summary>
    public const string SecretSealed = nameof(SecretSealed);

    /// <summary>A backup was written. Fields: <c>file bytes size</c>.</summary>
    public const string BackupTaken = nameof(BackupTaken);

    /// <summary>This installation was restored from a backup. Fields: <c>file size</c>.</summary>
    public const string BackupRestored = nameof(BackupRestored);

    /// <summary>Somebody took the log, or the evidence of one request, away. Fields: <c>request size format</c>.</summary>
    public const string AuditExported = nameof(AuditExported);
}
