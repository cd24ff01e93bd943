using System.CommandLine;
using Stoker.Cli.GpuVerbs;
using Stoker.Cli.HostVerbs;
using Stoker.Cli.StreamVerbs;

namespace Stoker.Cli;

/// <summary>
/// The literal list of verbs, in the order of the help. Made anew for each command line, because a verb knows the one that it is part of,
/// and only those that it needs: to make all of them takes longer than to ask the daemon.
/// </summary>
internal sealed class Verbs
{
    private static readonly VerbNames[] InOrder =
    [
        new("Declare", ["check", "plan", "config"]),
        new("Run", ["up", "down", "start", "stop", "restart", "reload", "scale"]),
        new("Look", ["status", "wait", "logs", "why", "events", "probe"]),
        new("Hosts", ["host", "doctor"]),
        new("Models", ["model", "key"]),
        new("GPUs", ["gpu"]),
        new("Streams", ["stream"]),
        new("Rehearse", ["simulate"]),
        new("Stoker itself", ["daemon", "completion", "complete"]),
    ];

    private VerbGroup[]? _groups;

    /// <summary>All of them.</summary>
    public VerbGroup[] Groups => _groups ??= [.. InOrder.Select(g => new VerbGroup(g.Title, [.. g.Names.Select(name => Create(name)!)]))];

    /// <summary>What parses these words: with the one verb that they begin with, or with every verb where they begin otherwise.</summary>
    public Command Tree(GlobalOptions globals, IReadOnlyList<string> words)
    {
        var root = new Command("stoker", "Stoker runs the GPU boxes that people own: declare an estate in one file, run it, prove that it holds.");
        foreach (var option in globals.All) root.Options.Add(option);
        if (words is [var first, ..] && Create(first) is { } only)
        {
            root.Subcommands.Add(only);
            return root;
        }

        foreach (var (_, verbs) in Groups)
        {
            foreach (var verb in verbs) root.Subcommands.Add(verb);
        }

        return root;
    }

    /// <summary>Null when no verb has this name.</summary>
    internal static Verb? Create(string name) => name switch
    {
        "check" => CheckCommand.Create(),
        "plan" => PlanCommand.Create(),
        "config" => ConfigCommand.Create(),
        "up" => UpCommand.Create(),
        "down" => DownCommand.Create(),
        "start" => StartCommand.Create(),
        "stop" => StopCommand.Create(),
        "restart" => RestartCommand.Create(),
        "reload" => ReloadCommand.Create(),
        "scale" => ScaleCommand.Create(),
        "status" => StatusCommand.Create(),
        "wait" => WaitCommand.Create(),
        "logs" => LogsCommand.Create(),
        "why" => WhyCommand.Create(),
        "events" => EventsCommand.Create(),
        "probe" => ProbeCommand.Create(),
        "host" => HostCommand.Create(),
        "doctor" => DoctorCommand.Create(),
        "model" => ModelCommand.Create(),
        "key" => KeyCommand.Create(),
        "gpu" => GpuCommand.Create(),
        "stream" => StreamCommand.Create(),
        "simulate" => SimulateCommand.Create(),
        "daemon" => DaemonCommand.Create(),
        "completion" => CompletionCommand.Create(),
        "complete" => CompleteCommand.Create(),
        _ => null,
    };

    private sealed record VerbNames(string Title, string[] Names);
}

/// <param name="Title">Heading in the help.</param>
internal sealed record VerbGroup(string Title, Verb[] Verbs);
