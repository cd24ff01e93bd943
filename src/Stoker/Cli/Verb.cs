using System.CommandLine;
using Stoker.Daemon.Protocol;

namespace Stoker.Cli;

/// <summary>One verb of the command line: its words, what its help ends with, and what it does.</summary>
internal sealed class Verb(string name, string summary) : Command(name, summary)
{
    /// <summary>A line that a person could paste; the first word is <c>stoker</c>.</summary>
    public required string Example { get; init; }

    /// <summary>More than the summary says, a paragraph a line.</summary>
    public IReadOnlyList<string> Remarks { get; init; } = [];

    /// <summary>Codes it can end with besides done and usage.</summary>
    public IReadOnlyList<ExitCode> ExitCodes { get; init; } = [];

    public Func<Invocation, Task<ExitCode>>? Run { get; private set; }

    public Verb With(params Symbol[] symbols)
    {
        foreach (var symbol in symbols)
        {
            if (symbol is Option option) Options.Add(option);
            else if (symbol is Argument argument) Arguments.Add(argument);
            else Subcommands.Add((Command)symbol);
        }

        return this;
    }

    /// <summary>A verb that waits for nothing.</summary>
    public Verb Does(Func<Invocation, ExitCode> run) => Does(invocation => Task.FromResult(run(invocation)));

    public Verb Does(Func<Invocation, Task<ExitCode>> run)
    {
        Run = run;
        return this;
    }

    /// <summary>A verb that talks to the estate's daemon and to nothing else.</summary>
    public Verb Asks(Func<Invocation, ControlClient, ExitCode> run) => Asks((invocation, control) => Task.FromResult(run(invocation, control)));

    /// <inheritdoc cref="Asks(Func{Invocation, ControlClient, ExitCode})"/>
    public Verb Asks(Func<Invocation, ControlClient, Task<ExitCode>> run) =>
        Does(invocation => invocation.State is { } state ? run(invocation, invocation.World.Control(state)) : Task.FromResult(ExitCode.EstateIsWrong));
}
