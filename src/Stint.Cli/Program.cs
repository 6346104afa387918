using System.CommandLine;
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

var parsed = Root.Build().Parse(args);
var configuration = new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false };
var code = await parsed.InvokeAsync(configuration, stop.Token);
return parsed.Errors.Count > 0 && code == 1 ? ExitCode.Usage : code;
