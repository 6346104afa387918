using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Stint.Connectors;
using Stint.Core.Audit;
using Stint.Core.Grants;
using Stint.Server.Api;
using Stint.Server.Audit;
using Stint.Server.Catalog;
using Stint.Server.Catalog.OnCall;
using Stint.Server.Grants;
using Stint.Server.Identity;
using Stint.Server.Identity.Accounts;
using Stint.Server.Identity.Ldap;
using Stint.Server.Identity.Providers;
using Stint.Server.Identity.Scim;
using Stint.Server.Identity.Signals;
using Stint.Server.Nodes;
using Stint.Server.Sessions;
using Stint.Server.Store;
using Stint.Server.Store.Sealing;
using Stint.Server.Web;

namespace Stint.Server.Hosting;

/// <summary>What a node is made of, and how the parts find each other.</summary>
internal sealed class Parts
{
    /// <summary>How many changes of the directory are kept for nodes that follow.</summary>
    private const long KeptDirectoryChanges = 100_000;

    /// <summary>How long what is over can still be named by somebody who looks into the store.</summary>
    private static readonly TimeSpan KeptSignIns = TimeSpan.FromDays(30);

    /// <summary>How long a command line that polls is told that its code is over, and not that it is unknown.</summary>
    private static readonly TimeSpan KeptAskings = TimeSpan.FromHours(1);

    private readonly ServerOptions _options;
    private readonly StintStore _store;
    private readonly TimeProvider _time;
    private readonly Sealer _sealer;
    private readonly CurrentCatalog _current;
    private readonly ISecrets _secrets;
    private readonly CheckpointSigner _signer;

    private Parts(ServerOptions options, StintStore store, TimeProvider time, Sealer sealer, Installation installation, CheckpointSigner signer, CatalogWatch catalog, CurrentCatalog current, ISecrets secrets)
    {
        (_options, _store, _time, _sealer, Installation, _signer, Catalog, _current, _secrets) = (options, store, time, sealer, installation, signer, catalog, current, secrets);
        MockSecret = SHA256.HashData([.. "stint gateway mock "u8, .. System.Text.Encoding.UTF8.GetBytes(installation.Id)]);
    }

    public Installation Installation { get; }

    public CatalogWatch Catalog { get; }

    /// <summary>Makes an unknown login look like the same known one at every node and start.</summary>
    public byte[] MockSecret { get; }

    /// <summary>The store that is configured; not opened yet.</summary>
    public static StintStore Store(ServerOptions options) => options.Store switch
    {
        StoreKind.Sqlite => new SqliteStore(new SqliteOptions(Path.Combine(options.Data, "stint.db"))),
        StoreKind.Postgres => new PostgresStore(new PostgresOptions(options.StoreUrl!)),
        _ => throw new InvalidOperationException($"{options.Store} is not a store."),
    };

    /// <summary>Looks after the catalog's folder from now on.</summary>
    public static CatalogWatch Watch(ServerOptions options, ILoggerFactory loggers) =>
        new(options.Catalog, ConnectorList.All, loggers.CreateLogger("Stint.Server.Catalog"), options.CatalogFrom == CatalogFrom.Folder);

    /// <summary>Loads the keys and the catalog.</summary>
    /// <exception cref="StartException">The catalog has problems.</exception>
    /// <exception cref="StoreSetupException">The master key is not as it must be.</exception>
    public static async Task<Parts> PrepareAsync(
        ServerOptions options, ServeArguments arguments, StintStore store, CatalogWatch watch, TimeProvider time, TextWriter output, CancellationToken cancellation)
    {
        var ids = new IdSource(RandomNumberGenerator.Fill);
        var sealer = new Sealer(await InstallationKeys.MasterAsync(options, arguments, store, output, cancellation));
        var id = await store.WriteAsync(async work => await work.KeepSettingAsync("installation", Convert.ToHexStringLower(ids.Bytes(8))), cancellation);
        var signer = await InstallationKeys.SignerAsync(store, sealer, id, time, cancellation);
        var node = options.Store == StoreKind.Sqlite ? Environment.MachineName : $"{Environment.MachineName}-{Environment.ProcessId}";
        var installation = new Installation(id, node, options.CarriesSessions ? "control,gateway" : "control", typeof(Parts).Assembly.GetName().Version!.ToString(3), options.Data, options.RecordFolder);
        var current = new CurrentCatalog(await FirstCatalog.FindAsync(options.CatalogFrom, store, watch, cancellation), time);
        return new Parts(options, store, time, sealer, installation, signer, watch, current, new CatalogSecrets(sealer, StintServer.Variables(arguments)));
    }

    /// <summary>Adds every part to the container.</summary>
    public void Fill(IServiceCollection services)
    {
        services.AddSingleton(_options).AddSingleton(_options.Limits).AddSingleton(_store).AddSingleton(_time).AddSingleton(_sealer);
        services.AddSingleton(new CatalogTruth(_options.CatalogFrom == CatalogFrom.Folder ? _options.Catalog : null));
        services.AddSingleton(Installation).AddSingleton(_signer).AddSingleton(Catalog).AddSingleton(_current).AddSingleton(_secrets);
        services.AddSingleton(ConnectorList.All).AddSingleton(new IdSource(RandomNumberGenerator.Fill));
        services.AddSingleton(new KeeperOptions { ConnectionsPerGrant = _options.Gateway.ConnectionsPerGrant });
        services.AddSingleton(new GateOptions(_options.Gateway.ConnectionsPerGrant, _options.Gateway.Idle));
        services.AddSingleton<TokenDirectory>().AddSingleton<KeptAnswers>().AddSingleton<SaveBackup>();

        services.AddSingleton(this).AddSingleton(new NodeTokens(_options.Nodes, _options.Limits.FailuresPerMinute, _time));
        services.AddSingleton(new Senders(_options.Webhooks)).AddSingleton<WrongProofs>();
        services.AddSingleton(new Applications(_options.Applications, _time));
        services.AddSingleton(new Issuers(_options.Issuers)).AddSingleton(new Transmitters(_options.Transmitters));
        services.AddSingleton(_options.Web.Sessions).AddSingleton(_options.CommandLines).AddSingleton(new SignInWays([.. _options.Providers.Select(provider => new SignInWay($"Sign in with {provider.Label}", $"/sign-in/{provider.Name}"))])).AddSingleton<Flow>();
        services.AddSingleton(parts => new ProviderLinks(_options.Providers, _time, parts.GetRequiredService<ILogger<ProviderLinks>>())).AddSingleton<SignInByProvider>().AddSingleton<TakeWord>().AddSingleton<LogoutByProvider>();
        services.AddSingleton(new RelyingParty(_options.Web.PublicUrl)).AddSingleton<SignInForms>().AddSingleton<SetUpPages>().AddSingleton<WaysPages>().AddSingleton<ApprovePages>().AddSingleton<ChangePages>().AddSingleton<LivePages>().AddSingleton<HomePages>().AddSingleton<AskPages>().AddSingleton<RequestPages>().AddSingleton<ApprovalPages>().AddSingleton<SessionPages>().AddSingleton<AuditPages>();
        services.AddSingleton(new ScimDoor(_options.ScimTokens, _options.Limits, _time));
        services.AddUseCases();
        services.AddSingleton(_ => new FetchCalendar(_options.InternalHosts));
        if (_options.Ldap is { } ldap)
        {
            services.AddSingleton(new DirectorySource(Actor.Ldap)).AddSingleton(ldap);
            services.AddSingleton<LookAtDirectory>((since, cancellation) => LdapLook.ReadAsync(ldap, since, cancellation)).AddSingleton<PullDirectory>();
        }

        services.AddSingleton<KeeperLoop>().AddSingleton<CheckpointLoop>().AddSingleton<Figures>();
    }

    /// <summary>What is done before anybody is answered: the catalog put on record, overdue access ended, lost sessions closed.</summary>
    public async Task StartUpAsync(IServiceProvider services, CancellationToken cancellation)
    {
        (Catalog.Change, Catalog.Current) = (services.GetRequiredService<ChangeCatalog>(), _current);
        var origin = _options.CatalogFrom == CatalogFrom.Folder ? await Checkout.OfAsync(_options.Catalog, cancellation) : null;

        // NB. Before anything decides: who left the directory is not let in by a catalog that does not know of it, nor whom a provider spoke of too long ago.
        await _store.WriteAsync(async work => await TakeWord.LapseAsync(work, _time.Now()), cancellation);
        await services.GetRequiredService<FollowDirectory>().LookAsync(cancellation);
        await services.GetRequiredService<FollowRotas>().LookAsync(cancellation);
        await services.GetRequiredService<ApplyCatalog>().ApplyAsync(_current.Now.Text, Actor.Operator, cancellation, origin);
        if (_options.CatalogFrom == CatalogFrom.Folder && await Catalog.FirstAsync() is var folder && folder.Version != _current.Now.Version)
        {
            await Catalog.TakeAsync(folder, cancellation);
        }

        await services.GetRequiredService<StartUp>().RunAsync(cancellation);
        await services.GetRequiredService<FollowRights>().LookAsync(cancellation);
    }

    /// <summary>Starts what goes on beside the answers.</summary>
    public void StartLoops(IServiceProvider services, Loops loops, CancellationToken stop)
    {
        foreach (var loop in (BackgroundService[])[services.GetRequiredService<KeeperLoop>(), services.GetRequiredService<SessionWatch>(), services.GetRequiredService<CheckpointLoop>()])
        {
            loops.Start(loop.GetType().Name, async token =>
            {
                await loop.StartAsync(token);
                await loop.ExecuteTask!;
            }, stop);
        }

        var figures = services.GetRequiredService<Figures>();
        loops.Start("figures", token => figures.RunAsync(_time, token), stop);
        loops.Start("catalog", token => services.GetRequiredService<FollowCatalog>().RunAsync(_time, token), stop);
        loops.Start("rotas", token => services.GetRequiredService<FollowRotas>().RunAsync(token), stop);
        loops.Start("directory", token => services.GetRequiredService<FollowDirectory>().RunAsync(token), stop);
        loops.Start("rights", token => services.GetRequiredService<FollowRights>().RunAsync(token), stop);
        if (_options.Ldap is not null)
        {
            loops.Start("pull", token => services.GetRequiredService<PullDirectory>().RunAsync(token), stop);
        }

        loops.Start("node", token => BeatAsync(services.GetRequiredService<StartUp>(), token), stop);
        if (_options.DriftEvery > TimeSpan.Zero)
        {
            loops.Start("drift", token => ScanAsync(services.GetRequiredService<ScanDrift>(), token), stop);
        }
    }

    /// <summary>Holds every target against its open grants once at the start and then from time to time, and puts right what differs.</summary>
    private async Task ScanAsync(ScanDrift scan, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(_options.DriftEvery, _time);
        do
        {
            try
            {
                await scan.ScanAsync(repair: true, stop);
            }
            catch (StoreUnavailableException)
            {
                // Nothing can be compared without it; the next round does.
            }
        }
        while (await timer.WaitForNextTickAsync(stop));
    }

    /// <summary>Says every few seconds that this node lives, ends what nodes that died have carried, and forgets old answers to repeated calls and reports that nobody can open any more.</summary>
    private async Task BeatAsync(StartUp startUp, CancellationToken stop)
    {
        var started = _time.Now();
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(5), _time);
        for (var beat = 0; ; beat++)
        {
            try
            {
                var forget = beat % 720 == 0;
                await _store.WriteAsync(
                    async work =>
                    {
                        var now = _time.Now();
                        await TakeWord.LapseAsync(work, now);
                        await work.BeatAsync(new Node(Installation.Node, Installation.Roles, Installation.Version, started, now));
                        if (forget)
                        {
                            await work.ForgetAnswersAsync(now - KeptAnswers.KeptFor);
                            await work.ForgetReportsAsync(now);
                            await work.ForgetPassesAsync(now);
                            await work.ForgetTriesAsync(now - Waits.Remembered);
                            await work.ForgetWebSessionsAsync(now - KeptSignIns);
                            await work.ForgetCliAsync(now - KeptAskings, now - KeptSignIns);
                            await work.ForgetDirectoryChangesAsync(await work.DirectoryNumberAsync() - KeptDirectoryChanges);
                        }
                    },
                    stop);
                await startUp.EndSilentAsync(stop);
            }
            catch (StoreUnavailableException)
            {
                // Said again at the next beat; others take this node for lost only after several.
            }

            await timer.WaitForNextTickAsync(stop);
        }
    }
}
