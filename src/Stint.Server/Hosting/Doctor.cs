using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Stint.Connectors;
using Stint.Core.Catalog;
using Stint.Core.Grants;
using Stint.Server.Audit;
using Stint.Server.Identity.Ldap;
using Stint.Server.Nodes;
using Stint.Server.Store;
using Stint.Server.Store.Sealing;

namespace Stint.Server.Hosting;

/// <summary>One thing that was looked at.</summary>
/// <param name="Name">What.</param>
/// <param name="Ok">Whether it is as it must be.</param>
/// <param name="Say">What was found, in words.</param>
/// <param name="Remedy">What to do; null when nothing is wrong or nobody knows.</param>
internal sealed record Finding(string Name, bool Ok, string Say, string? Remedy);

/// <summary>What the examination found.</summary>
internal sealed record Findings(bool Ok, IReadOnlyList<Finding> Checks);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(Findings))]
internal sealed partial class DoctorJson : JsonSerializerContext;

/// <summary>Says what is wrong with an installation. It changes nothing: it neither migrates the store nor makes a key.</summary>
internal sealed class Doctor(ServerOptions options, ServeArguments arguments)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan MostSkew = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Soon = TimeSpan.FromDays(14);
    private const long LeastFree = 1L << 30;

    private readonly List<Finding> _findings = [];
    private readonly TimeProvider _time = arguments.Time ?? TimeProvider.System;

    public static async Task<int> RunAsync(ServeArguments arguments, OptionsReading reading, bool json, TextWriter output, CancellationToken cancellation)
    {
        List<Finding> findings;
        if (reading.Options is { } options)
        {
            var doctor = new Doctor(options, arguments);
            await doctor.ExamineAsync(cancellation);
            findings = doctor._findings;
        }
        else
        {
            findings = [.. reading.Problems.Select(problem => new Finding("configuration", false, problem.ToString(), null))];
        }

        var all = new Findings(findings.TrueForAll(finding => finding.Ok), findings);
        if (json)
        {
            await output.WriteLineAsync(JsonSerializer.Serialize(all, new DoctorJson(new JsonSerializerOptions(DoctorJson.Default.Options) { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }).Findings));
        }
        else
        {
            foreach (var finding in findings)
            {
                await output.WriteLineAsync($"{(finding.Ok ? "ok   " : "WRONG")}  {finding.Name}: {finding.Say}");
                if (finding.Remedy is { } remedy)
                {
                    await output.WriteLineAsync($"       {remedy}");
                }
            }

            await output.WriteLineAsync(all.Ok ? "Nothing is wrong." : $"{findings.Count(finding => !finding.Ok)} of {findings.Count} checks found something wrong.");
        }

        return all.Ok ? 0 : 1;
    }

    private async Task ExamineAsync(CancellationToken cancellation)
    {
        Add("configuration", true, "every setting can be read");
        DataFolderModes();
        Space();
        Certificates();
        if (options.Control is { } control)
        {
            await ControlAsync(control, cancellation);
            await GatewayAsync(cancellation);
            return;
        }

        var master = Master();
        await StoreAsync(master, cancellation);
        await DirectoryAsync(cancellation);
        await TargetsAsync(master, cancellation);
        await GatewayAsync(cancellation);
    }

    private void Add(string name, bool ok, string say, string? remedy = null) => _findings.Add(new Finding(name, ok, say, remedy));

    private void DataFolderModes()
    {
        if (!Directory.Exists(options.Data))
        {
            Add("data folder", true, $"{options.Data} is not there yet; the first start makes it");
            return;
        }

        var open = Directory.EnumerateFiles(options.Data).Prepend(options.Data)
            .Where(path => path == options.Data || Path.GetFileName(path) is "master.key" or "stint.db" or "stint.db-wal")
            .Where(DataFolder.IsOpenToOthers)
            .ToList();
        Add(
            "data folder",
            open.Count == 0,
            open.Count == 0 ? $"{options.Data} is the server's alone" : $"others than the server may look into {string.Join(", ", open)}",
            open.Count == 0 ? null : $"Run: chmod -R go= '{options.Data}'");
    }

    private void Space()
    {
        foreach (var folder in new[] { options.Data, options.RecordFolder }.Where(Directory.Exists).Distinct())
        {
            var drive = new DriveInfo(folder);
            var enough = drive.AvailableFreeSpace >= LeastFree;
            Add("disk space", enough, $"{drive.AvailableFreeSpace >> 20} MiB are free under {folder}", enough ? null : "Make room: a full disk ends sessions, because what cannot be recorded is not let through.");
        }
    }

    private void Certificates()
    {
        var files = new[] { options.Web.Certificate, options.Gateway.Certificate, Own() }.OfType<CertificateFiles>().Distinct();
        foreach (var pair in files)
        {
            using var loaded = CertificateFile.TryLoad(pair, out var trouble);
            if (loaded is null)
            {
                Add("certificate", false, trouble!);
                continue;
            }

            var left = loaded.Leaf.NotAfter.ToUniversalTime() - _time.GetUtcNow().UtcDateTime;
            Add(
                "certificate",
                left > Soon,
                left > TimeSpan.Zero ? $"{pair.Certificate} holds for {(int)left.TotalDays} more days" : $"{pair.Certificate} is over",
                left > Soon ? null : "Put a new one in its place; the server takes it within seconds, without a restart.");
        }

        CertificateFiles? Own() => CertificateHolder.SelfMadeFiles(options.Data) is var own && File.Exists(own.Certificate) ? own : null;
    }

    private MasterKey? Master()
    {
        try
        {
            if (options.MasterKey.Env is { } name)
            {
                var key = MasterKey.Parse(StintServer.Variables(arguments).GetValueOrDefault(name, ""), $"The variable {name}");
                Add("master key", true, $"the variable {name} holds one");
                return key;
            }

            if (!File.Exists(options.MasterKey.File))
            {
                Add("master key", !File.Exists(Path.Combine(options.Data, "stint.db")), $"{options.MasterKey.File} is not there", "The first start makes it; for a store that exists, put back the one it was made with.");
                return null;
            }

            var (read, _) = MasterKey.FromFile(options.MasterKey.File, mayMake: false);
            Add("master key", true, $"{options.MasterKey.File} can be read by the server alone");
            return read;
        }
        catch (StoreSetupException e)
        {
            Add("master key", false, e.Message);
            return null;
        }
    }

    private async Task StoreAsync(MasterKey? master, CancellationToken cancellation)
    {
        if (options.Store == StoreKind.Sqlite && !File.Exists(Path.Combine(options.Data, "stint.db")))
        {
            Add("store", true, "there is none yet; the first start makes it");
            return;
        }

        try
        {
            await using var store = Parts.Store(options);
            var (counts, stuck) = await store.ReadAsync(
                async reads => (await reads.CountsAsync(), (await reads.AssignmentsAsync(new AssignmentFilter { Stuck = true }, new Page(20))).Items),
                cancellation);
            Add("store", true, $"the {store.Kind} store answers: {counts.OpenGrants} open grants, {counts.Facts} facts");
            Add(
                "removals",
                stuck.Count == 0,
                stuck.Count == 0 ? "none is stuck" : $"{counts.StuckRemovals} are stuck: {string.Join("; ", stuck.Select(one => $"{one.Subject} at {one.Role} since {one.StuckSince:u}: {one.Trouble}"))}",
                stuck.Count == 0 ? null : "Put the target right; removal is tried for ever. A system that is gone for good: stint revoke GRANT --target-gone.");
            Add(
                "reviews",
                counts.OverdueReviews == 0,
                counts.OverdueReviews == 0 ? $"{counts.OpenReviews} of break-glass open, none overdue" : $"{counts.OverdueReviews} of break-glass are overdue",
                counts.OverdueReviews == 0 ? null : "See who reviews them: stint reviews --state open. Until then their persons break no further glass.");
            if (options.Ldap is not null && PullSentences.Of(await store.ReadAsync(async reads => await reads.FindPullAsync(), cancellation)).ToList() is { Count: > 0 } pulls)
            {
                Add("directory pulls", false, string.Join(" ", pulls));
            }

            await SkewAsync(store, cancellation);
            await LogAsync(store, master, cancellation);
        }
        catch (Exception e) when (e is StoreUnavailableException or StoreSetupException or StoreRefusedException)
        {
            Add("store", false, e.Message);
        }
        catch (System.Data.Common.DbException e)
        {
            Add("store", false, $"it is not laid out as this program reads it: {e.Message}", "When an older program made it, start this one: it brings the store up to date.");
        }
    }

    private async Task DirectoryAsync(CancellationToken cancellation)
    {
        if (options.Ldap is not { } ldap)
        {
            return;
        }

        try
        {
            await using var line = await LdapLine.OpenAsync(ldap, cancellation);
            Add("directory", true, $"{ldap} lets Stint's account in");
        }
        catch (LdapTroubleException e)
        {
            Add("directory", false, $"{ldap}: {e.Message}", "See directory.ldap in the configuration. Until it answers nobody joins or leaves here.");
        }
    }

    private async Task SkewAsync(StintStore store, CancellationToken cancellation)
    {
        if (store is not PostgresStore postgres)
        {
            return;
        }

        await using var command = postgres.Source.CreateCommand("SELECT clock_timestamp()");
        var there = (DateTime)(await command.ExecuteScalarAsync(cancellation))!;
        var skew = (there.ToUniversalTime() - _time.GetUtcNow().UtcDateTime).Duration();
        Add("clock", skew <= MostSkew, $"this machine and the database differ by {skew.TotalSeconds:F1} s", skew <= MostSkew ? null : "Let both follow the same time server: deadlines are kept by this machine's clock.");
    }

    private async Task LogAsync(StintStore store, MasterKey? master, CancellationToken cancellation)
    {
        if (master is null)
        {
            return;
        }

        try
        {
            if (await InstallationKeys.FindSignerAsync(store, new Sealer(master), cancellation) is not { } signer)
            {
                Add("audit log", false, "the store holds no signing key");
                return;
            }

            using var checkpoints = new Checkpoints(store, signer, new Installation("", "", "", "", options.Data, options.RecordFolder), _time);
            await checkpoints.CheckWitnessAsync(cancellation);
            Add("audit log", true, "its head is the one that this machine witnessed");
        }
        catch (Exception e) when (e is LogTamperedException or StoreSetupException or CryptographicException)
        {
            Add("audit log", false, e.Message);
        }
    }

    private async Task TargetsAsync(MasterKey? master, CancellationToken cancellation)
    {
        var load = CatalogFolder.Load(options.Catalog, ConnectorList.All);
        Add("catalog", load.Catalog is not null, load.Catalog is { } good ? $"version {good.Version[..12]}, {good.Resources.Count} resources" : string.Join("\n       ", load.Errors));
        if (load.Catalog is not { } catalog || master is null)
        {
            return;
        }

        var secrets = new CatalogSecrets(new Sealer(master), StintServer.Variables(arguments));
        var results = await Task.WhenAll(catalog.Resources.Values
            .OrderBy(resource => resource.Name, StringComparer.Ordinal)
            .Select(async resource => (resource.Name, Outcome: await TryAsync(resource, secrets, cancellation))));
        foreach (var (name, outcome) in results)
        {
            Add(
                "target " + name,
                outcome is VerbOutcome.Done,
                outcome switch
                {
                    VerbOutcome.Done => "answers, and lets Stint do what its roles need",
                    VerbOutcome.Unreachable away => away.Why,
                    VerbOutcome.Refused refused => refused.Why,
                    VerbOutcome.Fenced => "a newer server is at work there",
                    _ => throw new InvalidOperationException("An outcome of a kind that the doctor does not know."),
                },
                (outcome as VerbOutcome.Refused)?.Remedy);
        }
    }

    private static async Task<VerbOutcome> TryAsync(Resource resource, ISecrets secrets, CancellationToken cancellation)
    {
        if (ConnectorList.All.Find(resource.Kind) is not { } connector)
        {
            return new VerbOutcome.Refused($"this server has no connector for the kind '{resource.Kind}'", "Use a server that has.");
        }

        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(Patience);
        try
        {
            return await connector.CheckAsync(new Target(resource, "doctor", secrets), bound.Token);
        }
        catch (SecretUnavailableException e)
        {
            return new VerbOutcome.Refused(e.Message, "Give the server that secret.");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return new VerbOutcome.Unreachable($"it did not answer within {Patience.TotalSeconds:F0} s");
        }
    }

    /// <summary>Whether the control plane can be reached, is the one that is trusted, and knows this node's secret.</summary>
    private async Task ControlAsync(ControlOptions control, CancellationToken cancellation)
    {
        using var line = new ControlLine(control);
        try
        {
            // An unknown login is what can be asked for without changing anything.
            _ = await line.AskAsync("login", new LoginBody("doctor"), NodeJson.Default.LoginBody, NodeJson.Default.LoginFound, cancellation);
            Add("control plane", true, $"{control.Url} answers, and knows this node");
        }
        catch (ControlException e)
        {
            Add("control plane", false, e.Message, "See that it runs and can be reached, that control.fingerprint or control.ca names its certificate, and that its `nodes` holds this node's hash.");
        }
    }

    private async Task GatewayAsync(CancellationToken cancellation)
    {
        if (!options.CarriesSessions)
        {
            return;
        }

        var end = options.Gateway.PostgresListen;
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(TimeSpan.FromSeconds(2));
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(end, bound.Token);
            Add("gateway", true, $"takes connections on {end}");
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException && !cancellation.IsCancellationRequested)
        {
            Add("gateway", false, $"nothing takes connections on {end}", "Start the server: stint serve.");
        }
    }
}
