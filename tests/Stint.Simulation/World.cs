using System.Security.Cryptography;
using System.Text;
using Stint.Core;
using Stint.Core.Approvals;
using Stint.Core.Audit;
using Stint.Core.Catalog;
using Stint.Core.Grants;
using Stint.Core.Requests;
using Stint.Core.Sessions;
using Stint.Server;
using Stint.Server.Approvals;
using Stint.Server.Grants;
using Stint.Server.Requests;
using Stint.Server.Sessions;

namespace Stint.Simulation;

/// <summary>One run: people who ask, answer, use and hand back, targets that fail, and a process that dies anywhere.</summary>
internal sealed class World : IAsyncDisposable
{
    private readonly Chance _chance;
    private readonly string _path;
    private readonly IncrementalHash _trace = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly List<SimulatedSession> _sessions = [];
    private readonly HashSet<AssignmentId> _woken = [];
    private readonly List<RequestId> _pending = [];
    private readonly List<Delegation> _delegations = [];
    private readonly List<(SubjectId Person, SubjectId Delegate)> _delegates = [];
    private readonly List<(SubjectId Person, RequestId Request)> _series = [];
    private readonly List<GrantId> _grants = [];
    private readonly Invariants _invariants;
    private Node? _node;
    private readonly Town _town;
    private readonly bool _crashesByLuck;
    private long _placesBefore;
    private LoadedCatalog _catalog;

    private World(ulong seed, string path, Town town, bool crashesByLuck)
    {
        _town = town;
        _crashesByLuck = crashesByLuck;
        _catalog = town.Catalogs[0];
        Seed = seed;
        _chance = new Chance(seed);
        _path = path;
        Time = new SimulatedTime(Beginning);
        Targets = new FakeTargets(_chance, Time, Faults);
        _invariants = new Invariants(this);
    }

    /// <summary>When every run begins.</summary>
    public static DateTimeOffset Beginning { get; } = new(2027, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public ulong Seed { get; }

    public SimulatedTime Time { get; }

    public Faults Faults { get; } = new();

    public FakeTargets Targets { get; }

    public Node Node => _node ?? throw new InvalidOperationException("The process is not running.");

    public IReadOnlyList<SimulatedSession> Sessions => _sessions;

    public long Steps { get; private set; }

    public string Trace => Convert.ToHexStringLower(_trace.GetCurrentHash());

    public static World Start(ulong seed, string folder, string template)
    {
        var path = Path.Combine(folder, $"{seed}.db");
        File.Copy(template, path);
        var world = new World(seed, path, Town.Large, crashesByLuck: true);
        world.StartNode();
        world.Time.Run(() => world.Node.Apply.ApplyAsync(world._catalog, Actor.Operator, CancellationToken.None));
        return world;
    }

    /// <summary>A short run among few, which dies at one place that is chosen, or nowhere.</summary>
    /// <param name="seed">All other luck.</param>
    /// <param name="place">The place, counted from the first step; −1 for nowhere.</param>
    /// <param name="folder">Holds its store.</param>
    /// <param name="template">A store in which the town's first catalog was applied.</param>
    public static World Schedule(ulong seed, int place, string folder, string template)
    {
        var path = Path.Combine(folder, $"{seed}-{place}.db");
        File.Copy(template, path);
        var world = new World(seed, path, Town.Small, crashesByLuck: false);
        world.StartNode();
        world.Faults.Arm(place);
        world._placesBefore = world.Faults.Passed;
        return world;
    }

    /// <summary>Places at which it could have died while it lived, its end not counted.</summary>
    public int Places { get; private set; }

    /// <summary>Lives for so many steps, then lets every fault stop and sees that all becomes as it should be.</summary>
    public void Live(int steps)
    {
        for (var i = 0; i < steps; i++)
        {
            Step();
        }

        Places = (int)(Faults.Passed - _placesBefore);
        Faults.Disarm();
        Targets.Heal();
        Converge();
        _invariants.CheckEnd();
    }

    private void Step()
    {
        Steps++;
        try
        {
            Time.Run(ActAsync);
            Time.Run(ObeyAsync);
        }
        catch (CrashException)
        {
            // Below: whatever swallowed it, the process is dead.
        }

        if (Faults.Dead)
        {
            Note("crash");
            StartNode();
            _invariants.Check();
        }
        else if (Steps % 40 == 0)
        {
            _invariants.Check();
        }
    }

    private async Task ActAsync()
    {
        switch (_chance.Below(100))
        {
            case < 18: await AskAsync(null); break;
            case < 36: await ApproveAsync(); break;
            case < 38: await DenyAsync(); break;
            case < 40: await CancelAsync(); break;
            case < 48: await BeginAsync(); break;
            case < 52: await EndAsync(); break;
            case < 54: await RevokeAsync(); break;
            case < 59: await ExtendAsync(); break;
            case < 63: await ConnectAsync(); break;
            case < 65: await LeaveAsync(); break;
            case < 66: await ApplyAsync(); break;
            case < 68: Targets.Trouble($"db{_chance.Below(_town.Resources)}", _chance.Between(TimeSpan.FromSeconds(1), TimeSpan.FromHours(3)), _chance.PerMille(300)); break;
            case < 69: Targets.Flaky = _chance.PerMille(500) ? 0 : _chance.Below(300); break;
            case < 70: await DriftAsync(); break;
            case < 75 when _crashesByLuck: Faults.Arm(_chance.Below(12)); break;
            case < 75: await TickAsync(); break;
            case < 77: await DelegateAsync(); break;
            case < 78: await OfferAsync(); break;
            case < 79: await SeriesAsync(); break;
            case < 90: await TickAsync(); break;
            default: Pass(); break;
        }
    }

    private async Task AskTogetherAsync()
    {
        var who = new SubjectId(Town.Person(_chance.Below(_town.People)));
        var asking = new AskingTogether(Town.Bundle(_chance.Below(_town.Resources)), _chance.PerMille(500) ? 1 + _chance.Below(4000) : null, "because", null, null, _chance.PerMille(500));
        var outcome = await Node.AskTogether.AskAsync(who, asking, CancellationToken.None);
        Note($"ask {who} {asking.Bundle} {Word(outcome)}");
        foreach (var view in (outcome as Outcome<BundleView>.Done)?.Value.Requests ?? [])
        {
            Told(new Outcome<RequestView>.Done(view));
        }
    }

    private async Task AskAsync(GrantId? extends)
    {
        if (extends is null && _chance.PerMille(200))
        {
            await AskTogetherAsync();
            return;
        }

        var person = Town.Person(_chance.Below(_town.People));
        var role = Town.Role(_chance.Below(_town.Resources), _chance.Of(["read", "read", "write", "owner"]));
        await AskAsync(new SubjectId(person), role, extends);
    }

    private async Task AskAsync(SubjectId who, string role, GrantId? extends)
    {
        var asking = new Asking(
            Role: role,
            ForSeconds: _chance.PerMille(700) ? 1 + _chance.Below(4000) : null,
            Reason: "because",
            Ticket: null,
            StartAt: extends is null && _chance.PerMille(150) ? Time.GetUtcNow() + _chance.Between(TimeSpan.FromMinutes(1), TimeSpan.FromDays(3)) : null,
            Wait: _chance.PerMille(500),
            Extends: extends?.Value);
        var outcome = await Node.Ask.AskAsync(who, asking, CancellationToken.None);
        Note($"ask {who} {role} {Word(outcome)}");
        Told(outcome);
    }

    private async Task ApproveAsync()
    {
        if (Pick(_pending) is not { } id || await FindAsync(id) is not { } request)
        {
            return;
        }

        // Mostly somebody who may; sometimes the requester, or anybody at all.
        var may = request.Verdict is Core.Policies.Verdict.NeedsApproval needs ? needs.Steps.SelectMany(step => step.Approvers).ToList() : [];
        if (request.Verdict is Core.Policies.Verdict.NeedsApproval { Steps: [{ Escalate: { } escalate }, ..] } && _chance.PerMille(200))
        {
            may = [.. escalate.Approvers];
        }

        var stands = _delegates.Where(one => may.Contains(one.Person)).Select(one => one.Delegate).ToList();
        var who = _chance.Below(20) switch
        {
            0 => request.Subject,
            1 => new SubjectId(Town.Person(_chance.Below(_town.People))),
            < 8 when stands.Count > 0 => _chance.Of(stands),
            _ => may.Count > 0 ? _chance.Of(may) : request.Subject,
        };
        var shorter = _chance.PerMille(100) ? TimeSpan.FromSeconds(1 + _chance.Below(600)) : (TimeSpan?)null;
        var digest = _chance.PerMille(30) ? new string('0', 64) : request.Digest;
        var outcome = await Node.Approve.ApproveAsync(who, id, new Yes(shorter, null, digest, "api"), CancellationToken.None);
        Note($"approve {id} {who} {Word(outcome)}");
        Told(outcome);
    }

    /// <summary>Somebody who answers names somebody who answers for them, or takes it back; sometimes the one who asks most.</summary>
    private async Task DelegateAsync()
    {
        var who = new SubjectId(Town.Person(_chance.PerMille(500) ? _chance.Below(_town.Resources) : _town.AnyGuard(_chance)));
        if (_delegations.Count > 0 && _chance.PerMille(200))
        {
            var old = _chance.Of(_delegations);
            Note($"delegation ends {Word(await Node.Delegates.EndAsync(old.Person, old.Id, CancellationToken.None))}");
            return;
        }

        var to = new SubjectId(Town.Person(_chance.PerMille(300) ? _chance.Below(Math.Min(120, _town.People)) : _chance.Below(_town.People)));
        var made = await Node.Delegates.MakeAsync(who, to, null, Time.GetUtcNow() + _chance.Between(TimeSpan.FromMinutes(1), TimeSpan.FromDays(20)), CancellationToken.None);
        Note($"delegate {who} {to} {Word(made)}");
        if (made is Outcome<Delegation>.Done { Value: var delegation })
        {
            _delegations.Add(delegation);
            _delegates.Add((who, to));
        }
    }

    /// <summary>An approver offers less, and the requester may take it.</summary>
    private async Task OfferAsync()
    {
        if (Pick(_pending) is not { } id || await FindAsync(id) is not { Verdict: Core.Policies.Verdict.NeedsApproval needs } request || request.For <= TimeSpan.FromSeconds(1))
        {
            return;
        }

        var instead = new Instead(TimeSpan.FromSeconds(1 + _chance.Below((int)request.For.TotalSeconds)), null, null, null, request.Digest, "api");
        var outcome = await Node.Offer.OfferAsync(_chance.Of(needs.Steps[0].Approvers), id, instead, CancellationToken.None);
        Note($"offer {id} {Word(outcome)}");
        Told(outcome);
        if (_chance.PerMille(700))
        {
            var taken = await Node.Accept.AcceptAsync(request.Subject, id, null, CancellationToken.None);
            Note($"accept {id} {Word(taken)}");
            Told(taken);
            if (taken is Outcome<RequestView>.Done)
            {
                _pending.Remove(id);
            }
        }
    }

    /// <summary>Somebody asks for what comes again, or ends what is to come.</summary>
    private async Task SeriesAsync()
    {
        if (_series.Count > 0 && _chance.PerMille(300))
        {
            var (who, id) = _chance.Of(_series);
            Note($"cancel series {id} {Word(await Node.Cancel.CancelAsync(who, id, CancellationToken.None, open: _chance.PerMille(500)))}");
            return;
        }

        var person = new SubjectId(Town.Person(_chance.Below(_town.People)));
        var start = Time.GetUtcNow() + _chance.Between(TimeSpan.FromMinutes(1), TimeSpan.FromHours(30));
        var rule = _chance.Of(["FREQ=DAILY", "FREQ=DAILY;INTERVAL=2", "FREQ=WEEKLY;BYDAY=MO,TH"]);
        var asking = new Asking(Town.Role(_chance.Below(_town.Resources), _chance.Of(["read", "write", "owner"])), 1 + _chance.Below(4000), "because", null, null, false, null)
        {
            Recurrence = new AskedSeries(rule, start.ToString("yyyy-MM-dd'T'HH:mm", System.Globalization.CultureInfo.InvariantCulture), "UTC", null, 1 + _chance.Below(12)),
        };
        var outcome = await Node.Ask.AskAsync(person, asking, CancellationToken.None);
        Note($"series {person} {asking.Role} {rule} {Word(outcome)}");
        Told(outcome);
        if (outcome is Outcome<RequestView>.Done { Value.Request: { State: not RequestState.Denied } asked })
        {
            _series.Add((person, asked.Id));
        }
    }

    private async Task DenyAsync()
    {
        if (Pick(_pending) is { } id && await FindAsync(id) is { Verdict: Core.Policies.Verdict.NeedsApproval needs })
        {
            var outcome = await Node.Deny.DenyAsync(_chance.Of(needs.Steps[0].Approvers), id, "no", null, "api", CancellationToken.None);
            Note($"deny {id} {Word(outcome)}");
            Told(outcome);
        }
    }

    private async Task CancelAsync()
    {
        if (Pick(_pending) is { } id && await FindAsync(id) is { } request)
        {
            var outcome = await Node.Cancel.CancelAsync(request.Subject, id, CancellationToken.None);
            Note($"cancel {id} {Word(outcome)}");
            Told(outcome);
        }
    }

    private async Task BeginAsync()
    {
        if (Pick(_grants) is { } id && await FindAsync(id) is { } grant)
        {
            var outcome = await Node.Begin.BeginAsync(grant.Subject, id, CancellationToken.None);
            Note($"begin {id} {Word(outcome)}");
            Told(outcome);
        }
    }

    private async Task EndAsync()
    {
        if (Pick(_grants) is { } id && await FindAsync(id) is { } grant)
        {
            var outcome = await Node.End.EndAsync(grant.Subject, id, CancellationToken.None);
            Note($"end {id} {Word(outcome)}");
            Told(outcome);
        }
    }

    private async Task RevokeAsync()
    {
        if (Pick(_grants) is { } id)
        {
            var outcome = await Node.Revoke.RevokeAsync(new SubjectId("p0"), id, "because", false, CancellationToken.None);
            Note($"revoke {id} {Word(outcome)}");
            Told(outcome);
        }
    }

    private async Task ExtendAsync()
    {
        if (Pick(_grants) is { } id && await FindAsync(id) is { } grant)
        {
            await AskAsync(grant.Subject, grant.Role.ToString(), id);
        }
    }

    private async Task ConnectAsync()
    {
        if (Pick(_grants) is not { } id || await FindAsync(id) is not { State: GrantState.Open } grant)
        {
            return;
        }

        var minted = await Node.Mint.MintAsync(grant.Subject, id, CancellationToken.None);
        if (minted is not Outcome<MintedLogin>.Done { Value: var login })
        {
            return;
        }

        var answer = await Node.Gate.AdmitAsync(new Knock(login.Login, "postgres", null, "simulated", "127.0.0.1", false), CancellationToken.None);
        Note($"connect {id} {answer.GetType().Name}");
        if (answer is GateAnswer.Admitted { Session: var session })
        {
            _invariants.Admitted(session, await GrantsOfAsync(grant.Assignment!.Value));
            var simulated = new SimulatedSession(session, grant.Assignment.Value);
            _sessions.Add(simulated);
            var gate = Node.Gate;
            session.Listen(simulated.Take);
            simulated.Ended = () => gate.EndedAsync(session.Id, new SessionEnd(simulated.Reason, null, Time.GetUtcNow(), null, 1, 1), CancellationToken.None).AsTask();
        }
    }

    private async Task LeaveAsync()
    {
        var live = _sessions.Where(session => session.IsLive).ToList();
        if (live.Count > 0)
        {
            var session = _chance.Of(live);
            session.Leave();
            await session.EndAsync();
        }
    }

    private async Task ApplyAsync()
    {
        var next = _chance.Of(_town.Catalogs);
        await Node.Apply.ApplyAsync(next, Actor.Operator, CancellationToken.None);
        _catalog = next;
        Note($"apply {next.Version[..8]}");
    }

    private async Task DriftAsync()
    {
        if (_chance.PerMille(300))
        {
            Targets.LoseOne();
        }

        await Node.Drift.ScanAsync(true, CancellationToken.None);
        Note("drift");
    }

    private async Task TickAsync()
    {
        await Node.Keeper.TickAsync(CancellationToken.None);
        Note("tick");
    }

    private void Pass()
    {
        var span = _chance.Below(10) switch
        {
            < 5 => _chance.Between(TimeSpan.FromMilliseconds(1), TimeSpan.FromMinutes(2)),
            < 9 => _chance.Between(TimeSpan.FromMinutes(1), TimeSpan.FromHours(1)),
            _ => _chance.Between(TimeSpan.FromHours(1), TimeSpan.FromDays(20)),
        };
        Time.Pass(span);
        Note($"pass {span}");
    }

    /// <summary>What the gateway and the session watch do by themselves: obey wakes and deadlines.</summary>
    private async Task ObeyAsync()
    {
        foreach (var assignment in _woken.ToList())
        {
            _woken.Remove(assignment);
            await Node.Orders.ReconcileAsync(assignment, CancellationToken.None);
        }

        foreach (var session in _sessions.Where(session => session.IsLive && session.NotAfter <= Time.GetUtcNow()))
        {
            session.Expire();
        }

        foreach (var session in _sessions.Where(session => session is { IsLive: false, IsEnded: false }).ToList())
        {
            await session.EndAsync();
        }

        _sessions.RemoveAll(session => session.IsEnded);
    }

    private void Converge()
    {
        for (var round = 0; round < 20_000; round++)
        {
            var due = Time.Run(() => Node.Keeper.TickAsync(CancellationToken.None));
            Time.Run(ObeyAsync);
            if (due is not { } next)
            {
                return;
            }

            if (next > Time.GetUtcNow())
            {
                Time.Pass(next - Time.GetUtcNow());
            }
        }

        throw new InvariantBroken("The keeper does not come to rest once faults have stopped.");
    }

    private void StartNode()
    {
        Faults.Revive();
        _sessions.Clear();
        _woken.Clear();
        Time.Forget();
        if (_node is not null)
        {
            Time.Run(() => _node.DisposeAsync().AsTask());
        }

        // A process that dies while it starts is started again.
        while (true)
        {
            try
            {
                _node = Time.Run(() => Node.StartAsync(_path, _catalog, Time, _chance, Faults, Targets));
                _node.Store.Wakes.On("sessions:", name => _woken.Add(new AssignmentId(name["sessions:".Length..])));
                Time.Run(() => _node.Start.RunAsync(CancellationToken.None));
                if (!Faults.Dead)
                {
                    return;
                }
            }
            catch (CrashException)
            {
                // Once more.
            }

            Faults.Revive();
            Time.Forget();
            if (_node is not null)
            {
                Time.Run(() => _node.DisposeAsync().AsTask());
            }
        }
    }

    private void Told(Outcome<RequestView> outcome)
    {
        if (outcome is Outcome<RequestView>.Done { Value: var view })
        {
            _invariants.Told(view.Request);
            if (view.Request.State == RequestState.Pending && !_pending.Contains(view.Request.Id))
            {
                _pending.Add(view.Request.Id);
            }
            else if (view.Request.State != RequestState.Pending)
            {
                _pending.Remove(view.Request.Id);
            }

            if (view.Grant is { Grant: var grant })
            {
                Told(grant);
            }
        }
    }

    private void Told(Outcome<GrantView> outcome)
    {
        if (outcome is Outcome<GrantView>.Done { Value.Grant: var grant })
        {
            Told(grant);
        }
    }

    private void Told(Grant grant)
    {
        _invariants.Told(grant);
        if (grant.State is not (GrantState.Closing or GrantState.Closed) && !_grants.Contains(grant.Id))
        {
            _grants.Add(grant.Id);
            if (_grants.Count > 60)
            {
                _grants.RemoveAt(0);
            }
        }
    }

    private T? Pick<T>(List<T> from)
        where T : struct => from.Count == 0 ? null : from[_chance.Below(from.Count)];

    private Task<Request?> FindAsync(RequestId id) => Node.Store.ReadAsync(async reads => await reads.FindRequestAsync(id), CancellationToken.None);

    private Task<Grant?> FindAsync(GrantId id) => Node.Store.ReadAsync(async reads => await reads.FindGrantAsync(id), CancellationToken.None);

    private Task<List<Grant>> GrantsOfAsync(AssignmentId id) => Node.Store.ReadAsync(async reads => (await reads.GrantsOfAsync(id)).ToList(), CancellationToken.None);

    private static string Word<T>(Outcome<T> outcome) => outcome.GetType().Name;

    private void Note(string what) => _trace.AppendData(Encoding.UTF8.GetBytes($"{Time.GetUtcNow():O} {what}\n"));

    public async ValueTask DisposeAsync()
    {
        if (_node is not null)
        {
            await _node.DisposeAsync();
        }

        _trace.Dispose();
        foreach (var suffix in (string[])["", "-wal", "-shm", ".lock"])
        {
            File.Delete(_path + suffix);
        }

        Directory.Delete(_path + ".data", recursive: true);
    }
}

/// <summary>A session as the gateway carries it: it obeys orders, and its own deadline.</summary>
internal sealed class SimulatedSession(AuthorizedSession session, AssignmentId assignment)
{
    public SessionId Id => session.Id;

    public AssignmentId Assignment => assignment;

    public DateTimeOffset NotAfter { get; private set; } = session.NotAfter;

    public bool IsLive { get; private set; } = true;

    public bool IsEnded { get; private set; }

    public SessionEndReason Reason { get; private set; }

    public Func<Task>? Ended { get; set; }

    public void Take(SessionOrder order)
    {
        switch (order)
        {
            case SessionOrder.Cut cut when IsLive:
                IsLive = false;
                Reason = cut.Reason;
                break;
            case SessionOrder.Extend extend:
                NotAfter = extend.NotAfter;
                break;
            default:
                break;
        }
    }

    public void Expire()
    {
        IsLive = false;
        Reason = SessionEndReason.Expired;
    }

    public void Leave()
    {
        IsLive = false;
        Reason = SessionEndReason.ClientLeft;
    }

    public async Task EndAsync()
    {
        await Ended!();
        IsEnded = true;
    }
}
