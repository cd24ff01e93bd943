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
    private static readonly Group[] InOrder =
    [
        new("Declare", [new("check", CheckCommand.Create), new("plan", PlanCommand.Create), new("config", ConfigCommand.Create)]),
        new("Run",
        [
            new("up", UpCommand.Create),
            new("down", DownCommand.Create),
            new("start", StartCommand.Create),
            new("stop", StopCommand.Create),
            new("restart", RestartCommand.Create),
            new("reload", ReloadCommand.Create),
            new("scale", ScaleCommand.Create),
        ]),
        new("Look",
        [
            new("status", StatusCommand.Create),
            new("wait", WaitCommand.Create),
            new("logs", LogsCommand.Create),
            new("why", WhyCommand.Create),
            new("events", EventsCommand.Create),
            new("probe", ProbeCommand.Create),
        ]),
        new("Hosts", [new("host", HostCommand.Create), new("doctor", DoctorCommand.Create)]),
        new("Models", [new("model", ModelCommand.Create), new("key", KeyCommand.Create)]),
        new("GPUs", [new("gpu", GpuCommand.Create)]),
        new("Streams", [new("stream", StreamCommand.Create)]),
        new("Rehearse", [new("simulate", SimulateCommand.Create)]),
        new("Stoker itself", [new("daemon", DaemonCommand.Create), new("completion", CompletionCommand.Create), new("complete", CompleteCommand.Create)]),
    ];

    private VerbGroup[]? _groups;

    /// <summary>All of them.</summary>
    public VerbGroup[] Groups => _groups ??= [.. InOrder.Select(g => new VerbGroup(g.Title, [.. g.Entries.Select(entry => entry.Create())]))];

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
    internal static Verb? Create(string name)
    {
        foreach (var group in InOrder)
        {
            foreach (var entry in group.Entries)
            {
                if (entry.Name == name) return entry.Create();
            }
        }

        return null;
    }

    private sealed record Group(string Title, Entry[] Entries);

    private sealed record Entry(string Name, Func<Verb> Create);
}

/// <param name="Title">Heading in the help.</param>
internal sealed record VerbGroup(string Title, Verb[] Verbs);
