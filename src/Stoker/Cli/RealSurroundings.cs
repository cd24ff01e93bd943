using System.Text;
using Stoker.Estates.Yaml;
using Stoker.Platform;

namespace Stoker.Cli;

/// <summary>The world as the program finds it.</summary>
internal static class RealSurroundings
{
    public static Surroundings Open()
    {
        var variables = HostEnvironment.Variables;
        return new Surroundings
        {
            Output = OpenOutput(),
            Error = new StreamWriter(StandardStreams.Open(StandardStreams.ErrorOutput), new UTF8Encoding(false)) { AutoFlush = true },
            Terminal = new LocalTerminal(),
            Variables = variables,
            IsRoot = HostEnvironment.IsRoot,
            CurrentDirectory = HostEnvironment.CurrentDirectory,
            Executable = HostEnvironment.ExecutablePath,
            Clock = TimeProvider.System,
            Files = new EstateFiles(),
            Daemons = new LocalDaemons(),
            Machine = new LocalMachine(),
            Diag = () => Gpus.Diag.DiagDoors.Of(variables),
            Facts = () => Hosts.Facts.FactDoors.Of(variables, TimeProvider.System, HomesOf(variables)),
            Interrupts = () => new Interrupts(),
        };
    }

    /// <summary>Where Python environments may be that are of use here.</summary>
    private static IEnumerable<string> HomesOf(IReadOnlyDictionary<string, string> variables)
    {
        if (variables.TryGetValue("VIRTUAL_ENV", out var active) && active.Length > 0) yield return active;
        if (variables.TryGetValue("HOME", out var home) && home.Length > 0) yield return home;
        yield return HostEnvironment.CurrentDirectory;
    }

    public static StreamWriter OpenOutput() => new(StandardStreams.Open(StandardStreams.Output), new UTF8Encoding(false), bufferSize: 16 * 1024);
}
