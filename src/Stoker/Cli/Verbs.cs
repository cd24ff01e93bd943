using System.CommandLine;
using Stoker.Cli.GpuVerbs;
using Stoker.Cli.StreamVerbs;

namespace Stoker.Cli;

/// <summary>The literal list of verbs, in the order of the help. Made anew for each command line: a verb knows the one that it is part of.</summary>
internal sealed class Verbs
{
    public VerbGroup[] Groups { get; } =
    [
        new("Declare", [CheckCommand.Create(), PlanCommand.Create(), ConfigCommand.Create()]),
        new("Run",
        [
            UpCommand.Create(), DownCommand.Create(), StartCommand.Create(), StopCommand.Create(), RestartCommand.Create(),
            ReloadCommand.Create(), ScaleCommand.Create(),
        ]),
        new("Look",
        [
            StatusCommand.Create(), WaitCommand.Create(), LogsCommand.Create(), WhyCommand.Create(), EventsCommand.Create(), ProbeCommand.Create(),
        ]),
        new("Hosts", [HostVerbs.HostCommand.Create(), HostVerbs.DoctorCommand.Create()]),
        new("Models", [ModelCommand.Create(), KeyCommand.Create()]),
        new("GPUs", [GpuCommand.Create()]),
        new("Streams", [StreamCommand.Create()]),
        new("Rehearse", [SimulateCommand.Create()]),
        new("Stoker itself", [DaemonCommand.Create(), CompletionCommand.Create(), CompleteCommand.Create()]),
    ];

    public Command Tree(GlobalOptions globals)
    {
        var root = new Command("stoker", "Stoker runs the GPU boxes that people own: declare an estate in one file, run it, prove that it holds.");
        foreach (var option in globals.All) root.Options.Add(option);
        foreach (var (_, verbs) in Groups)
        {
            foreach (var verb in verbs) root.Subcommands.Add(verb);
        }

        return root;
    }
}

/// <param name="Title">Heading in the help.</param>
internal sealed record VerbGroup(string Title, Verb[] Verbs);
