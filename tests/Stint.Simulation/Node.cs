using Microsoft.Extensions.Logging.Abstractions;
using Stint.Connectors;
using Stint.Core.Audit;
using Stint.Core.Catalog;
using Stint.Core.Grants;
using Stint.Server;
using Stint.Server.Approvals;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Grants;
using Stint.Server.Requests;
using Stint.Server.Sessions;
using Stint.Server.Store;
using Stint.Server.Store.Sealing;

namespace Stint.Simulation;

/// <summary>One process: the real use cases, keeper, gate and store. Thrown away at a crash; only the database file stays.</summary>
internal sealed class Node : IAsyncDisposable
{
    private static readonly MasterKey Master = MasterKey.Parse(Convert.ToBase64String(new byte[32]), "the simulation");

    private static readonly CheckpointSigner Signer = CheckpointSigner.Of("simulated.example/log", System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP256));

    private Node(StintStore store) => Store = store;

    public StintStore Store { get; }

    public required CurrentCatalog Catalog { get; init; }

    public required AskForRole Ask { get; init; }

    public required AskForBundle AskTogether { get; init; }

    public required ApproveRequest Approve { get; init; }

    public required DenyRequest Deny { get; init; }

    public required CancelRequest Cancel { get; init; }

    public required DelegateAnswers Delegates { get; init; }

    public required OfferInstead Offer { get; init; }

    public required AcceptOffer Accept { get; init; }

    public required BeginGrant Begin { get; init; }

    public required EndGrant End { get; init; }

    public required RevokeGrant Revoke { get; init; }

    public required ApplyCatalog Apply { get; init; }

    public required Keeper Keeper { get; init; }

    public required SessionGate Gate { get; init; }

    public required SessionOrders Orders { get; init; }

    public required MintLogin Mint { get; init; }

    public required ScanDrift Drift { get; init; }

    public required StartUp Start { get; init; }

    public required VerifyLog Verify { get; init; }

    public static async Task<Node> StartAsync(string path, LoadedCatalog catalog, SimulatedTime time, Chance chance, Faults faults, FakeTargets targets)
    {
        var store = new SqliteStore(new SqliteOptions(path) { Durable = false }, new StoreFaults
        {
            BeforeCommit = () => faults.Place("store, before a commit"),
            AfterCommit = () => faults.Place("store, after a commit"),
        });
        Directory.CreateDirectory(path + ".data");
        await store.OpenAsync(CancellationToken.None);
        var current = new CurrentCatalog(catalog, time);
        var connectors = new ConnectorList([targets]);
        var installation = new Installation("simulated", "node", "control,gateway", "0", path + ".data", path + ".data");
        var options = new KeeperOptions { Parallel = 1, SweepBatch = 50 };
        var ids = new IdSource(chance.Fill);
        var sealer = new Sealer(Master);
        var steps = new GrantSteps(current, ids, sealer);
        var grantViews = new GrantViews(current, connectors);
        var approvals = new ApprovalSteps(current, steps);
        var views = new RequestViews(grantViews, approvals, time);
        var versions = new CatalogVersions(store, current, connectors);
        var reach = new Targets(versions, current, connectors, installation, new NoSecrets());
        var live = new LiveSessions();
        var orders = new SessionOrders(store, live, time);
        var work = new AssignmentWork(store, reach, orders, steps, sealer, ids, time, options, NullLogger<AssignmentWork>.Instance);
        var ask = new AskForRole(store, current, ids, time, views, steps, approvals, new TellGlass(NullLogger<TellGlass>.Instance), connectors);
        var begin = new BeginGrant(store, current, time, grantViews, steps);
        var find = new FindGrants(store, current, time, grantViews);
        var keeper = new Keeper(store, new Sweeps(store, steps, approvals, new SeriesSweep(steps, ids), time, options, NullLogger<Sweeps>.Instance), work, installation, time, options, NullLogger<Keeper>.Instance);
        var checkpoints = new Checkpoints(store, Signer, installation, time);
        var watch = new SessionWatch(store, orders, live, installation, time, NullLogger<SessionWatch>.Instance);
        return new Node(store)
        {
            Catalog = current,
            Ask = ask,
            AskTogether = new AskForBundle(store, current, ids, time, ask, new BundleViews(current, views, approvals)),
            Approve = new ApproveRequest(store, time, views, approvals),
            Deny = new DenyRequest(store, time, views, approvals),
            Cancel = new CancelRequest(store, current, time, views, approvals),
            Delegates = new DelegateAnswers(store, current, ids, time),
            Offer = new OfferInstead(store, ids, time, views, approvals),
            Accept = new AcceptOffer(store, time, ask, views, approvals),
            Begin = begin,
            End = new EndGrant(store, current, time, grantViews),
            Revoke = new RevokeGrant(store, current, time, grantViews),
            Apply = new ApplyCatalog(store, current, new EndLeavers(store, current, time), time),
            Keeper = keeper,
            Start = new StartUp(store, keeper, watch, checkpoints, installation, time, NullLogger<StartUp>.Instance),
            Verify = new VerifyLog(store, current, checkpoints),
            Gate = new SessionGate(store, live, new Upstreams(sealer), reach, ids, installation, new GateOptions(10, null), time, NullLogger<SessionGate>.Instance),
            Orders = orders,
            Mint = new MintLogin(store, new HeldGrant(store, begin, find, time), reach, ids, time),
            Drift = new ScanDrift(store, current, reach, time, options, NullLogger<ScanDrift>.Instance),
        };
    }

    public ValueTask DisposeAsync() => Store.DisposeAsync();

    private sealed class NoSecrets : ISecrets
    {
        public string Reveal(SecretRef reference) => "simulated";
    }
}
