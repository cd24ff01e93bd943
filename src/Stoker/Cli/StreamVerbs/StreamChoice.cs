using System.CommandLine;
using System.Text.Json;
using Stoker.Daemon;
using Stoker.Diagnostics;
using Stoker.Platform;
using Stoker.Streams;
using Stoker.Streams.Log.Reading;
using Stoker.Streams.Serving;
using Stoker.Streams.Stores;

namespace Stoker.Cli.StreamVerbs;

/// <summary>A stream that a verb is about, as it was applied last.</summary>
/// <param name="Directory">Where it keeps its log and its dead letters.</param>
internal sealed record StreamChoice(StreamPlan Plan, string Directory)
{
    public const string ArgumentName = "STREAM", KeyVariable = "STOKER_STREAM_KEY";

    public string Name => Plan.Name;

    public string Log => Path.Combine(Directory, StreamProcess.LogDirectory);

    /// <summary>May be left out where there is one.</summary>
    public static Argument<string?> Argument() => new(ArgumentName) { Arity = ArgumentArity.ZeroOrOne, Description = "its name; may be left out where the estate has one" };

    /// <summary>This host's streams, by name; from the state directory, so that it works without a daemon and without the file.</summary>
    public static IReadOnlyList<StreamChoice> All(StateDirectory state)
    {
        var directory = Path.Combine(state.Path, "streams");
        if (!Files.DirectoryExists(directory)) return [];
        var found = new List<StreamChoice>();
        foreach (var file in Files.List(directory, "*.json").Order(StringComparer.Ordinal))
        {
            try
            {
                var plan = StreamPlan.FromJson(Files.ReadAllBytes(file));
                found.Add(new StreamChoice(plan, StreamPlan.DirectoryOf(state.Path, plan.Name)));
            }
            catch (JsonException broken)
            {
                throw new IOException($"`{file}` cannot be read: {broken.Message}; `stoker up` writes it anew");
            }
        }

        return found;
    }

    /// <summary>Null: there is none of this name, or it has to be said which; that, and what to end with, has been said then.</summary>
    public static StreamChoice? Find(Invocation run, string? name, out ExitCode code)
    {
        code = ExitCode.EstateIsWrong;
        if (run.State is not { } state) return null;
        var all = All(state);
        if ((name is null ? all.Count == 1 ? all[0] : null : all.FirstOrDefault(stream => stream.Name == name)) is { } found) return found;
        code = all.Count == 0 ? ExitCode.NotAsItShouldBe : ExitCode.Usage;
        if (all.Count == 0) run.Report.Error("there are no streams here", "declare one in `streams:`, and `stoker up`; `--state DIR` looks elsewhere");
        else if (name is null) run.Report.Error("which stream?", string.Join(" ", all.Select(stream => stream.Name)));
        else run.Report.Error($"there is no stream `{name}`", Suggestion.For(name, all.Select(stream => stream.Name)) ?? "`stoker stream list` shows them");
        return null;
    }

    /// <summary>A verb about one stream.</summary>
    public static Func<Invocation, ExitCode> With(Argument<string?> argument, Func<Invocation, StreamChoice, ExitCode> work) =>
        run => Find(run, run.Get(argument), out var code) is { } stream ? work(run, stream) : code;

    /// <inheritdoc cref="With(Argument{string?}, Func{Invocation, StreamChoice, ExitCode})"/>
    public static Func<Invocation, Task<ExitCode>> With(Argument<string?> argument, Func<Invocation, StreamChoice, Task<ExitCode>> work) =>
        run => Find(run, run.Get(argument), out var code) is { } stream ? work(run, stream) : Task.FromResult(code);

    /// <summary>The key for a stream that asks for one may be another than the owner's.</summary>
    public static Option<string?> KeyFile() => Parameters.Text(
        "--key-file", "PATH", $"a file whose only line is the key to show (default: the key in {KeyVariable}; else the owner's, which lies in the state directory)");

    /// <summary>Speaks to its process, with the key that there is.</summary>
    /// <exception cref="StreamSilentException">The key cannot be read.</exception>
    public StreamClient Client(Invocation run, TimeSpan patience, string? keyFile = null) => new(Plan, patience, KeyOf(run, keyFile));

    /// <summary>For its process; null: none is needed.</summary>
    /// <exception cref="StreamSilentException">The key cannot be read.</exception>
    public string? KeyOf(Invocation run, string? keyFile)
    {
        if (GivenKey(run, keyFile) is { } given) return given;
        if (!Plan.RequiresKeys) return null;
        var path = Path.Combine(Directory, StreamPlan.OwnerKey);
        if (!Files.Exists(path)) throw new StreamSilentException("it has never run with keys, and so has made none for its owner");
        return ReadKey(path);
    }

    /// <summary>That of the option, or of the variable; null: neither is there.</summary>
    /// <exception cref="StreamSilentException">The key cannot be read.</exception>
    public static string? GivenKey(Invocation run, string? keyFile) =>
        keyFile is not null ? ReadKey(Path.Combine(run.World.CurrentDirectory, keyFile)) : run.World.Variables.TryGetValue(KeyVariable, out var key) && key.Length > 0 ? key : null;

    private static string ReadKey(string path)
    {
        try
        {
            return Files.ReadAllText(path).Trim();
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new StreamSilentException($"its key cannot be read: {unreadable.Message}");
        }
    }

    public StoreSpec StoreSpec(Invocation run) =>
        StreamProcess.StoreOf(Plan, Directory) with { Password = Plan.PasswordVariable is { } variable ? () => run.World.Variables.GetValueOrDefault(variable) : null };

    /// <summary>The log, read past the stream's process; to be disposed of. Null: there is none, because the stream has never run.</summary>
    /// <exception cref="IOException"/>
    public LogView? Look(Invocation run) => LogOpener.Look(Plan, Log, name => run.World.Variables.GetValueOrDefault(name), new SteadyClock(), line => run.Report.Say(line));

    /// <summary>Null: it is a file that is not there yet, which must not be made by asking.</summary>
    public IDocumentStore? OpenStore(Invocation run)
    {
        var spec = StoreSpec(run);
        return spec.Address.Kind == StoreKind.Sqlite && !Files.Exists(spec.Address.Path) ? null : StoresModule.Open(spec, new SteadyClock());
    }
}
