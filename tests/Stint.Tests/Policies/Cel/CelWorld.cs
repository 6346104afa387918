using System.Diagnostics;
using Stint.Core.Policies.Cel;
using Xunit;

namespace Stint.Tests.Policies.Cel;

/// <summary>An environment as a policy has one, and short ways to compile and ask.</summary>
internal static class CelWorld
{
    public static readonly CelShape Subject = new("subject", [
        new("id", CelType.String, "Who asks."),
        new("groups", CelType.List(CelType.String), "The groups that they are in."),
        new("on_call", CelType.Bool, "Whether they are on call."),
        new("address", CelType.String, "Where the asking came from.", MayBeAbsent: true),
    ]);

    public static readonly CelShape Owner = new("owner", [new("name", CelType.String, "Their name."), new("level", CelType.Int, "Their level.")]);

    public static readonly CelShape Resource = new("resource", [
        new("name", CelType.String, "Its name."),
        new("labels", CelType.Map(CelType.String, CelType.String), "Its labels."),
        new("owner", CelType.Of(Owner), "Who owns it."),
        new("history", CelType.List(CelType.Of(Owner)), "Who owned it."),
    ]);

    public static readonly CelShape Request = new("request", [
        new("for", CelType.Duration, "How long.", "nanoseconds"),
        new("ticket", CelType.String, "The ticket.", MayBeAbsent: true),
        new("count", CelType.Int, "How many.", "requests"),
    ]);

    public static readonly CelEnvironment Environment = CelEnvironment.Of(
        new CelField("subject", CelType.Of(Subject), "Who asks."),
        new CelField("resource", CelType.Of(Resource), "For what."),
        new CelField("request", CelType.Of(Request), "The asking."),
        new CelField("now", CelType.Timestamp, "The moment of the decision."),
        new CelField("extra", CelType.Dyn, "Anything."));

    public static CelInputs Inputs()
    {
        var inputs = new CelInputs(Environment);
        inputs.Set("subject.id", CelValue.From("ann"));
        inputs.Set("subject.groups", CelValue.From(CelList.OfSet(["developers", "oncall"])));
        inputs.Set("subject.on_call", CelValue.True);
        inputs.Set("resource.name", CelValue.From("orders-db"));
        inputs.Set("resource.labels", CelValue.From(CelMap.Of([new KeyValuePair<string, string>("env", "prod"), new("team", "shop")])));
        inputs.Set("resource.owner.name", CelValue.From("bob"));
        inputs.Set("resource.owner.level", CelValue.From(3L));
        inputs.Set("resource.history", CelValue.From(CelList.Of(new CelRecord(Owner, CelValue.From("eve"), CelValue.From(1L)).ToValue())));
        inputs.Set("request.for", CelValue.From(TimeSpan.FromMinutes(30)));
        inputs.Set("request.count", CelValue.From(7L));
        inputs.Set("now", CelValue.From(new DateTimeOffset(2026, 7, 1, 22, 30, 0, TimeSpan.Zero)));
        inputs.Set("extra", CelValue.Null);
        return inputs;
    }

    public static CelProgram Program(string source, CelType? expected = null, CelLimits? limits = null) =>
        CelCompiler.Compile(source, Environment, expected ?? CelType.Dyn, limits) switch
        {
            CelCompilation.Compiled compiled => compiled.Program,
            CelCompilation.Problems problems => throw new InvalidOperationException($"{source}\n{string.Join('\n', problems.All)}"),
            _ => throw new InvalidOperationException(),
        };

    public static IReadOnlyList<CelProblem> Problems(string source, CelType? expected = null, CelLimits? limits = null) =>
        CelCompiler.Compile(source, Environment, expected ?? CelType.Dyn, limits) is CelCompilation.Problems problems ? problems.All : [];

    public static CelOutcome Ask(string source, CelLimits? limits = null) => Program(source, null, limits).Evaluate(Inputs());

    public static string Said(string source) => Ask(source) switch
    {
        CelOutcome.Is value => value.Value.ToString(),
        CelOutcome.Failed failed => $"{failed.Error.Code}",
        _ => "",
    };

    /// <summary>Runs one of the scripts of this folder, or of another, in node, with the npm packages that <c>eng/servers</c> installs.</summary>
    public static string Node(string script, string input, params string[] folder)
    {
        var checkout = Checkout();
        var modules = Run("bash", [Path.Combine(checkout, "eng", "servers"), "modules"], "", null).Trim();
        Assert.True(Directory.Exists(Path.Combine(modules, "@bufbuild", "cel")), $"{modules} lacks @bufbuild/cel; run eng/servers.");
        return Run("node", [Path.Combine([checkout, "tests", "Stint.Tests", .. folder is [] ? ["Policies", "Cel"] : folder, script])], input, modules);
    }

    public static string Checkout()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Stint.slnx")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException("The tests read the source; they run inside a checkout.");
    }

    private static string Run(string file, string[] arguments, string input, string? modules)
    {
        var start = new ProcessStartInfo(file, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        if (modules is not null)
        {
            start.Environment["NODE_PATH"] = modules;
        }

        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        if (!process.WaitForExit(60_000))
        {
            process.Kill(true);
            throw new TimeoutException($"{file} {string.Join(' ', arguments)} took over a minute.");
        }

        var said = output.GetAwaiter().GetResult();
        return process.ExitCode == 0 ? said : throw new InvalidOperationException($"{file} ended with {process.ExitCode}: {error.GetAwaiter().GetResult()}");
    }
}
