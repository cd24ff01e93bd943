using System.CommandLine;
using Stoker.Daemon;
using Stoker.Daemon.Protocol;

namespace Stoker.Cli;

/// <summary>One run of a verb: the words it was given and the world it was called in.</summary>
internal sealed class Invocation(Surroundings world, ParseResult parse, GlobalOptions globals)
{
    private StateDirectory? _state;
    private EstateChoice? _choice;

    public Surroundings World => world;

    public TextWriter Output => world.Output;

    public bool Json => IsGiven(globals.Json);

    public string? Env => parse.GetValue(globals.Env);

    public string? Host => parse.GetValue(globals.Host);

    public Style Style { get; } = Style.For(world.Terminal.OutputIsTerminal, IsGiven(parse, globals.NoColor), world.Variables);

    public Report Report { get; } = new(
        world.Error,
        Style.For(world.Terminal.ErrorIsTerminal, IsGiven(parse, globals.NoColor), world.Variables));

    /// <summary>Width for tables: the terminal's, or as wide as it takes where nobody has to fit it on a screen.</summary>
    public int Width => world.Terminal.OutputIsTerminal
        ? world.Terminal.Size.Columns
        : world.Variables.TryGetValue("COLUMNS", out var text) && int.TryParse(text, out var columns) && columns > 0 ? columns : int.MaxValue;

    /// <summary>Is an estate named, or does one lie here? Asked by verbs that also work without.</summary>
    public bool HasEstate => parse.GetValue(globals.File) is { Length: > 0 } || Estates.Yaml.EstateLoader.Discover(world.CurrentDirectory, world.Files) is not null;

    /// <summary>The estate's files; null when there are none, which has been said then.</summary>
    public EstateChoice? Choice => _choice ??= EstateChoice.Find(world, parse.GetValue(globals.File) ?? [], Report);

    /// <summary>Null when it depends on the estate's name and that cannot be told, which has been said then.</summary>
    public StateDirectory? State => _state ??= LocateState();

    /// <summary>The same, and says nothing: for a verb that goes on without what it looks for.</summary>
    public Invocation Quiet() => new(world with { Error = TextWriter.Null }, parse, globals);

    /// <summary>For what is about this machine, whatever estate lies here: the place that was chosen, else one of its own.</summary>
    public StateDirectory MachineState =>
        StateDirectory.Chosen(parse.GetValue(globals.State), world.Variables, world.CurrentDirectory) ?? StateDirectory.Of("machine", world.Variables, world.IsRoot);

    /// <summary>By presence, which costs less than the parser's conversion; <c>--json=false</c> is not given.</summary>
    public bool Get(Option<bool> option) => IsGiven(option);

    public T? Get<T>(Option<T> option) => parse.GetValue(option);

    public T? Get<T>(Argument<T> argument) => parse.GetValue(argument);

    public TimeSpan? Duration(Option<string?> option) => parse.GetValue(option) is { } text ? Durations.Parse(text) : null;

    public DateTimeOffset? Moment(Option<string?> option) => parse.GetValue(option) is { } text ? Moments.Parse(text, world.Clock) : null;

    public int? Count(Option<string?> option) =>
        parse.GetValue(option) is { } text ? int.Parse(text, System.Globalization.CultureInfo.InvariantCulture) : null;

    /// <param name="fromNow">The first snapshot is how things were before, and is not told.</param>
    public ProgressLines Progress(IReadOnlyList<string> names, bool fromNow) => new(
        Report, world.Clock, names, fromNow, world.Terminal.ErrorIsTerminal, world.Terminal.ErrorIsTerminal ? world.Terminal.Size.Columns : int.MaxValue / 2);

    /// <summary>One document on one line of stdout.</summary>
    public void PrintJson<TDocument>(TDocument document, System.Text.Json.Serialization.Metadata.JsonTypeInfo<TDocument> type) =>
        Output.WriteLine(System.Text.Json.JsonSerializer.Serialize(document, type));

    /// <summary>Says why there is no answer, and what to end with.</summary>
    public ExitCode Failed<T>(ControlReply<T> reply)
    {
        if (reply is ControlReply<T>.Rejected rejected) return Report.Rejected(rejected.Error);
        if (DeadDaemon() is var (words, hint)) Report.Error(words, hint);
        else Report.Error($"no daemon answers: {((ControlReply<T>.NoDaemon)reply).Reason}", "`stoker up` starts one; `--state DIR` looks elsewhere");
        return ExitCode.NoDaemon;
    }

    /// <summary>What to say of a daemon that does not answer although its services run on; null: none do.</summary>
    public (string Words, string Hint)? DeadDaemon()
    {
        var left = State is { } state ? world.Machine.CountLeftBehind(state) : 0;
        if (left == 0) return null;
        return ($"no daemon answers; {(left == 1 ? "1 service was" : $"{left} services were")} running when it died", $"`stoker up` adopts {(left == 1 ? "it" : "them")} without a restart");
    }

    private bool IsGiven(Option<bool> option) => IsGiven(parse, option);

    private static bool IsGiven(ParseResult parse, Option<bool> option) =>
        parse.GetResult(option) is { Implicit: false } result && result.Tokens is not [{ Value: "false" }];

    private StateDirectory? LocateState() =>
        StateDirectory.Chosen(parse.GetValue(globals.State), world.Variables, world.CurrentDirectory)
        ?? (Choice?.Name(Env, Report) is { } name ? StateDirectory.Of(name, world.Variables, world.IsRoot) : null);
}
