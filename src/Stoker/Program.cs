using Stoker.Cli;
using Stoker.Daemon;
using Stoker.Gateway;
using Stoker.Runtimes;
using Stoker.StandIns;
using Stoker.Streams.Serving;

// Before anything else is loaded: a rehearsal starts dozens of these at once.
if (args is [StandInsModule.Verb, ..]) return StandIn.Run(args);

if (args is [ContainerStart.Verb, ..]) return ContainerStart.Run(args);

if (args is [GatewayProcess.Verb, ..]) return GatewayProcess.Run(args);

if (args is [StreamProcess.Verb, ..]) return StreamProcess.Run(args);

if (args is [GatewayDrain.Verb]) return GatewayDrain.Run();

// Scripts ask this on every start; it needs no parser.
if (args is ["--version"])
{
    using var output = RealSurroundings.OpenOutput();
    output.WriteLine($"stoker {ProgramVersion.Text}");
    return 0;
}

return CommandLine.Run(args, RealSurroundings.Open());
