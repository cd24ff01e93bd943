using System.CommandLine;
using System.Globalization;
using Stoker.Daemon.Protocol;
using Stoker.Gpus;

namespace Stoker.Cli.GpuVerbs;

internal static class GpuSimulateVerb
{
    public static Verb Create()
    {
        var gpu = new Argument<string>("GPU") { Arity = ArgumentArity.ExactlyOne, Description = "index or UUID of a simulated card" };
        var xid = Parameters.Count("--xid", "the driver reports this fault: 31 a page fault, 79 fallen off the bus, …");
        var load = Parameters.Amount("--load", "busy by so much beside its services, 0 to 1");
        var cooling = Parameters.Amount("--cooling", "of what it should be, 0 to 1: 0.3 is a fan that has failed");
        var memory = Parameters.Flag("--memory-fault", "a bit of its memory sticks, for `stoker gpu diag --level 2` to find");
        var reset = Parameters.Flag("--reset", "the card is as new");
        return new Verb("simulate", "let something happen to a card that a rehearsal simulates: a fault, a load, bad cooling, bad memory")
        {
            Example = "stoker gpu simulate 0 --xid 79",
            Remarks = ["A real card is never touched. What Stoker does about it is in `stoker events` and `stoker why SERVICE`."],
            ExitCodes = [ExitCode.EstateIsWrong, ExitCode.Refused, ExitCode.NoDaemon],
        }.With(gpu, xid, load, cooling, memory, reset).Asks((run, control) =>
        {
            var request = new GpuSimulationRequest(run.Get(gpu)!, run.Count(xid), Amount(run.Get(load)), Amount(run.Get(cooling)), run.Get(reset), run.Get(memory));
            if (request is { Xid: null, Load: null, Cooling: null, Reset: false, MemoryFault: false })
            {
                run.Report.Error("nothing is to happen", "say `--xid`, `--load`, `--cooling`, `--memory-fault` or `--reset`");
                return ExitCode.Usage;
            }

            var reply = control.SimulateGpu(request);
            return reply is ControlReply<AcceptedDocument>.Answered ? ExitCode.Done : run.Failed(reply);
        });
    }

    private static double? Amount(string? text) => text is null ? null : double.Parse(text, CultureInfo.InvariantCulture);
}
