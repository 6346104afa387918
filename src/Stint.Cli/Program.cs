using System.CommandLine;
using System.CommandLine.Invocation;
using System.Runtime.InteropServices;
using Stint.Cli;

using var stop = new CancellationTokenSource();

// Our own, because the parser's would end this process after two seconds while psql is still in front.
void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}

using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

// A terminal that was closed must not leave access standing that 'run' would have handed back.
using var hangUp = OperatingSystem.IsWindows() || args.Contains("serve") ? null : PosixSignalRegistration.Create(PosixSignal.SIGHUP, Stop);

var parsed = Root.Build().Parse(args);
if (parsed.Errors.Count > 0 && parsed.Action is ParseErrorAction)
{
    return Verb.Misunderstood(parsed);
}

var configuration = new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false };
return await parsed.InvokeAsync(configuration, stop.Token);
