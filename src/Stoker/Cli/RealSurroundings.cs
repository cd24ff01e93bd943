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
            Error = new StreamWriter(Console.OpenStandardError(), new UTF8Encoding(false)) { AutoFlush = true },
            Terminal = new LocalTerminal(),
            Variables = variables,
            IsRoot = HostEnvironment.IsRoot,
            CurrentDirectory = HostEnvironment.CurrentDirectory,
            Executable = HostEnvironment.ExecutablePath,
            Clock = TimeProvider.System,
            Files = new EstateFiles(),
            Daemons = new LocalDaemons(),
            Machine = new LocalMachine(),
            Interrupts = () => new Interrupts(),
        };
    }

    /// <summary>
    /// The stream itself, not Console.Out: that one would set up the terminal and the runtime's own watch over child processes, which
    /// is a start-up cost and, in a daemon, a rival for their exit codes.
    /// </summary>
    public static StreamWriter OpenOutput() => new(Console.OpenStandardOutput(), new UTF8Encoding(false), bufferSize: 16 * 1024);
}
